package jekyll

import (
	"bytes"
	"slices"

	"github.com/finarc/finarc/news"
)

// dateLayout is how the mirror writes when a post was published.
const dateLayout = "2006-01-02 15:04:05 -0700"

// FrontMatter returns the front matter of a post with a day, its two rules
// included, as [Marshal] writes it. Of the text that is to stand below it tells
// whether Liquid must leave it alone.
func FrontMatter(rev *news.Revision, text string) []byte {
	var b bytes.Buffer
	writeFrontMatter(&b, rev, hasLiquid(text))
	return b.Bytes()
}

// writeFrontMatter writes the front matter of a post with a day, its two rules
// included.
func writeFrontMatter(b *bytes.Buffer, rev *news.Revision, liquid bool) {
	b.WriteString("---\nlayout: post\n")
	writeLine(b, "title", quoted(rev.Title))
	if slices.Contains(rev.Derived, news.LacksTitle) {
		writeLine(b, titleDerivedKey, "true")
	}
	writeLine(b, "date", rev.When().In(news.Shanghai).Format(dateLayout))
	if rev.Published.IsZero() {
		writeLine(b, precisionKey, "day")
	}
	if rev.Category != "" {
		writeLine(b, "categories", scalar(rev.Category))
	}
	if rev.Tag != "" {
		writeLine(b, "tags", scalar(rev.Tag))
	}
	if rev.InfoCode == "" && !rev.ID.HasCode() && rev.ID != "" {
		writeLine(b, postIDKey, quoted(string(rev.ID)))
	}
	if link := permalink(rev); link != "" {
		writeLine(b, "permalink", quoted(link))
	}
	if liquid {
		writeLine(b, liquidKey, "false")
	}
	b.WriteString("---\n")
}

func writeLine(b *bytes.Buffer, key, value string) {
	b.WriteString(key)
	b.WriteString(": ")
	b.WriteString(value)
	b.WriteByte('\n')
}
