package jekyll

import (
	"net/url"
	"slices"
	"strings"

	"github.com/finarc/finarc/news"
)

// mend returns the text below the front matter of the file that a post was read
// from, with what is wrong in it mended, and all that is wrong with the file.
func mend(rev *news.Revision, o Options) (text string, faults []string, err error) {
	was := nameOf(rev.URL)
	s, err := parse(was, rev.File)
	if err != nil {
		return "", nil, err
	}
	name, err := FileName(rev)
	if err != nil {
		return "", nil, err
	}
	if name != was && !slices.Contains(s.faults, FaultName) {
		s.fault(FaultName)
	}
	return withShare(s.text, shareLink(rev, o)), s.faults, nil
}

// shareLink returns the link to a post's shared page as Markdown, or "" where
// none is known.
func shareLink(rev *news.Revision, o Options) string {
	share := shareAddress(rev, o)
	if !isAutomatic(share) {
		return ""
	}
	return "<" + share + ">"
}

// shareAddress returns the address of a post's shared page, or "".
func shareAddress(rev *news.Revision, o Options) string {
	if rev.InfoCode == "" || !strings.Contains(o.Share, infoCodeMark) {
		return ""
	}
	return strings.ReplaceAll(o.Share, infoCodeMark, url.QueryEscape(string(rev.InfoCode.News())))
}

// withShare returns a post's text with the link in the place of an empty one.
func withShare(text, link string) string {
	_, f := cutFoot(text)
	if !f.isShare || f.share != "" {
		return text
	}
	before, after := text[:f.at], text[f.at+len("<>"):]
	if link == "" {
		before = strings.TrimRight(before, "\n")
	}
	return before + link + after
}
