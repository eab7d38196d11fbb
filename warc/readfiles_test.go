package warc

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func wacz(t *testing.T, parts map[string]string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range parts {
		method := zip.Store
		if strings.HasSuffix(name, ".warc") {
			method = zip.Deflate
		}
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: method})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestFiles: what is read of folders, of a WACZ, and of standard input.
func TestFiles(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"a.warc": "a", "deep/b.WARC.gz": "b", "deep/c.warc.zst": "c", "notes.txt": "n", "old.arc.gz": "o",
		"deep/d.wacz": wacz(t, map[string]string{
			"datapackage.json": "{}", "archive/x.warc.gz": "x", "archive/notes": "n", "indexes/index.cdx": "i",
		}),
		"e.wacz": wacz(t, map[string]string{"archive/y.warc": strings.Repeat("y", 1000)}),
		"empty":  "",
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	names := func(limit int, paths ...string) (got []string) {
		t.Helper()
		for f, err := range Files(paths, strings.NewReader("s")) {
			if err != nil {
				return append(got, "error")
			}
			text, err := io.ReadAll(f.r)
			if err != nil {
				t.Fatal(err)
			}
			name, err := filepath.Rel(dir, f.Name)
			if err != nil {
				name = f.Name
			}
			got = append(got, filepath.ToSlash(name)+"="+string(text[:min(1, len(text))]))
			if len(got) == limit {
				break
			}
		}
		return got
	}
	all := []string{"a.warc=a", "deep/b.WARC.gz=b", "deep/c.warc.zst=c", "deep/d.wacz:archive/x.warc.gz=x", "e.wacz:archive/y.warc=y"}
	file := func(name string) string { return filepath.Join(dir, name) }
	for _, test := range []struct {
		limit int
		paths []string
		want  []string
	}{
		{9, []string{dir}, all},
		{3, []string{dir, dir}, all[:3]},
		{4, []string{dir, dir}, all[:4]},
		{9, []string{file("notes.txt"), Stdin, file("empty")}, []string{"notes.txt=n", "standard input=s", "empty="}},
		{9, []string{file("a.warc"), file("none"), file("a.warc")}, []string{"a.warc=a", "error"}},
	} {
		if got := names(test.limit, test.paths...); !slices.Equal(got, test.want) {
			t.Errorf("%d of %q: got %q", test.limit, test.paths, got)
		}
	}
	cut := file("cut.wacz")
	if err := os.WriteFile(cut, []byte("PK\x03\x04cut"), 0o666); err != nil {
		t.Fatal(err)
	}
	if got := names(9, cut); !slices.Equal(got, []string{"error"}) {
		t.Errorf("got %q", got)
	}
}
