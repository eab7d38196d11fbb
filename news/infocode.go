package news

import (
	"crypto/sha256"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// InfoCode names one article of the wire: two upper-case letters for its kind
// (NW is news), the day as yyyymmdd, and a ten-digit serial that rises with
// time. The kind is missing where only the 18 digits were seen, as in
// Eastmoney's own article addresses; both spellings are one article, so
// compare the results of [InfoCode.ID], never the codes.
type InfoCode string

const codeDigits = 18

// ParseInfoCode reads an infoCode in either spelling and any letter case.
func ParseInfoCode(s string) (InfoCode, error) {
	code, start, end := scanInfoCode(s)
	if code == "" || start != 0 || end != len(s) {
		return "", fmt.Errorf("%q is not an infoCode: want two letters and 18 digits that begin with a day, as NW202112222222306968", s)
	}
	return code, nil
}

// FindInfoCode returns the first infoCode that stands in s, in any spelling.
// The digits must stand alone: a longer number holds no infoCode.
func FindInfoCode(s string) (InfoCode, bool) {
	code, _, _ := scanInfoCode(s)
	return code, code != ""
}

// scanInfoCode finds the first infoCode in s and the bytes that it takes.
func scanInfoCode(s string) (code InfoCode, start, end int) {
	for i := 0; i < len(s); {
		if !isDigit(s[i]) {
			i++
			continue
		}
		end = i
		for end < len(s) && isDigit(s[end]) {
			end++
		}
		if end-i == codeDigits && dayOfDigits(s[i:]).Valid() {
			start = i - len(kindBefore(s[:i]))
			return InfoCode(strings.ToUpper(s[start:end])), start, end
		}
		i = end
	}
	return "", 0, 0
}

// kindBefore returns the two letters at the end of s if they stand alone.
func kindBefore(s string) string {
	n := len(s)
	if n < 2 || !isLetter(s[n-1]) || !isLetter(s[n-2]) || n > 2 && (isLetter(s[n-3]) || isDigit(s[n-3])) {
		return ""
	}
	return s[n-2:]
}

func isDigit(c byte) bool  { return '0' <= c && c <= '9' }
func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func dayOfDigits(s string) Day {
	n, err := strconv.Atoi(s[:8])
	if err != nil {
		return 0
	}
	return Day(n)
}

// Kind returns the code's two letters, or "" where they are not known.
func (c InfoCode) Kind() string { return string(c[:max(0, len(c)-codeDigits)]) }

// Digits returns the 18 digits that all spellings share.
func (c InfoCode) Digits() string { return string(c[max(0, len(c)-codeDigits):]) }

// ID returns the identity that all spellings of the code share.
func (c InfoCode) ID() ID { return ID(c.Digits()) }

// Day returns the day that the code itself proves.
func (c InfoCode) Day() Day { return c.ID().Day() }

// News returns the code with its letters, taking NW where they are not known:
// the spelling under which a NewsShare page is asked for.
func (c InfoCode) News() InfoCode {
	if c == "" || c.Kind() != "" {
		return c
	}
	return "NW" + c
}

// ID is the identity of a post: the 18 digits of its infoCode, or, for the few
// pages that have none, their day (yyyymmdd, zeros where not known), a hyphen
// and 16 hexadecimal digits made from their address. IDs sort by day.
type ID string

// PageID returns the identity of a page without infoCode, from its address:
// host and path, so that http and https, and any query, are one page.
func PageID(day Day, u *url.URL) ID {
	sum := sha256.Sum256([]byte(strings.ToLower(u.Host) + u.EscapedPath()))
	return ID(fmt.Sprintf("%08d-%x", int(day), sum[:8]))
}

// ParseID reads an identity as a person may give it: an infoCode in any
// spelling, an address that holds one, or the ID of a page without infoCode.
func ParseID(s string) (ID, error) {
	if id := ID(s); id.valid() {
		return id, nil
	}
	if code, ok := FindInfoCode(s); ok {
		return code.ID(), nil
	}
	return "", fmt.Errorf("%q names no post: want an infoCode such as NW202112222222306968, an address that holds one, or an ID that finarc list shows", s)
}

// Day returns the day that the identity proves, or no day.
func (id ID) Day() Day {
	if len(id) < 8 {
		return 0
	}
	if d := dayOfDigits(string(id)); d.Valid() {
		return d
	}
	return 0
}

// HasCode reports whether the identity is an infoCode's.
func (id ID) HasCode() bool { return len(id) == codeDigits && !strings.Contains(string(id), "-") }

func (id ID) valid() bool {
	if len(id) == codeDigits {
		return strings.Trim(string(id), "0123456789") == "" && id.Day() != 0
	}
	day, hash, ok := strings.Cut(string(id), "-")
	return ok && len(day) == 8 && len(hash) == 16 &&
		strings.Trim(day, "0123456789") == "" && strings.Trim(hash, "0123456789abcdef") == ""
}
