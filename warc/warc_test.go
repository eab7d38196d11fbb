package warc

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"iter"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/finarc/finarc/durable"
	"github.com/finarc/finarc/news"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

var noon = time.Date(2021, 12, 22, 12, 0, 0, 0, news.Shanghai)

// largeFile is a size that no file of the tests comes to, in bytes.
const largeFile = 1_000_000_000

func options() Options {
	return Options{MaxSize: largeFile, Created: noon.AddDate(0, 0, 1), Version: "v1", Selection: "all posts", UpTo: 9}
}

func withText(o Options) Options {
	o.Text = func(html string) string { return strings.Trim(html, "<p>/") }
	return o
}

// revision returns revision n of post i, with its capture.
func revision(i, n int, body string) news.Revision {
	at := noon.Add(time.Duration(i)*time.Minute + time.Duration(n)*time.Hour + 123*time.Millisecond)
	code := news.InfoCode(fmt.Sprintf("NW20211222%010d", 2222306000+i))
	rev := news.Revision{
		Post:   news.Post{ID: code.ID(), InfoCode: code, Title: fmt.Sprintf("第%d号公司公布订单", i), Published: noon, Body: "<p>" + body + "</p>"},
		Number: n, Fetched: at, LastSeen: at, FirstSeen: at, Mode: news.ModeLive, Mirror: "m",
		URL: "https://www.mirror.example/21caijing/2021/12/22/" + string(code) + ".html?b=2&A=1",
	}
	rev.Capture = &news.Capture{
		URL: rev.URL, Status: 200, Proto: "HTTP/1.1", Fetched: at, Mode: rev.Mode, Mirror: rev.Mirror, Kind: news.KindPost, Body: []byte(rev.Body),
		Header: http.Header{"Content-Type": {"text/html; charset=utf-8"}, "Etag": {`"1"`}},
	}
	return rev
}

// imported makes a revision one that came from a file.
func imported(rev news.Revision) news.Revision {
	c := *rev.Capture
	c.URL, c.Status, c.Proto, c.Header, c.Kind, c.Mode = "file:///2021-12-22-"+rev.Name()+".md", 0, "", nil, news.KindJekyll, news.ModeImport
	rev.Capture, rev.URL, rev.Mode = &c, c.URL, c.Mode
	return rev
}

func lost(rev news.Revision) news.Revision {
	rev.Capture, rev.Lost, rev.Body = nil, true, ""
	return rev
}

// sequence yields revisions, and then an error if there is one.
func sequence(list []news.Revision, err error) iter.Seq2[news.Revision, error] {
	return func(yield func(news.Revision, error) bool) {
		for _, rev := range list {
			if !yield(rev, nil) {
				return
			}
		}
		if err != nil {
			yield(news.Revision{}, err)
		}
	}
}

// export exports into a new folder, and returns that.
func export(t *testing.T, list []news.Revision, o Options) (string, Report) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "deep", "out")
	report, err := Export(t.Context(), dir, sequence(list, nil), o)
	if err != nil {
		t.Fatal(err)
	}
	return dir, report
}

func readFile(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// samples is one of everything.
func samples() []news.Revision {
	first, again, h2 := revision(1, 1, "甲"), revision(1, 3, "甲"), revision(2, 1, "丙")
	first.LastSeen = first.Fetched.Add(30 * time.Minute)
	again.Capture.Header.Set("Etag", `"3"`)
	h2.Capture.Proto = "HTTP/2.0"
	h2.Capture.Header.Set("Content-Encoding", "gzip")
	h2.Capture.Header.Set("Content-Length", "12345")
	h2.Capture.Header["Set-Cookie"] = []string{"b=2", "a=1"}
	other := revision(1, 2, "乙")
	metAgain(&other, 20*time.Minute, 304, http.Header{"Etag": {`"1"`}, "Content-Length": {"10"}, "Transfer-Encoding": {"chunked"}})
	metAgain(&again, 2*time.Hour, 200, http.Header{"Content-Type": {"text/html; charset=utf-8"}, "Etag": {`"4"`}})
	again.LastSeen = again.LastSeen.Add(time.Hour) // in other bytes
	metAgain(&h2, 24*time.Hour, 304, nil)
	return []news.Revision{first, other, again, h2, imported(revision(3, 1, "丁")), lost(revision(4, 1, ""))}
}

// metAgain lets a revision be met again as it was, by an answer so much later.
func metAgain(rev *news.Revision, after time.Duration, status int, header http.Header) {
	rev.LastSeen = rev.Fetched.Add(after)
	rev.Revisit = &news.Revisit{URL: rev.URL, Status: status, Proto: rev.Capture.Proto, Header: header, Time: rev.LastSeen}
}

// golden compares what was written with a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	name = filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(name, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(readFile(t, name)), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// TestGolden: the records of one of everything, unpacked, and their CDXJ but for
// offsets and lengths, which packing decides.
func TestGolden(t *testing.T) {
	dir, report := export(t, samples(), withText(options()))
	want := Report{Out: dir, Posts: 4, Responses: 3, Revisits: 4, Rechecks: 3, Resources: 1, Metadata: 2, Conversions: 5, Lost: 1}
	want.Bytes, want.Files = report.Bytes, report.Files
	if diff := cmp.Diff(want, report); diff != "" {
		t.Error(diff)
	}
	var plain []byte
	for _, h := range readAll(t, readFile(t, filepath.Join(dir, report.Files[0].Path))) {
		plain = append(append(append(append(plain, h.header...), "\r\n"...), h.block...), "\r\n\r\n"...)
	}
	golden(t, "golden.warc", plain)
	var lines []byte
	for _, e := range readIndex(t, readFile(t, filepath.Join(dir, "finarc-20211223040000-00000.cdxj"))) {
		e.Offset, e.Length = "0", "0"
		line, err := encodeJSON(e.entry)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, e.key+" "+e.time+" "+line...)
	}
	golden(t, "golden.cdxj", lines)
}

// indexed is a line of a CDXJ.
type indexed struct {
	entry
	key, time string
}

// readIndex reads a CDXJ, which must be sorted.
func readIndex(t *testing.T, data []byte) []indexed {
	t.Helper()
	lines := strings.SplitAfter(string(data), "\n")
	lines = lines[:len(lines)-1]
	if !slices.IsSorted(lines) {
		t.Errorf("not in order:\n%s", data)
	}
	list := make([]indexed, len(lines))
	for i, line := range lines {
		parts := strings.SplitN(line, " ", 3)
		list[i].key, list[i].time = parts[0], parts[1]
		if err := json.Unmarshal([]byte(parts[2]), &list[i].entry); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
	}
	return list
}

// drawn returns revisions of drawn content, post by post.
func drawn(r *rand.Rand, posts int) []news.Revision {
	var list []news.Revision
	for i := range posts {
		for n := range 1 + r.IntN(4) {
			rev := revision(i, n+1, draw(r))
			switch c := rev.Capture; r.IntN(8) {
			case 0:
				rev = imported(rev)
			case 1:
				rev = lost(rev)
			case 2:
				c.Body = bytes.Repeat(c.Body, r.IntN(2000))
			case 3:
				c.URL += draw(r)
				c.Header[draw(r)] = []string{draw(r), draw(r)}
			case 4:
				rev.LastSeen = rev.Fetched.Add(time.Hour)
			case 5:
				c.Proto, c.Header = "HTTP/2.0", nil
			case 6:
				metAgain(&rev, 20*time.Minute, []int{200, 304}[r.IntN(2)], []http.Header{nil, c.Header, {draw(r): {draw(r)}}}[r.IntN(3)])
				rev.LastSeen = rev.LastSeen.Add(time.Duration(r.IntN(2)) * time.Hour)
			}
			list = append(list, rev)
		}
	}
	return list
}

// draw returns text in which anything can be that a record may stumble on.
func draw(r *rand.Rand) string {
	pieces := []string{"公司", "a", "Z", " ", "\n", "\r", "\r\n", "\r\n\r\n", "WARC/1.1\r\n", "\x00", "\xff", ":", ": ", "#", "?", "&", "%", "'", `"`, "<", ">", "😀"}
	var b strings.Builder
	for range r.IntN(6) {
		b.WriteString(pieces[r.IntN(len(pieces))])
	}
	return b.String()
}

// TestReadBack: of whatever is exported, in whatever size of files, a strict reader
// has every capture's bytes, and the index leads to each.
func TestReadBack(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		list := drawn(r, 40)
		o := options()
		o.MaxSize = []int64{1, 2000, 20_000, largeFile}[r.IntN(4)]
		if r.IntN(2) == 0 {
			o = withText(o)
		}
		dir, report := export(t, list, o)
		checkFolder(t, dir, &report, list, o.MaxSize)
	}
}

// checkFolder checks that a folder holds the captures of revisions.
func checkFolder(t *testing.T, dir string, report *Report, list []news.Revision, maxSize int64) {
	t.Helper()
	names := make(map[string]bool)
	seen := make(map[string]*had) // by ID
	var captures []*had
	for i, f := range report.Files {
		data := readFile(t, filepath.Join(dir, f.Path))
		records := readAll(t, data)
		if sum(data) != "sha256:"+f.SHA256 || int64(len(data)) != f.Bytes || len(records) != f.Records {
			t.Errorf("%s is not as the report has it: %+v", f.Path, f)
		}
		if want := fmt.Sprintf("finarc-20211223040000-%05d.warc.gz", i); f.Path != want || records[0].kind != typeInfo || records[0].fields["WARC-Filename"] != want {
			t.Errorf("file %d: %s, %q", i, f.Path, records[0].header)
		}
		if groups := countGroups(records); f.Bytes > maxSize && groups > 1 {
			t.Errorf("%s has %d bytes and %d captures", f.Path, f.Bytes, groups)
		}
		index := strings.TrimSuffix(f.Path, fileSuffix) + indexSuffix
		names[f.Path], names[index] = true, true
		checkIndex(t, f.Path, readFile(t, filepath.Join(dir, index)), records)
		for i := range records {
			h := &records[i]
			if id := h.fields["WARC-Record-ID"]; seen[id] != nil {
				t.Errorf("%s twice", id)
			} else {
				seen[id] = h
			}
			checkReference(t, seen, h)
			if isCapture(h.kind) {
				captures = append(captures, h)
			}
		}
	}
	checkCaptures(t, captures, withAnswers(list))
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != len(names) {
		t.Errorf("%d files, want %v: %v", len(entries), slices.Collect(maps.Keys(names)), err)
	}
}

func isCapture(kind string) bool {
	return kind == typeResponse || kind == typeRevisit || kind == typeResource
}

func countCaptures(records []had) int {
	n := 0
	for i := range records {
		if isCapture(records[i].kind) {
			n++
		}
	}
	return n
}

// countGroups counts the captures that were met by themselves. Those of the tests are
// hours apart, and a capture is met again between them.
func countGroups(records []had) int {
	n := 0
	hours := make(map[string]bool)
	for i := range records {
		h := &records[i]
		if hour := h.fields["WARC-Target-URI"] + h.fields["WARC-Date"][:len("2006-01-02T15")]; isCapture(h.kind) && !hours[hour] {
			hours[hour] = true
			n++
		}
	}
	return n
}

// checkIndex checks that an index has each capture of a file, where it is.
func checkIndex(t *testing.T, name string, data []byte, records []had) {
	t.Helper()
	list := readIndex(t, data)
	if len(list) != countCaptures(records) {
		t.Errorf("%s: %d entries of %d captures", name, len(list), countCaptures(records))
	}
	for _, in := range list {
		at := slices.IndexFunc(records, func(h had) bool { return strconv.FormatInt(h.offset, 10) == in.Offset })
		if at < 0 {
			t.Errorf("%s: nothing at %s", name, in.Offset)
			continue
		}
		h := &records[at]
		if in.Filename != name || in.Length != strconv.FormatInt(h.length, 10) || in.URL != h.fields["WARC-Target-URI"] ||
			"sha256:"+in.Digest != h.fields["WARC-Payload-Digest"] || digits(h.fields["WARC-Date"]) != in.time || surt(in.URL) != in.key {
			t.Errorf("%+v is no entry of %q", in, h.header)
		}
	}
}

// checkReference checks that what a record refers to came before, and is as it says.
func checkReference(t *testing.T, seen map[string]*had, h *had) {
	t.Helper()
	id, refers := h.fields["WARC-Refers-To"]
	if refers != (h.kind == typeRevisit || h.kind == typeMetadata || h.kind == typeConversion) {
		t.Errorf("refers to %q: %q", id, h.header)
	}
	of := seen[id]
	switch {
	case !refers:
	case of == nil:
		t.Errorf("refers to nothing: %q", h.header)
	case h.kind != typeRevisit:
		if of.fields["WARC-Target-URI"] != h.fields["WARC-Target-URI"] {
			t.Errorf("refers to another address: %q", h.header)
		}
	case of.kind != typeResponse, of.fields["WARC-Payload-Digest"] != h.fields["WARC-Payload-Digest"],
		of.fields["WARC-Date"] != h.fields["WARC-Refers-To-Date"], of.fields["WARC-Target-URI"] != h.fields["WARC-Refers-To-Target-URI"]:
		t.Errorf("refers to what is not the same: %q", h.header)
	}
}

// withAnswers returns revisions, and after each that was met again what the answer would
// be as a capture of its own.
func withAnswers(list []news.Revision) []news.Revision {
	var all []news.Revision
	for _, rev := range list {
		all = append(all, rev)
		if v := rev.Revisit; v != nil && !rev.Lost {
			rev.Capture = &news.Capture{URL: v.URL, Status: v.Status, Proto: v.Proto, Header: v.Header, Fetched: v.Time, Body: rev.Capture.Body}
			all = append(all, rev)
		}
	}
	return all
}

// checkCaptures checks that captures are those of revisions, in order.
func checkCaptures(t *testing.T, captures []*had, list []news.Revision) {
	t.Helper()
	list = slices.DeleteFunc(slices.Clone(list), func(rev news.Revision) bool { return rev.Lost })
	if len(captures) != len(list) {
		t.Fatalf("%d captures of %d", len(captures), len(list))
	}
	for i, h := range captures {
		c := list[i].Capture
		if h.fields["WARC-Payload-Digest"] != sum(c.Body) || h.kind != typeRevisit && !bytes.Equal(h.payload(), c.Body) {
			t.Errorf("another body: %q", h.header)
		}
		if h.fields["WARC-Date"] != c.Fetched.UTC().Format("2006-01-02T15:04:05Z") || (h.kind == typeResource) != (c.Status == 0) {
			t.Errorf("another capture: %q", h.header)
		}
		if h.kind == typeResource {
			continue
		}
		status, headers := h.httpHeaders(t)
		if status != fmt.Sprintf("HTTP/1.1 %d ", c.Status) || headers["Content-Encoding"] != nil {
			t.Errorf("%s, %q", status, headers)
		}
		if want := c.Header.Values("Content-Type"); !slices.Equal(headers["Content-Type"], want) {
			t.Errorf("content type %q, want %q", headers["Content-Type"], want)
		}
	}
}

// TestSameTwice: two exports of the same at the same moment are the same, byte for
// byte; at different moments all but what tells of the export is.
func TestSameTwice(t *testing.T) {
	files := func(o Options) map[string]string {
		dir, report := export(t, samples(), o)
		text := make(map[string]string)
		for _, f := range report.Files {
			text[f.Path] = string(readFile(t, filepath.Join(dir, f.Path)))
		}
		return text
	}
	o := withText(options())
	if diff := cmp.Diff(files(o), files(o)); diff != "" {
		t.Error(diff)
	}
	later := o
	later.Created = o.Created.Add(time.Hour)
	captures := func(o Options) (list []string) {
		for _, file := range files(o) {
			for _, h := range readAll(t, []byte(file)) {
				if h.kind != typeInfo && h.kind != typeConversion {
					list = append(list, h.header+string(h.block))
				}
			}
		}
		return list
	}
	if diff := cmp.Diff(captures(o), captures(later)); diff != "" {
		t.Error(diff)
	}
}

// TestNothing: an export of nothing is one file that says so.
func TestNothing(t *testing.T) {
	dir, report := export(t, nil, options())
	if records := readAll(t, readFile(t, filepath.Join(dir, report.Files[0].Path))); len(report.Files) != 1 || len(records) != 1 {
		t.Errorf("%+v", report)
	}
}

// TestWholeOrNot: what is there is not replaced, and what fails leaves nothing.
func TestWholeOrNot(t *testing.T) {
	for name, write := range map[string]func(context.Context, string, iter.Seq2[news.Revision, error], Options) (Report, error){
		"out": Export, "out.wacz": ExportWACZ,
	} {
		dir := t.TempDir()
		out := filepath.Join(dir, name)
		broken := errors.New("broken")
		if _, err := write(t.Context(), out, sequence(samples(), broken), options()); !errors.Is(err, broken) {
			t.Errorf("%s: %v", name, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := write(ctx, out, sequence(samples(), nil), options()); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
		if entries, err := os.ReadDir(dir); len(entries) > 0 || err != nil {
			t.Errorf("%s: left behind: %v, %v", name, entries, err)
		}
		if err := os.WriteFile(out, []byte("here"), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := write(t.Context(), out, sequence(samples(), nil), options()); !errors.Is(err, durable.ErrExists) {
			t.Errorf("%s: %v", name, err)
		}
		if entries, err := os.ReadDir(dir); len(entries) != 1 || err != nil || string(readFile(t, out)) != "here" {
			t.Errorf("%s: left behind: %v, %v", name, entries, err)
		}
	}
}

// exportWACZ exports into a new file, and returns its name and what is in it.
func exportWACZ(t *testing.T, list []news.Revision, o Options) (string, *zip.Reader, Report) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "out.wacz")
	report, err := ExportWACZ(t.Context(), name, sequence(list, nil), o)
	if err != nil {
		t.Fatal(err)
	}
	data := readFile(t, name)
	if report.Bytes != int64(len(data)) {
		t.Errorf("%d bytes told of %d", report.Bytes, len(data))
	}
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range z.File {
		if extra := binary.LittleEndian.Uint16(data[localHeader(t, f)+28:]); int(extra) != len(f.Extra) {
			t.Errorf("%s: %d bytes of extra fields before the file, %d in the directory", f.Name, extra, len(f.Extra))
		}
		if strings.HasPrefix(f.Name, "archive/") != (f.Method == zip.Store) {
			t.Errorf("%s is packed with method %d", f.Name, f.Method)
		}
	}
	return name, z, report
}

// localHeader returns where the local header of a file is.
func localHeader(t *testing.T, f *zip.File) int64 {
	t.Helper()
	at, err := f.DataOffset()
	if err != nil {
		t.Fatal(err)
	}
	return at - int64(30+len(f.Name)+len(f.Extra))
}

func readZip(t *testing.T, z *zip.Reader, name string) []byte {
	t.Helper()
	f, err := z.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestWACZ holds a WACZ against the specification: what must be there, hashes and
// sizes, stored WARC files, one index of all of them, and the header of the pages.
func TestWACZ(t *testing.T) {
	o := withText(options())
	o.MaxSize = 2000
	_, z, report := exportWACZ(t, samples(), o)
	var d struct {
		Profile   string
		Version   string `json:"wacz_version"`
		Resources []resource
	}
	descriptor := readZip(t, z, "datapackage.json")
	if err := json.Unmarshal(descriptor, &d); err != nil || d.Profile != "data-package" || d.Version != "1.1.1" {
		t.Fatalf("%s: %v", descriptor, err)
	}
	listed := []string{"datapackage.json", "datapackage-digest.json"}
	for _, r := range d.Resources {
		if data := readZip(t, z, r.Path); sum(data) != r.Hash || int64(len(data)) != r.Bytes || r.Name != filepath.Base(r.Path) {
			t.Errorf("%+v is not so", r)
		}
		listed = append(listed, r.Path)
	}
	var there []string
	for _, f := range z.File {
		there = append(there, f.Name)
	}
	slices.Sort(listed)
	slices.Sort(there)
	if diff := cmp.Diff(listed, there); diff != "" {
		t.Error(diff)
	}
	golden(t, "digest.json", bytes.ReplaceAll(readZip(t, z, "datapackage-digest.json"), []byte(sum(descriptor)), []byte("HASH")))
	golden(t, "pages.jsonl", readZip(t, z, "pages/pages.jsonl"))

	index := readIndex(t, readZip(t, z, "indexes/index.cdxj"))
	if len(report.Files) < 2 || len(index) != report.Captures()+1 { // of what was met again, the one that is no 304
		t.Errorf("%d entries, %+v", len(index), report)
	}
	if slices.ContainsFunc(index, func(in indexed) bool { return in.Status == "304" }) {
		t.Error("a 304 is indexed, which players would show")
	}
	for _, in := range index {
		records := readAll(t, readZip(t, z, "archive/"+in.Filename))
		if !slices.ContainsFunc(records, func(h had) bool {
			return strconv.FormatInt(h.offset, 10) == in.Offset && h.fields["WARC-Target-URI"] == in.URL
		}) {
			t.Errorf("%+v is not there", in)
		}
	}
}
