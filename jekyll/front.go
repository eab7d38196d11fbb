package jekyll

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/finarc/finarc/news"
)

// front is what a front matter tells of a post, as it is written there.
type front struct {
	title, date, categories, tags, postID, permalink string

	dateKey      bool // there is a date, maybe empty
	dayOnly      bool // of the date only the day counts
	titleDerived bool // the title was made, see [news.Post.Derived]
	liquidOff    bool // Liquid leaves the text alone
}

// Keys beside the mirror's own, see [Marshal].
const (
	postIDKey       = "post_id" // the identity of a post without infoCode
	precisionKey    = "date_precision"
	titleDerivedKey = "title_derived"
	liquidKey       = "render_with_liquid"
)

// value is what a key has.
type value struct {
	text string
	is   bool // it reads as the text that is written, and as nothing else
}

// maxFront bounds what is read as YAML: the mirror's front matters have some two
// hundred bytes.
const maxFront = 64 << 10

// readFront reads a front matter as YAML, or, where it is none, line by line.
func (s *source) readFront(text string) {
	values, err := readYAML(text)
	if err != nil {
		s.fault(FaultYAML)
		values = readLines(text)
	}
	get := func(keys ...string) value {
		for _, key := range keys {
			if v, ok := values[key]; ok {
				return v
			}
		}
		return value{is: true}
	}
	title, category, tag := get("title"), get("categories", "category"), get("tags", "tag")
	_, s.dateKey = values["date"]
	s.title, s.date = strings.TrimSpace(title.text), strings.TrimSpace(get("date").text)
	s.categories, s.tags = strings.TrimSpace(category.text), strings.TrimSpace(tag.text)
	s.postID, s.permalink = get(postIDKey).text, get("permalink").text
	s.dayOnly = get(precisionKey).text == "day"
	s.titleDerived = get(titleDerivedKey).text == "true"
	s.liquidOff = get(liquidKey).text == "false"
	if err != nil {
		return
	}
	if _, twice := values[""]; twice {
		s.fault(FaultTwice)
	}
	if s.title != "" && !title.is {
		s.fault(FaultTitleIs)
	}
	if !category.is || !tag.is {
		s.fault(FaultCategory)
	}
}

// readYAML reads a front matter as what it should be. Where a key stands twice
// there is one of no letters.
func readYAML(text string) (map[string]value, error) {
	if len(text) > maxFront {
		return nil, fmt.Errorf("front matter of %d bytes: want at most %d", len(text), maxFront)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		return nil, err
	}
	values := make(map[string]value)
	if doc.Kind == 0 {
		return values, nil
	}
	top := doc.Content[0]
	if top.Kind != yaml.MappingNode {
		return nil, errors.New("front matter is no mapping")
	}
	if isMarked(top) {
		return nil, errors.New("front matter has tags, anchors or merge keys")
	}
	for i := 0; i+1 < len(top.Content); i += 2 {
		key := top.Content[i].Value
		if _, twice := values[key]; twice || key == "" {
			key, values[""] = top.Content[i].Value, value{}
		}
		values[key] = valueOf(top.Content[i+1])
	}
	return values, nil
}

// isMarked reports whether anything in a node has a tag, an anchor, an alias or
// a merge key: what they stand for differs from one reader to another, and the
// mirror writes none.
func isMarked(n *yaml.Node) bool {
	return n.Style&yaml.TaggedStyle != 0 || n.Anchor != "" || n.Kind == yaml.AliasNode || n.Tag == "!!merge" ||
		slices.ContainsFunc(n.Content, isMarked)
}

// valueOf returns what a key has. Of a list, the texts with spaces between, as
// Jekyll takes a text with spaces for a list.
func valueOf(n *yaml.Node) value {
	switch n.Kind {
	case yaml.ScalarNode:
		return value{n.Value, n.Tag == "!!null" || n.Style != 0 || n.Tag == "!!str" && isBareString(n.Value)}
	case yaml.SequenceNode:
		list := value{is: true}
		var parts []string
		for _, item := range n.Content {
			v := valueOf(item)
			parts = append(parts, v.text)
			list.is = list.is && v.is && item.Kind == yaml.ScalarNode && len(strings.Fields(v.text)) == 1
		}
		list.text = strings.Join(parts, " ")
		return list
	}
	return value{}
}

// isBareString reports whether what YAML 1.2 reads as a text is one to Ruby's
// Psych too, which takes :word for a symbol, and more forms for numbers and times.
func isBareString(s string) bool {
	return s != "" && s[0] != ':' && !looksTyped(s) && strings.Trim(s, "0123456789_.,:+-~=<") != ""
}

// readLines reads a front matter that is no YAML as what the mirror's generator
// pasted together: a key and its value on each line. A line without a key goes
// on with the title before it. Of keys that stand twice the last counts, since
// what was pasted into the title comes first; of titles the first.
func readLines(text string) map[string]value {
	values := make(map[string]value)
	last := ""
	for line := range strings.Lines(text) {
		key, rest, found := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		_, known := values["title"]
		switch {
		case found && isKey(key) && !(key == "title" && known):
			values[key] = value{text: strings.TrimSpace(rest)}
			last = key
		case last == "title":
			values[last] = value{text: strings.TrimSpace(values[last].text + " " + strings.TrimSpace(line))}
		}
	}
	for key, v := range values {
		values[key] = value{text: unquote(v.text)}
	}
	return values
}

// isKey reports whether s is one of the keys that are read.
func isKey(s string) bool {
	switch s {
	case "layout", "title", "date", "categories", "category", "tags", "tag", "permalink",
		postIDKey, precisionKey, titleDerivedKey, liquidKey:
		return true
	}
	return false
}

// unquote takes off the quotes around a value, whatever stands between them, or
// one that is alone at its beginning.
func unquote(s string) string {
	n := len(s)
	if n == 0 || s[0] != '"' && s[0] != '\'' {
		return s
	}
	quote := s[:1]
	switch {
	case n > 1 && s[n-1] == s[0]:
		s = s[1 : n-1]
	case strings.Count(s, quote) == 1:
		s = s[1:]
	default:
		return s
	}
	if quote == `"` {
		s = strings.ReplaceAll(s, `\"`, `"`)
	}
	return s
}

// parseDate reads when a post was published. A time without a zone is one of
// Shanghai, as in the mirror's oldest posts. exact is false for a day alone.
func parseDate(s string) (t time.Time, exact, ok bool) {
	for _, form := range []struct {
		layout string
		exact  bool
	}{
		{dateLayout, true},
		{time.DateTime, true},
		{"2006-01-02 15:04:05 -07:00", true},
		{"2006-01-02T15:04:05Z07:00", true},
		{"2006-01-02T15:04:05", true},
		{"2006-01-02 15:04 -0700", true},
		{"2006-01-02 15:04", true},
		{time.DateOnly, false},
	} {
		t, err := time.ParseInLocation(form.layout, s, news.Shanghai)
		if err == nil && t.Year() >= 1000 {
			return t.In(news.Shanghai).Truncate(time.Second), form.exact, true
		}
	}
	return time.Time{}, false, false
}
