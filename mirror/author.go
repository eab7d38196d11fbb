package mirror

import (
	"bytes"
	"math"
	"math/rand/v2"
	"time"
)

// author writes articles. What it writes depends on the seed and the post's
// entry alone: it holds no state from one article to the next, only memory.
// It is not safe for concurrent use.
type author struct {
	*world
	seed  uint64
	pcg   *rand.PCG
	dice  *rand.Rand
	aside *author // for titles of related posts

	// The article at hand.
	key     uint64 // what words and names of its own come from
	topic   *topic
	when    time.Time
	subject int // in world.quoted
	others  [2]int
	boards  [2]int
	turn    int
	plain   bool // write without marks
	marks   []marked
	echoing bool
	last    []int16 // by symbol: the phrase used last, so as not to repeat it

	title  []byte
	body   []byte
	digest []byte
	source string
	linked []int32 // related posts
}

func newAuthor(w *world, seed uint64) *author {
	pcg := rand.NewPCG(0, 0)
	return &author{world: w, seed: seed, pcg: pcg, dice: rand.New(pcg), last: make([]int16, len(w.symbols))}
}

// headline writes the title of a post, and makes ready for its text.
func (a *author) headline(e *entry) []byte {
	a.pcg.Seed(a.seed, stream(streamArticle, int(e.number)))
	a.key = a.pcg.Uint64()
	a.when = e.time()
	a.topic = &a.topics[a.dice.IntN(len(a.topics))]
	a.cast()
	a.marks, a.digest, a.linked, a.source = a.marks[:0], a.digest[:0], a.linked[:0], ""
	clear(a.last)
	a.plain = true
	switch e.fault {
	case faultNoTitle:
		a.title = a.title[:0]
	case faultNoCode:
		a.title = append(a.title[:0], noteTitle(e)...)
	default:
		a.title = a.symbol(a.title[:0], a.topic.local[localTitle])
	}
	if e.is(retitled) {
		a.title = append(a.title, "（更正）"...)
	}
	return a.title
}

// cast chooses whom the article is about: securities and boards, no two alike.
func (a *author) cast() {
	first, n := 0, a.world.boards
	if a.topic.name == "overseas" {
		first, n = a.foreign, n-a.foreign
	}
	k := a.dice.IntN(n)
	step := 1 + a.dice.IntN(n/3)
	a.subject = first + k
	a.others = [2]int{first + (k+step)%n, first + (k+2*step)%n}
	n = len(a.quoted) - a.world.boards
	k, step = a.dice.IntN(n), 1+a.dice.IntN(n-1)
	a.boards = [2]int{a.world.boards + k, a.world.boards + (k+step)%n}
	a.turn = 0
}

// next returns one of two by turns, so that one sentence names both.
func (a *author) next(pair *[2]int) int {
	a.turn++
	return pair[a.turn%2]
}

// article writes a post, of which there were revisions.
func (a *author) article(e *entry, revisions int, posts []entry) {
	a.headline(e)
	a.body = a.body[:0]
	o := &a.outlets[e.outlet]
	switch {
	case e.fault == faultNoCode:
		a.ownNote()
	case o.rolling() && a.dice.IntN(10) < 7 || a.dice.IntN(12) == 0:
		a.flash(e, revisions)
	default:
		a.report(e, revisions, posts)
	}
}

// ownNote writes a note of the site's own.
func (a *author) ownNote() {
	a.body = append(a.body, "<p>"...)
	a.body = a.symbol(a.body, a.common[commonNote])
	a.body = append(a.body, "</p>"...)
}

// flash writes rolling news: one paragraph without marks, its source in
// brackets at the end.
func (a *author) flash(e *entry, revisions int) {
	a.body = append(a.body, "<p>"...)
	a.body = a.symbol(a.body, a.topic.local[localLead])
	for range a.dice.IntN(4) {
		a.body = a.symbol(a.body, a.common[commonSentence])
	}
	a.revise(e, revisions, "", "")
	a.source = a.anyOutlet().name
	a.body = append(a.body, '(')
	a.body = append(a.body, a.source...)
	a.body = append(a.body, ")</p>"...)
}

// report writes an article of several paragraphs.
func (a *author) report(e *entry, revisions int, posts []entry) {
	a.preamble()
	a.plain = false
	indent := ""
	if a.outlets[e.outlet].indented {
		indent = "　　"
	}
	a.paragraphs(indent)
	a.revise(e, revisions, "<p>"+indent, "</p>")
	a.plain = true
	if a.dice.IntN(4) == 0 {
		a.related(e, posts)
	}
	a.credit(e)
}

// preamble writes what can stand before the text.
func (a *author) preamble() {
	if a.dice.IntN(6) == 0 {
		a.digest = a.symbol(a.digest, a.common[commonSentence])
		a.body = append(a.body, "<blockquote><p>"...)
		a.body = append(a.body, a.digest...)
		a.body = append(a.body, "</p></blockquote>"...)
	}
	if bytes.Contains(a.title, []byte(a.quoted[a.subject].name)) && a.dice.IntN(5) < 3 {
		a.picture(a.subject)
		if a.dice.IntN(4) == 0 {
			a.picture(a.others[0])
		}
	}
	if a.dice.IntN(12) == 0 {
		a.body = append(a.body, `<p style="display:none">`...)
		a.body = a.symbol(a.body, a.common[commonKeywords])
		a.body = append(a.body, "</p>"...)
	}
}

// paragraphs writes the text: as many sentences as a log-normal length asks
// for, in paragraphs of one to five.
func (a *author) paragraphs(indent string) {
	const perSentence = 48 // characters, about
	length := math.Exp(6.95 + 0.5*a.dice.NormFloat64())
	sentences := int(min(max(length, 400), 3000) / perSentence)
	headings := sentences > 24 && a.dice.IntN(2) == 0
	for n := 0; n < sentences; {
		if headings && n > 0 && a.dice.IntN(5) == 0 {
			a.heading(indent)
		}
		a.body = append(append(a.body, "<p>"...), indent...)
		size := 1 + a.dice.IntN(5)
		for k := range min(size, sentences-n) {
			a.body = a.symbol(a.body, a.opening(n+k))
		}
		a.body = append(a.body, "</p>"...)
		n += size
	}
}

// opening returns the symbol of the n-th sentence.
func (a *author) opening(n int) int {
	if n == 0 {
		return a.topic.local[localLead]
	}
	return a.common[commonSentence]
}

func (a *author) heading(indent string) {
	a.plain = true
	a.body = append(append(a.body, "<p>"...), indent...)
	a.body = append(a.body, "<strong>"...)
	a.body = a.symbol(a.body, a.common[commonHeading])
	a.body = append(a.body, "</strong></p>"...)
	a.plain = false
}

// revise adds what each revision brought. It draws from a stream of its own,
// then goes on where the article was.
func (a *author) revise(e *entry, revisions int, before, after string) {
	if revisions == 0 {
		return
	}
	saved := *a.pcg
	plain := a.plain
	a.plain = true
	for n := range revisions {
		a.pcg.Seed(a.seed+uint64(e.serial), stream(streamRevision, n))
		a.body = append(a.body, before...)
		a.body = a.symbol(a.body, a.common[commonExtra])
		a.body = append(a.body, after...)
	}
	*a.pcg, a.plain = saved, plain
}

// reach is how far back a post's related reports lie, in posts.
const reach = 2000

// related writes the reports that a post points to: posts before it. Of these,
// posts must have as many as there are within reach.
func (a *author) related(e *entry, posts []entry) {
	n := int(e.number)
	if n == 0 {
		return
	}
	first := int(posts[0].number)
	if a.aside == nil {
		a.aside = newAuthor(a.world, a.seed)
	}
	a.body = append(a.body, `<h3 class="emh3">相关报道</h3>`...)
	for range 1 + a.dice.IntN(3) {
		a.link(n-1-a.dice.IntN(min(n, reach))-first, posts)
	}
	for range a.dice.IntN(3) {
		a.body = append(a.body, "<p>"...)
		a.body = a.symbol(a.body, a.common[commonSentence])
		a.body = append(a.body, "<br /></p>"...)
	}
}

var articleAddresses = [...]string{
	"http://finance.eastmoney.com/a/", "http://finance.eastmoney.com/a/", "http://stock.eastmoney.com/a/",
	"http://stock.eastmoney.com/news/1611,", "http://finance.eastmoney.com/news/1355,",
}

// link writes a link to another post, by the title that it first had, unless
// that has no infoCode.
func (a *author) link(to int, posts []entry) {
	address := articleAddresses[a.dice.IntN(len(articleAddresses))]
	e := posts[to]
	e.flags &^= retitled
	if e.fault == faultNoCode {
		return
	}
	a.linked = append(a.linked, int32(to))
	a.body = append(append(a.body, `<p><a href="`...), address...)
	a.body = append(e.appendDigits(a.body), `.html">`...)
	a.body = appendEscaped(a.body, a.aside.headline(&e))
	a.body = append(a.body, "</a><br /></p>"...)
}

// credit names the source: most often the outlet itself.
func (a *author) credit(e *entry) {
	o := &a.outlets[e.outlet]
	if o.rolling() || a.dice.IntN(5) == 0 {
		o = a.anyOutlet()
	}
	a.source = o.name
	a.body = append(a.body, `<p class="em_media">（文章来源：`...)
	a.body = append(a.body, a.marksInName(a.source)...)
	a.body = append(a.body, "）</p>"...)
}

// anyOutlet draws an outlet other than the rolling news, where there is one.
func (a *author) anyOutlet() *outlet {
	n := len(a.outlets)
	return &a.outlets[(1+a.dice.IntN(max(1, n-1)))%n]
}
