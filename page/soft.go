package page

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// proof is how surely a page is what was asked for, before it is looked at
// whether it only turns the reader away.
type proof int

const (
	proofNone  proof = iota // by nothing
	proofLoose              // by what any page may have: a date above a heading, a list
	proofOwn                // by what only the mirror's pages have
)

// Bounds of a page that turns the reader away: it says little else. Widths are
// counted as [width] does.
const (
	quietWidth   = 60   // hardly a sentence
	curtWidth    = 120  // one or two sentences
	shortWidth   = 200  // a paragraph
	notedWidth   = 300  // with hints how to go on
	verboseWidth = 600  // with an explanation, as content delivery networks send it
	maxRest      = 12   // what a heading may say beside: a site's name
	maxLook      = 4096 // bytes of the text that are looked at for phrases
	maxHeadings  = 12
	maxHeading   = 240     // bytes
	maxRefusal   = 1 << 20 // bytes of a page; a larger one is none of these
)

// refusal reports whether a page turns the reader away in place of what was
// asked for: [ErrBlocked], [ErrLogin], or [ErrUnreadable] for a page that says
// that there is none. It is nil if the page does not look like that.
func refusal(page []byte, by proof) error {
	if len(page) > maxRefusal {
		return nil
	}
	l := look{scanner: newScanner(page)}
	l.walk(&l)
	return l.judge(by)
}

// judge weighs what the page says and shows against what proves it. An article
// about such pages has a text of its own, and a heading that tells more than
// they do.
func (l *look) judge(by proof) error {
	blocked, login, missing := l.saysAny(refusals), l.saysAny(logins), l.saysAny(missings)
	hits := l.hits()
	long := by != proofNone && l.width > verboseWidth
	switch {
	case long:
	case login != "" && (l.password || l.form || l.width <= quietWidth):
		return fmt.Errorf("%w: headed %q", ErrLogin, login)
	case blocked != "" && (by < proofOwn || l.width <= notedWidth):
		return fmt.Errorf("%w: headed %q", ErrBlocked, blocked)
	case missing != "" && (by < proofOwn || l.width <= shortWidth):
		return fmt.Errorf("%w: headed %q", ErrUnreadable, missing)
	case by < proofOwn && l.password && l.width <= notedWidth:
		return fmt.Errorf("%w: it asks for a password", ErrLogin)
	case l.challenged(by, len(hits)):
		return fmt.Errorf("%w: a challenge", ErrBlocked)
	case l.turnsAway(by, len(hits)):
		return fmt.Errorf("%w: it says %q", ErrBlocked, hits[0])
	}
	return nil
}

// challenged reports whether the page is one that a browser must solve first.
func (l *look) challenged(by proof, hits int) bool {
	switch {
	case !l.challenge && !(l.refresh && l.script && l.width <= quietWidth):
		return false
	case by == proofOwn:
		return hits > 0 && l.width <= curtWidth
	}
	return l.width <= quietWidth || hits > 0 && l.width <= notedWidth
}

// turnsAway reports whether the few words on the page turn the reader away.
func (l *look) turnsAway(by proof, hits int) bool {
	switch {
	case hits == 0 || l.width > shortWidth:
		return false
	case l.saysAny(generic) != "" || l.numbered():
		return true
	case by == proofOwn:
		return hits > 1 && l.width <= quietWidth && l.form
	}
	return hits > 1 || l.width <= curtWidth
}

// saysAny returns the heading that says one of some things and nothing else
// but, perhaps, the site's name; "" if none does.
func (l *look) saysAny(words map[string]bool) string {
	for _, h := range l.headings {
		if says(h, words) {
			return h
		}
	}
	return ""
}

// numbered reports whether a heading is a mere number, as that of an HTTP
// status.
func (l *look) numbered() bool {
	for _, h := range l.headings {
		if len(h) == len("403") && strings.Trim(h, "0123456789") == "" {
			return true
		}
	}
	return false
}

// hits returns the phrases of pages that turn readers away which stand in the
// headings or at the start of the text.
func (l *look) hits() []string {
	said := strings.ToLower(strings.Join(l.headings, "\n") + "\n" + string(l.seen))
	return phrasesIn(said)
}

// phrasesIn returns the phrases that stand in a text in lower case. One within
// another does not count.
func phrasesIn(said string) []string {
	var hits []string
	for _, phrase := range phrases {
		if strings.Contains(said, phrase) {
			hits = append(hits, phrase)
			said = strings.ReplaceAll(said, phrase, "\n")
		}
	}
	return hits
}

// says reports whether a heading consists of one of some words, politeness and
// numbers aside, and at most a site's name.
func says(heading string, words map[string]bool) bool {
	hit, rest := false, 0
	parts := strings.FieldsFunc(strings.ToLower(heading), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != ' ' && r != '\'' && r != '’'
	})
	for _, part := range parts {
		part = plain(part)
		switch {
		case words[part]:
			hit = true
		default:
			rest += width([]byte(part))
		}
	}
	return hit && rest <= maxRest
}

// plain returns the heart of a part of a heading: without numbers at its ends
// and without words that only make it polite.
func plain(part string) string {
	part = strings.Trim(part, " 0123456789")
	for _, polite := range polites {
		part = strings.TrimPrefix(part, polite)
	}
	for _, polite := range []string{"页面", "提示", "中", "了"} {
		if cut := strings.TrimSuffix(part, polite); cut != "" && !unicode.IsSpace(rune(cut[len(cut)-1])) {
			part = cut
		}
	}
	return strings.Trim(part, " 0123456789")
}

// width returns how much room a text takes, in Chinese characters: two letters
// make one, and white space none.
func width(text []byte) int {
	halves := 0
	for i := 0; i < len(text); {
		if c := text[i]; c < utf8.RuneSelf {
			if c > ' ' {
				halves++
			}
			i++
			continue
		}
		r, n := utf8.DecodeRune(text[i:])
		if !isSpace(r) {
			halves += 2
		}
		i += n
	}
	return halves / 2
}

// look is what a page shows at first sight. What stands in headers, footers and
// navigation is the layout's, and in links is of other pages.
type look struct {
	*scanner
	heading, title element
	headings       []string // the <title> among them
	aside, links   int      // how many such elements are open
	seen           []byte   // up to maxLook of the text
	width          int      // of the whole text

	password, form, script, refresh, challenge bool
}

func (l *look) startTag(t *tag) {
	switch string(t.name) {
	case "title":
		l.title.begin(t.start)
	case "h1", "h2", "h3":
		l.heading.begin(t.start)
	case "header", "nav", "footer", "aside":
		l.aside++
	case "a":
		l.links++
		l.heading.open = false // of a list's entry, or the layout's
	case "form":
		l.form = l.form || l.aside == 0
	case "input":
		l.password = l.password || l.aside == 0 && hasMark(l.raw(), "password")
	case "meta":
		l.refresh = l.refresh || hasMark(l.raw(), "refresh")
	case "script":
		l.script = true
	}
	switch string(t.name) {
	case "script", "iframe", "div", "form", "input", "img", "body", "canvas", "section", "span":
		l.challenge = l.challenge || hasMark(l.raw(), challengeMarks...)
	}
}

func (l *look) endTag(name []byte) {
	switch string(name) {
	case "title":
		l.endHeading(&l.title)
	case "h1", "h2", "h3":
		l.endHeading(&l.heading)
	case "header", "nav", "footer", "aside":
		l.aside = max(0, l.aside-1)
	case "a":
		l.links = max(0, l.links-1)
	}
}

func (l *look) endHeading(e *element) {
	if e.open && len(l.headings) < maxHeadings {
		if text := squeeze(e.text); text != "" && len(text) <= maxHeading {
			l.headings = append(l.headings, text)
		}
	}
	e.open = false
}

func (l *look) textToken() {
	switch {
	case l.title.open:
		l.extend(&l.title)
	case l.inCode():
		l.challenge = l.challenge || hasMark(l.raw(), codeMarks...)
	case l.heading.open:
		l.extend(&l.heading)
		l.see()
	case l.aside == 0 && l.links == 0:
		l.see()
	}
}

// extend adds the current text to a heading, as long as that can be one.
func (l *look) extend(e *element) {
	if e.open = len(l.raw())+len(e.text) <= 4*maxHeading; e.open {
		e.text = append(e.text, l.text()...)
	}
}

// see takes the current text.
func (l *look) see() {
	text := l.text()
	l.width += width(text)
	if room := maxLook - len(l.seen); room > 0 {
		l.seen = append(append(l.seen, text[:min(room, len(text))]...), ' ')
	}
}

// hasMark reports whether one of some marks, in lower case, stands at the start
// of a tag or a script.
func hasMark(raw []byte, marks ...string) bool {
	raw = bytes.ToLower(raw[:min(len(raw), maxLook)])
	for _, mark := range marks {
		if bytes.Contains(raw, []byte(mark)) {
			return true
		}
	}
	return false
}
