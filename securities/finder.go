package securities

import (
	"cmp"
	_ "embed"
	"slices"
	"strings"

	"github.com/finarc/finarc/news"
)

// words are names that are ordinary words or places too.
//
//go:embed words.txt
var words string

// Finder finds in posts the securities that they name and do not mark, by what a
// gazetteer knew when it was made. It never changes, so many may use it at a time.
type Finder struct {
	g     *Gazetteer
	codes map[news.Security]bool
	forms map[[2]rune][]*form // by the first two characters, the longest first
	// begins has a bit for each two characters that forms begin with, by a hash: most
	// places of a text are passed over without a look into the map.
	begins [1 << 10]uint64
}

// bitOf returns where in begins two characters have their bit.
func bitOf(a, b rune) (i int, bit uint64) {
	hash := uint32(a)*0x9e3779b1 ^ uint32(b)*0x85ebca6b
	return int(hash >> 22), 1 << (hash >> 16 & 63)
}

// formsAt returns the forms that begin with two characters.
func (f *Finder) formsAt(a, b rune) []*form {
	if i, bit := bitOf(a, b); f.begins[i]&bit == 0 {
		return nil
	}
	return f.forms[[2]rune{a, b}]
}

// form is how a name stands in a text.
type form struct {
	text   []rune // folded
	kind   kind
	owners []owner // those of most posts first
}

// kind tells how much a form proves by itself.
type kind int

const (
	kindName  kind = iota // nothing else is called so
	kindShort             // of two characters, or of Latin letters alone
	kindWord              // an ordinary word or a place too
	kindBoard             // a sector or a concept, which most texts only speak of
)

// owner is a security that is called by a form, and when.
type owner struct {
	news.Security
	from, to news.Day
	posts    int
}

// maxOwners bounds of how many securities a name is looked for: those of most posts.
const maxOwners = 16

// Finder returns what finds the names and codes that are known by now.
func (g *Gazetteer) Finder() *Finder {
	g = g.clone()
	f := &Finder{g: g, codes: make(map[news.Security]bool), forms: make(map[[2]rune][]*form)}
	ordinary := make(map[string]bool)
	for w := range strings.FieldsSeq(words) {
		ordinary[w] = true
	}
	for _, s := range g.Known() {
		f.codes[s] = true
		uses := g.known[s]
		for i := range uses {
			if !trusted(uses, i) {
				continue
			}
			o := owner{Security: s, posts: uses[i].all()}
			o.from, o.to = span(uses, i)
			for _, text := range formsOf(uses[i].name) {
				f.add(text, kindOf(text, s, ordinary), o)
			}
		}
	}
	for _, list := range f.forms {
		slices.SortStableFunc(list, func(a, b *form) int { return cmp.Compare(len(b.text), len(a.text)) })
		for _, form := range list {
			slices.SortStableFunc(form.owners, func(a, b owner) int { return cmp.Compare(b.posts, a.posts) })
			form.owners = form.owners[:min(len(form.owners), maxOwners)]
		}
	}
	return f
}

// add adds a form of a security's name.
func (f *Finder) add(text string, k kind, o owner) {
	chars := []rune(text)
	at := [2]rune{chars[0], chars[1]}
	word, bit := bitOf(chars[0], chars[1])
	f.begins[word] |= bit
	i := slices.IndexFunc(f.forms[at], func(other *form) bool { return slices.Equal(other.text, chars) })
	if i < 0 {
		i = len(f.forms[at])
		f.forms[at] = append(f.forms[at], &form{text: chars, kind: k})
	}
	known := f.forms[at][i]
	known.kind = min(known.kind, k) // a company that is called as a board is
	known.owners = append(known.owners, o)
}

// formsOf returns how a name can stand in a text: as it is, without the spaces that
// fill it up to four characters (五 粮 液), without what a listing adds (-SW, -U),
// without an asterisk.
func formsOf(name string) []string {
	folded := strings.Fields(string(fold([]rune(name))))
	forms := []string{strings.Join(folded, " "), strings.Join(folded, "")}
	if base, class, ok := strings.Cut(forms[1], "-"); ok && class != "" && len(class) <= len("UWS") && strings.Trim(class, "BSUW") == "" {
		forms = append(forms, base)
	}
	if base, ok := strings.CutPrefix(forms[1], "*"); ok {
		forms = append(forms, base)
	}
	forms = slices.DeleteFunc(forms, func(s string) bool { return len([]rune(s)) < 2 })
	slices.Sort(forms)
	return slices.Compact(forms)
}

// kindOf tells how much a form of a security's name proves.
func kindOf(text string, s news.Security, ordinary map[string]bool) kind {
	chars := []rune(text)
	switch {
	case s.Board():
		return kindBoard
	case ordinary[text]:
		return kindWord
	case len(chars) == 2 || !slices.ContainsFunc(chars, func(r rune) bool { return r >= 0x2e80 }):
		return kindShort
	}
	return kindName
}

// How names are told from those that took their place, and from slips of a page.
const (
	early = 30 // days: a text can have a name before the first mark with it
	late  = 90 // days: texts go on with an old name
	taken = 3  // posts that mark a name before it takes the place of another
	slips = 50 // a name that fewer than one in so many posts of the same months have is a slip
)

// trusted reports whether a name is looked for. One that pages marked now and then in
// place of the usual one may be any word.
func trusted(uses []use, i int) bool {
	u, most, meanwhile := &uses[i], 0, 0
	for j := range uses {
		if uses[j].name != "" {
			most = max(most, uses[j].all())
			meanwhile += uses[j].posts(monthOf(u.first), monthOf(u.last))
		}
	}
	n := u.all()
	return n == most || passing(u.name) || n >= taken && slips*n >= meanwhile
}

// span returns the days on which a name can mean the security. It ends when another
// took its place, and begins when it took that of another.
func span(uses []use, i int) (from, to news.Day) {
	u := &uses[i]
	from, to = 0, news.LastDay
	for j := range uses {
		other := &uses[j]
		if other.name == "" || passing(other.name) || other.all() < taken {
			continue
		}
		if other.first > u.last {
			to = min(to, other.first.Add(late))
		}
		if other.last < u.first {
			from = max(from, u.first.Add(-early))
		}
	}
	return from, to
}

// ownersOn returns the securities that the form means on a day.
func (f *form) ownersOn(day news.Day) []news.Security {
	var list []news.Security
	for _, o := range f.owners {
		if day >= o.from && day <= o.to && !slices.Contains(list, o.Security) {
			list = append(list, o.Security)
		}
	}
	return list
}

// Find returns the places in which a post's title and article name a security or a
// board without a mark, in order. A code in brackets behind a name belongs to that
// name's place. The post's day tells which names count.
func (f *Finder) Find(rev *news.Revision, a news.Article) []news.Place {
	day := rev.PlaceDay()
	title := f.scan([]rune(rev.Title), nil, day, news.InTitle)
	text := f.scan([]rune(a.Text[:a.Own]), a.Marked, day, news.InText)
	sure := make(map[news.Security]bool)
	for _, list := range [][]news.Mention{rev.Securities, rev.Boards} {
		for i := range list {
			sure[list[i].Security] = true
		}
	}
	hits := append(title.hits, text.hits...)
	for i := range hits {
		if h := &hits[i]; h.proven() {
			sure[h.choose(sure)] = true
		}
	}
	var places []news.Place
	for i := range hits {
		if h := &hits[i]; h.counts(sure) {
			places = append(places, f.place(h, h.choose(sure), day))
		}
	}
	return places
}

// Places returns all places in which a post's title and article name a security or a
// board, marked or not, in order.
func (f *Finder) Places(rev *news.Revision, a news.Article) []news.Place {
	places := f.Find(rev, a)
	for _, p := range a.Marked {
		p.Name = f.g.NameAt(p.Security, rev.PlaceDay())
		places = append(places, p)
	}
	slices.SortStableFunc(places, func(a, b news.Place) int {
		return cmp.Or(boolean(b.In == news.InTitle)-boolean(a.In == news.InTitle), cmp.Compare(a.From, b.From))
	})
	return places
}

// place returns a hit as a place.
func (f *Finder) place(h *hit, s news.Security, day news.Day) news.Place {
	by := news.ByCode
	if h.form != nil {
		by = news.ByName
	}
	return news.Place{Security: s, Name: f.g.NameAt(s, day), Text: h.text, By: by, In: h.in, From: h.from, To: h.to}
}
