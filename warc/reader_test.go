package warc

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"
)

// had is a record as a strict reader has it: one that takes nothing but the form
// that clause 4 gives, in one gzip member each.
type had struct {
	kind           string
	header         string // with its last line's end, without the blank line
	fields         map[string]string
	block          []byte
	offset, length int64 // of the member
}

// payload returns what WARC-Payload-Digest is of.
func (h *had) payload() []byte {
	if h.kind != typeResponse {
		return h.block
	}
	_, body, _ := bytes.Cut(h.block, []byte("\r\n\r\n"))
	return body
}

// readAll reads a file's records, and checks their digests.
func readAll(t *testing.T, file []byte) []had {
	t.Helper()
	var list []had
	from := bytes.NewReader(file)
	for from.Len() > 0 {
		begin := int64(len(file) - from.Len())
		z, err := gzip.NewReader(from)
		if err != nil {
			t.Fatalf("at %d: %v", begin, err)
		}
		z.Multistream(false)
		plain, err := io.ReadAll(z)
		if err != nil {
			t.Fatalf("at %d: %v", begin, err)
		}
		h, err := parse(plain)
		if err != nil {
			t.Fatalf("at %d: %v\n%q", begin, err, plain)
		}
		h.offset, h.length = begin, int64(len(file)-from.Len())-begin
		h.check(t)
		list = append(list, h)
	}
	return list
}

// parse reads one record. No field that is written may stand twice (5.1).
func parse(plain []byte) (had, error) {
	h := had{fields: make(map[string]string)}
	header, rest, ok := bytes.Cut(plain, []byte("\r\n\r\n"))
	if !ok {
		return h, fmt.Errorf("no blank line")
	}
	h.header = string(header) + "\r\n"
	lines := strings.Split(string(header), "\r\n")
	if lines[0] != "WARC/1.1" {
		return h, fmt.Errorf("version %q", lines[0])
	}
	for _, line := range lines[1:] {
		name, value, ok := strings.Cut(line, ": ")
		if !ok || strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-") != "" || strings.ContainsAny(value, "\r\n\x00") {
			return h, fmt.Errorf("field %q", line)
		}
		if _, twice := h.fields[name]; twice {
			return h, fmt.Errorf("%s twice", name)
		}
		h.fields[name] = value
	}
	h.kind = h.fields["WARC-Type"]
	n, err := strconv.Atoi(h.fields["Content-Length"])
	if err != nil || len(rest) != n+4 || string(rest[n:]) != "\r\n\r\n" {
		return h, fmt.Errorf("content length %q of %d bytes", h.fields["Content-Length"], len(rest))
	}
	h.block = rest[:n]
	return h, nil
}

// check checks what holds of each record by itself.
func (h *had) check(t *testing.T) {
	t.Helper()
	for _, name := range []string{"WARC-Record-ID", "WARC-Date", "WARC-Block-Digest", "Content-Type"} {
		if h.fields[name] == "" {
			t.Errorf("no %s: %q", name, h.header)
		}
	}
	if (h.fields["WARC-Target-URI"] == "") != (h.kind == typeInfo) {
		t.Errorf("target URI: %q", h.header)
	}
	if strings.ContainsAny(h.fields["WARC-Target-URI"], " <>\"") {
		t.Errorf("no URI: %q", h.header)
	}
	if got := sum(h.block); got != h.fields["WARC-Block-Digest"] {
		t.Errorf("block digest %s of %q", got, h.header)
	}
	if want, ok := h.fields["WARC-Payload-Digest"]; ok && h.kind != typeRevisit && sum(h.payload()) != want {
		t.Errorf("payload digest %s of %q", sum(h.payload()), h.header)
	}
}

func sum(b []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(b)) }

// httpHeaders reads the headers of a response or revisit, each on a line of its own.
func (h *had) httpHeaders(t *testing.T) (status string, headers map[string][]string) {
	t.Helper()
	head, _, ok := bytes.Cut(h.block, []byte("\r\n\r\n"))
	if !ok {
		t.Fatalf("no HTTP header: %q", h.block)
	}
	scanner := bufio.NewScanner(bytes.NewReader(head))
	headers = make(map[string][]string)
	for scanner.Scan() {
		if status == "" {
			status = scanner.Text()
			continue
		}
		name, value, ok := strings.Cut(scanner.Text(), ": ")
		if !ok {
			t.Fatalf("header %q", scanner.Text())
		}
		headers[name] = append(headers[name], value)
	}
	return status, headers
}
