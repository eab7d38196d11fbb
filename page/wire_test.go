package page

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/finarc/finarc/news"
)

const textURL = "http://share.example/NewsData/GetNewsText.do?id=NW202112222222306968"

func TestReadText(t *testing.T) {
	at := time.Date(2021, 12, 22, 10, 37, 15, 0, news.Shanghai)
	want := news.Post{
		ID: "202112222222306968", InfoCode: "NW202112222222306968", Title: "甲 & 乙", Published: at,
		Outlet: "21财经", Digest: "摘要", Body: "<p>正文</p>",
	}
	plain := want
	plain.Title, plain.Outlet, plain.Digest = "", "", ""
	undated := plain
	undated.Published = time.Time{}
	const fields = `"infoCode":"NW202112222222306968","title":"甲 &amp; 乙","showtime":"2021-12-22 10:37:15","medianame":"21财经","digest":" 摘要 ","text":" <p>正文</p>\n"`
	for _, test := range []struct {
		name, body string
		want       news.Post
	}{
		{"plain", "{" + fields + "}", want},
		{"byte order mark", "\xEF\xBB\xBF{" + fields + "}", want},
		{"gbk", string(gb18030(t, "{"+fields+"}")), want},
		{"upper case", "{" + strings.NewReplacer("infoCode", "INFOCODE", "title", "Title", "text", "TEXT").Replace(fields) + "}", want},
		{"other names", `{"content":"<p>正文</p>","datetime":"2021-12-22T10:37:15","from":"21财经","infocode":"202112222222306968","digest":"摘要","title":"甲 & 乙"}`, want},
		{"data", `{"rc":0,"data":{` + fields + `}}`, want},
		{"result", `{"data":null,"Result":[{` + fields + `}]}`, want},
		{"array", ` [{` + fields + `}] `, want},
		{"callback", `jQuery_123.cb({` + fields + `});`, want},
		{"variable", `var news = {` + fields + `};`, want},
		{"numbers", `{"infoCode":202112222222306968,"text":"<p>正文</p>","showtime":"2021-12-22 10:37:15"}`, plain},
		{"not strings", `{"title":null,"digest":{},"medianame":[1],"showtime":true,"text":"<p>正文</p>"}`, undated},
		{"empty text beside content", `{"text":"","content":"<p>正文</p>"}`, undated},
		{"key twice", `{"infoCode":"NW202112222222306968","infocode":"","text":"<p>正文</p>"}`, undated},
		{"broken time", `{"text":"<p>正文</p>","showtime":"2021-13-40 99:99"}`, undated},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := mustRead(t, capture(news.KindText, textURL, test.body)).Post
			if diff := cmp.Diff(&test.want, got); diff != "" {
				t.Errorf("post (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReadTextBody(t *testing.T) {
	body := `{"infoCode":"NW202112222222306999","text":"<p><a class=\"keytip\" data-code=\"1,600160\">巨化</a></p><p><a href=\"http://finance.eastmoney.com/a/202112222222541258.html\">另</a></p><p class=\"em_media\">（文章来源：北京日报）</p>"}`
	got := mustRead(t, capture(news.KindText, textURL, body))
	p := got.Post
	if p.ID != "202112222222306999" || p.Source != "北京日报" || len(p.Securities) != 1 || len(p.Related) != 1 || len(got.Leads) != 1 || p.Foot != "" {
		t.Errorf("post = %+v, leads = %v", p, got.Leads)
	}
}

func TestReadTextErrors(t *testing.T) {
	for body, want := range map[string]error{
		"":                                ErrUnreadable,
		" ":                               ErrUnreadable,
		"\xEF\xBB\xBF":                    ErrUnreadable,
		"<html>not found</html>":          ErrUnreadable,
		`{"text":"`:                       ErrUnreadable,
		`{"text":"a"}}`:                   ErrUnreadable,
		`callback({"text":"a"}`:           ErrUnreadable,
		`[{]`:                             ErrUnreadable,
		`{}`:                              ErrEmpty,
		`[]`:                              ErrEmpty,
		`null`:                            ErrEmpty,
		`"text"`:                          ErrEmpty,
		`callback({})`:                    ErrEmpty,
		`{"text":""}`:                     ErrEmpty,
		`{"text":" \u3000\n"}`:            ErrEmpty,
		`{"text":5}`:                      ErrEmpty,
		`{"data":{"result":{"data":[]}}`:  ErrUnreadable,
		`{"data":{"result":{"data":[]}}}`: ErrEmpty,
		`{"code":404,"message":"文章不存在"}`:                      ErrEmpty,
		strings.Repeat("[", 20000):                            ErrUnreadable,
		strings.Repeat("[", 9000) + strings.Repeat("]", 9000): ErrEmpty,
	} {
		_, err := newSite(t).Read(capture(news.KindText, textURL, body))
		if !errors.Is(err, want) || !strings.Contains(err.Error(), textURL) {
			t.Errorf("%.40q: err = %v, want %v", body, err, want)
		}
	}
}
