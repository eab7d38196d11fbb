package config

import (
	"math"
	"math/bits"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// text returns the kind of texts that ok approves of.
func text(want string, ok func(string) bool) kind[string] {
	return kind[string]{
		want:   want,
		parse:  func(s string) (string, bool) { return s, ok(s) },
		format: func(s string) string { return s },
	}
}

func rate() kind[float64] {
	return kind[float64]{
		want: "a number of requests a second: 0, or from 0.001 (one in 17 minutes) to 100000",
		parse: func(s string) (float64, bool) {
			v, err := strconv.ParseFloat(s, 64)
			return v, err == nil && (v == 0 || v >= 0.001 && v <= 100_000)
		},
		format: func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) },
	}
}

func whole(least int) kind[int] {
	return kind[int]{
		want: "a whole number, " + strconv.Itoa(least) + " or more",
		parse: func(s string) (int, bool) {
			v, err := strconv.Atoi(s)
			return v, err == nil && v >= least
		},
		format: strconv.Itoa,
	}
}

func duration() kind[time.Duration] {
	return kind[time.Duration]{
		want: "a duration above 0, as 30s or 2m",
		parse: func(s string) (time.Duration, bool) {
			v, err := time.ParseDuration(s)
			return v, err == nil && v > 0
		},
		format: time.Duration.String,
	}
}

func truth() kind[bool] {
	return kind[bool]{
		want:   "true or false",
		parse:  func(s string) (bool, bool) { return s == "true", s == "true" || s == "false" },
		format: strconv.FormatBool,
	}
}

func size() kind[int64] {
	return kind[int64]{
		want: "a size from 1KiB to 64MiB, as 8MiB or 500KiB",
		parse: func(s string) (int64, bool) {
			v, ok := ParseSize(s)
			return v, ok && v >= 1<<10 && v <= 64<<20
		},
		format: formatSize,
	}
}

// A unit of bytes: of the IEC (KiB is 1024) or of the SI (kB is 1000).
type unit struct {
	name  string
	bytes uint64
}

// units returns the units, the largest of each kind first; the IEC's, in which
// sizes are written, before the SI's.
func units() []unit {
	return []unit{
		{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10},
		{"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}, {"KB", 1e3}, {"B", 1},
	}
}

// ParseSize reads a size as the configuration has it: a whole number of bytes, or of
// a unit of thousands (kB, MB, GB, TB) or of the IEC (KiB, MiB, GiB, TiB).
func ParseSize(s string) (int64, bool) {
	per := uint64(1)
	for _, u := range units() {
		if number, ok := strings.CutSuffix(s, u.name); ok {
			s, per = strings.TrimSpace(number), u.bytes
			break
		}
	}
	n, err := strconv.ParseUint(s, 10, 63)
	over, product := bits.Mul64(n, per)
	return int64(product), err == nil && over == 0 && product <= math.MaxInt64
}

// formatSize writes n bytes in the largest unit of the IEC that says it
// exactly.
func formatSize(n int64) string {
	for _, u := range units() {
		if !strings.HasSuffix(u.name, "iB") {
			break
		}
		if per := int64(u.bytes); n > 0 && n%per == 0 {
			return strconv.FormatInt(n/per, 10) + u.name
		}
	}
	return strconv.FormatInt(n, 10)
}

// isLine reports whether s is text on one line, without what cannot be seen.
func isLine(s string) bool {
	return utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) < 0
}

func isFileName(s string) bool { return s != "" && isLine(s) }

// isContact keeps out what cannot stand in a header (RFC 9110, 5.5), and the
// brackets that would end the comment of the User-Agent (10.1.5).
func isContact(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool {
		return r < ' ' || r > '~' || strings.ContainsRune(`()\`, r)
	}) < 0
}

func isName(s string) bool {
	return s != "" && len(s) <= 64 && isLine(s) && !strings.ContainsAny(s, " ,/")
}

func isSite(s string) bool {
	u, ok := parseAddress(s)
	return ok && u.User == nil && u.RawQuery == "" && !u.ForceQuery
}

// isShareAddress reports whether s is empty or an address with the infoCode's
// place after its host.
func isShareAddress(s string) bool {
	if s == "" {
		return true
	}
	u, ok := parseAddress(strings.ReplaceAll(s, InfoCodeMark, "NW202112222222306968"))
	return ok && u.User == nil && strings.Contains(s, InfoCodeMark) && !strings.Contains(u.Host, "NW202112222222306968")
}

func isHook(s string) bool {
	_, ok := parseAddress(s)
	return s == "" || ok
}

func isProxy(s string) bool {
	u, err := url.Parse(s)
	return s == "" || err == nil && isLine(s) && u.Hostname() != "" &&
		(u.Scheme == "http" || u.Scheme == "https" || u.Scheme == "socks5" || u.Scheme == "socks5h")
}

// isListenAddress reports whether a server can listen on s.
func isListenAddress(s string) bool {
	_, port, err := net.SplitHostPort(s)
	if err != nil || !isLine(s) || strings.ContainsAny(s, " ") {
		return false
	}
	_, err = strconv.ParseUint(port, 10, 16)
	return err == nil
}

// isToken reports whether s can be sent as a bearer token (RFC 6750, 2.1) and is
// too long to be guessed.
func isToken(s string) bool {
	return len(s) >= 16 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=") == ""
}

// isBasic reports whether s is a user and a password that is not guessed at once.
func isBasic(s string) bool {
	user, password, ok := strings.Cut(s, ":")
	return ok && user != "" && utf8.RuneCountInString(password) >= 8 && isLine(s)
}

// areHosts reports whether the names can stand in a Host header, without a port.
func areHosts(names []string) bool {
	for _, name := range names {
		if name == "" || !isLine(name) || strings.ContainsAny(name, " ,:/[]") {
			return false
		}
	}
	return true
}

func isNotifyTime(s string) bool { return s == NotifyFailure || s == NotifyAlways }

func parseAddress(s string) (*url.URL, bool) {
	u, err := url.Parse(s)
	ok := err == nil && isLine(s) && !strings.ContainsAny(s, " #") &&
		(u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != ""
	return u, ok
}

// areCategories reports whether the names are different and each can name a
// category page. A comma would part it in the environment.
func areCategories(names []string) bool {
	seen := make(map[string]bool, len(names))
	for _, name := range names {
		if strings.TrimSpace(name) == "" || !isLine(name) || strings.ContainsAny(name, ",/") || seen[name] {
			return false
		}
		seen[name] = true
	}
	return true
}
