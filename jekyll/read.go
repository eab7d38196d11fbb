package jekyll

import (
	"errors"
	"net/url"
	"path"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/renderer/html"

	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/page"
)

// Why a file is no post.
var (
	ErrNothing  = errors.New("neither title nor text")
	ErrNameless = errors.New("neither infoCode nor day")
	ErrMarkdown = errors.New("longer or deeper Markdown than a post has")
)

// A Reader reads the files from which a mirror is built. It is immutable, and
// safe for concurrent use.
type Reader struct {
	site     *page.Site
	markdown goldmark.Markdown
}

// NewReader returns the reader of a mirror's files.
func NewReader(site *page.Site) *Reader {
	return &Reader{site: site, markdown: goldmark.New(goldmark.WithRendererOptions(html.WithUnsafe()))}
}

// Read reads a capture of [news.KindJekyll] as a post, and its related posts as
// leads. Front matter that is no YAML is read line by line. What the file lacks:
//
//   - infoCode: that of the link below the text, or else of the file's name;
//   - date: Published is zero, and only the day is known, by the infoCode or the
//     file's name, see [news.Post.Day];
//   - title: the digest, or the first sentence, as [news.Post.Derived] tells.
//
// A post without infoCode has the identity of its page on the mirror's site.
// Body and Foot are HTML, whichever the file has.
//
// The errors are [ErrNoFrontMatter], [ErrNothing], [ErrNameless] and
// [ErrMarkdown].
func (r *Reader) Read(c *news.Capture) (page.Page, error) {
	p, _, err := r.read(c)
	return p, err
}

// read is Read, and returns the file as it was taken apart too.
func (r *Reader) read(c *news.Capture) (page.Page, *source, error) {
	name := nameOf(c.URL)
	s, err := parse(name, c.Body)
	if err != nil {
		return page.Page{}, nil, err
	}
	p := &news.Post{Title: s.title, Category: s.categories, Tag: s.tags, Outlet: news.OutletOfTag(s.tags), Foot: s.foot.html()}
	if err := r.identify(p, s, name); err != nil {
		return page.Page{}, nil, err
	}
	if p.Body, err = r.html(s.article); err != nil {
		return page.Page{}, nil, err
	}
	leads := r.site.Article(c, p)
	if p.Title == "" {
		p.Title = makeTitle(p)
	}
	if p.Title == "" {
		return page.Page{}, nil, ErrNothing
	}
	if s.title == "" || s.titleDerived {
		p.Derived = []string{news.LacksTitle}
	}
	return page.Page{Post: p, Named: s.foot.code != "", Leads: leads}, s, nil
}

// FileURL returns the address under which the file of a name is kept.
func FileURL(name string) string {
	return (&url.URL{Scheme: "file", Path: "/" + name}).String()
}

// nameOf returns the name of the file that an address is of, or "" for other
// addresses.
func nameOf(address string) string {
	if !strings.HasPrefix(address, "file:///") {
		return ""
	}
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return path.Base(u.Path)
}

// identify tells whose file it is, and when it was published.
func (r *Reader) identify(p *news.Post, s *source, name string) error {
	day, slug, _ := cutName(name)
	code := s.foot.code
	if own, ok := news.FindInfoCode(slug); ok && (code == "" || own.ID() == code.ID() && len(own) > len(code)) {
		code = own
	}
	t, exact, dated := parseDate(s.date)
	if dated {
		day = news.DayOf(t)
	}
	id, err := news.ParseID(s.postID)
	switch {
	case code != "":
		p.InfoCode, p.ID = code, code.ID()
	case err == nil && !id.HasCode():
		p.ID = id
	case day == 0:
		return ErrNameless
	default:
		p.ID = r.site.PostID(p.Categories(), day, slug)
	}
	if dated && (exact && !s.dayOnly || p.ID.Day() != day) {
		p.Published = t
	}
	return nil
}

// Bounds on what is read as Markdown: articles have some kilobytes, and the
// reader's time can grow with the square of the length, and with that of how deep
// quotes and lists nest.
const (
	maxMarkdown = 64 << 10
	maxNested   = 100
)

// isNested reports whether a line of a text begins with more marks of quotes and
// lists than blocks may nest.
func isNested(text string) bool {
	for line := range strings.Lines(text) {
		marks := 0
		for i := 0; i < len(line) && strings.IndexByte(">-*+.)0123456789 \t", line[i]) >= 0; i++ {
			if line[i] == '>' || i > 0 && line[i] == ' ' && line[i-1] != ' ' {
				marks++
			}
		}
		if marks > maxNested {
			return true
		}
	}
	return false
}

// html returns a text as HTML: what kramdown would copy as it is, and else what
// Markdown makes of it, in which HTML is kept. What is too long for that and
// begins with a tag is taken for HTML.
func (r *Reader) html(text string) (string, error) {
	text = strings.Trim(text, " \t\n")
	if inner, ok := strings.CutPrefix(text, "{::nomarkdown}\n"); ok {
		if inner, ok := strings.CutSuffix(inner, "\n{:/nomarkdown}"); ok && !strings.Contains(inner, "{:/nomarkdown}") {
			return strings.TrimPrefix(inner, "\n"), nil
		}
	}
	if isPlain(text) {
		return text, nil
	}
	switch {
	case len(text) > maxMarkdown && text[0] == '<':
		return text, nil // HTML
	case len(text) > maxMarkdown, isNested(text):
		return "", ErrMarkdown
	}
	var b strings.Builder
	if err := r.markdown.Convert([]byte(text), &b); err != nil {
		return "", err
	}
	return strings.TrimSpace(b.String()), nil
}

// maxTitle is how many characters a title has at most that was made of a text.
const maxTitle = 80

// makeTitle makes a title of a post's digest or text: its first sentence.
func makeTitle(p *news.Post) string {
	text := p.Digest
	if text == "" {
		text = page.Text(p.Body)
	}
	text, _, _ = strings.Cut(text, "\n")
	if end := strings.IndexAny(text, "。！？!?"); end > 0 {
		text = text[:end]
	}
	if runes := []rune(text); len(runes) > maxTitle {
		text = string(runes[:maxTitle-1]) + "…"
	}
	return strings.TrimSpace(text)
}
