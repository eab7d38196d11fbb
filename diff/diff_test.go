package diff

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestTexts(t *testing.T) {
	for _, test := range []struct{ name, old, new, want string }{
		{"nothing", "", "", ""},
		{"the same", "公司公布订单。", "公司公布订单。", "公司公布订单。"},
		{"all new", "", "公司公布订单。", "{+公司公布订单。+}"},
		{"all gone", "公司公布订单。", "", "[-公司公布订单。-]"},
		{"a percentage", "净利润同比增长12.5%，创新高。", "净利润同比增长13.2%，创新高。",
			"净利润同比增长[-12.5%-]{+13.2%+}，创新高。"},
		{"an amount", "营收为3.2亿元。", "营收为3.25亿元。", "营收为[-3.2亿元-]{+3.25亿元+}。"},
		{"a unit", "营收为3.2万元。", "营收为3.2亿元。", "营收为[-3.2万元-]{+3.2亿元+}。"},
		{"a year", "预计2024年投产。", "预计2025年投产。", "预计[-2024年-]{+2025年+}投产。"},
		{"a name", "董事长张卫国表示，公司", "董事长李建华表示，公司", "董事长[-张卫国-]{+李建华+}表示，公司"},
		{"a name with a character in common", "董事长王小明先生表示", "董事长李小刚先生表示",
			"董事长[-王小明-]{+李小刚+}先生表示"},
		{"two words with one between", "利润增长了三成，", "利润下降了两成半，", "利润[-增长了三成-]{+下降了两成半+}，"},
		{"a word of letters", "推出iPhone15手机", "推出iPhone16手机", "推出[-iPhone15-]{+iPhone16+}手机"},
		{"an inserted sentence", "公司公布订单。股价上涨。", "公司公布订单。分析师看好后市。股价上涨。",
			"公司公布订单。{+分析师看好后市。+}股价上涨。"},
		{"a sentence taken out", "他说：“好。”公司公布订单。股价上涨。", "他说：“好。”股价上涨。",
			"他说：“好。”[-公司公布订单。-]股价上涨。"},
		{"a moved paragraph", "第一段说订单。\n第二段说股价。\n第三段说后市。", "第二段说股价。\n第三段说后市。\n第一段说订单。",
			"[-第一段说订单。\n-]第二段说股价。\n第三段说后市。{+\n第一段说订单。+}"},
		{"a paragraph at the end", "甲。\n乙。", "甲。\n乙。\n丙。", "甲。\n乙。{+\n丙。+}"},
		{"two changes in two lines", "第一段说订单三件。\n第二段说股价。", "第一段说订单四件。\n第二段说利率。",
			"第一段说订单[-三-]{+四+}件。\n第二段说[-股价-]{+利率+}。"},
		{"lines are joined", "公司公布订单\n股价上涨", "公司公布订单股价上涨", "公司公布订单[-\n-]股价上涨"},
	} {
		t.Run(test.name, func(t *testing.T) {
			list := Texts(test.old, test.new)
			if diff := cmp.Diff(test.want, bracketed(list)); diff != "" {
				t.Error(diff)
			}
			check(t, test.old, test.new, list)
			if Changed(list) != (test.old != test.new) {
				t.Errorf("changed: %v", Changed(list))
			}
		})
	}
}

// bracketed writes a difference so that nothing of it is lost.
func bracketed(list []Segment) string {
	var out strings.Builder
	for _, s := range list {
		switch s.Kind {
		case Deleted:
			out.WriteString("[-" + s.Text + "-]")
		case Added:
			out.WriteString("{+" + s.Text + "+}")
		default:
			out.WriteString(s.Text)
		}
	}
	return out.String()
}

// check holds what must be true of every difference.
func check(t *testing.T, old, new string, list []Segment) {
	t.Helper()
	var before, after strings.Builder
	for i, s := range list {
		if s.Text == "" {
			t.Fatalf("segment %d is empty: %q", i, list)
		}
		if i > 0 && (list[i-1].Kind == s.Kind || list[i-1].Kind == Added && s.Kind == Deleted) {
			t.Fatalf("segment %d, %v, follows on %v: %q", i, s.Kind, list[i-1].Kind, list)
		}
		if s.Kind != Added {
			before.WriteString(s.Text)
		}
		if s.Kind != Deleted {
			after.WriteString(s.Text)
		}
	}
	if before.String() != old {
		t.Fatalf("same and deleted are %q, want %q", before.String(), old)
	}
	if after.String() != new {
		t.Fatalf("same and added are %q, want %q", after.String(), new)
	}
}

// edited returns a text of few different words and what some edits make of it.
func edited(r *rand.Rand) (old, new string) {
	pieces := strings.Split("公司|公布|订|单|股|价|12.5%|3亿元|2024年|，|。|。|！”|\n|\n\n| |　|COVID-19|e\u0301|\xff|\xe8\xae|\u0301|的", "|")
	text := make([]string, r.IntN(60))
	for i := range text {
		text[i] = pieces[r.IntN(len(pieces))]
	}
	old = strings.Join(text, "")
	for range r.IntN(6) {
		from := r.IntN(len(text) + 1)
		to := from + r.IntN(len(text)-from+1)
		switch part := strings.Join(text[from:to], ""); r.IntN(3) {
		case 0:
			text = append(text[:from:from], text[to:]...)
		case 1:
			text = append(text[:from:from], append([]string{pieces[r.IntN(len(pieces))]}, text[from:]...)...)
		default:
			text = append(append(text[:from:from], text[to:]...), part)
		}
	}
	return old, strings.Join(text, "")
}

func TestSegmentsAreTheTexts(t *testing.T) {
	for seed := range uint64(3000) {
		old, new := edited(rand.New(rand.NewPCG(seed, 1)))
		check(t, old, new, Texts(old, new))
	}
}

func FuzzTexts(f *testing.F) {
	for seed := range uint64(20) {
		old, new := edited(rand.New(rand.NewPCG(seed, 2)))
		f.Add(old, new)
	}
	f.Fuzz(func(t *testing.T, old, new string) {
		list := Texts(old, new)
		check(t, old, new, list)
		for _, cut := range []func(string) []string{cutLines, cutSentences, cutWords} {
			if got := strings.Join(cut(old), ""); got != old {
				t.Errorf("the pieces are %q, want %q", got, old)
			}
		}
		Format(Shorten(list, 5), Brackets)
	})
}

func TestCutWords(t *testing.T) {
	text := "2024年12月22日，3.2亿元、1,234.5万股，12.5%，下降0.5个百分点；10:37:15，A股，COVID-19与S&P500，5G，Café e\u0301。\n 　甲"
	want := []string{
		"2024年", "12月", "22日", "，", "3.2亿元", "、", "1,234.5万股", "，", "12.5%", "，", "下", "降", "0.5个百分点", "；",
		"10:37:15", "，", "A", "股", "，", "COVID-19", "与", "S&P500", "，", "5G", "，", "Café", " ", "e\u0301", "。", "\n", " 　", "甲",
	}
	if diff := cmp.Diff(want, cutWords(text)); diff != "" {
		t.Error(diff)
	}
}

func TestCutSentences(t *testing.T) {
	want := []string{"他说：“好！”", "股价上涨？！", "\n", "\n", "订单；", "完", "\n"}
	if diff := cmp.Diff(want, cutSentences("他说：“好！”股价上涨？！\n\n订单；完\n")); diff != "" {
		t.Error(diff)
	}
}

// Long texts, of which each is hard for another part of the comparison.
func TestLongTextsTakeBoundedTime(t *testing.T) {
	const size = 200_000
	random := func(seed uint64, alphabet string) string {
		r := rand.New(rand.NewPCG(seed, 3))
		letters := []rune(alphabet)
		text := make([]rune, size)
		for i := range text {
			text[i] = letters[r.IntN(len(letters))]
		}
		return string(text)
	}
	han := func(first rune) string {
		var b strings.Builder
		for i := range rune(size) {
			b.WriteRune(first + i%5000)
		}
		return b.String()
	}
	for _, test := range []struct{ name, old, new string }{
		{"no character in common", han('一'), han('一' + 8000)},
		{"random characters", random(1, "订单公司股价"), random(2, "订单公司股价")},
		{"random sentences", random(1, "订单公司股价，。"), random(2, "订单公司股价，。")},
		{"random lines", random(1, "订单公司股价，。\n"), random(2, "订单公司股价，。\n")},
		{"paragraphs", random(1, "订单公司股价"+strings.Repeat("，金额增长", 40)+"。\n"), random(2, "订单公司股价"+strings.Repeat("，金额增长", 40)+"。\n")},
		{"lines alone", strings.Repeat("\n", size), strings.Repeat("甲\n", size/2)},
		{"every other character", strings.Repeat("甲乙", size/2), strings.Repeat("甲丙", size/2)},
		{"as much as is compared", random(1, "订单公司股价")[:3*8600], random(2, "订单公司股价")[:3*8600]},
		{"the same, with nothing in common", han('一')[:3*8600], han('一' + 8000)[:3*8600]},
		{"one long number", strings.Repeat("1", size), strings.Repeat("2", size)},
		{"marks", strings.Repeat("\u0301", size), strings.Repeat("\u0302", size)},
	} {
		t.Run(test.name, func(t *testing.T) {
			began := time.Now()
			list := Texts(test.old, test.new)
			took := time.Since(began)
			check(t, test.old, test.new, list)
			t.Logf("%v, %d segments", took, len(list))
			if took > 10*time.Second { // a second, on a machine that has others to serve
				t.Errorf("took %v", took)
			}
		})
	}
}

// Two numbers in a long text are found, though the text is too long to be
// compared word by word.
func TestChangesInLongText(t *testing.T) {
	var b strings.Builder
	for i := range 8000 {
		fmt.Fprintf(&b, "第%d号公司公布订单%d件，同比增长。", i, i*7)
		if i%10 == 9 {
			b.WriteByte('\n')
		}
	}
	old := b.String()
	new := strings.NewReplacer("第100号公司公布", "第100号集团公布", "第7000号公司公布订单49000件", "第7000号公司公布订单4900件").Replace(old)
	list := Texts(old, new)
	check(t, old, new, list)
	want := []Segment{{Deleted, "公司"}, {Added, "集团"}, {Deleted, "49000件"}, {Added, "4900件"}}
	var changes []Segment
	for _, s := range list {
		if s.Kind != Same {
			changes = append(changes, s)
		}
	}
	if diff := cmp.Diff(want, changes); diff != "" {
		t.Error(diff)
	}
}

// More different tokens than there are characters before the surrogates.
func TestManyNames(t *testing.T) {
	names := make(map[string]rune)
	for i := range 70_000 {
		names[fmt.Sprint(i)] = 0
	}
	for _, r := range named(names, []string{"甲", "乙", "甲"}) {
		if string(r) == "\ufffd" {
			t.Errorf("%x is no character", r)
		}
	}
	if r := named(map[string]rune{}, []string{"甲", "乙", "甲"}); r[0] != r[2] || r[0] == r[1] {
		t.Errorf("names %v", r)
	}
}

func TestFormat(t *testing.T) {
	list := []Segment{{Same, "甲"}, {Deleted, "乙\n丙"}, {Added, "丁"}, {Same, "。\n"}, {Added, "\n"}, {Same, "戊"}, {Deleted, "\n己\n"}}
	if diff := cmp.Diff("甲[-乙-]\n[-丙-]{+丁+}。\n{+¶+}\n戊\n[-己-]\n", Format(list, Brackets)); diff != "" {
		t.Error(diff)
	}
	if got, want := Format(list[1:3], Colors), "\x1b[31;9m乙\x1b[0m\n\x1b[31;9m丙\x1b[0m\x1b[32;4m丁\x1b[0m"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestShorten(t *testing.T) {
	list := []Segment{{Same, "一二三四五"}, {Deleted, "六七八九十"}, {Same, "一二三四五六"}, {Added, "七"}, {Same, "八九十"}}
	want := []Segment{{Same, "…四五"}, {Deleted, "六七八九十"}, {Same, "一二…五六"}, {Added, "七"}, {Same, "八九十"}}
	if diff := cmp.Diff(want, Shorten(list, 2)); diff != "" {
		t.Error(diff)
	}
	if list[0].Text != "一二三四五" {
		t.Error("the list itself was shortened")
	}
}

func TestKind(t *testing.T) {
	for kind, want := range map[Kind]string{Same: "same", Deleted: "deleted", Added: "added", 7: "kind 7"} {
		if got, err := kind.MarshalText(); err != nil || string(got) != want {
			t.Errorf("kind is %q, %v, want %q", got, err, want)
		}
	}
}

func BenchmarkTexts(b *testing.B) {
	old := strings.Repeat("公司公布订单3.2亿元，同比增长12.5%。股价上涨。\n", 40)
	new := strings.Replace(old, "上涨", "下跌", 3)
	for b.Loop() {
		Texts(old, new)
	}
}
