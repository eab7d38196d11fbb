package securities

import (
	"slices"
	"strings"

	"github.com/finarc/finarc/news"
)

// hit is a place that may name a security.
type hit struct {
	in       news.PlacePart
	from, to int
	text     string
	form     *form           // nil: a code
	may      []news.Security // that it can mean, the likeliest first
	coded    bool            // its code stands in brackets behind it, and may is that one
	told     bool            // the words behind it speak of a company, or of a board
	subject  bool            // what follows is said of somebody who acts
}

// proven reports whether the hit names a security whatever else is in the post.
func (h *hit) proven() bool {
	switch {
	case h.form == nil || h.coded || h.form.kind == kindName:
		return true
	case h.form.kind == kindWord: // 机器人公司 is a kind of company, 苹果公司 is one
		return h.told && len(h.form.text) == 2
	}
	return h.told
}

// counts reports whether the hit names a security, given those that the post names
// for sure.
func (h *hit) counts(sure map[news.Security]bool) bool {
	if h.proven() {
		return true
	}
	named := slices.ContainsFunc(h.may, func(s news.Security) bool { return sure[s] })
	return named && (h.form.kind == kindShort || h.form.kind == kindWord && h.subject)
}

// choose returns the security that the hit means: one that the post names for sure,
// or else the likeliest.
func (h *hit) choose(sure map[news.Security]bool) news.Security {
	for _, s := range h.may {
		if sure[s] {
			return s
		}
	}
	return h.may[0]
}

// scanner goes through a part of a post.
type scanner struct {
	coder
	in   news.PlacePart
	day  news.Day
	hits []hit
}

// scan finds what may name a security in a text, but for its marked places.
func (f *Finder) scan(text []rune, marked []news.Place, day news.Day, in news.PlacePart) *scanner {
	s := &scanner{coder: coder{Finder: f, text: text, folded: fold(text)}, in: in, day: day}
	before := named{hit: -1}
	for i := 0; i < len(text); {
		if len(marked) > 0 && i >= marked[0].From {
			before = named{marked[0].To, []news.Security{marked[0].Security}, -1}
			i, marked = max(i, marked[0].To), marked[1:]
			continue
		}
		if to := s.credits(i); to > i {
			i = to
			continue
		}
		end := len(text)
		if len(marked) > 0 {
			end = marked[0].From
		}
		i = s.step(i, end, &before)
	}
	return s
}

// named is the last place that names a security.
type named struct {
	to  int
	may []news.Security
	hit int // its place among the hits; -1: it is marked, or there is none
}

// step looks for a code or a name at offset i that ends before end, and returns
// where to go on.
func (s *scanner) step(i, end int, before *named) int {
	if to := s.codeBehind(i, before); to > i {
		return to
	}
	if c, ok := s.codeAt(i); ok && c.to <= end {
		s.addCode(c, before)
		return c.to
	}
	h := s.nameAt(i, end)
	if h == nil {
		return i + 1
	}
	*before = named{h.to, h.may, len(s.hits)}
	s.hits = append(s.hits, *h)
	return h.to
}

// codeBehind returns the end of a number at i that is the code of the name right
// before it, as in 巨化股份 600160.
func (s *scanner) codeBehind(i int, before *named) int {
	if !isDigit(s.folded[i]) || s.back(i) != before.to {
		return 0
	}
	to := s.run(i, isDigit)
	if s.inWord(to) || !s.belongs(string(s.folded[i:to]), before) {
		return 0
	}
	return to
}

// addCode adds a code, unless it stands in brackets behind the name that it is the
// code of.
func (s *scanner) addCode(c code, before *named) {
	if at := s.run(c.to, func(r rune) bool { return r == ' ' }); at < len(s.folded) && strings.ContainsRune(",;/|", s.folded[at]) {
		s.listed = at + 1
	}
	if s.brackets(before.to, c.from) && slices.Contains(before.may, c.Security) && s.belongs(c.Code, before) {
		return
	}
	s.hits = append(s.hits, hit{
		in: s.in, from: c.from, to: c.to, text: string(s.text[c.from:c.to]), may: []news.Security{c.Security},
	})
}

// belongs reports whether a code is that of the name before it, which then means
// that security.
func (s *scanner) belongs(code string, before *named) bool {
	i := slices.IndexFunc(before.may, func(s news.Security) bool { return s.Code == code })
	if i < 0 {
		return false
	}
	if before.hit >= 0 {
		h := &s.hits[before.hit]
		h.may, h.coded = h.may[i:i+1], true
	}
	return true
}

// maxBetween is how many characters stand at most between a name and its code.
const maxBetween = 16

// brackets reports whether nothing but the beginning of brackets, and a word that
// says that a code follows, stands between two offsets.
func (s *scanner) brackets(from, to int) bool {
	if to-from > maxBetween {
		return false
	}
	between := strings.TrimSpace(string(s.folded[from:to]))
	between, ok := strings.CutPrefix(between, "(")
	between = strings.TrimRight(strings.TrimSpace(between), ": ")
	return ok && (between == "" || slices.Contains(labels, between))
}

// nameAt returns the longest name at offset i that ends before end and is not part
// of a longer one, or nil.
func (s *scanner) nameAt(i, end int) *hit {
	if i+1 >= end {
		return nil
	}
	for _, f := range s.formsAt(s.folded[i], s.folded[i+1]) {
		to := i + len(f.text)
		if to > end || !slices.Equal(f.text, s.folded[i:to]) || s.inLonger(f, i, to) {
			continue
		}
		if may := f.ownersOn(s.day); len(may) > 0 {
			return &hit{
				in: s.in, from: i, to: to, text: string(s.text[i:to]), form: f, may: may,
				told: s.told(f, to), subject: anyAt(s.folded, to, subjectWords) > 0,
			}
		}
	}
	return nil
}

// inLonger reports whether a name, from i to to, is part of another word or name: of
// a Latin word, of an organisation's name, or of whom a report quotes.
func (s *scanner) inLonger(f *form, i, to int) bool {
	if isWord(s.folded[i]) && i > 0 && isWord(s.folded[i-1]) || isWord(s.folded[to-1]) && to < len(s.folded) && isWord(s.folded[to]) {
		return true
	}
	if f.kind == kindBoard {
		return false
	}
	if n := anyAt(s.folded, to, longerWords); n > 0 && anyAt(s.folded, to, notLonger) == 0 {
		return true
	}
	if !endsWith(f.text, brokers) {
		return false
	}
	if to < len(s.folded) && s.folded[to] == ':' && anyAt(s.folded, to+1, adviceWords) > 0 {
		return true
	}
	return anyAt(s.folded, to, quoteWords) > 0
}

// told reports whether the words behind a name say what it is: a company, a board.
func (s *scanner) told(f *form, to int) bool {
	if f.kind == kindBoard {
		return endsWith(f.text, boardEnds) || anyAt(s.folded, to, boardWords) > 0
	}
	return anyAt(s.folded, to, companyWords) > 0
}

// endsWith reports whether a text ends with one of the words.
func endsWith(text []rune, words []string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return strings.HasSuffix(string(text), w) })
}

// credits returns where what begins at offset i ends, if it names the source or the
// editor of the article: a line, or what is in brackets.
func (s *scanner) credits(i int) int {
	bracket := s.folded[i] == '('
	if !bracket && i > 0 && s.folded[i-1] != '\n' {
		return 0
	}
	at := i
	if bracket {
		at = s.run(i+1, func(r rune) bool { return r == ' ' })
	}
	if anyAt(s.folded, at, creditWords) == 0 {
		return 0
	}
	return s.run(at, func(r rune) bool { return r != '\n' && !(bracket && r == ')') })
}
