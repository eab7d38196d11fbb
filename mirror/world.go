package mirror

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/finarc/finarc/news"
)

// world is what articles are about. It never changes once it is made.
type world struct {
	*grammar
	outlets []outlet
	quoted  []quoted // securities, those of New York last, then boards
	foreign int      // the first in quoted that New York trades
	boards  int      // the first board in quoted
	terms   []string // rendered
}

// quoted is a security or a board, with the HTML that marks it.
type quoted struct {
	news.Security
	name    string
	first   string // the mark of its first mention
	later   string // of further ones
	picture string // its K-line picture; empty for boards
}

func newWorld(categories int, seed uint64) (*world, error) {
	g, err := readGrammar()
	if err != nil {
		return nil, err
	}
	w := &world{grammar: g, outlets: newOutlets(categories, seed), terms: newTerms()}
	w.addSecurities(rand.New(rand.NewPCG(seed, stream(streamSecurities, 0))))
	w.boards = len(w.quoted)
	w.addBoards()
	return w, nil
}

// issue tells how many securities of a market there are, and their codes.
type issue struct {
	market, count int
	prefix        string
	digits        int // after the prefix; none for codes of letters
	class         int // how pictures number the market
}

// issues are the markets, those of New York last.
var issues = [...]issue{
	{news.MarketShanghai, 110, "60", 4, 2},
	{news.MarketShanghai, 25, "688", 3, 2},
	{news.MarketShenzhen, 70, "00", 4, 6},
	{news.MarketShenzhen, 45, "300", 3, 6},
	{news.MarketHongKong, 30, "0", 4, 5},
	{news.MarketNASDAQ, 12, "", 0, 7},
	{news.MarketNYSE, 12, "", 0, 7},
}

var industries = [...]string{
	"股份", "科技", "电子", "智能", "新材", "能源", "药业", "生物", "环保", "重工", "航运", "食品", "农业", "传媒", "软件", "银行",
	"控股", "集团", "电气", "精工", "化学", "光电", "物流", "置业", "乳业", "汽车", "动力", "通信", "医疗", "零售",
}

// addSecurities invents listed companies.
func (w *world) addSecurities(dice *rand.Rand) {
	used := map[string]bool{}
	for _, is := range issues {
		if is.market == news.MarketNASDAQ {
			w.foreign = len(w.quoted)
		}
		for range is.count {
			name := fresh(used, func() string { return companyName(dice) })
			code := fresh(used, func() string { return is.code(dice) })
			s := news.Security{Market: is.market, Code: code}
			w.quoted = append(w.quoted, quoted{s, name, firstMark("stock", "quote", s, name), laterMark(s, name), picture(s, is.class)})
		}
	}
}

// fresh draws until it has something new.
func fresh(used map[string]bool, draw func() string) string {
	s := draw()
	for used[s] {
		s = draw()
	}
	used[s] = true
	return s
}

func companyName(dice *rand.Rand) string {
	x := bits(dice.Uint64())
	return string(x.runes(nil, brandChars, 2)) + industries[dice.IntN(len(industries))]
}

func (is issue) code(dice *rand.Rand) string {
	if is.digits == 0 {
		code := make([]byte, 3+dice.IntN(2))
		for i := range code {
			code[i] = modelLetter[dice.IntN(len(modelLetter))]
		}
		return string(code)
	}
	limit := 1
	for range is.digits {
		limit *= 10
	}
	return fmt.Sprintf("%s%0*d", is.prefix, is.digits, dice.IntN(limit))
}

var boardNames = [...]string{
	"新能源", "半导体", "白酒", "光伏设备", "锂电池", "券商概念", "房地产开发", "医疗服务", "人工智能", "工业母机", "农牧饲渔", "煤炭行业", "航运港口",
	"黄金概念", "跨境电商", "数字经济", "军工", "低空经济", "风电设备", "储能", "氢能源", "机器人概念", "信创", "云计算", "中药", "创新药", "免税概念",
	"旅游酒店", "汽车零部件", "特高压", "钢铁行业", "化肥行业", "稀土永磁", "消费电子", "影视概念", "银行", "保险", "水泥建材", "造纸印刷", "一带一路",
}

func (w *world) addBoards() {
	for i, name := range boardNames {
		s := news.Security{Market: news.MarketBoards, Code: fmt.Sprintf("BK%04d", 420+i*17)}
		w.quoted = append(w.quoted, quoted{s, name, firstMark("bk", "bkquote", s, name), laterMark(s, name), ""})
	}
}

// firstMark is how a text marks the first mention of a security.
func firstMark(id, quote string, s news.Security, name string) string {
	return fmt.Sprintf(`<span id="%s_%s"><a href="http://quote.eastmoney.com/unify/r/%[2]s" class="keytip" data-code="%[4]d,%[5]s">%[6]s</a></span><span id="%[3]s_%[2]s"></span>`,
		id, s, quote, s.Market, s.Code, name)
}

// laterMark is how it marks further ones.
func laterMark(s news.Security, name string) string {
	return fmt.Sprintf(`<span web="1" href="http://quote.eastmoney.com/unify/r/%s" class="em_stock_key_common" data-code="%d,%s">%s</span>`,
		s, s.Market, s.Code, name)
}

// picture is the block that shows a security's K-line.
func picture(s news.Security, class int) string {
	address := "http://quote.eastmoney.com/unify/r/" + s.String()
	if class == 7 {
		address = "http://quote.eastmoney.com/us/" + s.Code + ".html"
	}
	return fmt.Sprintf(`<!-- EM_StockImg_Start --><p style="text-align:center;"><a href="%s" data-code="%s|%d|%d" data-code2="%[2]s|%[3]d|3|" class="EmImageRemark" target="_blank">`+
		`<img src="https://webquoteklinepic.eastmoney.com/GetPic.aspx?nid=%[5]s&imageType=k&token=5f1c0e7d92ab4f63a8d00b7c41e9d256&at=1" border="0" alt="K图 %[2]s_0" data-code="K %[2]s|%[3]d|%[4]d" data-code2="K %[2]s|%[3]d|3|" style="border:#d1d1d1 1px solid;" width="578" height="276" /></a></p><!-- EM_StockImg_End -->`,
		address, s.Code, s.Market, class, s)
}

var termNames = [...]string{
	"业绩", "净利润", "ETF", "融资融券", "市盈率", "股息率", "每股收益", "质押率", "净资产收益率", "商誉", "限售股", "大宗交易", "可转债", "资产负债率",
	"营业收入", "毛利率", "北向资金", "分红", "回购", "基金规模",
}

func newTerms() []string {
	terms := make([]string, len(termNames))
	for i, name := range termNames {
		terms[i] = termMark(3000+i*107, name)
	}
	return terms
}

func termMark(id int, name string) string {
	return fmt.Sprintf(`<span id="Info.%d"><a href="http://data.eastmoney.com/info/%[1]d.html" class="infokey">%s</a></span>`, id, name)
}

// plainTerm is a term without its mark.
func plainTerm(mark string) string {
	name, _, _ := strings.Cut(mark[strings.LastIndex(mark, `infokey">`)+len(`infokey">`):], "<")
	return name
}
