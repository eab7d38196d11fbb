package securities

import (
	"strings"

	"github.com/finarc/finarc/news"
)

// anyMarket stands where a form does not tell the market: it is that of a known
// security with the code.
const anyMarket = -1

// suffixes are what follows a code and a dot, by the market that they tell.
var suffixes = map[string]int{
	"SH": news.MarketShanghai, "SS": news.MarketShanghai, "SZ": news.MarketShenzhen, "BJ": news.MarketShenzhen,
	"HK": news.MarketHongKong, "O": news.MarketNASDAQ, "OQ": news.MarketNASDAQ, "N": news.MarketNYSE, "US": anyMarket,
}

// prefixes stand before a code, with or without a dot or colon.
var prefixes = map[string]int{
	"SH": news.MarketShanghai, "SZ": news.MarketShenzhen, "BJ": news.MarketShenzhen, "HK": news.MarketHongKong,
}

// exchanges stand before a colon and a code.
var exchanges = []struct {
	name   string
	market int
}{
	{"NYSE AMERICAN", news.MarketAmerican}, {"NYSE", news.MarketNYSE}, {"NASDAQ", news.MarketNASDAQ}, {"AMEX", news.MarketAmerican},
	{"HKEX", news.MarketHongKong}, {"SEHK", news.MarketHongKong}, {"SSE", news.MarketShanghai}, {"SZSE", news.MarketShenzhen},
	{"BSE", news.MarketShenzhen}, {"US", anyMarket},
	{"纽约证券交易所", news.MarketNYSE}, {"纽交所", news.MarketNYSE}, {"纳斯达克", news.MarketNASDAQ}, {"美股", anyMarket},
	{"港交所", news.MarketHongKong}, {"联交所", news.MarketHongKong}, {"港股", news.MarketHongKong},
	{"上交所", news.MarketShanghai}, {"深交所", news.MarketShenzhen}, {"北交所", news.MarketShenzhen},
}

// labels stand before a code that is called one.
var labels = []string{"股票代码", "证券代码", "股份代号", "股票代号", "公司代码"}

// Lengths of codes, in digits.
const (
	mainlandDigits = 6
	hongKongDigits = 5
	boardDigits    = 4
	maxTicker      = 5 // letters
)

// coder finds codes in a text.
type coder struct {
	*Finder
	text   []rune // as it is written
	folded []rune
	listed int // where another code of the same brackets may stand
}

// code is a code in a text.
type code struct {
	news.Security
	from, to int
}

// codeAt returns the code that begins at offset i in one of the usual forms, or
// behind the name of an exchange that does.
func (c *coder) codeAt(i int) (code, bool) {
	switch r := c.folded[i]; {
	case c.goesOn(i):
	case isDigit(r):
		if s, to, ok := c.withSuffix(i); ok {
			return code{s, i, to}, true
		}
		return c.bare(i)
	case isLetter(r):
		for _, form := range []func(int) (news.Security, int, bool){c.withPrefix, c.board, c.ofExchange, c.withSuffix} {
			if s, to, ok := form(i); ok {
				return code{s, i, to}, true
			}
		}
	case r == '纽' || r == '纳' || r == '美' || r == '港' || r == '联' || r == '上' || r == '深' || r == '北':
		s, to, ok := c.ofExchange(i)
		return code{s, i, to}, ok
	}
	return code{}, false
}

// goesOn reports whether what stands at i belongs to the word or number before it.
func (c *coder) goesOn(i int) bool {
	return i > 0 && isWord(c.folded[i]) && (isWord(c.folded[i-1]) || c.folded[i-1] == '.')
}

// withSuffix reads 600160.SH, 9988.HK, BABA.US.
func (c *coder) withSuffix(i int) (s news.Security, to int, ok bool) {
	dot := c.run(i, isDigit)
	letters := dot == i
	if letters {
		dot = c.run(i, isLetter)
	}
	if dot >= len(c.folded) || c.folded[dot] != '.' {
		return s, 0, false
	}
	to = c.run(dot+1, isWord)
	market, known := suffixes[string(c.folded[dot+1:to])]
	if !known || letters == (market >= 0 && market <= news.MarketShanghai || market == news.MarketHongKong) {
		return s, 0, false
	}
	if letters && dot-i == 1 && market != anyMarket { // as in "U.N"
		return s, 0, false
	}
	s, ok = c.security(market, i, dot)
	return s, to, ok
}

// withPrefix reads SH600160, HK:09988.
func (c *coder) withPrefix(i int) (s news.Security, to int, ok bool) {
	from := c.run(i, isLetter)
	market, known := prefixes[string(c.folded[i:from])]
	if !known {
		return s, 0, false
	}
	apart := from < len(c.folded) && (c.folded[from] == '.' || c.folded[from] == ':')
	if apart {
		from++
	}
	to = c.run(from, isDigit)
	if market == news.MarketHongKong && !apart && to-from != hongKongDigits || c.inWord(to) {
		return s, 0, false
	}
	s, ok = c.security(market, from, to)
	return s, to, ok
}

// board reads BK0493, if there is such a board.
func (c *coder) board(i int) (s news.Security, to int, ok bool) {
	if !hasAt(c.folded, i, "BK") {
		return s, 0, false
	}
	to = c.run(i+2, isDigit)
	s = news.Security{Market: news.MarketBoards, Code: string(c.folded[i:to])}
	return s, to, to == i+2+boardDigits && !c.inWord(to) && c.codes[s]
}

// ofExchange reads NYSE:BABA, 纳斯达克：BIDU, 港交所: 9988.
func (c *coder) ofExchange(i int) (s news.Security, to int, ok bool) {
	for _, e := range exchanges {
		if !hasAt(c.folded, i, e.name) {
			continue
		}
		from := i + len([]rune(e.name))
		if from >= len(c.folded) || c.folded[from] != ':' {
			continue
		}
		from = c.run(from+1, func(r rune) bool { return r == ' ' })
		to = c.run(from, isWord)
		s, ok = c.security(e.market, from, to)
		return s, to, ok
	}
	return s, 0, false
}

// security returns the security of a market that is written from one offset to
// another. Codes of letters are written in upper case.
func (c *coder) security(market, from, to int) (news.Security, bool) {
	text := string(c.folded[from:to])
	digits := c.run(from, isDigit) - from
	s := news.Security{Market: market, Code: text}
	switch market {
	case news.MarketShanghai, news.MarketShenzhen:
		return s, digits == mainlandDigits && to-from == digits
	case news.MarketHongKong:
		if digits == 0 || digits > hongKongDigits || to-from != digits || strings.Trim(text, "0") == "" {
			return s, false
		}
		s.Code = strings.Repeat("0", hongKongDigits-digits) + text
		return s, true
	}
	if to == from || to-from > maxTicker || c.run(from, isLetter) != to || string(upper(c.text[from:to])) != text {
		return s, false
	}
	if market != anyMarket {
		return s, true
	}
	for _, s.Market = range []int{news.MarketNASDAQ, news.MarketNYSE, news.MarketAmerican} {
		if c.codes[s] {
			return s, true
		}
	}
	return s, false
}

// upper returns letters that are written in upper case, of half width.
func upper(text []rune) []rune {
	folded := fold(text)
	for i, r := range text {
		if r >= 'a' && r <= 'z' || r >= 'ａ' && r <= 'ｚ' {
			folded[i] = r
		}
	}
	return folded
}

// bare reads a number that is a code by where it stands: alone in brackets and known
// as a code, or behind a word that says so. Elsewhere numbers are money and counts.
func (c *coder) bare(i int) (code, bool) {
	to := c.run(i, isDigit)
	if to-i != mainlandDigits && (to-i != hongKongDigits || c.folded[i] != '0') || c.inWord(to) {
		return code{}, false
	}
	labelled := c.labelled(i)
	if !labelled && (!c.opens(i) || !c.closes(to)) {
		return code{}, false
	}
	text := string(c.folded[i:to])
	for _, market := range marketsOf(text) {
		if s := (news.Security{Market: market, Code: text}); c.codes[s] {
			return code{s, i, to}, true
		}
	}
	if labelled {
		return code{news.Security{Market: marketsOf(text)[0], Code: text}, i, to}, true
	}
	return code{}, false
}

// marketsOf returns the markets that a code of digits can be of, the likelier first.
func marketsOf(code string) []int {
	switch {
	case len(code) == hongKongDigits:
		return []int{news.MarketHongKong}
	case code[0] == '6' || code[0] == '5' || code[0] == '9' && !strings.HasPrefix(code, "92"):
		return []int{news.MarketShanghai, news.MarketShenzhen}
	}
	return []int{news.MarketShenzhen, news.MarketShanghai}
}

// labelled reports whether a word that says that a code follows stands before i.
func (c *coder) labelled(i int) bool {
	i = c.back(i)
	if i > 0 && c.folded[i-1] == ':' {
		i = c.back(i - 1)
	}
	for _, l := range labels {
		if at := i - len([]rune(l)); at >= 0 && hasAt(c.folded, at, l) {
			return true
		}
	}
	return false
}

// back returns the offset before i behind which there are only spaces.
func (c *coder) back(i int) int {
	for i > 0 && c.folded[i-1] == ' ' {
		i--
	}
	return i
}

// opens reports whether a bracket opens before i, or another code of the same
// brackets stands there.
func (c *coder) opens(i int) bool {
	i = c.back(i)
	if i == 0 {
		return false
	}
	if c.folded[i-1] == '(' {
		return true
	}
	return i == c.listed
}

// closes reports whether what is in brackets ends at i, or goes on with another
// part.
func (c *coder) closes(i int) bool {
	i = c.run(i, func(r rune) bool { return r == ' ' })
	return i < len(c.folded) && strings.ContainsRune("),;/|", c.folded[i])
}

// run returns the offset from i on at which characters of a kind end.
func (c *coder) run(i int, is func(rune) bool) int {
	for i < len(c.folded) && is(c.folded[i]) {
		i++
	}
	return i
}

// inWord reports whether a word or number goes on at i.
func (c *coder) inWord(i int) bool {
	return i < len(c.folded) && (isWord(c.folded[i]) || c.folded[i] == '%' ||
		c.folded[i] == '.' && i+1 < len(c.folded) && isWord(c.folded[i+1]))
}
