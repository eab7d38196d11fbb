package securities

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/finarc/finarc/mirror"
	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/page"
)

// find returns what is found in a text, as security, text and how.
func find(f *Finder, day news.Day, text string) []string {
	post := newLabelled(day, "", text)
	var got []string
	for _, p := range f.Find(&post.rev, post.article) {
		got = append(got, p.Security.String()+" "+p.Text+" "+string(p.By))
	}
	return got
}

func TestFind(t *testing.T) {
	f := gazetteerOf(readNames(t)).Finder()
	for _, test := range []struct {
		name, text string
		want       []string
	}{
		{"nothing", "", nil},
		{"a name", "巨化股份涨停", []string{"1.600160 巨化股份 name"}},
		{"its code belongs to it", "巨化股份（ 600160.SH ）", []string{"1.600160 巨化股份 name"}},
		{"labelled", "巨化股份（股票代码：600160）", []string{"1.600160 巨化股份 name"}},
		{"without brackets", "巨化股份 600160", []string{"1.600160 巨化股份 name"}},
		{"another code does not", "巨化股份（600519）", []string{"1.600160 巨化股份 name", "1.600519 600519 code"}},
		{"a code tells which of two", "中国平安（02318）", []string{"116.02318 中国平安 name"}},
		{"unknown, with its market", "603999.SH、00001.HK", []string{"1.603999 603999.SH code", "116.00001 00001.HK code"}},
		{"unknown, without", "（603999）、600160", nil},
		{"digits around", "1600160.SH 600160.SH2 0.600160", nil},
		{"too long for Hong Kong", "123456.HK 0.HK", nil},
		{"full width", "ＳＨ６００１６０", []string{"1.600160 ＳＨ６００１６０ code"}},
		{"American", "NYSE American:IMO，AAPL.O，aapl.us，XYZ.US", []string{"107.IMO NYSE American:IMO code", "105.AAPL AAPL.O code"}},
		{"a board's code", "BK0493 BK0494", []string{"90.BK0493 BK0493 code"}},
		{"a longer name", "中国平安银行", []string{"0.000001 平安银行 name"}},
		{"Latin letters around", "TCL科技、STCL科技", []string{"0.000100 TCL科技 name"}},
		{"source in a line's end", "甲（来源：巨化股份）巨化股份", []string{"1.600160 巨化股份 name"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := find(f, 20211222, test.text); !slices.Equal(got, test.want) {
				t.Errorf("%q: %q, want %q", test.text, got, test.want)
			}
		})
	}
}

// Names mean a security while it has them, and some time around.
func TestNamesOfTheirTime(t *testing.T) {
	f := gazetteerOf(readNames(t)).Finder()
	for _, test := range []struct {
		day  news.Day
		text string
		want bool
	}{
		{20220101, "隆基绿能", false}, // it was called so from 2022-05-16
		{20220420, "隆基绿能", true},
		{20220701, "隆基股份", true},
		{20221001, "隆基股份", false},
		{20151001, "巨化股份", true}, // nothing else is known of then
		{20301001, "巨化股份", true},
	} {
		if got := find(f, test.day, test.text); (len(got) > 0) != test.want {
			t.Errorf("%s on %s: %q", test.text, test.day, got)
		}
	}
}

// A word that a page marks now and then in place of the name is none.
func TestSlips(t *testing.T) {
	list := []called{
		{chemist, 20210104, 20211230, 300, "巨化股份"}, {chemist, 20211201, 20211201, 1, "该公司"}, {chemist, 20210104, 20211230, 5, "氟化工"},
		{chemist, 20210104, 20211230, 9, "巨化"}, {chemist, 20211222, 20211222, 1, "XD巨化股"},
	}
	f := gazetteerOf(list).Finder()
	for text, want := range map[string]bool{"该公司": false, "氟化工": false, "巨化集团": true, "XD巨化股": true, "巨化股份": true} {
		if got := find(f, 20211222, text); (len(got) > 0) != want {
			t.Errorf("%s: %q", text, got)
		}
	}
}

// naiveNames are the places of names as a scan by each form at each place finds them.
func naiveNames(f *Finder, text []rune, day news.Day) []hit {
	var all []*form
	for _, list := range f.forms {
		all = append(all, list...)
	}
	s := &scanner{coder: coder{Finder: f, text: text, folded: fold(text)}, day: day}
	var hits []hit
	for i := 0; i < len(text); {
		var best *form
		for _, form := range all {
			to := i + len(form.text)
			if to <= len(text) && string(s.folded[i:to]) == string(form.text) && !s.inLonger(form, i, to) &&
				len(form.ownersOn(day)) > 0 && (best == nil || len(form.text) > len(best.text)) {
				best = form
			}
		}
		if best == nil {
			i++
			continue
		}
		hits = append(hits, hit{from: i, to: i + len(best.text), form: best})
		i += len(best.text)
	}
	return hits
}

func TestNamesAsANaiveScanFindsThem(t *testing.T) {
	g := newGenerator(3)
	g.companies = append(g.companies, readNames(t)...)
	f := gazetteerOf(g.companies).Finder()
	dice, found := rand.New(rand.NewPCG(1, 2)), 0
	for range 3000 {
		var b strings.Builder
		for range 1 + dice.IntN(12) {
			name := []rune(g.companies[dice.IntN(len(g.companies))].name)
			from := dice.IntN(len(name))
			b.WriteString(string(name[from : from+1+dice.IntN(len(name)-from)]))
			b.WriteString([]string{"", "", "和", "银行", "公司", "A", "，"}[dice.IntN(7)])
		}
		text := []rune(b.String())
		s := &scanner{coder: coder{Finder: f, text: text, folded: fold(text)}, day: 20211222}
		var got []hit
		for i := 0; i < len(text); i++ {
			if h := s.nameAt(i, len(text)); h != nil {
				got = append(got, *h)
				i = h.to - 1
			}
		}
		want := naiveNames(f, text, 20211222)
		if !slices.EqualFunc(got, want, func(a, b hit) bool { return a.from == b.from && a.to == b.to && a.form == b.form }) {
			t.Fatalf("%q: %v, want %v", string(text), got, want)
		}
		found += len(got)
	}
	if found < 1000 {
		t.Errorf("only %d names in all", found)
	}
}

// checkPlaces holds places against the post that they were found in.
func checkPlaces(t *testing.T, rev *news.Revision, a news.Article, places []news.Place) {
	t.Helper()
	parts := map[news.PlacePart][]rune{news.InTitle: []rune(rev.Title), news.InText: []rune(a.Text[:a.Own])}
	last := map[news.PlacePart]int{}
	for _, p := range places {
		part := parts[p.In]
		if p.From < last[p.In] || p.To <= p.From || p.To > len(part) || string(part[p.From:p.To]) != p.Text {
			t.Fatalf("place %+v of %q, %q", p, rev.Title, a.Text)
		}
		last[p.In] = p.To
		if _, err := news.ParseSecurity(p.Security.String()); err != nil || p.By == news.ByMark {
			t.Fatalf("place %+v: %v", p, err)
		}
		for _, m := range a.Marked {
			if p.In == news.InText && p.From < m.To && m.From < p.To {
				t.Fatalf("place %+v is marked as %+v", p, m)
			}
		}
	}
}

// What the mirror marks is found again where the marks are taken away.
func TestMarksTakenAway(t *testing.T) {
	m, err := mirror.New(mirror.Options{Seed: 5, Posts: 1000})
	if err != nil {
		t.Fatal(err)
	}
	g := new(Gazetteer)
	for i := range 1000 {
		g.Learn(&news.Revision{Post: m.Post(i)})
	}
	f := g.Finder()
	marked, again := 0, 0
	for i := range 1000 {
		rev := news.Revision{Post: m.Post(i)}
		a := page.ReadArticle(rev.Body)
		checkPlaces(t, &rev, a, f.Find(&rev, a))
		bare := a
		bare.Marked, rev.Securities = nil, nil
		found := f.Find(&rev, bare)
		checkPlaces(t, &rev, bare, found)
		for _, p := range a.Marked {
			if !p.Board() {
				marked++
				if slices.ContainsFunc(found, func(q news.Place) bool {
					return p.Security == q.Security && p.In == q.In && p.From == q.From && p.To == q.To
				}) {
					again++
				}
			}
		}
	}
	t.Logf("found again %d of %d marked places", again, marked)
	if marked < 1000 || 100*again < 97*marked {
		t.Errorf("found again %d of %d marked places: want 97 %%", again, marked)
	}
}

// Texts that repeat what is looked into take no longer than their length lets expect:
// this would not end where one cost its square.
func TestLongTexts(t *testing.T) {
	f := gazetteerOf(readNames(t)).Finder()
	for _, part := range []string{"1", "A", " ", "（", "SH600160,", "600160.SH", "巨化股份（", "(600160,", "NYSE: ", "1 ", "来源：", "招商证券", "股票代码 "} {
		text := strings.Repeat(part, 1<<20/len(part))
		rev, a := news.Revision{Post: news.Post{Title: part}}, news.Article{Text: text, Own: len(text)}
		checkPlaces(t, &rev, a, f.Find(&rev, a))
	}
}

func FuzzFind(f *testing.F) {
	finder := gazetteerOf(readNames(f)).Finder()
	for _, file := range []string{"train.txt", "heldout.txt"} {
		for _, post := range readLabelled(f, file) {
			f.Add(post.rev.Title, post.article.Text, uint8(3))
		}
	}
	f.Add("（600160.SH，000001", "SH:600160 NYSE:", uint8(0))
	f.Fuzz(func(t *testing.T, title, text string, at uint8) {
		if !utf8.ValidString(title) || !utf8.ValidString(text) {
			return
		}
		rev := news.Revision{Post: news.Post{Title: title}}
		a := news.Article{Text: text, Own: len(text)}
		if chars := []rune(text); int(at)+2 <= len(chars) {
			a.Marked = []news.Place{{Security: news.Security{Market: 1, Code: "600160"}, By: news.ByMark, In: news.InText, From: int(at), To: int(at) + 2}}
		}
		checkPlaces(t, &rev, a, finder.Find(&rev, a))
	})
}

// Whatever pages mark as names can be learned and looked for.
func FuzzLearn(f *testing.F) {
	for _, c := range readNames(f) {
		f.Add(c.name, c.Code, c.name+"（"+c.Code+"）")
	}
	f.Add("-W", "", "A-WＡ-Ｗ")
	f.Fuzz(func(t *testing.T, name, code, text string) {
		s, err := news.ParseSecurity("1." + code)
		if err != nil || !utf8.ValidString(text) {
			return
		}
		g := gazetteerOf([]called{{s, 20211201, 20211201, 1, name}, {chemist, 20211201, 20211201, 1, "巨化股份"}})
		rev := news.Revision{Post: news.Post{Title: name, Published: news.Day(20211222).Time()}}
		a := news.Article{Text: text, Own: len(text)}
		if utf8.ValidString(name) {
			checkPlaces(t, &rev, a, g.Finder().Find(&rev, a))
		}
		if n := g.NameAt(s, 20211222); n != "" && n != strings.TrimSpace(name) && s != chemist {
			t.Errorf("%q is called %q", name, n)
		}
	})
}

// With some 4,400 names of usual characters.
func BenchmarkFind(b *testing.B) {
	list := readNames(b)
	chars := []rune("中国华东方大新天海金上北京南江山河长安人民公司业务市场增长经济投资银行报告记者发展产品技术科信息电力能源生物医药文化旅游交通运建设环")
	for i, first := range chars {
		for j, second := range chars {
			s := news.Security{Market: news.MarketShanghai, Code: strconv.Itoa(600000 + i*len(chars) + j)}
			list = append(list, called{s, 20211201, 20221201, 1, string(first) + string(second) + "股份"})
		}
	}
	f := gazetteerOf(list).Finder()
	m, err := mirror.New(mirror.Options{Seed: 5, Posts: 200})
	if err != nil {
		b.Fatal(err)
	}
	var articles []news.Article
	size := 0
	for i := range 200 {
		articles = append(articles, page.ReadArticle(m.Post(i).Body))
		size += len(articles[i].Text)
	}
	rev := news.Revision{Post: news.Post{Published: news.Day(20211222).Time()}}
	b.SetBytes(int64(size))
	for b.Loop() {
		for _, a := range articles {
			f.Find(&rev, a)
		}
	}
}
