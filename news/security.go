package news

import (
	"fmt"
	"strconv"
	"strings"
)

// Market numbers as Eastmoney writes them.
const (
	MarketShenzhen = 0 // Shenzhen and Beijing
	MarketShanghai = 1
	MarketBoards   = 90 // sectors and concepts: no companies
	MarketNASDAQ   = 105
	MarketNYSE     = 106
	MarketAmerican = 107
	MarketHongKong = 116
)

// Security is something quoted: a company's share, an index, or a board.
type Security struct {
	Market int    `json:"market"`
	Code   string `json:"code"` // 600160, 09988, BABA, BK0493
}

// ParseSecurity reads market and code as 1.600160.
func ParseSecurity(s string) (Security, error) {
	market, code, ok := strings.Cut(s, ".")
	n, err := strconv.Atoi(market)
	if !ok || err != nil || n < 0 || !validCode(code) {
		return Security{}, fmt.Errorf("%q is not a security: want market and code, as 1.600160", s)
	}
	return Security{Market: n, Code: code}, nil
}

// validCode reports whether s can be a code: one to 16 letters, digits, dots,
// hyphens or underscores.
func validCode(s string) bool {
	if len(s) == 0 || len(s) > 16 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !isDigit(c) && !isLetter(c) && c != '.' && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// Board reports whether the security is a sector or concept board.
func (s Security) Board() bool { return s.Market == MarketBoards }

// String returns market and code as 1.600160.
func (s Security) String() string { return strconv.Itoa(s.Market) + "." + s.Code }

// Mention is a security that a post marks up.
type Mention struct {
	Security
	// Name is what the text calls it at the first marked place with a name;
	// a K-line picture tells none.
	Name string `json:"name,omitempty"`
	// Count is the number of marked places: names in the text, and pictures.
	Count int `json:"count"`
}
