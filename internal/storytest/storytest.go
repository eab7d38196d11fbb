// Package storytest makes sets of posts of which it is known who took over whose
// story: articles of the built-in mirror and short reports of its own, with what
// outlets do to a text, and texts that only look alike. For tests.
package storytest

import (
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/finarc/finarc/mirror"
	"github.com/finarc/finarc/page"
)

// Post is a post of a labelled set.
type Post struct {
	Story     int    // posts with the same number are one story
	Made      string // what was done to it
	Title     string
	Text      string // a paragraph a line
	Security  string // that is marked in it, if any: a code
	Published time.Time
}

// Body returns the post's article as HTML.
func (p *Post) Body() string {
	return "<p>" + strings.ReplaceAll(p.Text, "\n", "</p><p>") + "</p>"
}

// writer makes a set.
type writer struct {
	*rand.Rand
	posts []Post
	names []string // of companies that are in no story yet
	story int
	at    time.Time
}

// Set returns the posts of so many stories, in order of publication. A quarter
// of the stories is run by one outlet only, the others by up to four; of a fifth
// there are texts that look alike and are other stories. The same seed makes the
// same set.
func Set(t testing.TB, seed uint64, stories int) []Post {
	t.Helper()
	m, err := mirror.New(mirror.Options{Seed: seed, Posts: stories})
	if err != nil {
		t.Fatal(err)
	}
	w := &writer{Rand: rand.New(rand.NewPCG(seed, 1)), at: time.Date(2021, 12, 20, 8, 0, 0, 0, time.FixedZone("CST", 8*60*60))}
	w.names = names()
	w.Shuffle(len(w.names), func(i, j int) { w.names[i], w.names[j] = w.names[j], w.names[i] })
	for i := range stories {
		p := m.Post(i)
		title, text := p.Title, page.Text(p.Body)
		if i%2 > 0 {
			title, text = w.flash()
		}
		w.at = w.at.Add(time.Duration(20+w.IntN(200)) * time.Second)
		w.run(title, text)
		if w.IntN(5) == 0 {
			w.lookalike(title, text)
		}
	}
	slices.SortStableFunc(w.posts, func(a, b Post) int { return a.Published.Compare(b.Published) })
	return w.posts
}

// add adds a post of the story at hand.
func (w *writer) add(made, title, text string, late time.Duration) {
	p := Post{Story: w.story, Made: made, Title: title, Text: text, Published: w.at.Add(late)}
	if name := company.FindString(text); name != "" && w.IntN(10) < 7 {
		p.Security = fmt.Sprintf("%06d", 600000+crc32.ChecksumIEEE([]byte(name))%100000)
	}
	w.posts = append(w.posts, p)
}

// run lets outlets run a story.
func (w *writer) run(title, text string) {
	w.story++
	w.add("first", title, text, 0)
	late := time.Duration(0)
	for range w.IntN(4) {
		late += time.Duration(1+w.IntN(240)) * time.Minute
		edited, made := text, []string(nil)
		for range 1 + w.IntN(3) {
			e := edits[w.IntN(len(edits))]
			edited = e.make(w, edited)
			made = append(made, e.name)
		}
		w.add(strings.Join(made, ", "), w.headline(title), edited, late)
	}
}

// headline changes a title as outlets do.
func (w *writer) headline(title string) string {
	return w.one("快讯：", "重磅！", "", "关注｜") + title + w.one("", "，透露什么信号？", "（附详情）")
}

func (w *writer) one(of ...string) string { return of[w.IntN(len(of))] }

// edit is what an outlet does to a text that stays the same story.
type edit struct {
	name string
	make func(w *writer, text string) string
}

var edits = []edit{
	{"as it is", func(_ *writer, text string) string { return text }},
	{"first paragraph cut", func(_ *writer, text string) string { return cutLines(text, 1, 0) }},
	{"last paragraph cut", func(_ *writer, text string) string { return cutLines(text, 0, 1) }},
	{"first and last paragraph cut", func(_ *writer, text string) string { return cutLines(text, 1, 1) }},
	{"agency line added", func(w *writer, text string) string {
		return w.one("新华社北京12月20日电（记者 王某某）", "财联社12月20日电，", "证券时报网讯，", "中新经纬12月20日电 ", "【快讯】每经AI快讯，", "据悉，") + text
	}},
	{"source and editor named", func(w *writer, text string) string {
		return text + w.one("\n（责任编辑：李某）", "\n（文章来源：东方日报）", "（央视新闻）", "\n来源：某某财经\n责编：赵某")
	}},
	{"disclaimer added", func(w *writer, text string) string {
		return text + "\n风险提示：市场有风险，投资需谨慎，本文内容不构成任何投资建议。"
	}},
	{"full width", func(_ *writer, text string) string { return wide.Replace(text) }},
	{"punctuation", func(_ *writer, text string) string {
		return strings.NewReplacer("，", ", ", "；", "，", "“", "\"", "”", "\"", "。", "。 ").Replace(text)
	}},
	{"a word in other words", func(w *writer, text string) string {
		return strings.Replace(text, "公告", w.one("披露", "宣布"), 1)
	}},
	{"a few words in other words", func(w *writer, text string) string {
		if utf8.RuneCountInString(text) < 300 {
			return text
		}
		for _, i := range w.Perm(len(synonyms))[:5] {
			text = strings.Replace(text, synonyms[i][0], synonyms[i][1], 1)
		}
		return text
	}},
	{"a sentence added", func(w *writer, text string) string {
		return text + "\n" + w.one("截至发稿，公司尚未就此作出进一步回应。", "本报将持续关注事件的后续进展。")
	}},
	{"line breaks", func(_ *writer, text string) string { return strings.ReplaceAll(text, "。", "。\n") }},
}

var synonyms = [][2]string{
	{"此外", "另外"}, {"目前", "眼下"}, {"预计", "预期"}, {"多位", "数位"}, {"告诉记者", "对记者说"}, {"数据显示", "有关数据表明"}, {"事实上", "实际上"},
	{"日前", "近日"}, {"据测算", "据估算"}, {"具体来看", "具体而言"}, {"认为", "指出"}, {"成为", "变为"}, {"影响有限", "影响不大"}, {"发布", "公布"},
}

var wide = strings.NewReplacer("0", "０", "1", "１", "2", "２", "3", "３", "4", "４", "5", "５", "6", "６", "7", "７", "8", "８", "9", "９", "%", "％")

// cutLines leaves lines out, as long as two fifths of the text stay.
func cutLines(text string, first, last int) string {
	lines := strings.Split(text, "\n")
	if len(lines) <= first+last {
		return text
	}
	kept := strings.Join(lines[first:len(lines)-last], "\n")
	if 5*len(kept) < 2*len(text) {
		return text
	}
	return kept
}

// lookalike adds posts that look like a story, and are others, each of which
// outlets run too.
func (w *writer) lookalike(title, text string) {
	for _, l := range lookalikes {
		if other := l.make(w, text); other != text {
			w.story++
			late := time.Duration(1+w.IntN(600)) * time.Minute
			w.add(l.name, title, other, late)
			if w.IntN(2) == 0 {
				w.add(l.name+", run again", w.headline(title), edits[w.IntN(len(edits))].make(w, other), late+time.Hour)
			}
		}
	}
}

var lookalikes = []edit{
	{"all figures changed", func(w *writer, text string) string { return w.figures(text, 1) }},
	{"a figure changed", func(w *writer, text string) string { return w.figures(text, 0.2) }},
	{"another company and its figures", func(w *writer, text string) string {
		if other := w.company(text); other != text {
			return w.figures(other, 1)
		}
		return text
	}},
	{"another company", func(w *writer, text string) string {
		if strings.Contains(text, "\n") {
			return text // of its paragraphs not each tells the company
		}
		return w.company(text)
	}},
}

// company gives the company that a text is about another name.
func (w *writer) company(text string) string {
	at := company.FindStringIndex(text)
	if at == nil || at[0] > len("某证券研报指出，") {
		return text // a text that only mentions it is about something else
	}
	return strings.ReplaceAll(text, text[at[0]:at[1]], w.name())
}

var (
	number  = regexp.MustCompile(`\d+`)
	company = regexp.MustCompile(`\p{Han}{2}股份`)
)

// figures changes figures of a text, each with a chance, and one of the first
// three paragraphs' in any case.
func (w *writer) figures(text string, chance float64) string {
	n := len(number.FindAllString(text, -1))
	if n == 0 {
		return text
	}
	i, sure := 0, w.IntN(n)
	return number.ReplaceAllStringFunc(text, func(s string) string {
		if i++; i-1 != sure && w.Float64() >= chance {
			return s
		}
		return fmt.Sprint(1+w.IntN(9)) + s
	})
}

// name returns the name of a company that is in no story yet.
func (w *writer) name() string {
	name := w.names[0]
	w.names = w.names[1:]
	return name
}

// names makes up the names of companies.
func names() []string {
	var list []string
	for _, a := range "东华金宏瑞盛泰兴中恒天远新亚海联江南北长安国民福永嘉润晨景飞龙凤青白红云山川河湖大富贵顺利和平安乐" {
		for _, b := range "科达力源信成辉业光峰航岳洋泽林通能电建材药机化纺农牧渔酒茶纸钢铝铜锌锂钴镍钛硅碳氢氟磷硫盐糖油气煤电网桥" {
			list = append(list, string(a)+string(b)+"股份")
		}
	}
	return list
}
