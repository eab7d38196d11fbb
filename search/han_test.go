package search

import (
	"bytes"
	"flag"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

var unihan = flag.String("unihan", "", "make han.txt anew of this Unihan_Variants.txt")

// TestHan makes han.txt anew, if it is told of what (Debian has the file in
// unicode-data, packed):
//
//	go test ./search -run TestHan -unihan Unihan_Variants.txt
func TestHan(t *testing.T) {
	if *unihan == "" {
		t.Skip("-unihan FILE names what han.txt is to be made of")
	}
	source, err := os.ReadFile(*unihan)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("han.txt", hanTable(t, string(source)), 0o644); err != nil {
		t.Fatal(err)
	}
}

// hanTable joins what Unihan names as simplified or traditional variants of each
// other.
func hanTable(t *testing.T, source string) []byte {
	t.Helper()
	first := make(map[rune]rune)
	find := func(r rune) rune {
		for first[r] != 0 && first[r] != r {
			r = first[r]
		}
		return r
	}
	for line := range strings.Lines(source) {
		parts := strings.Split(strings.TrimSpace(line), "\t")
		if len(parts) != 3 || parts[1] != "kSimplifiedVariant" && parts[1] != "kTraditionalVariant" {
			continue
		}
		for _, other := range strings.Fields(parts[2]) {
			a, b := find(codePoint(t, parts[0])), find(codePoint(t, other))
			first[max(a, b)] = min(a, b)
		}
	}
	classes := make(map[rune][]rune)
	for r := range first {
		one := find(r)
		classes[one] = append(classes[one], r)
	}
	var ones []rune
	for one := range classes {
		ones = append(ones, one)
	}
	slices.Sort(ones)
	var out bytes.Buffer
	for _, one := range ones {
		rest := slices.DeleteFunc(classes[one], func(r rune) bool { return r == one })
		if slices.Sort(rest); len(rest) > 0 {
			out.WriteString(string(one) + string(rest) + "\n")
		}
	}
	return out.Bytes()
}

func codePoint(t *testing.T, s string) rune {
	t.Helper()
	n, err := strconv.ParseInt(strings.TrimPrefix(s, "U+"), 16, 32)
	if err != nil {
		t.Fatal(err)
	}
	return rune(n)
}

func TestHanTableIsOne(t *testing.T) {
	seen := make(map[rune]bool)
	lines := 0
	for line := range strings.Lines(hanVariants) {
		lines++
		for _, r := range strings.TrimSpace(line) {
			if seen[r] || !unicode.Is(unicode.Han, r) {
				t.Errorf("%c (%U) is there twice, or no Chinese character", r, r)
			}
			seen[r] = true
		}
	}
	if lines < 6000 {
		t.Errorf("%d lines", lines)
	}
}

func TestFold(t *testing.T) {
	f := newFolder()
	for _, c := range []struct{ a, b string }{
		{"機場", "机场"}, {"發展", "发展"}, {"頭髮", "头发"}, {"臺灣", "台湾"}, {"證券", "证券"}, {"後來", "后来"},
		{"ＥＴＦ", "etf"}, {"ＬＯＧ４Ｊ２", "log4j2"}, {"６００１６０", "600160"}, {"５％", "5%"}, {"（港股）", "(港股)"},
		{"A　B\tC", "abc"}, {"ｶﾌﾞ", "カフ\u3099"}, {"股\u200b票", "股票"},
	} {
		if a, b := string(f.word(c.a)), string(f.word(c.b)); a != b {
			t.Errorf("%q becomes %q, and %q %q", c.a, a, c.b, b)
		}
	}
	for _, c := range []struct{ a, b string }{{"银行", "很行"}, {"12", "13"}, {"5%", "5"}} {
		if string(f.word(c.a)) == string(f.word(c.b)) {
			t.Errorf("%q and %q become one", c.a, c.b)
		}
	}
	for r := range rune(unicode.MaxRune) {
		if once := f.fold(r); f.fold(once) != once {
			t.Errorf("%U becomes %U, and that %U", r, once, f.fold(once))
		}
	}
}
