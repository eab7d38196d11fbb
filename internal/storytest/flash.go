package storytest

import (
	"fmt"
	"strings"
)

// flash writes a short report by one of a few forms, as companies' notices are
// reported: two of one form differ in company and figures alone.
func (w *writer) flash() (title, text string) {
	form := forms[w.IntN(len(forms))]
	s := w.name()
	text = strings.NewReplacer("{S}", s, "{K}", fmt.Sprintf("%06d", 600000+w.IntN(3999))).Replace(form)
	for strings.Contains(text, "{N}") {
		text = strings.Replace(text, "{N}", fmt.Sprintf("%d.%02d", 1+w.IntN(99), w.IntN(100)), 1)
	}
	for strings.Contains(text, "{I}") {
		text = strings.Replace(text, "{I}", fmt.Sprint(1+w.IntN(999)), 1)
	}
	first, _, _ := strings.Cut(text, "，")
	return first, text
}

var forms = []string{
	`{S}（{K}）公告，公司前三季度实现营业收入{N}亿元，同比增长{N}%；归属于上市公司股东的净利润{N}亿元，同比增长{N}%；基本每股收益{N}元。报告期内，公司主要产品销量增加，毛利率较上年同期有所提高。`,
	`{S}公告，公司拟以集中竞价交易方式回购股份，回购资金总额不低于{N}亿元且不超过{N}亿元，回购价格不超过{N}元/股，回购期限为自董事会审议通过之日起{I}个月内，回购的股份将用于员工持股计划或股权激励。`,
	`{S}（{K}）公告，控股股东计划自公告披露之日起十五个交易日后的{I}日内，以集中竞价、大宗交易方式减持公司股份不超过{N}万股，即不超过公司总股本的{N}%。减持原因为自身资金需求。`,
	`{S}龙虎榜数据显示，当日收盘价{N}元，涨幅{N}%，成交额{N}亿元，换手率{N}%。机构专用席位净买入{N}万元，沪股通净卖出{N}万元，营业部席位合计净买入{N}万元。` + "\n" + `近{I}个交易日，该股累计上榜{I}次，主力资金合计净流入{N}亿元。`,
	`{S}在互动平台表示，公司相关产品已通过多家客户的验证，目前处于小批量供货阶段，对业绩影响较小，敬请投资者注意投资风险。公司将根据市场需求情况，合理安排产能建设进度，并按照规定及时履行信息披露义务。`,
	`某证券研报指出，{S}业绩符合预期，维持买入评级。预计公司未来三年归母净利润分别为{N}亿元、{N}亿元和{N}亿元，对应市盈率分别为{N}倍、{N}倍和{N}倍。` + "\n" + `研报认为，{S}作为细分领域龙头，在手订单{N}亿元，产能释放在即，盈利能力有望持续改善，给予目标价{N}元。` + "\n" + `风险因素：原材料价格波动，下游需求不及预期。`,
	`截至收盘，{S}报{N}元，上涨{N}%，换手率{N}%，成交量{N}万手，成交额{N}亿元。资金流向数据方面，主力资金净流入{N}万元，占总成交额{N}%，游资资金净流出{N}万元，占总成交额{N}%，散户资金净流出{N}万元。` + "\n" + `该股最近{I}天内共有{I}家机构给出评级，买入评级{I}家，增持评级{I}家；过去{I}天内机构目标均价为{N}元。`,
}
