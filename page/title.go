package page

import (
	"bytes"
	"hash/crc32"
	"unicode"
	"unicode/utf8"

	"github.com/finarc/finarc/news"
)

// linkTitle takes the text of a link that leads to a found post. It is taken
// for the post's title only where it is surely that and nothing else: what is
// wrongly taken for one makes the post's page look like another's.
type linkTitle struct {
	open bool
	at   int // in Page.Found
	text []byte
}

// begin opens the link to the post at a place in [Page.Found].
func (t *linkTitle) begin(at int) { t.open, t.at, t.text = true, at, nil }

// spoil gives the link up.
func (t *linkTitle) spoil() { t.open = false }

// startTag gives up a link that holds more than words: a heading and a digest,
// a time, a number of readers.
func (t *linkTitle) startTag(name []byte) {
	switch string(name) {
	case "b", "strong", "i", "em", "u", "font", "mark", "img":
	default:
		t.open = false
	}
}

// textToken takes the scanner's current text.
func (t *linkTitle) textToken(s *scanner) {
	if raw := s.raw(); bytes.IndexByte(raw, '&') < 0 {
		t.append(raw)
	} else {
		t.append(bytes.Clone(s.text()))
	}
}

// append adds a text that stays as it is. Most titles are one.
func (t *linkTitle) append(text []byte) {
	switch {
	case t.text == nil:
		t.text = text[:len(text):len(text)]
	case len(t.text) <= maxTitle:
		t.text = append(t.text, text...)
	}
}

// end returns the sum of the link's title, see [news.TitleSum], or 0 where its
// text is none.
func (t *linkTitle) end() uint32 {
	t.open = false
	if !isTitle(t.text) {
		return 0
	}
	return titleSum(t.text)
}

// maxTitle is the length in bytes above which a link's text is no title.
const maxTitle = 1 << 10

// maxGuide is the length in bytes of the longest words that guide a reader.
const maxGuide = len("点击查看全文")

// isTitle reports whether a link's text is a title: not an address, nor words
// that guide a reader, nor what a list cut short or put a time to.
func isTitle(text []byte) bool {
	text = bytes.TrimSpace(text)
	if len(text) == 0 || len(text) > maxTitle {
		return false
	}
	first, last := text[0], text[len(text)-1]
	switch {
	case isASCIIDigit(first) && hasClock(text[:min(len(text), len("2006-01-02 15:04"))]),
		isASCIIDigit(last) && hasClock(text[max(0, len(text)-len("15:04:05")):]):
		return false
	case last == '.' || last == 0xA6 || last == 0x82 || last == ']' || last == ')' || last == '>' || last == 0xBB:
		if isCut(text) {
			return false
		}
	}
	if len(text) <= maxGuide && isGuide(text) {
		return false
	}
	return !isAddress(text) && !bytes.HasPrefix(text, []byte(backWord))
}

// hasClock reports whether a time of day is in text, as in 10:37.
func hasClock(text []byte) bool {
	for i := 1; i+2 < len(text); i++ {
		if text[i] == ':' && isASCIIDigit(text[i-1]) && isASCIIDigit(text[i+1]) && isASCIIDigit(text[i+2]) {
			return true
		}
	}
	return false
}

// isCut reports whether a text ends with an ellipsis, maybe in brackets.
func isCut(text []byte) bool {
	text = bytes.TrimRight(text, "])>» ")
	for _, ellipsis := range []string{"…", "...", "。。", "⋯"} {
		if bytes.HasSuffix(text, []byte(ellipsis)) {
			return true
		}
	}
	return false
}

// isAddress reports whether a text is an address of the web.
func isAddress(text []byte) bool {
	switch text[0] {
	case '/':
		return true
	case 'h', 'H', 'w', 'W':
		head := bytes.ToLower(text[:min(len(text), len("https://"))])
		return bytes.Contains(head, []byte("://")) || bytes.HasPrefix(head, []byte("www."))
	}
	return false
}

// isGuide reports whether a text only guides the reader, on or back, or is a
// page's number.
func isGuide(text []byte) bool {
	switch string(bytes.ToLower(text)) {
	case "首页", "主页", "尾页", "末页", "上一页", "下一页", "上页", "下页", "上一篇", "下一篇", "前一篇", "后一篇",
		"更多", "更多>>", "更多 >>", "更多»", "查看更多", "详情", "查看详情", "详细", "全文", "原文", "阅读", "阅读全文", "阅读原文",
		"查看全文", "查看原文", "点击查看", "点击查看全文", "点击阅读", "继续阅读", "链接", "分享", "评论", "图", "图文", "视频",
		"home", "next", "previous", "prev", "first", "last", "more", "more...", "read more", "link", "permalink", "share", "#":
		return true
	}
	for _, c := range text {
		if c >= utf8.RuneSelf || 'a' <= c|0x20 && c|0x20 <= 'z' {
			return false
		}
	}
	return true // digits and signs
}

// titleSum is [news.TitleSum] without copying the title.
func titleSum(title []byte) uint32 {
	var sum uint32
	start, empty := 0, true
	for i := 0; i < len(title); {
		switch c := title[i]; {
		case ' ' < c && c < utf8.RuneSelf:
			i++
		case 0xE4 <= c && c <= 0xEF: // U+4000 to U+FFFF: nearly all Chinese, and no space
			i += 3
		default:
			r, n := utf8.DecodeRune(title[i:])
			if unicode.IsSpace(r) {
				if i > start {
					sum, empty = crc32.Update(sum, crc32.IEEETable, title[start:i]), false
				}
				start = i + n
			}
			i += n
		}
	}
	if start < len(title) {
		sum, empty = crc32.Update(sum, crc32.IEEETable, title[start:]), false
	}
	if empty {
		return 0
	}
	return max(1, sum)
}

// entryTitle is what a feed's or sitemap's entry tells of its post's title. It
// may stand before or after the link.
type entryTitle struct {
	open  bool // within an entry
	title linkTitle
	sum   uint32
	post  news.ID // the first that the entry links
	at    int     // in Page.Found
}

// startTag takes a tag within the feed.
func (e *entryTitle) startTag(name []byte) {
	switch string(name) {
	case "entry", "item", "url":
		*e = entryTitle{open: true}
	case "title", "news:title":
		if e.open && e.sum == 0 {
			e.title.begin(0)
		}
	default:
		e.title.spoil()
	}
}

// textToken takes the scanner's current text. What may be markup, or quotes and
// dashes that the feed's generator made of others (jekyll-feed has them
// smartified), is not the title to the letter.
func (e *entryTitle) textToken(s *scanner) {
	if !e.title.open {
		return
	}
	raw := bytes.TrimSuffix(bytes.TrimPrefix(s.raw(), []byte("<![CDATA[")), []byte("]]>"))
	if bytes.ContainsAny(raw, "&<“”‘’–—…") {
		e.title.spoil()
		return
	}
	e.title.append(raw)
}

// found notes the post that the entry links, and its place in [Page.Found].
func (e *entryTitle) found(post news.ID, at int) {
	if e.open && e.post == "" {
		e.post, e.at = post, at
	}
}

// endTag ends a title, or an entry: then its post gets the title.
func (e *entryTitle) endTag(name []byte, found []news.Wanted) {
	switch string(name) {
	case "title", "news:title":
		if e.title.open {
			e.sum = e.title.end()
		}
	case "entry", "item", "url":
		if e.at < len(found) && e.post != "" && found[e.at].ID == e.post && found[e.at].TitleSum == 0 {
			found[e.at].TitleSum = e.sum
		}
		*e = entryTitle{}
	}
}
