package web

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// FuzzParseOriginal: what is taken for an address of the web is one, reads the same
// again, and cannot end the link that it stands in.
func FuzzParseOriginal(f *testing.F) {
	for _, seed := range []string{
		"http://finews.withounder.com/21caijing/2021/12/22/NW202112222222306968.html", "https:/m.example/a%20b?x=1&y=%zz",
		"m.example/x", "HTTP://M.EXAMPLE:80/", "ftp://m.example/", "http://user:pw@m.example/", "http://[::1]:80/?>\"", "://", "",
		strings.Repeat("\xa5", 1000), // three times as long when it is written
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		u, err := parseOriginal(text)
		if err != nil {
			return
		}
		if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
			t.Fatalf("%q is taken for %+v", text, u)
		}
		link := linkTarget(u.String())
		if strings.ContainsAny(link, "<>\" \r\n") {
			t.Errorf("%q: a link to %q", text, link)
		}
		again, err := parseOriginal(u.String())
		if err != nil || resource(again) != resource(u) {
			t.Errorf("%q reads as %q, and that as %v, %v", text, u, again, err)
		}
	})
}

// FuzzAcceptDatetime: a time that is taken is written as it was.
func FuzzAcceptDatetime(f *testing.F) {
	now := time.Unix(1640140635, 0)
	for _, seed := range []string{"", "Wed, 22 Dec 2021 02:37:15 GMT", "Wed, 22 Dec 2021 02:37:15 UTC", "Wednesday, 22-Dec-21 02:37:15 GMT", "now"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := parseAcceptDatetime(text, now)
		if err != nil || text == "" {
			return
		}
		if got.Location() != time.UTC || !strings.HasSuffix(text, "GMT") {
			t.Errorf("%q is taken for %s", text, got)
		}
		if _, err := time.Parse(http.TimeFormat, httpTime(got)); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	})
}
