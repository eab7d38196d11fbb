package mirror

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strings"
)

// compressible reports whether a media type is worth compressing.
func compressible(media string) bool {
	return strings.HasPrefix(media, "text/") || strings.HasPrefix(media, "application/")
}

// acceptsGzip reports whether the client takes gzip.
func acceptsGzip(r *http.Request) bool {
	for coding := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, weight, _ := strings.Cut(strings.TrimSpace(coding), ";")
		if strings.EqualFold(name, "gzip") {
			return strings.Trim(strings.TrimPrefix(strings.ReplaceAll(weight, " ", ""), "q="), "0.") != "" || weight == ""
		}
	}
	return false
}

// compress returns the body compressed. Writing to memory cannot fail.
func compress(body []byte) []byte {
	var out bytes.Buffer
	out.Grow(len(body) / 2)
	z := gzip.NewWriter(&out)
	_, _ = z.Write(body)
	_ = z.Close()
	return out.Bytes()
}
