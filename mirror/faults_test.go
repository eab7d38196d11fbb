package mirror_test

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html/charset"

	"github.com/finarc/finarc/mirror"
	"github.com/finarc/finarc/news"
)

func TestParseFaults(t *testing.T) {
	for s, want := range map[string][]mirror.Fault{
		"":                     nil,
		"cut":                  {{Name: "cut"}},
		"cut, nodate:0.01,404": {{Name: "cut"}, {Name: "nodate", Share: 0.01}, {Name: "404"}},
	} {
		if got, err := mirror.ParseFaults(s); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %v, %v", s, got, err)
		}
	}
	for _, s := range []string{"fire", "cut:", "cut:0", "cut:2", "cut:NaN", "down-home:0.5", ":1"} {
		if got, err := mirror.ParseFaults(s); err == nil {
			t.Errorf("%q: %v", s, got)
		}
	}
}

func TestFaultsHitTheirShare(t *testing.T) {
	faults, err := mirror.ParseFaults("cut:0.2,nodate:0.5")
	if err != nil {
		t.Fatal(err)
	}
	m := newMirror(t, mirror.Options{Posts: 2000, Faults: faults, ShareOnly: 0.1})
	hit := map[string]int{}
	for i := range m.Len() {
		hit[m.FaultOf(i)]++
		if s := m.Standing(i); s.Fault != "" && s.Path == "" {
			t.Fatalf("post %d has no page, but %s", i, s.Fault)
		}
	}
	if n := hit["cut"]; n < 300 || n > 420 { // 0.2 of 1,800
		t.Errorf("cut hits %d", n)
	}
	if n := hit["nodate"]; n < 640 || n > 800 { // half of the others
		t.Errorf("nodate hits %d", n)
	}
}

// hostile serves a mirror all of whose posts have a fault, and returns the
// address of the first.
func hostile(t *testing.T, fault string) (m *mirror.Mirror, base, address string) {
	t.Helper()
	m = newMirror(t, mirror.Options{Posts: 30, Faults: []mirror.Fault{{Name: fault, Share: 1}}})
	base = serve(t, m)
	if got := m.FaultOf(0); got != fault {
		t.Fatalf("the first post has %q", got)
	}
	return m, base, base + m.Standing(0).Path
}

func TestSiteWideFaults(t *testing.T) {
	for fault, status := range map[string]int{"down-home": 404, "no-categories": 200} {
		m := newMirror(t, mirror.Options{Posts: 30, Faults: []mirror.Fault{{Name: fault}}})
		resp, page := get(t, serve(t, m)+"/")
		if resp.StatusCode != status || len(hrefs.FindAllString(page, -1)) != 0 {
			t.Errorf("%s: %s", fault, resp.Status)
		}
	}
}

func TestFaultsOfStatus(t *testing.T) {
	for fault, c := range map[string]struct {
		first, second int
		best          news.PageKind
	}{
		"500":   {500, 500, news.KindShare},
		"404":   {404, 404, news.KindShare},
		"gone":  {404, 404, ""},
		"flaky": {503, 200, news.KindPost},
	} {
		m, base, address := hostile(t, fault)
		first, _ := get(t, address)
		second, _ := get(t, address)
		if first.StatusCode != c.first || second.StatusCode != c.second {
			t.Errorf("%s: %s, then %s", fault, first.Status, second.Status)
		}
		best := m.Standing(0).Best
		if best == news.KindText {
			best = news.KindShare
		}
		if best != c.best {
			t.Errorf("%s: best %q", fault, best)
		}
		p := m.Post(0)
		_, text := get(t, base+"/NewsData/GetNewsText.do?id="+string(p.InfoCode))
		if strings.Contains(text, p.Title) != (fault != "gone") {
			t.Errorf("%s: text is %s", fault, text)
		}
		if _, list := get(t, base+"/category/"+url.PathEscape(p.Category)+".html"); !strings.Contains(list, m.Standing(0).Path) {
			t.Errorf("%s: not listed", fault)
		}
	}
}

func TestFaultsOfBytes(t *testing.T) {
	_, _, address := hostile(t, "cut")
	resp, body, err := ask(t, http.MethodGet, address)
	if !errors.Is(err, io.ErrUnexpectedEOF) || int64(len(body)) >= resp.ContentLength {
		t.Errorf("cut: %d bytes of %d, %v", len(body), resp.ContentLength, err)
	}
	_, _, address = hostile(t, "huge")
	if _, body := get(t, address); len(body) <= 8<<20 {
		t.Errorf("huge: %d bytes", len(body))
	}
	_, _, address = hostile(t, "empty")
	if resp, body := get(t, address); resp.StatusCode != http.StatusOK || body != "" {
		t.Errorf("empty: %s, %q", resp.Status, body)
	}
	_, _, address = hostile(t, "slow")
	begin := time.Now()
	if get(t, address); time.Since(begin) < 200*time.Millisecond {
		t.Errorf("slow: %v", time.Since(begin))
	}
}

func TestFaultsOfCharset(t *testing.T) {
	for fault, label := range map[string]string{"gbk": "gbk", "mislabel": "utf-8"} {
		m, _, address := hostile(t, fault)
		resp, page := get(t, address)
		if resp.Header.Get("Content-Type") != "text/html; charset="+label || !strings.Contains(page, `<meta charset="`+label+`">`) {
			t.Errorf("%s: labelled %s", fault, resp.Header.Get("Content-Type"))
		}
		gbk, _ := charset.Lookup("gbk")
		text, err := gbk.NewDecoder().String(page)
		if p := m.Post(0); err != nil || !strings.Contains(text, "<h1>"+p.Title+"</h1>\n"+p.Body+"\n") {
			t.Errorf("%s: does not hold the post: %v", fault, err)
		}
	}
}

// TestTextFitsGBK holds the generator to characters that GBK has.
func TestTextFitsGBK(t *testing.T) {
	gbk, _ := charset.Lookup("gbk")
	m := newMirror(t, mirror.Options{Posts: 300, Categories: 300})
	for i, p := range m.Posts() {
		text := p.Title + p.Body + p.Tag
		packed, err := gbk.NewEncoder().String(text)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := gbk.NewDecoder().String(packed); err != nil || back != text {
			t.Fatalf("post %d does not survive GBK: %v", i, err)
		}
	}
}

func TestFaultsOfContent(t *testing.T) {
	for fault, lacks := range map[string]string{"notitle": news.LacksTitle, "nodate": news.LacksPublished, "nocode": news.LacksInfoCode} {
		m, base, address := hostile(t, fault)
		p := m.Post(0)
		if got := p.Lacks(); len(got) != 1 || got[0] != lacks {
			t.Errorf("%s: the truth lacks %v", fault, got)
		}
		resp, page := get(t, address)
		if resp.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", fault, resp.Status)
		}
		if strings.Contains(page, "NewsShare") != (fault != "nocode") ||
			strings.Contains(page, "<h1></h1>") != (fault == "notitle") ||
			strings.Contains(page, "CST) </small>") != (fault == "nodate") {
			t.Errorf("%s: %s", fault, page)
		}
		if _, home := get(t, base+"/"); !strings.Contains(home, m.Standing(m.Len()-1).Path) {
			t.Errorf("%s: not listed", fault)
		}
	}
}

func TestNotesAreIdentifiedByAddress(t *testing.T) {
	o := mirror.Options{Posts: 5, Faults: []mirror.Fault{{Name: "nocode", Share: 1}}, Base: "http://127.0.0.1:80"}
	m := newMirror(t, o)
	for i, p := range m.Posts() {
		u, err := url.Parse(o.Base + m.Standing(i).Path)
		if err != nil || p.ID != news.PageID(p.Day(), u) {
			t.Errorf("post %d: %s at %s, %v", i, p.ID, u, err)
		}
		if !strings.Contains(fetch(m, m.Standing(i).Path), p.Title) {
			t.Errorf("post %d is not at %s", i, u)
		}
	}
}
