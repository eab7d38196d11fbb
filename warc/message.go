package warc

import (
	"maps"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/finarc/finarc/news"
	"golang.org/x/net/http/httpguts"
)

// responseHead returns the status line and the headers of the response that a
// capture was (6.3.2), with the blank line. The order of headers, the case of their
// names and the reason phrase were not kept: the headers come in order of their names,
// and no phrase is invented (RFC 9112, 4). What came over HTTP/2 is told in the form of
// HTTP/1.1, see protocol. Where no header is left there is the body's length, since
// warcio takes the body for headers if there is none; a 304 has no body.
func responseHead(c *news.Capture) []byte {
	version := "HTTP/1.1"
	if c.Proto == "HTTP/1.0" {
		version = c.Proto
	}
	b := []byte(version + " " + strconv.Itoa(c.Status) + " \r\n")
	line := len(b)
	for _, name := range slices.Sorted(maps.Keys(c.Header)) {
		for _, value := range c.Header[name] {
			if holds(c, name, value) {
				b = appendHeader(b, name, value)
			}
		}
	}
	if len(b) == line && c.Status != http.StatusNotModified {
		b = appendHeader(b, "Content-Length", strconv.Itoa(len(c.Body)))
	}
	return append(b, "\r\n"...)
}

// holds reports whether a header holds for the body as it was kept.
func holds(c *news.Capture, name, value string) bool {
	switch http.CanonicalHeaderKey(name) {
	case "Transfer-Encoding", "Content-Encoding":
		return false
	case "Content-Length":
		return value == strconv.Itoa(len(c.Body))
	}
	return httpguts.ValidHeaderFieldName(name)
}

// appendHeader appends a header. What would end its line is a space, as a recipient
// is to take it (RFC 9110, 5.5).
func appendHeader(b []byte, name, value string) []byte {
	b = append(append(b, name...), ": "...)
	for i := range len(value) {
		switch c := value[i]; c {
		case '\r', '\n', 0:
			b = append(b, ' ')
		default:
			b = append(b, c)
		}
	}
	return append(b, "\r\n"...)
}

// protocol returns WARC-Protocol, a field of the IIPC's "WARC Extensions for
// HTTP/2", of captures that came over HTTP/2.
func protocol(c *news.Capture) []field {
	switch {
	case c.Proto != "HTTP/2.0":
		return nil
	case strings.HasPrefix(c.URL, "http:"):
		return []field{{"WARC-Protocol", "h2c"}}
	}
	return []field{{"WARC-Protocol", "h2"}}
}

// mediaOf returns the media type that a response claims, without its parameters.
func mediaOf(c *news.Capture) string {
	media, _, _ := strings.Cut(strings.Join(c.Header.Values("Content-Type"), ", "), ";")
	return strings.TrimSpace(printable(media))
}

// mediaOfFile returns the media type of a file that was imported, by its name.
func mediaOfFile(uri string) string {
	switch strings.ToLower(path.Ext(uri)) {
	case ".md", ".markdown", ".mkd", ".mkdn", ".mkdown":
		return "text/markdown"
	case ".html", ".htm":
		return "text/html"
	}
	return "application/octet-stream"
}
