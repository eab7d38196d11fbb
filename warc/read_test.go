package warc

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// text returns a record of WARC/1.1 with some named fields, each "Name: value".
func text(block string, fields ...string) string {
	return "WARC/1.1\r\n" + strings.Join(fields, "\r\n") + fmt.Sprintf("\r\nContent-Length: %d\r\n\r\n%s\r\n\r\n", len(block), block)
}

// three returns three records, of which the second is the longest.
func three() []string {
	return []string{
		text("software: test", "WARC-Type: warcinfo"),
		text(strings.Repeat("<p>从农村收入看四季度经济走势</p>\n", 50), "WARC-Type: resource", "WARC-Target-URI: http://m.example/a"),
		text("乙", "WARC-Type: resource", "WARC-Target-URI: http://m.example/b"),
	}
}

func gzipped(t testing.TB, parts ...string) string {
	t.Helper()
	var b bytes.Buffer
	for _, part := range parts {
		w := gzip.NewWriter(&b)
		if _, err := io.WriteString(w, part); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

func zstandard(t testing.TB, dict []byte, parts ...string) string {
	t.Helper()
	options := []zstd.EOption{zstd.WithEncoderCRC(true)}
	if dict != nil {
		options = append(options, zstd.WithEncoderDict(dict))
	}
	w, err := zstd.NewWriter(nil, options...)
	if err != nil {
		t.Fatal(err)
	}
	var out []byte
	for _, part := range parts {
		out = w.EncodeAll([]byte(part), out)
	}
	return string(out)
}

// dictionary returns a Zstandard dictionary.
func dictionary(t testing.TB) []byte {
	t.Helper()
	var samples [][]byte
	for i := range 40 {
		samples = append(samples, fmt.Appendf(nil, "<p>第%d段：从农村收入看四季度经济走势</p> WARC-Type: resource %d", i, i*i))
	}
	dict, err := zstd.BuildDict(zstd.BuildDictOptions{ID: 7, Contents: samples, History: bytes.Join(samples[:2], nil), Offsets: [3]int{1, 4, 8}})
	if err != nil {
		t.Fatal(err)
	}
	return dict
}

// inFront returns a dictionary in the skippable frame before a file's first.
func inFront(dict string) string {
	return "\x5d\x2a\x4d\x18" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(dict)))) + dict
}

// read returns the sound records of a file, each as its type, address and block, and
// what was wrong with the file.
func read(t *testing.T, file io.Reader) (records []string, damage []error) {
	t.Helper()
	r, err := NewReader(file)
	for err == nil {
		var rec *Record
		if rec, err = r.Next(); err != nil {
			d := new(DamageError)
			if !errors.As(err, &d) {
				break
			}
			damage, err = append(damage, err), nil
			continue
		}
		block, err := io.ReadAll(rec.Block)
		if err == nil {
			records = append(records, rec.Version+" "+rec.Type()+" "+rec.TargetURI()+" "+string(block))
		}
	}
	if err != io.EOF {
		t.Fatalf("reading ended with %v", err)
	}
	return records, damage
}

// TestShapes: one content in all forms that crawlers write.
func TestShapes(t *testing.T) {
	parts := three()
	whole := strings.Join(parts, "")
	want, damage := read(t, strings.NewReader(whole))
	if len(want) != 3 || len(damage) > 0 || want[2] != "1.1 resource http://m.example/b 乙" {
		t.Fatalf("got %q, %v", want, damage)
	}
	var pieces []string // as bgzip would cut it
	for i := 0; i < len(whole); i += 100 {
		pieces = append(pieces, whole[i:min(i+100, len(whole))])
	}
	dict := dictionary(t)
	for name, file := range map[string]string{
		"gzip, a member a record":       gzipped(t, parts...),
		"gzip as one stream":            gzipped(t, whole),
		"gzip, cut anywhere":            gzipped(t, pieces...),
		"Zstandard, a frame a record":   zstandard(t, nil, parts...),
		"Zstandard as one stream":       zstandard(t, nil, whole),
		"Zstandard with a dictionary":   inFront(string(dict)) + zstandard(t, dict, parts...),
		"with a compressed dictionary":  inFront(zstandard(t, nil, string(dict))) + zstandard(t, dict, parts...),
		"Zstandard behind another dict": inFront("") + zstandard(t, nil, parts...),
		"line feeds alone":              strings.ReplaceAll(whole, "\r\n", "\n"),
		"no empty lines behind":         strings.ReplaceAll(whole, "\r\n\r\nWARC", "WARC"),
		"empty lines in front":          "\r\n\n" + strings.ReplaceAll(whole, "\r\n\r\nWARC", "\r\n\r\n\r\n\r\nWARC"),
		"angle brackets":                strings.ReplaceAll(strings.ReplaceAll(whole, "/a\r", "/a>\r"), "http", "<http"),
		"small letters":                 strings.ReplaceAll(strings.ReplaceAll(whole, "WARC-T", "warc-t"), ": resource", ":Resource "),
		"folded":                        strings.ReplaceAll(whole, "WARC-Type: ", "WARC-Type:\r\n \t"),
		"what is no field":              strings.ReplaceAll(whole, "WARC-Type", "nothing\r\n : x\r\nWARC-Type"),
	} {
		t.Run(name, func(t *testing.T) {
			got, damage := read(t, strings.NewReader(file))
			if !slices.Equal(got, want) || len(damage) > 0 {
				t.Errorf("got %q, %v", got, damage)
			}
		})
	}
	for _, version := range []string{"0.18", "1.0"} {
		got, damage := read(t, strings.NewReader(strings.ReplaceAll(whole, "WARC/1.1", "WARC/"+version)))
		if len(got) != 3 || len(damage) > 0 || !strings.HasPrefix(got[0], version) {
			t.Errorf("%s: got %q, %v", version, got, damage)
		}
	}
}

// TestDamage: what is whole is read, and what is not is told.
func TestDamage(t *testing.T) {
	parts := three()
	whole := strings.Join(parts, "")
	members := gzipped(t, parts...)
	second := len(gzipped(t, parts[0]))
	third := len(gzipped(t, parts[:2]...))
	broken := []byte(members)
	for i := second + 20; i < second+30; i++ {
		broken[i] ^= 0x55
	}
	checksum := []byte(members)
	checksum[third-6] ^= 1
	frames := zstandard(t, nil, parts...)
	brokenFrame := []byte(frames)
	brokenFrame[len(zstandard(t, nil, parts[0]))+14] ^= 0xff
	for _, test := range []struct {
		name, file string
		records    int
		damage     []error
	}{
		{"empty", "", 0, nil},
		{"blank", "\r\n\r\n", 0, nil},
		{"no WARC", "<html>\n<p>正文</p>\n", 0, []error{ErrNoRecord}},
		{"another version", strings.Replace(whole, "WARC/1.1", "WARC/x", 1), 2, []error{ErrNoRecord}},
		{"cut in a block", whole[:len(whole)-6], 2, []error{ErrCut}},
		{"cut in a header", whole[:strings.LastIndex(whole, "Content")], 2, []error{ErrCut}},
		{"cut in the first line", whole[:strings.LastIndex(whole, "/1.1")], 2, []error{ErrNoRecord}},
		{"cut behind a member", members[:third], 2, nil},
		{"cut in a member", members[:len(members)-12], 2, []error{ErrCompressed}},
		{"cut in the last checksum", members[:len(members)-2], 2, []error{ErrCut}},
		{"broken member", string(broken), 2, []error{ErrCompressed}},
		{"checksum", string(checksum), 2, []error{ErrCompressed}},
		{"rubbish between members", members[:second] + "rubbish, and more of it" + members[second:], 3, []error{ErrCompressed}},
		{"zeros behind", members + strings.Repeat("\x00", 9000), 3, []error{ErrCompressed}},
		{"broken frame", string(brokenFrame), 2, []error{ErrCompressed}},
		{"cut frame", frames[:len(frames)-3], 2, []error{ErrCompressed}},
		{"rubbish between", parts[0] + "rubbish\n\nWARC\n" + parts[1] + parts[2], 3, []error{ErrNoRecord}},
		{"no length", parts[0] + strings.Replace(parts[1], "Content-Length", "Length", 1) + parts[2], 2, []error{ErrHeader}},
		{"length below 0", parts[0] + strings.Replace(parts[1], "Content-Length: ", "Content-Length: -", 1) + parts[2], 2, []error{ErrHeader}},
		{"length too small", parts[0] + strings.Replace(parts[1], "Content-Length: 2", "Content-Length: 1", 1) + parts[2], 2, []error{ErrLength}},
		{"length beyond the end", parts[0] + parts[1] + strings.Replace(parts[2], "Content-Length: ", "Content-Length: 9999999", 1), 2, []error{ErrCut}},
		{"endless header", parts[0] + strings.Replace(parts[1], "WARC-Type", strings.Repeat("X: y\r\n", 20_000)+"WARC-Type", 1) + parts[2], 2, []error{ErrHeader}},
		{"endless line", parts[0] + strings.Replace(parts[1], "WARC-Type", strings.Repeat("x", 200_000), 1) + parts[2], 2, []error{ErrHeader}},
		{"dictionary beyond the end", "\x5d\x2a\x4d\x18\xff\x00\x00\x00abc", 0, []error{ErrCut}},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, file := range []io.Reader{strings.NewReader(test.file), struct{ io.Reader }{strings.NewReader(test.file)}} {
				r, err := NewReader(file)
				if damage := new(DamageError); errors.As(err, &damage) {
					if len(test.damage) != 1 || !errors.Is(err, test.damage[0]) {
						t.Errorf("got %v", err)
					}
					continue
				}
				if r == nil {
					t.Fatal(err)
				}
				if s, ok := file.(io.Seeker); ok {
					if _, err := s.Seek(0, io.SeekStart); err != nil {
						t.Fatal(err)
					}
				} else {
					file = struct{ io.Reader }{strings.NewReader(test.file)}
				}
				records, damage := read(t, file)
				same := slices.EqualFunc(damage, test.damage, func(got, want error) bool { return errors.Is(got, want) })
				if len(records) != test.records || !same {
					t.Errorf("%T: got %d records and %v, want %d and %v", file, len(records), damage, test.records, test.damage)
				}
			}
		})
	}
}

// TestDates: the forms of W3CDTF that the versions of WARC allow.
func TestDates(t *testing.T) {
	for text, want := range map[string]time.Time{
		"2021-12-22T02:37:15Z":            time.Date(2021, 12, 22, 2, 37, 15, 0, time.UTC),
		" 2021-12-22T02:37:15.123456789Z": time.Date(2021, 12, 22, 2, 37, 15, 123456789, time.UTC),
		"2021-12-22T10:37:15+08:00":       time.Date(2021, 12, 22, 2, 37, 15, 0, time.UTC),
		"2021-12-22T02:37Z":               time.Date(2021, 12, 22, 2, 37, 0, 0, time.UTC),
		"2021-12-22":                      time.Date(2021, 12, 22, 0, 0, 0, 0, time.UTC),
		"2021-12":                         time.Date(2021, 12, 1, 0, 0, 0, 0, time.UTC),
		"2021":                            time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		if got, err := parseDate(text); err != nil || !got.Equal(want) {
			t.Errorf("%q: got %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "20211222023715", "gestern"} {
		if got, err := parseDate(text); err == nil {
			t.Errorf("%q: got %v", text, got)
		}
	}
}

// endless is a file without end.
type endless struct {
	head io.Reader
	left int64
}

func (e *endless) Read(p []byte) (int, error) {
	if n, err := e.head.Read(p); n > 0 || err != io.EOF {
		return n, err
	}
	if e.left <= 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), e.left)
	for i := range p[:n] {
		p[i] = 'x'
	}
	e.left -= n
	return int(n), nil
}

// TestLargeBlock: what is passed over is not held.
func TestLargeBlock(t *testing.T) {
	const size = 256 << 20
	r, err := NewReader(&endless{strings.NewReader(fmt.Sprintf("WARC/1.1\r\nContent-Length: %d\r\n\r\n", size)), size})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	allocated := testing.AllocsPerRun(1, func() {
		if _, err := r.Next(); err != io.EOF {
			t.Errorf("got %v", err)
		}
	})
	if allocated > 100 {
		t.Errorf("%v allocations", allocated)
	}
}

// FuzzReader: whatever the bytes, reading ends, and tells of each record once.
func FuzzReader(f *testing.F) {
	parts := three()
	for _, file := range []string{
		strings.Join(parts, ""), gzipped(f, parts...), gzipped(f, strings.Join(parts, "")), zstandard(f, nil, parts...),
		inFront(string(dictionary(f))) + zstandard(f, dictionary(f), parts...),
	} {
		f.Add([]byte(file), true)
		f.Add([]byte(file), false)
	}
	f.Fuzz(func(t *testing.T, file []byte, seeks bool) {
		in := io.Reader(bytes.NewReader(file))
		if !seeks {
			in = struct{ io.Reader }{in}
		}
		r, err := NewReader(in)
		if err != nil {
			return
		}
		last := int64(-1)
		for range len(file) + 2 {
			rec, err := r.Next()
			if err == io.EOF {
				if _, err := r.Next(); err != io.EOF {
					t.Fatalf("behind the end: %v", err)
				}
				return
			}
			if damage := new(DamageError); errors.As(err, &damage) {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			if rec.Offset < last || rec.Offset > int64(len(file)) {
				t.Fatalf("a record at byte %d, behind one at %d, of %d bytes", rec.Offset, last, len(file))
			}
			last = rec.Offset
			if n, err := io.Copy(io.Discard, rec.Block); err == nil && n != rec.Length {
				t.Fatalf("a block of %d bytes, which should have %d", n, rec.Length)
			}
		}
	})
}

// FuzzAnswer: whatever a record holds, reading it as an answer ends, and takes no more
// than the limit.
func FuzzAnswer(f *testing.F) {
	body := "<p>正文</p>\n"
	for _, answer := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n" + body,
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x\r\n<p>ab\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\nContent-Encoding: gzip\n\n" + gzipped(f, body),
		"HTTP/1.1 200 OK\r\nContent-Encoding: zstd, deflate\r\n\r\n" + zstandard(f, nil, body),
		"HTTP/2 200\r\nContent-Encoding: br\r\n folded\r\n\r\n\x0b\x02\x80abc\x03",
	} {
		f.Add([]byte(answer))
	}
	f.Fuzz(func(t *testing.T, block []byte) {
		const most = 1 << 16
		a, err := readAnswer(block)
		if err != nil {
			return
		}
		if !bytes.HasSuffix(block, a.sent) {
			t.Fatal("the body is not the end of the answer")
		}
		if err := a.open(most); err == nil && len(a.body) > most {
			t.Fatalf("a body of %d bytes", len(a.body))
		}
		if a.header.Get("Transfer-Encoding") != "" {
			t.Fatal("a header that does not hold")
		}
	})
}
