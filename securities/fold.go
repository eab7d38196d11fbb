package securities

import "unicode"

// fold returns a text as it is compared, character for character: of half width,
// letters in upper case. So places in it are places in the text.
func fold(text []rune) []rune {
	folded := make([]rune, len(text))
	for i, r := range text {
		folded[i] = foldRune(r)
	}
	return folded
}

func foldRune(r rune) rune {
	switch {
	case r >= 'a' && r <= 'z':
		return r - 'a' + 'A'
	case r == '[', r == '［', r == '【', r == '〔':
		return '('
	case r == ']', r == '］', r == '】', r == '〕':
		return ')'
	case r >= '！' && r <= '～': // the full-width forms of ASCII
		return foldRune(r - '！' + '!')
	case r == '、':
		return ','
	case r == '　', r == '\u00a0':
		return ' '
	}
	return r
}

func isDigit(r rune) bool  { return r >= '0' && r <= '9' }
func isLetter(r rune) bool { return r >= 'A' && r <= 'Z' }

// isWord reports whether a folded character is a part of a Latin word or number.
func isWord(r rune) bool {
	return isDigit(r) || isLetter(r) || r > 0x80 && r < 0x2e80 && unicode.IsLetter(r)
}

// hasAt reports whether text has a word at offset i.
func hasAt(text []rune, i int, word string) bool {
	for _, r := range word {
		if i >= len(text) || text[i] != r {
			return false
		}
		i++
	}
	return true
}

// anyAt returns the length of the first of the words that text has at offset i, in
// characters, or 0.
func anyAt(text []rune, i int, words []string) int {
	for _, w := range words {
		if hasAt(text, i, w) {
			return len([]rune(w))
		}
	}
	return 0
}
