package story

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// What outlets put around a text that they took over. Only what no article's own
// sentence looks like is left out.
var (
	// 【沪指收涨1%】: a headline within the text.
	headline = regexp.MustCompile(`^\s*【[^】]{1,80}】`)
	// 据悉，
	leadIn = regexp.MustCompile(`^\s*(?:据悉|据了解|据报道|据介绍|记者获悉|记者了解到|日前|近日)[，,：:]`)
	// 新华社北京12月22日电（记者 王某）, 财联社12月22日讯, 本报讯
	agency = regexp.MustCompile(`^\s*(?:[\p{Han}A-Za-z]{1,16}\s?(?:\d{4}年)?\d{1,2}月\d{1,2}日(?:电|讯|消息)|[\p{Han}A-Za-z]{1,12}(?:讯|消息))` +
		`(?:\s*[（(](?:记者|见习记者|实习记者|通讯员|编辑)[^（）()]{1,40}[）)][，,：:\s]*|[，,：:丨|\s]+)`)
	// (央视新闻), （责任编辑：王某）, （完）: at the end of the last line.
	signed = regexp.MustCompile(`[（(][^（）()0-9]{1,30}[）)]\s*$`)
)

// Lines that begin so say who wrote a text or who is not to blame for it.
var asides = []string{
	"文章来源", "来源：", "来源:", "责任编辑", "责编", "编辑：", "编辑:", "原标题", "作者：", "作者:", "校对", "审核：",
	"免责声明", "风险提示", "特别声明", "声明：", "版权声明", "本文不构成", "投资有风险",
}

// Lines that are nothing else open other reports.
var openings = []string{"相关报道", "相关新闻", "相关阅读", "延伸阅读"}

// clean returns a text without what outlets add: a headline in brackets and an
// agency's line before it, whom it names as source and editor, and disclaimers
// and related reports after it.
func clean(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if opens(line) {
			break
		}
		if line != "" && !isAside(line) {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		return ""
	}
	lines[0] = stripped(strings.Map(narrow, lines[0]), headline, agency, leadIn)
	lines[len(lines)-1] = stripped(lines[len(lines)-1], signed)
	return strings.Join(lines, "\n")
}

// stripped returns a line without what the patterns match, however often.
func stripped(line string, patterns ...*regexp.Regexp) string {
	for {
		shorter := line
		for _, p := range patterns {
			shorter = p.ReplaceAllString(shorter, "")
		}
		if shorter == line {
			return line
		}
		line = shorter
	}
}

// narrow returns a digit of half width for one of full width.
func narrow(r rune) rune {
	if '０' <= r && r <= '９' {
		return r - '０' + '0'
	}
	return r
}

func opens(line string) bool {
	for _, words := range openings {
		if line == words || line == words+"：" {
			return true
		}
	}
	return false
}

// isAside reports whether a line is none of the article's. A source or editor is
// told in few words.
func isAside(line string) bool {
	const few = 200 // characters; more of a disclaimer than that are an article about one
	line = strings.TrimLeft(line, "（(【*＊ \u3000")
	for _, words := range asides {
		if strings.HasPrefix(line, words) {
			return utf8.RuneCountInString(line) <= few
		}
	}
	return false
}
