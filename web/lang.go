package web

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/finarc/finarc/news"
	"golang.org/x/text/language"
)

// lang is one of the languages of the pages, and its place in [messages].
type lang int

const (
	chinese lang = iota
	english
)

// tags are the languages as HTML and HTTP call them.
func (l lang) tag() string { return [...]string{chinese: "zh-CN", english: "en"}[l] }

// short is what the switch between them calls one.
func (l lang) short() string { return [...]string{chinese: "zh", english: "en"}[l] }

// langCookie remembers which language somebody chose.
const langCookie = "lang"

// newLangs returns what matches the wishes of a browser with the languages, in their
// order.
func newLangs() language.Matcher {
	return language.NewMatcher([]language.Tag{language.SimplifiedChinese, language.English})
}

// langOf returns the language to answer in: the chosen one, or the one that the
// browser asks for.
func (s *Server) langOf(r *http.Request) lang {
	if c, err := r.Cookie(langCookie); err == nil {
		if l, ok := langNamed(c.Value); ok {
			return l
		}
	}
	wanted, _, err := language.ParseAcceptLanguage(r.Header.Get("Accept-Language"))
	if err != nil {
		return chinese
	}
	_, i, _ := s.langs.Match(wanted...)
	return lang(i)
}

func langNamed(name string) (lang, bool) {
	for _, l := range []lang{chinese, english} {
		if l.short() == name {
			return l, true
		}
	}
	return chinese, false
}

// langTime is for how long a choice is remembered.
const langTime = 365 * 24 * time.Hour

// chooseLang answers a request that chooses a language: it is remembered, and the
// page asked for without the choice.
func chooseLang(w http.ResponseWriter, r *http.Request) (chosen bool) {
	query := r.URL.Query()
	l, ok := langNamed(query.Get("lang"))
	if !ok {
		return false
	}
	http.SetCookie(w, &http.Cookie{
		Name: langCookie, Value: l.short(), Path: "/", MaxAge: int(langTime.Seconds()),
		HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
	query.Del("lang")
	w.Header().Set("Location", here(r.URL.Path, query))
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusSeeOther)
	return true
}

// here returns the address of a page of this server. A path with two slashes at
// its beginning would name another host.
func here(path string, query url.Values) string {
	u := url.URL{Path: "/" + strings.TrimLeft(path, "/"), RawQuery: query.Encode()}
	return u.String()
}

// say returns a message in a language.
func (l lang) say(m message, args ...any) string {
	if len(args) == 0 {
		return messages[m][l]
	}
	return fmt.Sprintf(messages[m][l], args...)
}

// weekday names the day of the week.
func (l lang) weekday(d news.Day) string {
	return strings.Split(l.say(msgWeekdays), " ")[d.Time().Weekday()]
}
