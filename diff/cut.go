package diff

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The pieces of a cut are together the text, byte for byte, whatever it is made
// of: bytes that are no UTF-8 are pieces of their own.

// cutLines cuts a text after each line feed.
func cutLines(text string) []string { return slices.Collect(strings.Lines(text)) }

// sentenceEnds end a sentence; closers after them belong to it.
const (
	sentenceEnds = "。！？；!?;"
	closers      = "”’」』）)】》\""
)

// cutSentences cuts a text after each sentence. A line feed is a piece of its
// own, so that a last paragraph is the same with and without it.
func cutSentences(text string) []string {
	var pieces []string
	for text != "" {
		n := sentence(text)
		pieces = append(pieces, text[:n])
		text = text[n:]
	}
	return pieces
}

// sentence returns the length of the sentence with which a text begins.
func sentence(text string) int {
	if text[0] == '\n' {
		return 1
	}
	ended := false
	for i, r := range text {
		switch {
		case r == '\n', ended && !strings.ContainsRune(sentenceEnds+closers, r):
			return i
		case strings.ContainsRune(sentenceEnds, r):
			ended = true
		}
	}
	return len(text)
}

// cutWords cuts a text into what is read as one: a number with its unit
// (12.5%, 3.2亿元, 2024年), a word of another script (COVID-19), a run of
// spaces, and else one character.
func cutWords(text string) []string {
	var pieces []string
	for text != "" {
		n := word(text)
		n += prefix(text[n:], unicode.IsMark)
		pieces = append(pieces, text[:n])
		text = text[n:]
	}
	return pieces
}

// word returns the length of the word with which a text begins.
func word(text string) int {
	r, size := utf8.DecodeRuneInString(text)
	switch {
	case unicode.IsDigit(r):
		return number(text)
	case isLetter(r):
		return letters(text)
	case isGap(r):
		return prefix(text, isGap)
	}
	return size
}

// Magnitudes and units that follow a number. Of the units the longer ones come
// first where one begins like another.
const magnitudes = "十百千万亿兆"

var units = []string{
	"%", "％", "‰", "个百分点", "百分点", "个基点", "基点",
	"美元", "港元", "欧元", "日元", "英镑", "元", "点", "倍", "股", "手", "吨", "公里", "平方米", "平方公里",
	"年", "月", "日", "时", "分", "秒", "号", "家", "人", "名", "位", "个", "件", "只", "次",
}

// number returns the length of the number with which a text begins, with its
// unit. Codes that begin with a digit (5G, 3nm) are numbers too.
func number(text string) int {
	n := joined(text, unicode.IsDigit, ".,:")
	if letters := prefix(text[n:], func(r rune) bool { return isLetter(r) || unicode.IsDigit(r) }); letters > 0 {
		return n + letters
	}
	n += prefix(text[n:], func(r rune) bool { return strings.ContainsRune(magnitudes, r) })
	for _, u := range units {
		if strings.HasPrefix(text[n:], u) {
			return n + len(u)
		}
	}
	return n
}

// letters returns the length of the word of letters with which a text begins:
// iPhone15, COVID-19, S&P.
func letters(text string) int {
	return joined(text, func(r rune) bool {
		return isLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r)
	}, "-.'&")
}

// joined returns the length of the longest start of a text that consists of
// what is in, and of single joints between two such.
func joined(text string, in func(rune) bool, joints string) int {
	n := prefix(text, in)
	for n < len(text) && strings.IndexByte(joints, text[n]) >= 0 {
		more := prefix(text[n+1:], in)
		if more == 0 {
			break
		}
		n += 1 + more
	}
	return n
}

// prefix returns the length of the longest start of a text that consists of
// what is in.
func prefix(text string, in func(rune) bool) int {
	for i, r := range text {
		if !in(r) {
			return i
		}
	}
	return len(text)
}

// isLetter reports whether r is a letter of a script that has words of letters.
func isLetter(r rune) bool {
	return unicode.IsLetter(r) && !unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana)
}

// isGap reports whether r separates words within a line.
func isGap(r rune) bool { return r != '\n' && unicode.IsSpace(r) }
