package warc

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/finarc/finarc/news"
)

// surts are addresses and their keys, which TestOthersReadWARC holds against warcio's.
var surts = [][2]string{
	{"https://finews.example.com/21caijing/2021/12/22/NW1.html", "com,example,finews)/21caijing/2021/12/22/nw1.html"},
	{"http://www.example.com/", "com,example)/"},
	{"http://www2.example.com", "com,example)/"},
	{"http://wwwx.example.com", "com,example,wwwx)/"},
	{"http://www.www.example.com", "com,example,www)/"},
	{"http://127.0.0.1:8862", "1,0,0,127:8862)/"},
	{"http://h.example:80/a", "example,h)/a"},
	{"https://h.example:80/a", "example,h:80)/a"},
	{"https://h.example:443/a", "example,h)/a"},
	{"http://H.Example/A%E4%b8?C=1&b=2&b=1", "example,h)/a%e4%b8?b=1&b=2&c=1"},
	{"http://h.example?x", "example,h)/?x"},
	{"http://h.example/?", "example,h)/"},
	{"http://h.example/a?b?c=/d&'", "example,h)/a?%27&b?c=/d"},
	{"http://h.example/a/../b/./c/..", "example,h)/b/"},
	{"http://h.example/%2e%2E/a/%2e", "example,h)/a/"},
	{"http://h.example//a//", "example,h)//a//"},
	{"http://user:word@h.example/a", "example,h)/a"},
	{"http://[::1]:8080/a", "[::1]:8080)/a"},
	{"http://xn--fiqs8s/a", "xn--fiqs8s)/a"},
	{"http://%E4%B8%AD.example/a", "example,xn--fiq)/a"},
	{"http://h.example/touxing(xianggang)/a%20b;c=d@e!$*+,~", "example,h)/touxing(xianggang)/a%20b;c=d@e!$*+,~"},
	{"file:///2021-12-22-NW1.md", "file:///2021-12-22-NW1.md"},
}

func TestSURT(t *testing.T) {
	for _, pair := range surts {
		if got := surt(pair[0]); got != pair[1] {
			t.Errorf("%s: %s, want %s", pair[0], got, pair[1])
		}
	}
}

func TestTargetURI(t *testing.T) {
	for address, want := range map[string]string{
		"http://h/a b":                 "http://h/a%20b",
		"http://h/a%20b%zz":            "http://h/a%20b%zz",
		"http://h/a#b":                 "http://h/a",
		"http://h/\r\nWARC-Type: x":    "http://h/%0D%0AWARC-Type:%20x",
		"http://h/财?q=<\">\\^`{|}\x7f": "http://h/%E8%B4%A2?q=%3C%22%3E%5C%5E%60%7B%7C%7D%7F",
		"file:///2021-12-22-开站大吉.md":   "file:///2021-12-22-%E5%BC%80%E7%AB%99%E5%A4%A7%E5%90%89.md",
	} {
		if got := targetURI(address); got != want {
			t.Errorf("%q: %s, want %s", address, got, want)
		}
	}
}

// TestHeaders: what does not hold of the body as it was kept is not claimed, and no
// value ends its line.
func TestHeaders(t *testing.T) {
	c := &news.Capture{Status: 200, Proto: "HTTP/1.0", Body: []byte("four"), Header: http.Header{
		"Content-Length": {"4", "5"}, "Content-Encoding": {"gzip"}, "transfer-encoding": {"chunked"}, "X-B": {"1\r\nX-C: 2", "\x00é\xff"},
		"no token": {"x"}, "X\r\nY": {"z"}, "": {"z"}, "A": {""},
	}}
	if got, want := string(responseHead(c)), "HTTP/1.0 200 \r\nA: \r\nContent-Length: 4\r\nX-B: 1  X-C: 2\r\nX-B:  é\xff\r\n\r\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestMediaOfFile(t *testing.T) {
	for name, want := range map[string]string{
		"file:///a.md": "text/markdown", "file:///a.HTML": "text/html", "file:///a": "application/octet-stream", "file:///a.textile": "application/octet-stream",
	} {
		if got := mediaOfFile(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// TestSorter: lines come in order whatever the room, and no file is left.
func TestSorter(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, room := range []int{1, 100, 5000, sortRoom} {
		dir := t.TempDir()
		s := sorter{dir: dir, room: room}
		for n := range 3 { // it can be used again
			var want []string
			for range n * 400 {
				line := fmt.Sprintf("%d %d\n", r.IntN(1000), r.IntN(10))
				want = append(want, line)
				if err := s.add(line); err != nil {
					t.Fatal(err)
				}
			}
			slices.Sort(want)
			var got bytes.Buffer
			if err := s.writeTo(&got); err != nil || got.String() != strings.Join(want, "") {
				t.Errorf("room %d: %d lines are not in order, %v", room, len(want), err)
			}
		}
		if left, err := os.ReadDir(dir); len(left) > 0 || err != nil {
			t.Errorf("left behind: %v, %v", left, err)
		}
	}
}

// oneFile is a place for one file, in memory.
type oneFile struct {
	bytes.Buffer
	lines []byte
}

func (m *oneFile) begin(string) (io.Writer, error) { return &m.Buffer, nil }
func (m *oneFile) end(FileReport) error            { return nil }
func (m *oneFile) index(line string) error {
	m.lines = append(m.lines, line...)
	return nil
}

// FuzzCapture: whatever an address, header or body says, the records are those that
// were meant, each header stands on its own line, and the index has one line.
func FuzzCapture(f *testing.F) {
	f.Add("http://h/a", "X-A", "b", []byte("body"), "text")
	f.Add("http://h/\r\n\r\nWARC/1.1\r\n", "X\r\nY", "b\r\n\r\nHTTP/1.1 200 OK\r\n", []byte("\r\n\r\nWARC/1.1\r\nWARC-Type: response\r\n"), "\r\n\r\n")
	f.Add("http://[::1", "Content-Length", "4", []byte("four"), "\xff")
	f.Add("", "Content-Type", "a\"b\u2028;c", []byte{}, "")
	f.Fuzz(func(t *testing.T, address, name, value string, body []byte, text string) {
		rev := revision(1, 1, text)
		rev.Capture.URL, rev.Capture.Body = "http://h/"+address, body
		rev.Capture.Header = http.Header{name: {value, value}, "Z": {"last"}}
		rev.Revisit = &news.Revisit{URL: rev.Capture.URL, Status: 304, Header: rev.Capture.Header, Time: rev.Fetched.Add(time.Minute)}
		rev.LastSeen = rev.Fetched.Add(time.Hour)
		o := options()
		o.Text = func(string) string { return text }
		m := new(oneFile)
		e := newExporter(&o, m)
		if err := e.export(t.Context(), sequence([]news.Revision{rev, revision(2, 1, "x")}, nil)); err != nil {
			t.Fatal(err)
		}
		records := readAll(t, m.Bytes())
		want := []string{typeInfo, typeResponse, typeRevisit, typeMetadata, typeResponse}
		if text != "" {
			want = []string{typeInfo, typeResponse, typeRevisit, typeMetadata, typeConversion, typeResponse, typeConversion}
		}
		var kinds []string
		for _, h := range records {
			kinds = append(kinds, h.kind)
		}
		if !slices.Equal(kinds, want) {
			t.Fatalf("records %q, want %q", kinds, want)
		}
		if !bytes.Equal(records[1].payload(), body) {
			t.Errorf("body %q, want %q", records[1].payload(), body)
		}
		for _, i := range []int{1, 2} {
			_, headers := records[i].httpHeaders(t)
			if !slices.Equal(headers["Z"], []string{"last"}) && name != "Z" {
				t.Errorf("headers %q", headers)
			}
			for h := range headers {
				if h != name && h != "Z" {
					t.Errorf("a header %q that was not there", h)
				}
			}
		}
		if lines := readIndex(t, sorted(m.lines)); len(lines) != 3 {
			t.Errorf("index %q", m.lines)
		}
	})
}

func sorted(data []byte) []byte {
	lines := strings.SplitAfter(string(data), "\n")
	slices.Sort(lines)
	return []byte(strings.Join(lines, ""))
}
