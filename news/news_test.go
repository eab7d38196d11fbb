package news

import (
	"encoding/json"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestDay(t *testing.T) {
	for text, want := range map[string]Day{
		"2021-12-22": 20211222, "20211222": 20211222, "2024-02-29": 20240229,
		"2021-02-29": 0, "2021-13-01": 0, "21-12-22": 0, "2021-12-22 ": 0, "": 0, "yesterday": 0,
	} {
		got, err := ParseDay(text)
		if got != want || (err == nil) != (want != 0) {
			t.Errorf("ParseDay(%q) = %d, %v; want %d", text, got, err, want)
		}
	}
	// A day begins in Shanghai, eight hours before it does in Greenwich.
	for moment, want := range map[string]Day{
		"2021-12-21T15:59:59Z": 20211221, "2021-12-21T16:00:00Z": 20211222, "2021-12-22T23:59:59+08:00": 20211222,
	} {
		at, err := time.Parse(time.RFC3339, moment)
		if err != nil {
			t.Fatal(err)
		}
		if got := DayOf(at); got != want {
			t.Errorf("DayOf(%s) = %d, want %d", moment, got, want)
		}
	}
	if got := Day(20211231).Add(1); got != 20220101 {
		t.Errorf("the day after 2021-12-31 is %s", got)
	}
	if DayOf(time.Time{}) != 0 || Day(0).String() != "" || !Day(0).Time().IsZero() || Day(0).Add(3) != 0 {
		t.Error("no day should stay no day")
	}
	for _, d := range []Day{20210230, 19891231, 21000101, 0, -1, 99999999} {
		if d.Valid() {
			t.Errorf("%d counts as a day", d)
		}
	}
	var back struct{ D, None Day }
	text, err := json.Marshal(struct{ D, None Day }{D: 20211222})
	if err == nil {
		err = json.Unmarshal(text, &back)
	}
	if err != nil || back.D != 20211222 || back.None != 0 {
		t.Errorf("%s comes back as %v, %v", text, back, err)
	}
}

func TestFindInfoCode(t *testing.T) {
	for text, want := range map[string]InfoCode{
		"NW202112222222306968": "NW202112222222306968",
		"202112222222306968":   "202112222222306968",
		"http://finance.eastmoney.com/a/202112222222541258.html":                         "202112222222541258",
		"http://stock.eastmoney.com/news/1611,202112082206881771.html":                   "202112082206881771",
		"http://finews.zning.xyz/html_News/NewsShare.html?infoCode=NW202112222222306968": "NW202112222222306968",
		"http://x.example/NewsShare.html?INFOCODE=nw202112222222306968&x=1":              "NW202112222222306968",
		"/21caijing/2021/12/22/NW202112222222306968.html":                                "NW202112222222306968",
		"-202205262391921712.md": "202205262391921712",
		"AN202112221536268123":   "AN202112221536268123",
		"abNW202112222222306968": "202112222222306968", // four letters are no kind
		"first 202113222222306968 is no day, then NW202112222222306968": "NW202112222222306968",
		"2021122222223069681": "", "20211222222230696": "", "": "", "NW": "", "202100002222306968": "",
	} {
		got, ok := FindInfoCode(text)
		if got != want || ok != (want != "") {
			t.Errorf("FindInfoCode(%q) = %q, %v; want %q", text, got, ok, want)
		}
	}
}

func TestInfoCodeParts(t *testing.T) {
	bare, full := InfoCode("202112222222306968"), InfoCode("NW202112222222306968")
	if bare.ID() != full.ID() {
		t.Error("two spellings of one article have two identities")
	}
	if bare.Kind() != "" || full.Kind() != "NW" || bare.News() != full || full.News() != full || InfoCode("").News() != "" {
		t.Errorf("kinds %q and %q, news %q", bare.Kind(), full.Kind(), bare.News())
	}
	if full.Day() != 20211222 || InfoCode("").Day() != 0 || InfoCode("").ID() != "" {
		t.Errorf("day %d", full.Day())
	}
	for _, text := range []string{"", "NW", " NW202112222222306968", "NW202112222222306968 ", "N202112222222306968"} {
		if code, err := ParseInfoCode(text); err == nil {
			t.Errorf("%q is taken for the infoCode %s", text, code)
		}
	}
	if code, err := ParseInfoCode("nw202112222222306968"); err != nil || code != full {
		t.Errorf("%s, %v", code, err)
	}
}

func TestPageID(t *testing.T) {
	parse := func(s string) *url.URL {
		u, err := url.Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	id := PageID(20211101, parse("https://Mirror.example/a/2021/11/01/kaizhan.html"))
	for _, same := range []string{"http://mirror.example/a/2021/11/01/kaizhan.html", "https://mirror.example/a/2021/11/01/kaizhan.html?x=1#y"} {
		if got := PageID(20211101, parse(same)); got != id {
			t.Errorf("%s is another page: %s, want %s", same, got, id)
		}
	}
	if got := PageID(20211101, parse("https://other.example/a/2021/11/01/kaizhan.html")); got == id {
		t.Error("pages of two sites have one identity")
	}
	if id.Day() != 20211101 || id.HasCode() || PageID(0, parse("https://mirror.example/x")).Day() != 0 {
		t.Errorf("%s: day %d", id, id.Day())
	}
	if back, err := ParseID(string(id)); err != nil || back != id {
		t.Errorf("%s comes back as %s, %v", id, back, err)
	}
	for _, text := range []string{"20211101-xyz", "20211101-0123456789ABCDEF", "x", ""} {
		if got, err := ParseID(text); err == nil {
			t.Errorf("%q is taken for the ID %s", text, got)
		}
	}
}

func TestParseSecurity(t *testing.T) {
	for text, want := range map[string]Security{
		"1.600160": {1, "600160"}, "116.09988": {116, "09988"}, "106.BRK_A": {106, "BRK_A"}, "90.BK0493": {90, "BK0493"},
	} {
		got, err := ParseSecurity(text)
		if err != nil || got != want || got.String() != text {
			t.Errorf("ParseSecurity(%q) = %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "600160", ".600160", "1.", "-1.600160", "x.600160", "1.60 0160", "1.12345678901234567", "1.巨化"} {
		if got, err := ParseSecurity(text); err == nil {
			t.Errorf("%q is taken for the security %v", text, got)
		}
	}
	if !(Security{Market: MarketBoards}).Board() || (Security{Market: MarketShanghai}).Board() {
		t.Error("boards and companies are mixed up")
	}
}

func TestPostLacksAndOrder(t *testing.T) {
	p := Post{ID: "202112222222306968"}
	if want := []string{LacksTitle, LacksPublished, LacksBody, LacksInfoCode}; !slices.Equal(p.Lacks(), want) {
		t.Errorf("lacks %q, want %q", p.Lacks(), want)
	}
	if p.Day() != 20211222 || !p.When().Equal(Day(20211222).Time()) {
		t.Errorf("without a time of its own: day %s, when %s", p.Day(), p.When())
	}
	p.Published = time.Date(2021, 12, 23, 0, 5, 0, 0, Shanghai)
	if p.Day() != 20211223 || !p.When().Equal(p.Published) {
		t.Errorf("with one: day %s, when %s", p.Day(), p.When())
	}
	p.Category, p.Tag = "Career In  touxingPEVC", "21财经新闻"
	if !slices.Equal(p.Categories(), []string{"Career", "In", "touxingPEVC"}) || OutletOfTag(p.Tag) != "21财经" {
		t.Errorf("categories %q, outlet %q", p.Categories(), OutletOfTag(p.Tag))
	}
}

func TestTimeKnown(t *testing.T) {
	for text, want := range map[string]bool{
		"2021-12-22T10:37:15+08:00": true,
		"2021-12-22T00:00:01+08:00": true,
		"2021-12-22T00:00:00+08:00": false,
		"2021-12-21T16:00:00Z":      false, // midnight in Shanghai
		"2021-12-22T00:00:00Z":      true,
		"0001-01-01T00:00:00Z":      false, // none at all
	} {
		published, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		if p := (Post{Published: published}); p.TimeKnown() != want {
			t.Errorf("%s: known %v, want %v", text, p.TimeKnown(), want)
		}
	}
}

func TestRunAddsUp(t *testing.T) {
	r := Run{Discovered: 10, New: 3, Revised: 1, Unchanged: 1, Pending: 1,
		Skipped: map[string]int{SkippedArchived: 2}, Failed: map[string]int{"gone": 2}}
	if !r.AddsUp() {
		t.Error("10 = 3+1+1+2+2+1 should add up")
	}
	c := r.Clone()
	c.Skipped[SkippedArchived]++
	if c.AddsUp() || !r.AddsUp() {
		t.Error("a clone shares its counts")
	}
	if c.Problems == nil || c.Requests == nil || c.Mirrors == nil {
		t.Error("a clone has nil where JSON should have something empty")
	}
	for range 2 * maxProblems {
		r.AddProblem(Problem{Why: "x"})
	}
	if len(r.Problems) != maxProblems {
		t.Errorf("%d problems kept", len(r.Problems))
	}
}

func FuzzFindInfoCode(f *testing.F) {
	f.Add("http://stock.eastmoney.com/news/1611,202112082206881771.html")
	f.Add("NW202112222222306968")
	f.Fuzz(func(t *testing.T, s string) {
		code, ok := FindInfoCode(s)
		if !ok {
			return
		}
		if again, err := ParseInfoCode(string(code)); err != nil || again != code {
			t.Errorf("%q comes back as %q, %v", code, again, err)
		}
		if !code.Day().Valid() || !code.ID().HasCode() || len(code.Digits()) != codeDigits {
			t.Errorf("%q is no infoCode", code)
		}
	})
}

// TestAddGap: a mirror's gaps that touch become one.
func TestAddGap(t *testing.T) {
	at := func(h int) time.Time { return time.Date(2021, 12, 22, h, 0, 0, 0, Shanghai) }
	var r Run
	for _, g := range [][2]int{{1, 2}, {5, 6}, {8, 9}, {2, 3}, {3, 5}} {
		r.AddGap("m", at(g[0]), at(g[1]))
	}
	r.AddGap("n", at(1), at(9))
	want := []Gap{{"m", at(8), at(9), 1}, {"m", at(1), at(6), 4}, {"n", at(1), at(9), 1}}
	if diff := cmp.Diff(want, r.Gaps); diff != "" || r.GapLists() != 6 {
		t.Errorf("%d pages, gaps (-want +got):\n%s", r.GapLists(), diff)
	}
}
