package dataset_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/finarc/finarc/dataset"
	"github.com/finarc/finarc/durable"
	"github.com/finarc/finarc/news"
	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
)

var formats = []dataset.Format{dataset.JSONLines, dataset.CSV, dataset.Parquet}

// options are those of the tests: the text of an article is its HTML.
func options(format dataset.Format) dataset.Options {
	return dataset.Options{
		Format: format, HTML: true, Created: noon, Version: "v1",
		Text: func(html string) string { return html },
		TradableAt: func(p *news.Post) (time.Time, bool) {
			return p.Published, !p.Published.IsZero() && p.Published.Second()%2 == 0
		},
	}
}

var noon = time.Date(2021, 12, 22, 12, 0, 0, 0, news.Shanghai)

// draw returns text in which anything can be that a format may stumble on.
func draw(r *rand.Rand) string {
	pieces := []string{
		"公司", "a", "Z", " ", "  ", "\n", "\r", "\r\n", "\t", `"`, `""`, ",", ";", "'", "=", "+1", "-", "@", "＝", "\x00", "\u2028", "\ufeff",
		"<p>", "&amp;", `\`, "null", "{}", "[", "\xff", "\xe4\xb8", "😀", "\u202e", "%", "NULL", "0",
	}
	var b strings.Builder
	for range r.IntN(8) {
		b.WriteString(pieces[r.IntN(len(pieces))])
	}
	return b.String()
}

// drawn returns a revision of drawn content.
func drawn(r *rand.Rand, i int) news.Revision {
	at := noon.Add(time.Duration(i) * 7 * time.Hour)
	code := news.InfoCode(fmt.Sprintf("NW%s%010d", at.Format("20060102"), i))
	rev := news.Revision{
		Post:   news.Post{ID: code.ID(), InfoCode: code, Published: at.Truncate(time.Second)},
		Number: 1 + r.IntN(3), Fetched: at.Add(time.Duration(r.IntN(5_000)) * time.Millisecond), URL: "https://m.example/" + draw(r),
		Mode: []news.Mode{news.ModeLive, news.ModeBackfill, news.ModeImport}[r.IntN(3)], SHA256: strings.Repeat("0f", 32),
	}
	rev.FirstSeen = rev.Fetched.Add(-time.Duration(r.IntN(3)) * time.Hour)
	for _, text := range []*string{&rev.Title, &rev.Category, &rev.Tag, &rev.Outlet, &rev.Source, &rev.Digest, &rev.Body, &rev.Story} {
		*text = draw(r)
	}
	rev.Story = strings.ToValidUTF8(rev.Story, "")
	for range r.IntN(4) {
		m := news.Mention{Security: news.Security{Market: r.IntN(200), Code: draw(r)}, Name: draw(r), Count: r.IntN(9)}
		rev.Securities, rev.Boards = append(rev.Securities, m), append(rev.Boards, m)
		rev.Related = append(rev.Related, code)
	}
	switch r.IntN(12) {
	case 0:
		rev.Published, rev.Title, rev.InfoCode = time.Time{}, "", ""
	case 1:
		rev.Lost, rev.Body, rev.SHA256 = true, "", ""
	}
	return rev
}

func drawnPosts(seed uint64, n int) []news.Revision {
	r := rand.New(rand.NewPCG(seed, 1))
	var list []news.Revision
	for i := range n {
		list = append(list, drawn(r, i))
	}
	return list
}

func posts(list []news.Revision) iter.Seq2[news.Revision, error] {
	return func(yield func(news.Revision, error) bool) {
		for i := range list {
			if !yield(list[i], nil) {
				return
			}
		}
	}
}

func stream(t testing.TB, list []news.Revision, o dataset.Options) []byte {
	t.Helper()
	var b bytes.Buffer
	n, err := dataset.Stream(t.Context(), &b, posts(list), o)
	if err != nil || n != len(list) {
		t.Fatalf("%s: %d of %d rows: %v", o.Format, n, len(list), err)
	}
	return b.Bytes()
}

// table is what a reader found: rows of fields, as JSON has them.
type table []map[string]any

func readJSONL(t testing.TB, data []byte) table {
	t.Helper()
	var rows table
	for line := range bytes.Lines(data) {
		var row map[string]any
		if err := json.Unmarshal(line, &row); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		rows = append(rows, row)
	}
	return rows
}

// readCSV reads CSV by encoding/csv, with the types that JSON has.
func readCSV(t testing.TB, data []byte) table {
	t.Helper()
	records, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var rows table
	for _, record := range records[1:] {
		row := make(map[string]any)
		for i, name := range records[0] {
			row[name] = cell(t, name, record[i])
		}
		rows = append(rows, row)
	}
	return rows
}

func cell(t testing.TB, name, text string) any {
	t.Helper()
	switch name {
	case "revision":
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		return float64(n)
	case "categories", "tags", "securities", "boards", "related":
		var list []any
		if err := json.Unmarshal([]byte(text), &list); err != nil {
			t.Fatal(err)
		}
		return list
	}
	if text == "" {
		return nil
	}
	return text
}

// lineFeeds makes CR LF in a table the line feed as which encoding/csv reads it.
func lineFeeds(v any) any {
	switch v := v.(type) {
	case string:
		return strings.ReplaceAll(v, "\r\n", "\n")
	case map[string]any:
		for name := range v {
			if _, list := v[name].([]any); !list { // in JSON it is escaped
				v[name] = lineFeeds(v[name])
			}
		}
	}
	return v
}

// readParquet reads Parquet as its columns tell, not as the rows of this package.
func readParquet(t testing.TB, data []byte) table {
	t.Helper()
	file, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	var rows table
	reader := parquet.NewGenericReader[dataset.Row](file)
	defer reader.Close()
	for {
		var row [1]dataset.Row
		n, err := reader.Read(row[:])
		if n == 1 {
			rows = append(rows, asJSON(t, &row[0]))
		}
		if errors.Is(err, io.EOF) {
			return rows
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// asJSON returns a row as JSON has it, told once more and not by the table of
// fields.
func asJSON(t testing.TB, r *dataset.Row) map[string]any {
	t.Helper()
	clock := func(at time.Time, layout string) any {
		if at.IsZero() {
			return nil
		}
		return at.In(news.Shanghai).Format(layout)
	}
	text := func(s string) any {
		if s == "" {
			return nil
		}
		return s
	}
	const second, milli = time.RFC3339, "2006-01-02T15:04:05.000Z07:00"
	row := map[string]any{
		"id": r.ID, "info_code": text(r.InfoCode), "revision": r.Revision, "title": text(r.Title), "published": clock(r.Published, second),
		"first_seen": clock(r.FirstSeen, milli), "fetched": clock(r.Fetched, milli), "mode": r.Mode, "tradable_at": clock(r.TradableAt, second),
		"categories": append([]string{}, r.Categories...), "tags": append([]string{}, r.Tags...), "outlet": text(r.Outlet), "source": text(r.Source),
		"digest": text(r.Digest), "text": text(r.Text), "html": text(r.HTML), "securities": append([]dataset.Mention{}, r.Securities...),
		"boards": append([]dataset.Mention{}, r.Boards...), "related": append([]string{}, r.Related...), "story_id": text(r.Story),
		"url": r.URL, "sha256": text(r.SHA256),
	}
	data, err := json.Marshal(row)
	if err != nil {
		t.Fatal(err)
	}
	return readJSONL(t, data)[0]
}

// The three formats of the same posts say the same.
func TestFormatsSayTheSame(t *testing.T) {
	for seed := range uint64(8) {
		list := drawnPosts(seed, 150)
		lines := readJSONL(t, stream(t, list, options(dataset.JSONLines)))
		if len(lines) != len(list) {
			t.Fatalf("%d rows of %d posts", len(lines), len(list))
		}
		if diff := cmp.Diff(lines, readParquet(t, stream(t, list, options(dataset.Parquet)))); diff != "" {
			t.Fatalf("seed %d: Parquet is not as JSON Lines (-lines +parquet):\n%s", seed, diff)
		}
		for i := range lines {
			lineFeeds(lines[i])
		}
		if diff := cmp.Diff(lines, readCSV(t, stream(t, list, options(dataset.CSV)))); diff != "" {
			t.Fatalf("seed %d: CSV is not as JSON Lines (-lines +csv):\n%s", seed, diff)
		}
	}
}

// A row tells what the revision tells.
func TestRow(t *testing.T) {
	rev := drawn(rand.New(rand.NewPCG(1, 1)), 4)
	rev.Category, rev.Tag, rev.Title, rev.Digest, rev.Published = "a  b", "甲新闻", "题\xff", "", noon
	rev.Securities = []news.Mention{{Security: news.Security{Market: 1, Code: "600160"}, Name: "巨化股份", Count: 2}}
	rev.Fetched = noon.Add(1234 * time.Millisecond).UTC()
	row := readJSONL(t, stream(t, []news.Revision{rev}, options(dataset.JSONLines)))[0]
	for name, want := range map[string]any{
		"id": string(rev.ID), "info_code": string(rev.InfoCode), "title": "题\uFFFD", "digest": nil, "published": "2021-12-22T12:00:00+08:00",
		"tradable_at": "2021-12-22T12:00:00+08:00", "fetched": "2021-12-22T12:00:01.234+08:00", "categories": []any{"a", "b"}, "tags": []any{"甲新闻"},
		"securities": []any{map[string]any{"market": 1.0, "code": "600160", "name": "巨化股份", "count": 2.0}},
	} {
		if diff := cmp.Diff(want, row[name]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// HTML is there on request only, in every format.
func TestHTMLOnRequest(t *testing.T) {
	list := drawnPosts(1, 5)
	for _, format := range formats {
		o := options(format)
		o.HTML = false
		data := stream(t, list, o)
		switch format {
		case dataset.JSONLines:
			if _, there := readJSONL(t, data)[0]["html"]; there {
				t.Error("jsonl has html")
			}
		case dataset.CSV:
			if _, there := readCSV(t, data)[0]["html"]; there {
				t.Error("csv has html")
			}
		case dataset.Parquet:
			file, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
			if err != nil {
				t.Fatal(err)
			}
			if _, there := file.Schema().Lookup("html"); there {
				t.Error("parquet has html")
			}
		}
	}
}

// With SafeCSV no field begins as a formula, and dropping an apostrophe gives back
// what was there.
func TestSafeCSV(t *testing.T) {
	list := drawnPosts(3, 2000)
	for i, title := range []string{"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "'=1", "＝1", "＋1", "－1", "＠1"} {
		list[i].Title = title
	}
	o := options(dataset.CSV)
	plain := readCSV(t, stream(t, list, o))
	o.SafeCSV = true
	safe := readCSV(t, stream(t, list, o))
	disarmed := 0
	for i := range safe {
		for name, v := range safe[i] {
			text, ok := v.(string)
			if !ok {
				continue
			}
			if strings.ContainsRune("=+-@\t\r\n＝＋－＠", []rune(text)[0]) {
				t.Fatalf("%s begins as a formula: %q", name, text)
			}
			if back, was := strings.CutPrefix(text, "'"); was {
				safe[i][name] = back
				disarmed++
			}
		}
	}
	if diff := cmp.Diff(plain, safe); diff != "" {
		t.Errorf("not what was there (-plain +safe):\n%s", diff)
	}
	if disarmed < 100 {
		t.Errorf("only %d fields were disarmed", disarmed)
	}
}

// CSV is what RFC 4180 says, byte for byte.
func TestCSVForm(t *testing.T) {
	rev := news.Revision{
		Post:   news.Post{ID: "202112220000000001", Title: "a \"b\", c\nd", Published: noon, Category: "x y", Body: " =1"},
		Number: 1, FirstSeen: noon, Fetched: noon, Mode: news.ModeLive, URL: "https://m.example/",
	}
	o := options(dataset.CSV)
	o.HTML = false
	const want = "id,info_code,revision,title,published,first_seen,fetched,mode,tradable_at,categories,tags,outlet,source,digest,text,securities,boards,related,story_id,url,sha256\r\n" +
		"202112220000000001,,1,\"a \"\"b\"\", c\nd\",2021-12-22T12:00:00+08:00,2021-12-22T12:00:00.000+08:00,2021-12-22T12:00:00.000+08:00,live," +
		"2021-12-22T12:00:00+08:00,\"[\"\"x\"\",\"\"y\"\"]\",[],,,,\" =1\",[],[],[],,https://m.example/,\r\n"
	if diff := cmp.Diff(want, string(stream(t, []news.Revision{rev}, o))); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func export(t testing.TB, dir string, list []news.Revision, o dataset.Options) dataset.Report {
	t.Helper()
	r, err := dataset.Export(t.Context(), dir, posts(list), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// tree returns the names of the files below a folder.
func tree(t testing.TB, dir string) []string {
	t.Helper()
	var list []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			name, _ := filepath.Rel(dir, path)
			list = append(list, filepath.ToSlash(name))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestExport(t *testing.T) {
	list := drawnPosts(5, 300)
	for _, format := range formats {
		dir := filepath.Join(t.TempDir(), "a", "out")
		report := export(t, dir, list, options(format))
		name := "posts." + string(format)
		if got, want := tree(t, dir), []string{"datapackage.json", name}; !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(data, stream(t, list, options(format))) {
			t.Errorf("%s: the file is not as the stream", format)
		}
		if report.Rows != 300 || report.Bytes != int64(len(data)) || len(report.Files) != 1 {
			t.Errorf("%s: %+v", format, report)
		}
		if left := tree(t, filepath.Dir(dir)); len(left) != 2 {
			t.Errorf("left behind: %q", left)
		}
	}
}

// By months every row is in the file of its month, and all of them are there.
func TestMonths(t *testing.T) {
	list := drawnPosts(7, 400)
	undated := news.Revision{Post: news.Post{ID: "00000000-0123456789abcdef"}, Number: 1, FirstSeen: noon, Fetched: noon, Mode: news.ModeLive}
	list = slices.Insert(list, 0, undated)
	for _, format := range formats {
		o := options(format)
		o.Months = true
		dir := filepath.Join(t.TempDir(), "out")
		report := export(t, dir, list, o)
		want := []string{"month=__HIVE_DEFAULT_PARTITION__", "month=2021-12", "month=2022-01", "month=2022-02", "month=2022-03", "month=2022-04"}
		var got []string
		for _, file := range report.Files {
			got = append(got, filepath.Dir(file.Path))
		}
		if !slices.Equal(got, want) || report.Rows != len(list) {
			t.Errorf("%s: %d rows in %q, want %d in %q", format, report.Rows, got, len(list), want)
		}
	}
	o := options(dataset.JSONLines)
	o.Months = true
	dir := filepath.Join(t.TempDir(), "out")
	var all table
	for _, file := range export(t, dir, list, o).Files {
		data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(file.Path)))
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range readJSONL(t, data) {
			if id := row["id"].(string); !strings.HasPrefix(id, "0") && "month="+id[:4]+"-"+id[4:6] != filepath.Dir(file.Path) {
				t.Errorf("%s is in %s", id, file.Path)
			}
			all = append(all, row)
		}
	}
	o.Months = false
	if diff := cmp.Diff(readJSONL(t, stream(t, list, o)), all); diff != "" {
		t.Errorf("not the same rows (-whole +months):\n%s", diff)
	}
}

// An export of nothing is a data set without rows.
func TestNothing(t *testing.T) {
	for _, format := range formats {
		for _, months := range []bool{false, true} {
			o := options(format)
			o.Months = months
			dir := filepath.Join(t.TempDir(), "out")
			if r := export(t, dir, nil, o); r.Rows != 0 || len(r.Files) != 1 {
				t.Errorf("%s: %+v", format, r)
			}
		}
		data := stream(t, nil, options(format))
		switch format {
		case dataset.JSONLines:
			if len(data) != 0 {
				t.Errorf("jsonl: %q", data)
			}
		case dataset.CSV:
			if !bytes.HasPrefix(data, []byte("id,info_code,")) || bytes.Count(data, []byte("\r\n")) != 1 {
				t.Errorf("csv: %q", data)
			}
		case dataset.Parquet:
			if rows := readParquet(t, data); len(rows) != 0 {
				t.Errorf("parquet: %v", rows)
			}
		}
	}
}

// Whatever goes wrong, and whenever, nothing is left; and what is there already
// stays.
func TestExportIsWholeOrNotThere(t *testing.T) {
	broken := errors.New("broken")
	for _, format := range formats {
		dir := t.TempDir()
		out := filepath.Join(dir, "out")
		failing := func(yield func(news.Revision, error) bool) {
			for _, rev := range drawnPosts(1, 50) {
				if !yield(rev, nil) {
					return
				}
			}
			yield(news.Revision{}, broken)
		}
		if _, err := dataset.Export(t.Context(), out, failing, options(format)); !errors.Is(err, broken) {
			t.Errorf("%s: %v", format, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		stopping := func(yield func(news.Revision, error) bool) {
			for i, rev := range drawnPosts(1, 50) {
				if i == 20 {
					cancel()
				}
				if !yield(rev, nil) {
					return
				}
			}
		}
		if _, err := dataset.Export(ctx, out, stopping, options(format)); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", format, err)
		}
		if left := tree(t, dir); len(left) > 0 {
			t.Errorf("%s: left behind: %q", format, left)
		}
		if err := os.Mkdir(out, 0o755); err != nil {
			t.Fatal(err)
		}
		if _, err := dataset.Export(t.Context(), out, posts(nil), options(format)); !errors.Is(err, durable.ErrExists) {
			t.Errorf("%s: into a folder that is there: %v", format, err)
		}
	}
}

// short is a stream that takes so many bytes.
type short int

func (s *short) Write(b []byte) (int, error) {
	if *s -= short(len(b)); *s < 0 {
		return 0, io.ErrClosedPipe
	}
	return len(b), nil
}

func TestStreamThatEnds(t *testing.T) {
	list := drawnPosts(9, 2000)
	for _, format := range formats {
		for _, n := range []short{0, 1000, 100_000} {
			room := n
			if _, err := dataset.Stream(t.Context(), &room, posts(list), options(format)); !errors.Is(err, io.ErrClosedPipe) {
				t.Errorf("%s, %d bytes: %v", format, n, err)
			}
		}
	}
}

// Row groups are bounded, in rows and in bytes, and dictionaries and Zstandard are
// where they are said to be.
func TestParquetForm(t *testing.T) {
	list := drawnPosts(11, 200)
	for i := range list {
		list[i].Body = strings.Repeat(strconv.Itoa(i), 100_000)
	}
	data := stream(t, list, options(dataset.Parquet))
	file, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	groups := file.Metadata().RowGroups
	if len(groups) < 3 {
		t.Errorf("%d row groups of %d MB", len(groups), 200*2*len(list[199].Body)>>20)
	}
	for _, column := range groups[0].Columns {
		if codec := column.MetaData.Codec.String(); codec != "ZSTD" {
			t.Errorf("%v is packed as %s", column.MetaData.PathInSchema, codec)
		}
	}
	described, ok := file.Lookup("frictionless.schema")
	if !ok {
		t.Fatal("no schema in the metadata")
	}
	var schema struct {
		Fields []struct{ Name, Type, Unit, Description string }
	}
	if err := json.Unmarshal([]byte(described), &schema); err != nil {
		t.Fatal(err)
	}
	columns := file.Root().Columns()
	if len(columns) != len(schema.Fields) {
		t.Fatalf("%d columns, and %d are described", len(columns), len(schema.Fields))
	}
	for i, f := range schema.Fields {
		if columns[i].Name() != f.Name || f.Type == "" || f.Description == "" || (f.Type == "datetime") != (f.Unit != "") {
			t.Errorf("column %s is described as %+v", columns[i].Name(), f)
		}
	}
}

// Both READMEs have every field in their table, with its type.
func TestReadmeHasTheFields(t *testing.T) {
	data := stream(t, nil, options(dataset.Parquet))
	file, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	described, _ := file.Lookup("frictionless.schema")
	var schema struct {
		Fields []struct{ Name, Type, Unit string }
	}
	if err := json.Unmarshal([]byte(described), &schema); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"README.md", "README.zh-CN.md"} {
		text, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range schema.Fields {
			if !strings.Contains(string(text), fmt.Sprintf("\n| `%s` | %s |", f.Name, f.Type)) {
				t.Errorf("%s does not tell of %s (%s)", name, f.Name, f.Type)
			}
		}
	}
}

func FuzzFormats(f *testing.F) {
	f.Add(uint64(1), "=1", "text\r\n\"", "a b")
	f.Fuzz(func(t *testing.T, seed uint64, title, body, category string) {
		list := drawnPosts(seed, 3)
		list[1].Title, list[1].Body, list[1].Category = title, body, category
		lines := readJSONL(t, stream(t, list, options(dataset.JSONLines)))
		if diff := cmp.Diff(lines, readParquet(t, stream(t, list, options(dataset.Parquet)))); diff != "" {
			t.Errorf("Parquet (-lines +parquet):\n%s", diff)
		}
		for i := range lines {
			lineFeeds(lines[i])
		}
		if diff := cmp.Diff(lines, readCSV(t, stream(t, list, options(dataset.CSV)))); diff != "" {
			t.Errorf("CSV (-lines +csv):\n%s", diff)
		}
	})
}
