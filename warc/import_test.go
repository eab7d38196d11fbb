package warc

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/mirror"
	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/page"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const base = "http://mirror.example"

// world is a mirror, and an archive to import its pages into.
type world struct {
	*testing.T
	m    *mirror.Mirror
	site *page.Site
	arc  *archive.Archive
	file string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	m, err := mirror.New(mirror.Options{Posts: 40, Categories: 4, Seed: 5, Base: base})
	if err != nil {
		t.Fatal(err)
	}
	site, err := page.NewSite("m", base+"/", base+"/html_News/NewsShare.html?infoCode={infoCode}", base+"/NewsData/GetNewsText.do?id={infoCode}")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{T: t, m: m, site: site, file: filepath.Join(t.TempDir(), "a.db")}
	w.arc, err = archive.OpenOrCreate(t.Context(), w.file, archive.PlainText(page.Text))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// page returns the mirror's page at a path.
func (w *world) page(path string) string {
	w.Helper()
	rec := httptest.NewRecorder()
	w.m.ServeHTTP(rec, httptest.NewRequest("GET", base+path, nil))
	return rec.Body.String()
}

// post returns the path of a post's page, and the page.
func (w *world) post(i int) (path, body string) {
	w.Helper()
	path = w.m.Standing(i).Path
	return path, w.page(path)
}

// stores lets a dry run look into the archive.
type dryStore struct{ *archive.Archive }

func (s dryStore) Commit(ctx context.Context, b *news.Batch) (news.Committed, error) {
	return s.Try(ctx, b)
}

func (w *world) importAll(dry bool, files ...string) Imported {
	w.Helper()
	o := ImportOptions{
		Sites: []*page.Site{w.site}, Store: w.arc, Dry: dry, MaxBody: 1 << 20,
		Now: func() time.Time { return time.Date(2022, 1, 2, 0, 0, 0, 0, time.UTC) },
	}
	if dry {
		o.Store = dryStore{w.arc}
	}
	r, err := Import(w.Context(), inMemory(files), o)
	if err != nil {
		w.Fatal(err)
	}
	if !r.AddsUp() || r.Files != len(files) {
		w.Errorf("the report does not add up: %+v", r)
	}
	return r
}

func inMemory(files []string) iter.Seq2[File, error] {
	return func(yield func(File, error) bool) {
		for i, file := range files {
			if !yield(File{fmt.Sprintf("%d.warc", i), strings.NewReader(file)}, nil) {
				return
			}
		}
	}
}

// sha1Of returns a digest as crawlers write it.
func sha1Of(data string) string {
	sum := sha1.Sum([]byte(data))
	return "sha1:" + base32.StdEncoding.EncodeToString(sum[:])
}

const when = "2021-12-22T03:00:00Z"

// answered returns a record of what was sent for an address, with more fields.
func answered(address, date, sent string, fields ...string) string {
	return text(sent, append([]string{"WARC-Type: response", "WARC-Target-URI: " + address, "WARC-Date: " + date}, fields...)...)
}

// ok returns an answer of HTTP with a body.
func ok(body string, header ...string) string {
	return "HTTP/1.1 200 OK\r\n" + strings.Join(append([]string{"Content-Type: text/html; charset=utf-8"}, header...), "\r\n") + "\r\n\r\n" + body
}

func chunked(body string) string {
	return fmt.Sprintf("5;x=y\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n", body[:5], len(body)-5, body[5:])
}

// TestImportShapes: a post's page in all forms that crawlers write is one post, or is
// refused for a reason.
func TestImportShapes(t *testing.T) {
	w := newWorld(t)
	path, body := w.post(3)
	other, otherBody := w.post(4)
	at := base + path
	plain := ok(body)
	long := strings.Repeat("长", 1<<20)
	packed := gzipped(t, body)
	var br bytes.Buffer
	brw := brotli.NewWriter(&br)
	_, _ = io.WriteString(brw, body) // into memory
	_ = brw.Close()
	sixteen := text(plain, "WARC-Type: response", "WARC-Target-URI: "+at)
	for _, test := range []struct {
		name   string
		record string
		want   string // new, a reason, or why it is of no post
		fault  string
	}{
		{"no digest", answered(at, when, plain), "new", faultNoDigest},
		{"angle brackets", answered("<"+at+">", when, plain), "new", faultNoDigest},
		{"https", answered("https"+strings.TrimPrefix(at, "http"), when, plain), "new", faultNoDigest},
		{"fragment", answered(at+"#top", when, plain), "new", faultNoDigest},
		{"digests", answered(at, when, plain, "WARC-Block-Digest: "+sha1Of(plain), "WARC-Payload-Digest: "+sha1Of(body)), "new", ""},
		{"digest without padding, in small letters", answered(at, when, plain, "WARC-Payload-Digest: "+strings.ToLower(sha1Of(body))), "new", ""},
		{"unknown digest", answered(at, when, plain, "WARC-Block-Digest: blake3:00"), "new", faultNoDigest},
		{"wrong block digest", answered(at, when, plain, "WARC-Block-Digest: "+sha1Of(body)), "digest does not fit", ""},
		{"wrong payload digest", answered(at, when, plain, "WARC-Payload-Digest: "+sha1Of(plain)), "digest does not fit", ""},
		{
			"payload digest of something else, right block digest",
			answered(at, when, plain, "WARC-Block-Digest: "+sha1Of(plain), "WARC-Payload-Digest: "+sha1Of("")), "new", faultPayloadDigest,
		},
		{"chunked", answered(at, when, ok(chunked(body), "Transfer-Encoding: chunked")), "new", faultNoDigest},
		{"chunked, digest of the chunks", answered(at, when, ok(chunked(body), "Transfer-Encoding: chunked"), "WARC-Payload-Digest: "+sha1Of(chunked(body))), "new", ""},
		{"chunked, digest of the body", answered(at, when, ok(chunked(body), "Transfer-Encoding: Chunked"), "WARC-Payload-Digest: "+sha1Of(body)), "new", ""},
		{"chunks undone", answered(at, when, ok(body, "Transfer-Encoding: chunked")), "new", faultNoDigest},
		{"cut chunks", answered(at, when, ok(chunked(body)[:900], "Transfer-Encoding: chunked")), "cut body", ""},
		{"gzip", answered(at, when, ok(packed, "Content-Encoding: gzip"), "WARC-Payload-Digest: "+sha1Of(packed)), "new", ""},
		{"gzip in chunks", answered(at, when, ok(chunked(packed), "Content-Encoding: gzip", "Transfer-Encoding: chunked")), "new", faultNoDigest},
		{"brotli", answered(at, when, ok(br.String(), "Content-Encoding: br"), "WARC-Payload-Digest: "+sha1Of(body)), "new", ""},
		{"zstd", answered(at, when, ok(zstandard(t, nil, body), "Content-Encoding: zstd")), "new", faultNoDigest},
		{"coding undone", answered(at, when, ok(body, "Content-Encoding: br", "Content-Length: 99999")), "new", faultNoDigest},
		{"cut gzip", answered(at, when, ok(packed[:len(packed)/2], "Content-Encoding: gzip")), "content coding is broken", ""},
		{"unknown coding", answered(at, when, ok(packed, "Content-Encoding: x-own")), "content coding is broken", ""},
		{"bomb", answered(at, when, ok(gzipped(t, long), "Content-Encoding: gzip")), "body over limit", ""},
		{"large", answered(at, when, ok(long)), "body over limit", ""},
		{"shorter than announced", answered(at, when, ok(body, "Content-Length: 99999")), "cut body", ""},
		{"HTTP/2", answered(at, when, strings.Replace(plain, "HTTP/1.1 200 OK", "HTTP/2 200", 1)), "new", faultNoDigest},
		{"headers folded and broken", answered(at, when, ok(body, "X-A: b\r\n  c", "nothing", ": d")), "new", faultNoDigest},
		{"from DevTools", answered(at, when, strings.Replace(plain, "HTTP/1.1 200 OK", "http/1.1 200 OK", 1)), "new", faultNoDigest},
		{"no HTTP", answered(at, when, body), "no answer of HTTP", ""},
		{"head without end", answered(at, when, "HTTP/1.1 200 OK\r\nA: b"), "no answer of HTTP", ""},
		{"404", answered(at, when, "HTTP/1.1 404 Not Found\r\n\r\n"+body), "status 404", ""},
		{"304", answered(at, when, "HTTP/1.1 304 Not Modified\r\n\r\n"), "status 304", ""},
		{"another post", answered(at, when, ok(otherBody)), "another post", ""},
		{"block page", answered(at, when, ok("<html><title>访问过于频繁</title><h1>访问过于频繁</h1>请输入验证码</html>")), "block page", ""},
		{"blank", answered(at, when, ok(" \n")), "empty body", ""},
		{"home page", answered(at, when, ok(w.page("/"))), "list in its place", ""},
		{"truncated", answered(at, when, plain, "WARC-Truncated: length"), "cut short by its crawler", ""},
		{"segmented", answered(at, when, plain, "WARC-Segment-Number: 1"), "segmented record", ""},
		{"no date", sixteen, "no date", ""},
		{"from the future", answered(at, "2031-01-01T00:00:00Z", plain), "date in the future", ""},
		{"resource", strings.Replace(answered(at, when, body, "Content-Type: text/html; charset=utf-8"), "response", "resource", 1), "new", faultNoDigest},
		{"large resource", strings.Replace(answered(at, when, long), "response", "resource", 1), "body over limit", ""},
		{"list", answered(base+"/", when, ok(w.page("/"))), "list page", ""},
		{"robots.txt", answered(base+"/robots.txt", when, ok("User-agent: *")), "robots.txt", ""},
		{"another site", answered("https://other.example"+path, when, plain), "no page of a mirror", ""},
		{"DNS", answered("dns:mirror.example", when, "20211222030000\nmirror.example. 1 IN A 127.0.0.1\n"), "no page of a mirror", ""},
		{"no address", answered("http://[x", when, plain), "no page of a mirror", ""},
		{"warcinfo", text("software: x\r\n", "WARC-Type: warcinfo"), "warcinfo record", ""},
		{"request", strings.Replace(answered(at, when, "GET / HTTP/1.1\r\n\r\n"), "response", "request", 1), "request record", ""},
		{"of a type to come", strings.Replace(answered(at, when, plain), "response", "hologram", 1), "record of another type", ""},
		{"revisit of nothing", strings.Replace(answered(base+other, when, "HTTP/1.1 200 OK\r\n\r\n"), "response", "revisit", 1), "revisit of what is not there", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			w.T = t
			for _, dry := range []bool{true, false} {
				r := w.importAll(dry, test.record)
				got := map[bool]string{true: "new"}[r.New == 1]
				for _, counts := range []map[string]int{r.Refused, r.Passed} {
					for why := range counts {
						got += why
					}
				}
				fault := ""
				for f := range r.Faults {
					fault += f
				}
				if got != test.want || fault != test.fault || r.Records != 1 || r.Damaged > 0 {
					t.Errorf("got %q and %q, want %q and %q: %+v", got, fault, test.want, test.fault, r)
				}
				if n := r.Refused[test.want]; n != len(r.Refusals) || n > 0 && (r.Refusals[0].Reason != test.want || r.Refusals[0].File != "0.warc") {
					t.Errorf("got %+v", r.Refusals)
				}
			}
			if test.want != "new" {
				return
			}
			rev, err := w.arc.Post(t.Context(), w.m.Post(3).ID)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(w.m.Post(3).Title, rev.Title); diff != "" || rev.Mode != news.ModeImport || rev.Mirror != "m" ||
				!rev.Fetched.Equal(time.Date(2021, 12, 22, 3, 0, 0, 0, time.UTC)) || !rev.FirstSeen.Equal(rev.Fetched) {
				t.Errorf("%s: got %+v", diff, rev)
			}
			c, err := w.arc.Capture(t.Context(), rev.Seq)
			if err != nil || string(c.Body) != body || c.Header.Get("Content-Encoding")+c.Header.Get("Transfer-Encoding") != "" ||
				c.Header.Get("Content-Type") != "text/html; charset=utf-8" || c.Header.Get("Content-Length") != "" {
				t.Errorf("%v, got %+v", err, c)
			}
		})
	}
}

// revisited returns a revisit record, with more fields.
func revisited(address, date, block string, fields ...string) string {
	return strings.Replace(answered(address, date, block, fields...), "response", "revisit", 1)
}

// TestRevisits: a revisit is the post as it was held, seen at another time.
func TestRevisits(t *testing.T) {
	w := newWorld(t)
	path, body := w.post(3)
	at := base + path
	second := strings.Replace(body, "</h1>", "（更正）</h1>", 1)
	packed := gzipped(t, body)
	first := answered(at, "2021-12-22T03:00:00.25Z", ok(packed, "Content-Encoding: gzip", `ETag: "a"`))
	changed := answered(at, "2021-12-22T05:00:00Z", ok(second, `ETag: "b"`))
	of := func(date string) []string {
		return []string{"WARC-Refers-To-Target-URI: <" + at + ">", "WARC-Refers-To-Date: " + date, "WARC-Payload-Digest: " + sha1Of(packed)}
	}
	same := revisited(at, "2021-12-22T04:00:00Z", "HTTP/1.1 200 OK\r\n\r\n", of("2021-12-22T03:00:00Z")...)
	back := revisited(at, "2021-12-22T06:00:00Z", "", of("2021-12-22T03:00:00.25Z")...)
	unmodified := revisited(at, "2021-12-22T05:30:00Z", "HTTP/1.1 304 Not Modified\r\nETag: \"b\"\r\n\r\n", "WARC-Profile: server-not-modified")
	byDigest := revisited(at, "2021-12-22T05:40:00Z", "HTTP/1.1 200 OK\r\n\r\n", "WARC-Payload-Digest: "+sha1Of(second))
	unknown := revisited(at, "2021-12-22T05:50:00Z", "HTTP/1.1 200 OK\r\n\r\n", "WARC-Payload-Digest: "+sha1Of("x"))
	files := []string{same + back + unmodified + byDigest + unknown, gzipped(t, first, changed)}

	dry := w.importAll(true, files...)
	r := w.importAll(false, files...)
	if r.New != 1 || r.Revised != 2 || r.Same != 3 || r.Revisits != 4 || !maps.Equal(r.Refused, map[string]int{"revisit of what is not there": 1}) {
		t.Errorf("got %+v", r)
	}
	if dry.Records != r.Records || dry.New != 1 || dry.Revised != 1 {
		t.Errorf("a dry run tells %+v", dry)
	}
	revs, err := w.arc.Revisions(t.Context(), w.m.Post(3).ID)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, rev := range revs {
		got = append(got, fmt.Sprint(rev.Fetched.UTC().Format("15:04:05.00"), " ", rev.LastSeen.UTC().Format("15:04:05"), " ", strings.Contains(rev.Title, "更正")))
	}
	want := []string{"03:00:00.25 04:00:00 false", "05:00:00.00 05:40:00 true", "06:00:00.00 06:00:00 false"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if again := w.importAll(false, files...); again.New+again.Revised != 0 || again.Same != 6 {
		t.Errorf("once more: %+v", again)
	}
}

// captures returns all revisions that the world's archive has, with their captures.
func (w *world) captures() []news.Revision {
	w.Helper()
	var list []news.Revision
	for rev, err := range w.arc.Select(w.Context(), archive.Selection{All: true, Captures: true, Oldest: true}) {
		if err != nil {
			w.Fatal(err)
		}
		list = append(list, rev)
	}
	return list
}

// TestAnswersOfRevisits: what a revisit tells of the server's answer is kept with the
// page, as a crawl keeps it; nothing of an answer that the record does not have, or that
// is too long.
func TestAnswersOfRevisits(t *testing.T) {
	path, body := newWorld(t).post(3)
	at := base + path
	of := []string{"WARC-Refers-To-Target-URI: " + at, "WARC-Refers-To-Date: 2021-12-22T03:00:00Z"}
	record := answered(at, "2021-12-22T03:00:00Z", ok(body, `ETag: "a"`))
	long := strings.Repeat("x", maxAnswer)
	for _, c := range []struct {
		name, block string
		want        *news.Revisit // but for address and time
	}{
		{"304", "HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\n",
			&news.Revisit{Status: 304, Proto: "HTTP/1.1", Header: http.Header{"Etag": {`"a"`}}}},
		{"the same bytes", fmt.Sprintf("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: %d\r\nETag: \"b\"\r\n\r\n", len(body)),
			&news.Revisit{Status: 200, Proto: "HTTP/1.0", Header: http.Header{"Etag": {`"b"`}, "Content-Length": {fmt.Sprint(len(body))}}}},
		{"no block", "", nil},
		{"another status", "HTTP/1.1 301 Moved Permanently\r\n\r\n", nil},
		{"too long", "HTTP/1.1 304 Not Modified\r\nX: " + long + "\r\n\r\n", nil},
	} {
		w := newWorld(t)
		if r := w.importAll(false, record+revisited(at, "2021-12-22T04:00:00Z", c.block, of...)); r.New != 1 || r.Same != 1 || r.Revisits != 1 {
			t.Errorf("%s: %+v", c.name, r)
		}
		seen := time.Date(2021, 12, 22, 4, 0, 0, 0, time.UTC)
		if c.want != nil {
			c.want.URL, c.want.Time = at, seen.In(news.Shanghai)
		}
		list := w.captures()
		if diff := cmp.Diff(c.want, list[0].Revisit); diff != "" || !list[0].LastSeen.Equal(seen) {
			t.Errorf("%s: last seen %s, %s", c.name, list[0].LastSeen, diff)
		}
	}
}

// TestExportedRevisits: what is exported comes back with all its revisions, and the
// answers by which they were met again.
func TestExportedRevisits(t *testing.T) {
	w := newWorld(t)
	path, body := w.post(3)
	other, text := w.post(5)
	at := base + path
	second := strings.Replace(body, "</h1>", "（更正）</h1>", 1)
	of := []string{"WARC-Refers-To-Target-URI: " + at, "WARC-Refers-To-Date: 2021-12-22T03:00:00Z"}
	w.importAll(false, answered(at, "2021-12-22T03:00:00Z", ok(body, `ETag: "a"`)),
		revisited(at, "2021-12-22T04:00:00Z", "HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n", of...),
		answered(at, "2021-12-22T05:00:00Z", ok(second)),
		answered(at, "2021-12-22T06:00:00Z", ok(body, `ETag: "c"`)),
		answered(at, "2021-12-22T07:00:00Z", ok(body, `ETag: "d"`)),
		answered(base+other, "2021-12-22T08:00:00Z", ok(text)))
	had := w.captures()
	dir, report := export(t, had, options())
	if report.Responses != 3 || report.Revisits != 3 || report.Rechecks != 2 || report.Metadata != 0 {
		t.Errorf("%+v", report)
	}
	again := newWorld(t)
	again.importAll(false, string(readFile(t, filepath.Join(dir, report.Files[0].Path))))
	if diff := cmp.Diff(had, again.captures(), cmpopts.IgnoreFields(news.Revision{}, "Seq")); diff != "" {
		t.Errorf("(-had +again):\n%s", diff)
	}
}

// TestRevisitsOfOtherPages: of what was not kept, since it had no text or the text that
// is held, a revisit is of no post.
func TestRevisitsOfOtherPages(t *testing.T) {
	w := newWorld(t)
	path, body := w.post(3)
	empty := w.site.Text(w.m.Post(5).InfoCode)
	r := w.importAll(false,
		answered(base+path, when, ok(body))+answered(empty, when, ok(`{"infoCode":"`+string(w.m.Post(5).InfoCode)+`","text":""}`)),
		revisited(w.site.Text(w.m.Post(3).InfoCode), "2021-12-22T04:00:00Z", "")+revisited(empty, "2021-12-22T04:00:00Z", ""))
	if want := map[string]int{passedShell: 2, "revisit of another page of what is held": 1}; r.New != 1 || !maps.Equal(r.Passed, want) {
		t.Errorf("got %+v", r)
	}
}

// TestManyRevisits: of more revisits than wait at a time none is lost.
func TestManyRevisits(t *testing.T) {
	w := newWorld(t)
	path, body := w.post(3)
	var b strings.Builder
	for range maxUnmet + maxUnmet/2 + 7 {
		b.WriteString(revisited(base+path, when, "", "WARC-Refers-To-Date: "+when))
	}
	r := w.importAll(true, b.String(), answered(base+path, when, ok(body)))
	if n := maxUnmet + maxUnmet/2 + 7; r.Records != n+1 || r.New != 1 || r.Same+r.Refused[errUnmet.Error()] != n || r.Same < maxUnmet/2 || len(r.Refusals) != maxNamed {
		t.Errorf("got %d records, %d new, %d same, %v", r.Records, r.New, r.Same, r.Refused)
	}
}

// TestImportDamage: what is damaged is told, and the rest comes in.
func TestImportDamage(t *testing.T) {
	w := newWorld(t)
	var parts []string
	for i := range 3 {
		path, body := w.post(i)
		parts = append(parts, answered(base+path, when, ok(body)))
	}
	checksum := []byte(gzipped(t, parts...))
	checksum[len(gzipped(t, parts[:2]...))-6] ^= 1
	r := w.importAll(false, string(checksum), "no WARC", parts[0]+parts[1][:500])
	if r.New != 2 || r.Same != 1 || !maps.Equal(r.Refused, map[string]int{"damaged record": 2}) || r.Damaged != 3 || len(r.Damage) != 3 ||
		r.Damage[0].File != "0.warc" || r.Damage[0].Offset != int64(len(gzipped(t, parts[0]))) {
		t.Errorf("got %+v", r)
	}
}

// TestDryRunTellsTheSame: over more posts than a portion has, one that changes and is
// as before again.
func TestDryRunTellsTheSame(t *testing.T) {
	w := newWorld(t)
	var b strings.Builder
	for round := range 20 {
		for i := range 40 {
			path, body := w.post(i)
			if i == 7 && round%3 == 1 {
				body = strings.Replace(body, "</h1>", "（更正）</h1>", 1)
			}
			b.WriteString(answered(base+path, fmt.Sprintf("2021-12-22T03:%02d:00Z", round), ok(body)))
		}
	}
	dry, r := w.importAll(true, b.String()), w.importAll(false, b.String())
	if dry.Dry = false; !cmp.Equal(dry.Tally, r.Tally) || r.New != 40 || r.Revised != 13 {
		t.Errorf("dry %+v, real %+v", dry.Tally, r.Tally)
	}
}

var errDisk = errors.New("no space left")

// full is a store that takes nothing.
type full struct{ *archive.Archive }

func (full) Commit(context.Context, *news.Batch) (news.Committed, error) {
	return news.Committed{}, errDisk
}

// TestImportStops: at the first error, with a report of what was done.
func TestImportStops(t *testing.T) {
	w := newWorld(t)
	path, body := w.post(0)
	o := ImportOptions{Sites: []*page.Site{w.site}, Store: full{w.arc}, MaxBody: 1 << 20, Now: time.Now}
	r, err := Import(t.Context(), inMemory([]string{answered(base+path, when, ok(body))}), o)
	if !errors.Is(err, errDisk) || r.Records != 0 || !r.AddsUp() {
		t.Errorf("%v, got %+v", err, r)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Import(ctx, inMemory([]string{answered(base+path, when, ok(body))}), o); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := Import(t.Context(), Files([]string{filepath.Join(t.TempDir(), "none")}, nil), o); err == nil {
		t.Error("a file that is not there is no error")
	}
}
