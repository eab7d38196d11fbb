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
	return s.withShare(shareLink(rev, o)), s.faults, nil
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

// withShare returns the file's text with the link in the place of an empty one.
func (s *source) withShare(link string) string {
	f := &s.foot
	if !f.isShare || f.share != "" {
		return s.text
	}
	before, after := s.text[:f.at], s.text[f.at+len("<>"):]
	if link == "" {
		before = strings.TrimRight(before, "\n")
	}
	return before + link + after
}
