package page

import (
	"strings"
	"time"

	"github.com/finarc/finarc/news"
)

// findTime returns the first date with a time of day in text, as Shanghai
// time: 2021-12-22 10:37:15, 2021/12/22 10:37, 2021-12-22T10:37:15+08:00 or
// 2021年12月22日 10:37. A date without a time of day is none.
func findTime(text string) (time.Time, bool) {
	for i := 0; i < len(text); i++ {
		if !isASCIIDigit(text[i]) {
			continue
		}
		r := timeReader{rest: text[i:]}
		if t, ok := r.read(); ok {
			return t, true
		}
		for i+1 < len(text) && isASCIIDigit(text[i+1]) {
			i++ // a time does not begin within a number
		}
	}
	return time.Time{}, false
}

// hasDate reports whether a date with a time of day is in text.
func hasDate(text string) bool {
	_, ok := findTime(text)
	return ok
}

// timeReader reads the parts of a time from the front of rest. Once a part is
// missing, everything after it is.
type timeReader struct {
	rest   string
	failed bool
}

func (r *timeReader) read() (time.Time, bool) {
	year := r.number(4, 4)
	r.oneOf("-", "/", "年", ".")
	month := r.number(1, 2)
	r.oneOf("-", "/", "月", ".")
	day := r.number(1, 2)
	r.accept("日")
	r.space()
	hour := r.number(1, 2)
	r.oneOf(":", "：", "时")
	minute := r.number(2, 2)
	second := r.seconds()
	zone := r.zone()
	if r.failed || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, false
	}
	if d := news.Day(year*10000 + month*100 + day); month < 1 || day < 1 || !d.Valid() {
		return time.Time{}, false
	}
	return time.Date(year, time.Month(month), day, hour, minute, second, 0, zone).In(news.Shanghai), true
}

// number reads a number of least to most digits.
func (r *timeReader) number(least, most int) int {
	n, length := 0, 0
	for length < len(r.rest) && isASCIIDigit(r.rest[length]) && length < most {
		n = n*10 + int(r.rest[length]-'0')
		length++
	}
	r.failed = r.failed || length < least
	r.rest = r.rest[length:]
	return n
}

// oneOf reads one of several separators.
func (r *timeReader) oneOf(separators ...string) {
	for _, s := range separators {
		if r.accept(s) {
			return
		}
	}
	r.failed = true
}

// accept reads s if it comes next.
func (r *timeReader) accept(s string) bool {
	rest, ok := strings.CutPrefix(r.rest, s)
	r.rest = rest
	return ok
}

// space reads what stands between a date and a time of day.
func (r *timeReader) space() {
	if !r.accept("T") {
		r.rest = strings.TrimLeft(r.rest, " \t\r\n\u00A0\u3000")
	}
}

// seconds reads the seconds, with any fraction of them, if there are any.
func (r *timeReader) seconds() int {
	if !r.accept(":") && !r.accept("：") && !r.accept("分") || r.rest == "" || !isASCIIDigit(r.rest[0]) {
		return 0
	}
	n := r.number(2, 2)
	if len(r.rest) > 1 && r.rest[0] == '.' && isASCIIDigit(r.rest[1]) {
		r.rest = strings.TrimLeft(r.rest[1:], "0123456789")
	}
	return n
}

// zone reads the zone that a machine's time carries: Z, +08:00 or +0800.
// Without one it is Shanghai's.
func (r *timeReader) zone() *time.Location {
	if r.accept("Z") {
		return time.UTC
	}
	r.accept(" ")
	if len(r.rest) < 5 || r.rest[0] != '+' && r.rest[0] != '-' {
		return news.Shanghai
	}
	for _, layout := range []string{"-0700", "-07:00"} {
		if len(r.rest) < len(layout) {
			continue
		}
		if t, err := time.ParseInLocation(layout, r.rest[:len(layout)], time.UTC); err == nil {
			return t.Location()
		}
	}
	return news.Shanghai
}
