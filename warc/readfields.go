package warc

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/textproto"
)

// readLine reads a line without its end, which may be LF alone, and takes it off the
// room that there is for a header.
func readLine(b *bufio.Reader, room *int) ([]byte, error) {
	var line []byte
	for {
		part, err := b.ReadSlice('\n')
		if *room -= len(part); *room < 0 {
			return nil, fmt.Errorf("%w: longer than %d KiB", ErrHeader, maxHeader>>10)
		}
		line = append(line, part...)
		switch err {
		case nil:
			return bytes.TrimRight(line, "\r\n"), nil
		case bufio.ErrBufferFull:
		case io.EOF:
			return nil, io.ErrUnexpectedEOF
		default:
			return nil, err
		}
	}
}

// readFields reads named fields up to an empty line, as WARC has them (ISO 28500, 4)
// and HTTP (RFC 9112, 5): a line that begins with white space goes on with the one
// before it. A line that is no field is left out.
func readFields(b *bufio.Reader, room *int) (textproto.MIMEHeader, error) {
	header := make(textproto.MIMEHeader)
	last := ""
	for {
		line, err := readLine(b, room)
		if err != nil {
			return nil, err
		}
		if len(line) == 0 {
			return header, nil
		}
		if line[0] == ' ' || line[0] == '\t' {
			if values := header[last]; len(values) > 0 {
				values[len(values)-1] += " " + string(bytes.TrimSpace(line))
			}
			continue
		}
		name, value, ok := bytes.Cut(line, []byte(":"))
		if last = textproto.CanonicalMIMEHeaderKey(string(bytes.TrimSpace(name))); ok && last != "" {
			header.Add(last, string(bytes.TrimSpace(value)))
		}
	}
}
