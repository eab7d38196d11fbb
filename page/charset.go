package page

import (
	"bytes"
	"mime"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
)

// Charsets as [Decode] names them.
const (
	charsetUTF8    = "utf-8"
	charsetGB18030 = "gb18030"
	charsetUTF16LE = "utf-16le"
	charsetUTF16BE = "utf-16be"
)

// Decode returns a page's body in UTF-8, and the charset that it was in:
// "utf-8", "gb18030" (which GBK and GB2312 are subsets of), "utf-16le" or
// "utf-16be". A byte order mark decides and is left out; then the bytes
// themselves do, for labels are often wrong: what is valid UTF-8 is that, and
// what is not but is well-formed GB18030 is that. Only bytes that are neither
// follow contentType (the header's value) or the page's own <meta>. Broken
// sequences become U+FFFD. Valid UTF-8 is returned without copying.
func Decode(body []byte, contentType string) (text []byte, charset string) {
	charset, mark := byteOrderMark(body)
	body = body[mark:]
	if charset != charsetUTF16LE && charset != charsetUTF16BE && utf8.Valid(body) {
		return body, charsetUTF8
	}
	if charset == "" {
		charset = charsetOf(body, contentType)
	}
	switch charset {
	case charsetUTF16LE:
		return transcode(body, unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)), charset
	case charsetUTF16BE:
		return transcode(body, unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)), charset
	case charsetGB18030:
		return transcode(body, simplifiedchinese.GB18030), charset
	}
	return bytes.ToValidUTF8(body, []byte("\uFFFD")), charsetUTF8
}

// byteOrderMark returns the charset that a byte order mark names, and the
// mark's length.
func byteOrderMark(body []byte) (charset string, length int) {
	switch {
	case bytes.HasPrefix(body, []byte("\xEF\xBB\xBF")):
		return charsetUTF8, 3
	case bytes.HasPrefix(body, []byte("\xFF\xFE")):
		return charsetUTF16LE, 2
	case bytes.HasPrefix(body, []byte("\xFE\xFF")):
		return charsetUTF16BE, 2
	}
	return "", 0
}

// charsetOf tells broken UTF-8 from GB18030.
func charsetOf(body []byte, contentType string) string {
	broken := brokenGB18030(body)
	if broken == 0 {
		return charsetGB18030
	}
	if label := labelled(body, contentType); label != "" {
		return label
	}
	if broken < brokenUTF8(body) {
		return charsetGB18030
	}
	return charsetUTF8
}

// labelled returns the charset that the header or else the page names, or ""
// where that is none of ours.
func labelled(body []byte, contentType string) string {
	if _, params, err := mime.ParseMediaType(contentType); err == nil {
		if charset := canonicalCharset(params["charset"]); charset != "" {
			return charset
		}
	}
	return canonicalCharset(metaCharset(body))
}

func canonicalCharset(label string) string {
	switch strings.ToLower(strings.TrimSpace(label)) {
	case "gb18030", "gbk", "gb2312", "gb_2312-80", "x-gbk", "cp936", "chinese":
		return charsetGB18030
	case "utf-8", "utf8":
		return charsetUTF8
	}
	return ""
}

// metaCharset returns the label in the first <meta … charset=…> or
// <?xml … encoding=…?> of the kilobyte in which HTML wants it to stand.
func metaCharset(body []byte) string {
	head := bytes.ToLower(body[:min(len(body), 1024)])
	for _, key := range []string{"charset", "encoding"} {
		_, rest, ok := bytes.Cut(head, []byte(key))
		if !ok {
			continue
		}
		if rest, ok = bytes.CutPrefix(bytes.TrimLeft(rest, " "), []byte("=")); !ok {
			continue
		}
		rest = bytes.TrimLeft(rest, ` "'`)
		return string(rest[:min(len(rest), max(0, bytes.IndexAny(rest, `"'/>?; `)))])
	}
	return ""
}

// brokenGB18030 counts the places at which body is not GB18030: two bytes
// 81–FE, 40–FE except 7F, or four bytes 81–FE, 30–39, 81–FE, 30–39. The single
// byte 80 is code page 936's euro sign.
func brokenGB18030(body []byte) int {
	broken := 0
	for i := 0; i < len(body); {
		n := gb18030Len(body[i:])
		if n == 0 {
			broken++
			n = 1
		}
		i += n
	}
	return broken
}

// gb18030Len returns the length of the character at the start of b, or 0 if it
// is none. b is not empty.
func gb18030Len(b []byte) int {
	switch {
	case b[0] <= 0x80:
		return 1
	case b[0] == 0xFF || len(b) < 2:
		return 0
	case b[1] >= 0x40 && b[1] != 0x7F && b[1] != 0xFF:
		return 2
	case len(b) >= 4 && isASCIIDigit(b[1]) && b[2] >= 0x81 && b[2] != 0xFF && isASCIIDigit(b[3]):
		return 4
	}
	return 0
}

// brokenUTF8 counts the places at which body is not UTF-8.
func brokenUTF8(body []byte) int {
	broken := 0
	for len(body) > 0 {
		r, n := utf8.DecodeRune(body)
		if r == utf8.RuneError && n == 1 {
			broken++
		}
		body = body[n:]
	}
	return broken
}

// transcode returns body in UTF-8. The decoders write U+FFFD for what they
// cannot read, so they have no errors to tell.
func transcode(body []byte, from encoding.Encoding) []byte {
	decoded, err := from.NewDecoder().Bytes(body)
	if err != nil {
		return bytes.ToValidUTF8(body, []byte("\uFFFD"))
	}
	return decoded
}

func isASCIIDigit(c byte) bool { return '0' <= c && c <= '9' }
