package securities

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/finarc/finarc/news"
)

// generator writes labelled posts: sentences by forms, about companies that it
// invents, with numbers that look like codes.
type generator struct {
	*rand.Rand
	companies []called
}

// newGenerator invents companies of the markets, each with its own characters.
func newGenerator(seed uint64) *generator {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 7))}
	first, second := []rune("晟曜骏珩霖澜祺栩璟烨岚瀚蕴翊"), []rune("弘睿铂钧澄屹洺炫彧沅")
	kinds := []string{"股份", "科技", "银行", "证券", "医药", "控股"}
	first = first[seed%2*7 : seed%2*7+7]
	for i, a := range first {
		for j, b := range second {
			n := i*len(second) + j
			name := string(a) + string(b) + kinds[n%len(kinds)]
			s := news.Security{Market: news.MarketShanghai, Code: fmt.Sprintf("60%04d", 17*n+int(seed))}
			switch n % 5 {
			case 1, 2:
				s = news.Security{Market: news.MarketShenzhen, Code: fmt.Sprintf("30%04d", 19*n+int(seed))}
			case 3:
				s = news.Security{Market: news.MarketHongKong, Code: fmt.Sprintf("0%04d", 23*n+1000+int(seed))}
			case 4:
				s = news.Security{Market: news.MarketNYSE, Code: string([]rune{'A' + rune(n%26), 'B' + rune(n/26), 'Z'})}
			}
			g.companies = append(g.companies, called{s, 20211201, 20221201, 5, name})
		}
	}
	return g
}

// codeOf writes a company's code in one of the usual forms.
func (g *generator) codeOf(c *called) string {
	forms := map[int][]string{
		news.MarketShanghai: {"C.SH", "SHC", "shC", "C.sh", "SH:C"},
		news.MarketShenzhen: {"C.SZ", "SZC", "szC", "C.SZ"},
		news.MarketHongKong: {"C.HK", "HKC", "HK:C", "港交所：C", "D.HK"},
		news.MarketNYSE:     {"NYSE:C", "NYSE: C", "C.US", "C.N", "纽交所：C"},
	}[c.Market]
	form := forms[g.IntN(len(forms))]
	return strings.NewReplacer("C", c.Code, "D", strings.TrimLeft(c.Code, "0")).Replace(form)
}

// sentence fills a form: {S} a name, {S+} a name with its code in brackets, {C} a
// code; {Q} a broker that is quoted, {L} a longer name; {N} a number that looks like
// a code.
func (g *generator) sentence(form string) string {
	for {
		before, rest, ok := strings.Cut(form, "{")
		if !ok {
			return strings.NewReplacer("⟦", "{", "⟧", "}").Replace(form)
		}
		slot, after, _ := strings.Cut(rest, "}")
		c := &g.companies[g.IntN(len(g.companies))]
		form = before + g.fill(slot, c) + after
	}
}

func (g *generator) fill(slot string, c *called) string {
	labelled := func(text string) string { return "⟦" + c.Security.String() + "|" + text + "⟧" }
	switch slot {
	case "S":
		return labelled(c.name)
	case "S+":
		open, end := "（", "）"
		if g.IntN(2) == 0 {
			open, end = "(", ")"
		}
		code := g.codeOf(c)
		if c.Market <= news.MarketShanghai && g.IntN(2) == 0 {
			code = c.Code
		}
		return labelled(c.name) + open + code + end
	case "C":
		return labelled(g.codeOf(c))
	case "Q":
		for !strings.HasSuffix(c.name, "证券") {
			c = &g.companies[g.IntN(len(g.companies))]
		}
		return c.name
	case "L":
		return c.name
	}
	return []string{c.Code + "万元", "1" + c.Code, c.Code + "股", "No." + c.Code, c.Code + "%", c.Code[:len(c.Code)-1] + "X9"}[g.IntN(6)]
}

// Forms on which the rules were chosen, and others.
var (
	trainingForms = []string{
		"{S+}公告，拟回购{N}。", "{S}、{S}和{S+}涨停，成交{N}。", "{Q}分析师认为，行业景气上行。", "个股方面，{C}涨5%，{C}跌2%。",
		"{L}大厦失火，无人受伤。", "据{Q}研报，维持买入评级。", "{S}表示订单充足。", "{L}基金发布公告，规模{N}。", "入选公司有{S+}，{S+}。",
	}
	heldOutForms = []string{
		"截至收盘，{S}报12.3元，{S+}跌停，换手{N}。", "“{S}今年很好”，公司人士称。", "{Q}首席策略师建议关注{S+}。", "（{C}）发布财报，营收{N}。",
		"{L}足球俱乐部夺冠。", "{S}旗下{L}人寿获批。", "北向资金买入{S}、{S}，卖出{C}。", "{Q}预计{S}净利润{N}。", "记者从{S+}获悉，{C}与{C}重组。",
	}
)

func (g *generator) posts(n int, forms []string) []labelled {
	var posts []labelled
	for range n {
		var lines []string
		for range 1 + g.IntN(4) {
			lines = append(lines, g.sentence(forms[g.IntN(len(forms))]))
		}
		posts = append(posts, newLabelled(20220301, g.sentence(forms[g.IntN(len(forms))]), strings.Join(lines, "\n")))
	}
	return posts
}

func TestGeneratedSet(t *testing.T) {
	for seed, forms := range [][]string{trainingForms, heldOutForms} {
		g := newGenerator(uint64(seed))
		o := judge(gazetteerOf(g.companies).Finder(), g.posts(2000, forms), func(post *labelled, what string, p news.Place) {
			if testing.Verbose() {
				t.Logf("%s: %s %q in %s, title %q, text %q", what, p.Security, p.Text, p.In, post.rev.Title, post.article.Text)
			}
		})
		t.Logf("part %d: %s", seed, o)
		if o.precision() < 0.97 || o.recall() < 0.97 {
			t.Errorf("part %d: %s: want 0.97 of both", seed, o)
		}
	}
}
