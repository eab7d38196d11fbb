package page

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/net/html"

	"github.com/finarc/finarc/news"
)

// ErrOther: the page is another post than the one that was asked for.
var ErrOther = errors.New("page is another post than was asked for")

// Disagrees returns an error that wraps [ErrOther] if p, the page of a post, is
// another post than w, the one that was asked for:
//   - it has another infoCode, be it named by the page or by its address;
//   - or the page does not name its infoCode, and its title is another than a
//     list shows for w. Titles are compared where both are known, without what
//     pages add to them.
//
// A page without infoCode may be w, and so may one that names an infoCode where
// w has none.
func (p *Page) Disagrees(w *news.Wanted) error {
	post := p.Post
	switch {
	case post == nil:
		return nil
	case post.ID.HasCode() && w.ID.HasCode() && post.ID != w.ID:
		return fmt.Errorf("%w: asked for %s, got %s", ErrOther, w.ID, post.ID)
	case w.Of != "" && post.ID != w.Of:
		return fmt.Errorf("%w: asked for %s, got %s", ErrOther, w.Of, post.ID)
	case !p.Named && !IsTitleOf(post.Title, w.TitleSum):
		return fmt.Errorf("%w: asked for %s, which lists call otherwise than %q", ErrOther, w.ID, post.Title)
	}
	return nil
}

// IsTitleOf reports whether a page's title can be the one that a list shows, of
// which the sum is given (see [news.TitleSum]): without what pages add to it, and
// whichever quotes and dashes either has. It can where one of them is missing.
func IsTitleOf(title string, sum uint32) bool {
	if sum == 0 || news.TitleSum(title) == 0 || isCut([]byte(title)) || len(title) > maxTitle {
		return true
	}
	for _, form := range []string{title, html.UnescapeString(title), straight(title)} {
		if news.TitleSum(form) == sum || undecorated(form, sum) {
			return true
		}
	}
	return false
}

// straight returns a title with the quotes, dashes and colons that every
// editor has.
func straight(title string) string {
	return strings.NewReplacer("“", `"`, "”", `"`, "‘", "'", "’", "'", "：", ":", "，", ",", "！", "!", "？", "?",
		"（", "(", "）", ")", "；", ";", "–", "-", "—", "-").Replace(title)
}

// undecorated reports whether a title has a sum once words in brackets are
// taken off its ends, or the names of site and section.
func undecorated(title string, sum uint32) bool {
	for _, pair := range []string{"【】", "[]", "()", "（）", "〔〕", "「」", "《》"} {
		open, shut := pair[:len(pair)/2], pair[len(pair)/2:]
		if rest, ok := strings.CutPrefix(title, open); ok {
			if _, rest, ok = strings.Cut(rest, shut); ok && news.TitleSum(rest) == sum {
				return true
			}
		}
		if rest, ok := strings.CutSuffix(title, shut); ok {
			if i := strings.LastIndex(rest, open); i >= 0 && news.TitleSum(rest[:i]) == sum {
				return true
			}
		}
	}
	for _, separator := range []string{"|", "｜", "_", "-", "–", "—", "·", ":", "："} {
		for i := 0; i < len(title); {
			n := strings.Index(title[i:], separator)
			if n < 0 {
				break
			}
			if before, after := title[:i+n], title[i+n+len(separator):]; news.TitleSum(before) == sum || news.TitleSum(after) == sum {
				return true
			}
			i += n + len(separator)
		}
	}
	return false
}
