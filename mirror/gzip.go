package mirror

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"
)

// compressible reports whether a media type is worth compressing.
func compressible(media string) bool {
	return strings.HasPrefix(media, "text/") || strings.HasPrefix(media, "application/")
}

// acceptsGzip reports whether the client takes gzip: whether it names it with a
// weight other than 0.
func acceptsGzip(r *http.Request) bool {
	for coding := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, parameter, _ := strings.Cut(coding, ";")
		if !strings.EqualFold(strings.TrimSpace(name), "gzip") {
			continue
		}
		weight, given := strings.CutPrefix(strings.TrimSpace(parameter), "q=")
		q, err := strconv.ParseFloat(weight, 64)
		return !given || err == nil && q > 0
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
