package coding_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/finarc/finarc/coding"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
)

const text = "<p>从农村收入看四季度经济走势</p>"

// pack writes text through a writer.
func pack(t *testing.T, text string, in func(io.Writer) (io.WriteCloser, error)) string {
	t.Helper()
	var b bytes.Buffer
	w, err := in(&b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestCodings(t *testing.T) {
	gzipped := func(s string) string {
		return pack(t, s, func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil })
	}
	br := func(s string) string {
		return pack(t, s, func(w io.Writer) (io.WriteCloser, error) { return brotli.NewWriter(w), nil })
	}
	for _, test := range []struct{ codings, body string }{
		{"", text},
		{"identity", text},
		{"gzip", gzipped(text)},
		{" X-GZIP ", gzipped(text)},
		{"br", br(text)},
		{"zstd", pack(t, text, func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) })},
		{"deflate", pack(t, text, func(w io.Writer) (io.WriteCloser, error) { return zlib.NewWriter(w), nil })},
		{"deflate", pack(t, text, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, 6) })},
		{"br, gzip", gzipped(br(text))},
	} {
		r, err := coding.NewReader(test.codings, strings.NewReader(test.body))
		if err != nil {
			t.Errorf("%q: %v", test.codings, err)
			continue
		}
		if got, err := io.ReadAll(r); string(got) != text || err != nil {
			t.Errorf("%q: got %q, %v", test.codings, got, err)
		}
	}
}

func TestEmptyBody(t *testing.T) {
	for _, name := range []string{"gzip", "zstd", "deflate", "gzip, gzip"} {
		r, err := coding.NewReader(name, strings.NewReader(""))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got, err := io.ReadAll(r); len(got) > 0 || err != nil {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
}

func TestRefused(t *testing.T) {
	for _, codings := range []string{"compress", "gzip, pack200-gzip", "br,br,br,br,br"} {
		if _, err := coding.NewReader(codings, strings.NewReader(text)); !errors.Is(err, coding.ErrUnknown) {
			t.Errorf("%q: got %v", codings, err)
		}
	}
	if _, err := coding.NewReader("gzip", strings.NewReader(text)); !errors.Is(err, gzip.ErrHeader) {
		t.Errorf("got %v", err)
	}
	if coding.Is("identity, ") || !coding.Is("identity, br") {
		t.Error("identity counts as a coding, or hides one")
	}
}
