package web

import (
	"html/template"
	"net/url"
	"strconv"
	"time"

	"github.com/finarc/finarc/news"
)

// view is what a template sees.
type view struct {
	lang     lang
	Title    string
	Template string
	path     string
	query    url.Values
	Page     any
}

// Lang is the page's language, as HTML calls it.
func (v *view) Lang() string { return v.lang.tag() }

// English reports whether the page is in English.
func (v *view) English() bool { return v.lang == english }

// T returns a message.
func (v *view) T(m message, args ...any) string { return v.lang.say(m, args...) }

// In returns the address of this page in another language.
func (v *view) In(short string) string {
	query := url.Values{}
	for k, values := range v.query {
		query[k] = values
	}
	query.Set("lang", short)
	return here(v.path, query)
}

// With returns the view of a part of the page.
func (v *view) With(part any) *view {
	of := *v
	of.Page = part
	return &of
}

// Query returns a value of the request's query.
func (v *view) Query(key string) string { return v.query.Get(key) }

// Num writes a number with its thousands apart.
func (v *view) Num(n any) string {
	digits := ""
	switch n := n.(type) {
	case int:
		digits = strconv.Itoa(n)
	case int64:
		digits = strconv.FormatInt(n, 10)
	case uint64:
		digits = strconv.FormatUint(n, 10)
	}
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// Moment writes a time in Shanghai, to the second.
func (v *view) Moment(t time.Time) template.HTML { return stamp(t, "2006-01-02 15:04:05") }

// Clock writes the time of day in Shanghai.
func (v *view) Clock(t time.Time) template.HTML { return stamp(t, "15:04") }

// DayAndClock writes a time in Shanghai, to the minute.
func (v *view) DayAndClock(t time.Time) template.HTML { return stamp(t, "2006-01-02 15:04") }

// Percent returns a share in percent.
func (v *view) Percent(share float64) float64 { return 100 * share }

// stamp writes a time in Shanghai, with what programs read of it; a dash for none.
func stamp(t time.Time, form string) template.HTML {
	if t.IsZero() {
		return "–"
	}
	t = t.In(news.Shanghai)
	return template.HTML(`<time datetime="` + t.Format(time.RFC3339) + `">` + t.Format(form) + `</time>`)
}

// Weekday names the day of the week.
func (v *view) Weekday(d news.Day) string { return v.lang.weekday(d) }

// DayHref, PostHref, CategoryHref and SecurityHref are the addresses of pages.
func (v *view) DayHref(d news.Day) string             { return "/day/" + d.String() }
func (v *view) PostHref(id news.ID) string            { return postHref(id) }
func (v *view) CategoryHref(name string) string       { return categoryHref(name) }
func (v *view) SecurityHref(sec news.Security) string { return securityHref(sec) }

func categoryHref(name string) string { return "/category/" + url.PathEscape(name) }

func postHref(id news.ID) string { return "/post/" + url.PathEscape(string(id)) }

func securityHref(sec news.Security) string { return "/security/" + url.PathEscape(sec.String()) }
