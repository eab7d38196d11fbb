package jekyll

import (
	"errors"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/finarc/finarc/news"
)

// ErrNoFrontMatter: a file does not begin with a front matter, so it is no post.
var ErrNoFrontMatter = errors.New("no front matter")

// What can be wrong with a post's file, so that Jekyll makes nothing of it, or
// not what was meant.
const (
	FaultYAML     = "front matter is no YAML"
	FaultUnclosed = "front matter has no end"
	FaultTwice    = "a key stands twice"
	FaultTitle    = "no title"
	FaultTitleIs  = "title reads as something else than text"
	FaultDate     = "no date"
	FaultDateIs   = "date is no time"
	FaultCategory = "category or tag reads as something else than text"
	FaultAddress  = "category cannot stand in an address"
	FaultLink     = "empty link"
	FaultLiquid   = "Liquid would read the text"
	FaultBytes    = "bytes that are no UTF-8"
	FaultName     = "file name is no post's"
)

// source is a post's file taken apart.
type source struct {
	front
	text    string // below the front matter, in UTF-8, with \n at the ends of lines
	article string // of it, what stands above the foot
	foot    footSource
	faults  []string // see the Fault constants
}

// parse takes a post's file apart, whatever is wrong with it. name is the file's.
func parse(name string, data []byte) (*source, error) {
	s := &source{}
	whole := string(data)
	if !utf8.ValidString(whole) {
		s.fault(FaultBytes)
		whole = strings.ToValidUTF8(whole, "\uFFFD")
	}
	head, text, closed, ok := split(unixLines(whole))
	if !ok {
		return nil, ErrNoFrontMatter
	}
	if !closed {
		s.fault(FaultUnclosed)
	}
	s.text = text
	s.article, s.foot = cutFoot(text)
	s.readFront(head)
	s.judge(name)
	return s, nil
}

func (s *source) fault(what string) { s.faults = append(s.faults, what) }

// judge looks for what is wrong beside the front matter's form.
func (s *source) judge(name string) {
	day, slug, named := cutName(name)
	if !named || slug != safeSlug(slug, maxSlug) {
		s.fault(FaultName)
	}
	_, _, dated := parseDate(s.date)
	switch {
	case dated:
	case s.date != "" && strings.Trim(s.date, "+-0123456789 ") == "" && len(s.date) < len("2021-12-22"): // the zone alone
		s.fault(FaultDate)
	case s.date != "":
		s.fault(FaultDateIs)
	case s.dateKey || day == 0:
		s.fault(FaultDate)
	}
	if s.title == "" {
		s.fault(FaultTitle)
	}
	if s.permalink == "" && permalink(&news.Revision{Post: news.Post{Category: s.categories}}) != "" {
		s.fault(FaultAddress)
	}
	if hasLiquid(s.text) && !s.liquidOff {
		s.fault(FaultLiquid)
	}
	if s.foot.isShare && s.foot.share == "" {
		s.fault(FaultLink)
	}
}

// unixLines returns s without byte order mark, and with \n at the ends of lines.
func unixLines(s string) string {
	s = strings.TrimPrefix(s, "\uFEFF")
	if !strings.Contains(s, "\r") {
		return s
	}
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
}

// split cuts a file into its front matter, without the two rules, and the text
// below, as Jekyll's Document::YAML_FRONT_MATTER_REGEXP does. A front matter
// that no rule closes ends with the last of its keys. ok is false where there is
// none.
func split(s string) (front, text string, closed, ok bool) {
	first, rest, _ := strings.Cut(s, "\n")
	if strings.TrimRight(first, " \t") != "---" {
		return "", "", false, false
	}
	keys := 0 // where the lines end that are keys with values
	for at := 0; at < len(rest); {
		line, _, _ := strings.Cut(rest[at:], "\n")
		next := min(len(rest), at+len(line)+1)
		switch strings.TrimRight(line, " \t") {
		case "---", "...":
			return rest[:at], rest[next:], true, true
		}
		if key, _, isKey := strings.Cut(line, ":"); keys == at && isKey && isWord(key) {
			keys = next
		}
		at = next
	}
	return rest[:keys], rest[keys:], false, true
}

// isWord reports whether s can be the name of a key.
func isWord(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz_") == ""
}

// cutName cuts the name of a post's file into its day and its slug. ok is false
// where Jekyll would not take the file for a post; what can be told is told all
// the same.
func cutName(name string) (day news.Day, slug string, ok bool) {
	ext := path.Ext(name)
	stem := strings.TrimSuffix(name, ext)
	if len(stem) > len("2021-12-22-") && stem[len("2021-12-22")] == '-' {
		if day, err := news.ParseDay(stem[:len("2021-12-22")]); err == nil {
			return day, stem[len("2021-12-22-"):], isMarkdownExt(ext)
		}
	}
	return 0, strings.Trim(stem, trimmed), false
}

// isMarkdownExt reports whether files with the suffix are posts. Jekyll knows
// more suffixes of Markdown files; mirrors use the first of these.
func isMarkdownExt(ext string) bool { return ext == ".md" || ext == ".markdown" }
