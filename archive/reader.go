package archive

import (
	"errors"

	"github.com/finarc/finarc/news"
)

// Reader reads a capture as a post again, as today's program does.
type Reader func(*news.Capture) (*news.Post, error)

// promised is what was known of a post before its page was read, from a link or
// from the archive.
type promised struct {
	id       news.ID
	code     news.InfoCode // for its letters
	category string        // whose page listed the post
}

// What a page can be that is not the post that was promised.
var (
	errOther = errors.New("page is another post")
	errNone  = errors.New("page is no post")
)

// read reads a page as the post that was promised, and completes it by what was
// known, as a crawl does: the identity, the infoCode's letters, the category. A
// post that was promised without infoCode, and whose page has one, is known by
// its page if the promise was a link's, and stays what it is if it was the
// archive's.
func (k promised) read(read Reader, c *news.Capture, link bool) (*news.Post, error) {
	p, err := read(c)
	switch {
	case err != nil:
		return nil, err
	case p == nil:
		return nil, errNone
	case p.ID == k.id:
	case p.ID.HasCode() && k.id.HasCode():
		return nil, errOther
	case p.ID.HasCode() && link:
	default:
		p.ID = k.id
	}
	switch {
	case !p.ID.HasCode():
		p.InfoCode = ""
	case p.ID == k.id && k.code != "" && p.InfoCode.Kind() == "":
		p.InfoCode = k.code
	}
	if p.Category == "" {
		p.Category = k.category
	}
	return p, nil
}
