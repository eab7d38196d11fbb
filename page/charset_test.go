package page

import (
	"bytes"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
)

func gb18030(t testing.TB, s string) []byte {
	t.Helper()
	b, err := simplifiedchinese.GB18030.NewEncoder().Bytes([]byte(s))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDecode(t *testing.T) {
	const text = "<p>沪深两市，成交额超过一万亿元。</p>"
	gb := string(gb18030(t, text))
	utf16 := func(e unicode.Endianness) string {
		b, err := unicode.UTF16(e, unicode.UseBOM).NewEncoder().String(text)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for _, test := range []struct{ name, body, contentType, want, charset string }{
		{"utf-8", text, "text/html; charset=utf-8", text, "utf-8"},
		{"utf-8, no label", text, "", text, "utf-8"},
		{"utf-8, wrong label", text, "text/html; charset=GBK", text, "utf-8"},
		{"utf-8, wrong meta", `<meta charset="gb2312">` + text, "", `<meta charset="gb2312">` + text, "utf-8"},
		{"utf-8, mark", "\xEF\xBB\xBF" + text, "", text, "utf-8"},
		{"ascii", "plain", "text/html; charset=GBK", "plain", "utf-8"},
		{"empty", "", "", "", "utf-8"},
		{"gbk", gb, "text/html; charset=GBK", text, "gb18030"},
		{"gbk, no label", gb, "", text, "gb18030"},
		{"gbk, wrong label", gb, "text/html; charset=utf-8", text, "gb18030"},
		{"gb18030, four bytes", string(gb18030(t, "𠮷野家㐂")), "", "𠮷野家㐂", "gb18030"},
		{"gbk, euro of code page 936", "\x80" + gb, "", "€" + text, "gb18030"},
		{"gbk, broken, by header", gb + "\xFF<", "text/html; charset=gb2312", text + "\uFFFD<", "gb18030"},
		{"gbk, broken, by meta", `<meta http-equiv="Content-Type" content="text/html; charset=gb2312" />` + gb + "\xFF<", "text/html",
			`<meta http-equiv="Content-Type" content="text/html; charset=gb2312" />` + text + "\uFFFD<", "gb18030"},
		{"gbk, broken, by xml", `<?xml version="1.0" encoding="GBK"?>` + gb + "\xFF<", "", `<?xml version="1.0" encoding="GBK"?>` + text + "\uFFFD<", "gb18030"},
		{"gbk, broken, no label", gb + "\xFF<", "", text + "\uFFFD<", "gb18030"},
		{"utf-8, broken, by header", "a\xFF" + text, "text/html;charset=UTF-8", "a\uFFFD" + text, "utf-8"},
		{"utf-8, broken, no label", text + "\xFF<", "", text + "\uFFFD<", "utf-8"},
		{"utf-16le", utf16(unicode.LittleEndian), "", text, "utf-16le"},
		{"utf-16be", utf16(unicode.BigEndian), "text/html; charset=utf-8", text, "utf-16be"},
		{"utf-16, odd", "\xFF\xFEa\x00b", "", "a\uFFFD", "utf-16le"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, charset := Decode([]byte(test.body), test.contentType)
			if string(got) != test.want || charset != test.charset {
				t.Errorf("Decode = %q, %s; want %q, %s", got, charset, test.want, test.charset)
			}
		})
	}
}

func TestDecodeDoesNotCopy(t *testing.T) {
	body := []byte("<p>成交额</p>")
	if got, _ := Decode(body, ""); &got[0] != &body[0] {
		t.Error("valid UTF-8 was copied")
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("<p>成交额</p>"), "text/html; charset=utf-8")
	f.Add(gb18030(f, "<p>成交额𠮷</p>"), "")
	f.Add([]byte("\xFF\xFEa\x00\x00\xD8"), "")
	f.Add([]byte("<meta charset=gbk>\xFF\x81\x30\x81"), "text/html")
	f.Fuzz(func(t *testing.T, body []byte, contentType string) {
		before := bytes.Clone(body)
		got, charset := Decode(body, contentType)
		if !utf8.Valid(got) {
			t.Errorf("not UTF-8: %q", got)
		}
		if !bytes.Equal(before, body) {
			t.Error("the body was changed")
		}
		switch charset {
		case "utf-8", "gb18030", "utf-16le", "utf-16be":
		default:
			t.Errorf("charset = %q", charset)
		}
		if again, _ := Decode(got, contentType); utf8.Valid(body) && !bytes.Equal(again, got) && !bytes.HasPrefix(got, []byte("\uFEFF")) {
			t.Errorf("decoded twice: %q, then %q", got, again)
		}
	})
}
