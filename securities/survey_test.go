package securities

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/finarc/finarc/news"
	"github.com/google/go-cmp/cmp"
)

var (
	chemist = news.Security{Market: 1, Code: "600160"}
	brewer  = news.Security{Market: 1, Code: "600519"}
	board   = news.Security{Market: 90, Code: "BK0493"}
)

// marking returns a post of a day that marks securities, each twice.
func marking(day news.Day, list ...news.Security) *news.Revision {
	rev := &news.Revision{Post: news.Post{Published: day.Time().Add(10 * time.Hour)}}
	for _, s := range list {
		m := news.Mention{Security: s, Count: 2}
		if s.Board() {
			rev.Boards = append(rev.Boards, m)
		} else {
			rev.Securities = append(rev.Securities, m)
		}
	}
	return rev
}

func TestSurvey(t *testing.T) {
	var s Survey
	s.Add(marking(20211220, chemist, board), []news.Place{{Security: chemist}, {Security: brewer}, {Security: brewer}})
	s.Add(marking(20211221, chemist), nil)
	s.Add(marking(20211222), nil)
	want := []Count{
		{Security: chemist, Posts: 2, Mentions: 5, Found: 1},
		{Security: brewer, Posts: 1, Mentions: 2, Found: 2, FoundPosts: 1},
	}
	if diff := cmp.Diff(want, s.Counts(false)); diff != "" || s.Posts != 3 {
		t.Errorf("%d posts, companies:\n%s", s.Posts, diff)
	}
	if diff := cmp.Diff([]Count{{Security: board, Posts: 1, Mentions: 2}}, s.Counts(true)); diff != "" {
		t.Errorf("boards:\n%s", diff)
	}
	if got := s.Of(news.Security{Code: "none"}); got.Posts != 0 {
		t.Errorf("of what is not named: %+v", got)
	}
}

func TestProfile(t *testing.T) {
	p := Profile{Security: chemist}
	p.Add(marking(20211221, brewer), []news.Place{{Security: chemist}})
	p.Add(marking(20211220, chemist, board), nil)
	p.Add(marking(20211220, chemist), nil)
	p.Add(marking(20211219, brewer), nil)
	want := []DayCount{
		{20211220, Count{Security: chemist, Posts: 2, Mentions: 4}},
		{20211221, Count{Security: chemist, Posts: 1, Mentions: 1, Found: 1, FoundPosts: 1}},
	}
	if diff := cmp.Diff(want, p.Days()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]Count{{Security: brewer, Posts: 1, Mentions: 2}}, p.With(false)); diff != "" {
		t.Error(diff)
	}
	if got := p.With(true); len(got) != 1 || got[0].Security != board {
		t.Errorf("boards: %+v", got)
	}
}

// many returns a survey of so many posts, of which the first name securities as
// often as told.
func many(posts int, named map[news.Security]int) *Survey {
	s := new(Survey)
	for i := range posts {
		var list []news.Security
		for of, n := range named {
			if i < n {
				list = append(list, of)
			}
		}
		s.Add(marking(20211220, list...), nil)
	}
	return s
}

func TestRising(t *testing.T) {
	before := many(10000, map[news.Security]int{chemist: 10, brewer: 400})
	for _, test := range []struct {
		name string
		now  map[news.Security]int
		want []news.Security
	}{
		{"as before", map[news.Security]int{chemist: 1, brewer: 40}, nil},
		{"one of few", map[news.Security]int{chemist: 12, brewer: 40}, []news.Security{chemist}},
		{"a little more of few", map[news.Security]int{chemist: 4, brewer: 40}, nil},
		{"much, but not twice", map[news.Security]int{chemist: 1, brewer: 75}, nil},
		{"both, the rarer first", map[news.Security]int{chemist: 30, brewer: 90}, []news.Security{chemist, brewer}},
		{"never named before", map[news.Security]int{{Market: 1, Code: "600000"}: 30}, []news.Security{{Market: 1, Code: "600000"}}},
	} {
		var got []news.Security
		for _, r := range Rising(many(1000, test.now), before, false) {
			got = append(got, r.Security)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s:\n%s", test.name, diff)
		}
	}
	if got := Rising(many(10, map[news.Security]int{chemist: 10}), new(Survey), false); got != nil {
		t.Errorf("with nothing before: %+v", got)
	}
}

// The tail is one less the head.
func TestAtLeast(t *testing.T) {
	for _, shape := range []float64{0.5, 3.5, 200} {
		for _, mean := range []float64{0.01, 1, 30} {
			head, q := 0.0, mean/(shape+mean)
			for n := range 60 {
				if got := atLeast(n, shape, mean); math.Abs(got-(1-head)) > 1e-9 {
					t.Errorf("at least %d with shape %v and mean %v: %v, want %v", n, shape, mean, got, 1-head)
				}
				head += math.Exp(lgamma(float64(n)+shape) - lgamma(shape) - lgamma(float64(n)+1) + shape*math.Log1p(-q) + float64(n)*math.Log(q))
			}
		}
	}
}

func TestGazetteer(t *testing.T) {
	g := gazetteerOf(readNames(t))
	hainan := news.Security{Market: 1, Code: "600221"}
	longi := news.Security{Market: 1, Code: "601012"}
	for _, test := range []struct {
		of   news.Security
		day  news.Day
		want string
	}{
		{longi, 20210601, "隆基股份"}, {longi, 20220515, "隆基股份"}, {longi, 20220516, "隆基绿能"}, {longi, 20300101, "隆基绿能"},
		{hainan, 20200101, "*ST海航"}, {hainan, 20220101, "*ST海航"}, {hainan, 20220601, "海航控股"},
		{brewer, 20210624, "贵州茅台"}, // not XD贵州茅
		{news.Security{Code: "none"}, 20210624, ""},
	} {
		if got := g.NameAt(test.of, test.day); got != test.want {
			t.Errorf("%s on %s is called %q, want %q", test.of, test.day, got, test.want)
		}
	}
	want := []Name{{"贵州茅台", 20210104, 20221230, 900}, {"XD贵州茅", 20210624, 20210624, 2}}
	if diff := cmp.Diff(want, g.Names(brewer)); diff != "" {
		t.Error(diff)
	}
	if first := g.First(hainan); first != 20210104 {
		t.Errorf("first named on %s", first)
	}
	if known := g.Known(); len(known) < 50 || known[0].Market != 0 {
		t.Errorf("%d known, first %v", len(known), known[0])
	}
}

// What no security is called teaches nothing, and hostile pages cannot teach without
// end.
func TestGazetteerLearnsNames(t *testing.T) {
	g := new(Gazetteer)
	for i := range 1000 {
		rev := marking(20211220)
		rev.Securities = []news.Mention{
			{Security: chemist, Name: fmt.Sprintf("名%d", i), Count: 1}, {Security: brewer, Name: "600519", Count: 1},
			{Security: board, Name: "甲乙丙丁甲乙丙丁甲乙丙丁甲乙丙丁", Count: 1}, {Security: news.Security{Code: "1"}, Name: "\xff", Count: 1},
		}
		g.Learn(rev)
	}
	g.Learn(&news.Revision{})
	if n := len(g.Names(chemist)); n != maxNames {
		t.Errorf("%d names, want %d", n, maxNames)
	}
	for _, s := range []news.Security{brewer, board, {Code: "1"}} {
		if names := g.Names(s); names != nil || g.First(s) != 20211220 {
			t.Errorf("%s: %v, first %s", s, names, g.First(s))
		}
	}
	if (&Gazetteer{}).First(chemist) != 0 {
		t.Error("a gazetteer that knows nothing knows a day")
	}
}
