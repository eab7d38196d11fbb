package page

import (
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/finarc/finarc/mirror"
	"github.com/finarc/finarc/news"
	"github.com/google/go-cmp/cmp"
)

func TestReadArticle(t *testing.T) {
	const (
		keytip = `<span id="stock_1.600160"><a href="u" class="keytip" data-code="1,600160">巨化股份</a></span><span id="quote_1.600160"></span>`
		later  = `<span web="1" class="em_stock_key_common" data-code="1,600160">巨化股份</span>`
		board  = `<a class="keytip" data-code="90,BK0493">新能源</a>`
	)
	for _, test := range []struct{ name, html, text, own, want string }{
		{"none", "<p>甲</p>", "甲", "甲", ""},
		{"first and later", "<p>　　甲" + keytip + "乙</p><p>" + later + "</p>", "甲巨化股份乙\n巨化股份", "", "1.600160 巨化股份 1-5, 1.600160 巨化股份 7-11"},
		{"board", "<p>甲\n\t" + board + "板块</p>", "甲 新能源板块", "", "90.BK0493 新能源 2-5"},
		{"space within", `<p>甲<a data-code="0,000002"> 万 科&#65313; </a>&nbsp;乙</p>`, "甲 万 科Ａ \u00a0乙", "", "0.000002 万 科Ａ 2-6"},
		{"picture", `<p><a data-code="09988|116|5"><img data-code="K 09988|116|5">甲</a></p>`, "甲", "", ""},
		{"hidden", `<p style="display:none">` + later + `</p><p>甲</p>`, "甲", "", ""},
		{"never closed", `<p><a data-code="1,600160">` + strings.Repeat("甲", 60) + "</p>", strings.Repeat("甲", 60), "", ""},
		{"closed by a block", `<p><a data-code="1,600160">巨化<p>乙</p>`, "巨化\n乙", "", "1.600160 巨化 0-2"},
		{"two lines", `<p>` + later + `<br>` + later + `</p>`, "巨化股份\n巨化股份", "", "1.600160 巨化股份 0-4, 1.600160 巨化股份 5-9"},
		{"related reports", "<p>" + later + `</p><h3 class="emh3">相关报道</h3><p>` + later + "</p>", "巨化股份\n相关报道\n巨化股份", "巨化股份", "1.600160 巨化股份 0-4"},
		{"one in another", `<p><span data-code="1,600160">甲<a data-code="0,000002">乙</a>丙</span></p>`, "甲乙丙", "", "1.600160 甲 0-1, 0.000002 乙 1-2"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := ReadArticle(test.html)
			if own := got.Text[:got.Own]; got.Text != test.text || test.own != "" && own != test.own {
				t.Errorf("text %q, own %q, want %q, %q", got.Text, own, test.text, test.own)
			}
			if diff := cmp.Diff(test.want, told(got.Marked)); diff != "" {
				t.Error(diff)
			}
			checkArticle(t, test.html, got)
		})
	}
}

func told(places []news.Place) string {
	var list []string
	for _, p := range places {
		list = append(list, p.Security.String()+" "+p.Text+" "+strconv.Itoa(p.From)+"-"+strconv.Itoa(p.To))
	}
	return strings.Join(list, ", ")
}

// checkArticle holds what is read against the text and against itself.
func checkArticle(t *testing.T, html string, a news.Article) {
	t.Helper()
	if want := Text(html); a.Text != want || a.Own < 0 || a.Own > len(a.Text) {
		t.Fatalf("%q: text %q, own %d, want %q", html, a.Text, a.Own, want)
	}
	if !utf8.ValidString(a.Text) {
		return
	}
	chars, last := []rune(a.Text), 0
	for _, p := range a.Marked {
		if p.From < last || p.To <= p.From || p.To > len(chars) || string(chars[p.From:p.To]) != p.Text {
			t.Fatalf("%q: place %+v", html, p)
		}
		last = p.To
	}
}

// Marked places are those that a reader of posts counts, but for pictures.
func TestPlacesAreTheMentions(t *testing.T) {
	m, err := mirror.New(mirror.Options{Seed: 3, Posts: 400})
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for i := range 400 {
		p := m.Post(i)
		got := ReadArticle(p.Body)
		checkArticle(t, p.Body, got)
		counts := make(map[news.Security]int)
		for _, at := range got.Marked {
			counts[at.Security]++
		}
		for _, mention := range append(p.Securities, p.Boards...) {
			pictures := strings.Count(p.Body, `data-code="K `+mention.Code+"|")
			if counts[mention.Security] != mention.Count-pictures {
				t.Errorf("post %d, %s: %d places, want %d less %d pictures", i, mention.Security, counts[mention.Security], mention.Count, pictures)
			}
			total += counts[mention.Security]
		}
	}
	if total < 400 {
		t.Errorf("%d places in all: too few to show anything", total)
	}
}

func FuzzReadArticle(f *testing.F) {
	f.Add(testBody)
	f.Add(`<p> a <a data-code="1,600160">甲 ` + "\t" + `乙<br>丙</a><h3>相关报道</h3><span data-code="1,1">丁`)
	f.Fuzz(func(t *testing.T, html string) { checkArticle(t, html, ReadArticle(html)) })
}
