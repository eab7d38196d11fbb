package page

import (
	"bytes"
	"time"

	"github.com/finarc/finarc/news"
)

// moved is what an entry of a sitemap tells of when its page last changed.
type moved struct {
	text element // the one that tells it
	at   time.Time
	from int // how many list pages were known when the entry began
}

func (m *moved) startTag(t *tag, lists int) {
	switch string(t.name) {
	case "url":
		m.at, m.from = time.Time{}, lists
	case "lastmod":
		m.text.begin(t.start)
	}
}

// endTag ends the time, or an entry: then the list pages that it named get it.
func (m *moved) endTag(name []byte, lists []news.ListPage) {
	switch string(name) {
	case "lastmod":
		if m.text.open {
			m.at = parseMoved(string(bytes.TrimSpace(m.text.text)))
		}
		m.text.open = false
	case "url":
		for i := min(m.from, len(lists)); i < len(lists); i++ {
			lists[i].Moved = m.at
		}
		m.from = len(lists)
	}
}

// parseMoved reads a time as sitemaps have it (https://www.w3.org/TR/NOTE-datetime,
// to the day at least), in Shanghai; the zero time if it is none. Of a day it is
// the beginning.
func parseMoved(s string) time.Time {
	for _, layout := range [...]string{time.RFC3339, "2006-01-02T15:04Z07:00", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, s, news.Shanghai); err == nil && t.Year() >= 1990 && t.Year() <= 2099 {
			return t.In(news.Shanghai)
		}
	}
	return time.Time{}
}
