package securities

// What stands behind a name tells whether it is one. The words were chosen on a
// part of a labelled set, see labelled_test.go; folded, as texts are.
var (
	// longerWords make another name of a name: a subsidiary, a product, a medium, a
	// place or a trade.
	longerWords = []string{
		"银行", "证券", "基金", "资管", "资产管理", "资本", "信托", "人寿", "产险", "财险", "养老", "期货", "保险", "租赁",
		"信用卡", "大学", "学院", "医院", "研究院", "路", "街道", "大厦", "广场", "中心", "杯", "足球", "男篮", "女排",
		"网", "APP", "CHOICE", "IFIND", "数据", "客户端", "日报", "讯",
		"业", "协会", "产业", "行业", "市场", "酒", "镇", "村", "区",
	}
	// notLonger begin as those do and are said of the company.
	notLonger = []string{
		"业绩", "业务", "业内", "网络", "区域", "市场价", "市场部", "市场份额", "酒股份", "保险业务", "基金持", "基金经理", "资本开支", "资本支出", "中心城区", "讯息", "路演",
	}
	// brokers end the names of those whom reports quote.
	brokers = []string{"证券", "中金公司", "国泰君安", "国泰海通", "东方财富", "国际"}
	// quoteWords follow who is quoted, and is not the subject.
	quoteWords = []string{
		"分析师", "研报", "研究", "首席", "认为", "指出", "预计", "预测", "表示", "建议", "维持", "给予", "发布研报", "发表", "策略", "最新", "投顾", "营业部", "电", "称", "席位", "(香港)", "宏观",
	}
	// adviceWords follow a broker and a colon where a title quotes it.
	adviceWords = []string{"维持", "给予", "首予", "上调", "下调", "看好", "建议", "预计", "重申", "关注"}
	// companyWords follow the name of a company that is a common word too.
	companyWords = []string{
		"公司", "集团", "股价", "股份", "美股", "港股", "盘前", "盘后", "财报", "CEO", "首席执行官", "市值", "总市值", "发布财报", "涨超", "跌超", "收涨", "收跌", "高开", "低开",
	}
	// subjectWords follow the name of one who acts, or is traded.
	subjectWords = []string{
		"公司", "集团", "公告", "股价", "股份", "发布", "表示", "披露", "称", "宣布", "拟", "涨", "跌", "收", "报", "盘中", "早盘", "午后", "今日", "前三季度", "上半年", "年报", "净利", "营收", "董事", "高管", "股东", "回应", "的股", "市值", ":", "(",
	}
	// boardWords follow the name of a sector or a concept.
	boardWords = []string{"板块", "概念", "指数", "行业板块", "领涨", "领跌", "走强", "走弱", "拉升", "涨超", "跌超"}
	// boardEnds end such names that nothing else is called by.
	boardEnds = []string{"概念", "板块"}
	// creditWords begin what names the source or the editor of an article.
	creditWords = []string{"文章来源", "来源:", "来源 ", "责任编辑", "责编", "编辑:"}
)
