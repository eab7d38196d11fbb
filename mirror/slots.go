package mirror

import "strconv"

// slot is something in a phrase that is drawn rather than chosen from a list.
type slot uint8

const (
	slotSubject slot = iota
	slotOther
	slotBoard
	slotTerm
	slotPercent
	slotYi
	slotWan
	slotInt
	slotSmall
	slotBig
	slotDate
	slotYear
	slotPeriod
	slotPrice
	slotDecimal
	slotPoints
	slotTimes
	slotRating
	slotPerson
	slotCounty
	slotBrand
	slotModel
)

var slotNames = map[string]slot{
	"S": slotSubject, // the security that the article is about
	"O": slotOther,   // another one
	"B": slotBoard,
	"T": slotTerm,

	"Pct":    slotPercent,
	"Yi":     slotYi,      // money, in 亿元
	"Wan":    slotWan,     // money, in 万元
	"Int":    slotInt,     // two or three digits
	"Small":  slotSmall,   // 2 to 12
	"Big":    slotBig,     // four or five digits
	"Date":   slotDate,    // a day of the last two weeks
	"Year":   slotYear,    // one near the article's
	"Period": slotPeriod,  // a reporting period
	"Price":  slotPrice,   // in 元
	"Price2": slotDecimal, // a number with a decimal
	"Points": slotPoints,  // below ten, with a decimal
	"Times":  slotTimes,
	"Rating": slotRating,

	"Person": slotPerson,
	"County": slotCounty,
	"Brand":  slotBrand,
	"Model":  slotModel,
}

// Characters that invented names are made of.
const (
	surnames    = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文庞樊兰殷施陶洪翟安颜倪严牛温芦季俞章鲁葛伍韦申尤毕聂丛焦向柳邢路岳齐沿梅莫庄辛管祝左涂谷祁时舒耿牟卜路詹关苗凌费纪靳盛童欧甄项曲成游阳裴席卫查屈鲍位覃霍翁隋植甘景薄单包司柏宁柯阮桂闵"
	givenNames  = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华文辉力建国海波鹏飞宇浩然子轩梓涵思远志斌雪梅晓东永康家豪立新德胜玉兰春生少云天佑启航景行嘉懿佳琪雨桐泽楷承恩若曦乐瑶博雅瑞霖振宁国栋学文书恒昕彤亦舟致远清扬沐辰知言可欣怀瑾守正慕白听澜凌峰砚秋望舒彦廷俊驰绍元松年柏林其琛维桢仲谋孟起季常叔同"
	placeChars  = "临平安新永宁兴和昌清金大石南东西北河江海湖山川溪泉源洲港桥塘浦渡关岭坪坝湾沟屯集墟沙泽林松柏柳桐杏桃梅竹兰莲龙凤鹤鹿虎马牛羊云雷霜雪阳月辰晖康泰丰盛富庆祥瑞福禄德仁义礼信明文武宣威定远靖绥怀顺"
	brandChars  = "砚岚澍翊湉峤霁珩琅璟瑾铎骏鲲鹭雁榆槿棠汀麓晟昱曦朔皓沐湛泓澄漪涟沛淳泠洛沂沅澧漳泾渭岐岱嵩峻崧嵘屹岑峦峥芷蘅荃苒茗菡萱葳蕤荻芃蔚蓁杉梓楠桦檀栩柘椿樾榕钧锐铭锋镕鑫锡铠钜锦铂钛琪珏琛瑜瑶璇玑瑄珺玥琮璞煜炜烨焱炘燊炯焕灿熠翎翱翰羽翼翀隼鸢鹄鹰隽骁骐骥骅驰骋"
	modelLetter = "ABCDEFGHJKLMNPQRSTUVWXYZ"
)

// slotText appends what is drawn for s.
func (a *author) slotText(dst []byte, s slot) []byte {
	switch s {
	case slotSubject:
		return a.mention(dst, a.subject)
	case slotOther:
		return a.mention(dst, a.next(&a.others))
	case slotBoard:
		return a.mention(dst, a.next(&a.boards))
	case slotTerm:
		return a.term(dst)
	case slotPerson, slotCounty, slotBrand, slotModel, slotRating:
		return a.nameText(dst, s)
	case slotDate, slotYear, slotPeriod:
		return a.timeText(dst, s)
	default:
		return a.numberText(dst, s)
	}
}

func (a *author) numberText(dst []byte, s slot) []byte {
	switch s {
	case slotPercent:
		return append(a.decimal(dst, 100, 2), '%')
	case slotYi:
		return append(a.decimal(dst, 1000, 2), "亿元"...)
	case slotWan:
		return append(a.number(dst, 50, 9999), "万元"...)
	case slotSmall:
		return a.number(dst, 2, 12)
	case slotBig:
		return a.number(dst, 1000, 99999)
	case slotPrice:
		return append(a.decimal(dst, 100, 2), "元"...)
	case slotDecimal:
		return a.decimal(dst, 1000, 1)
	case slotPoints:
		return a.decimal(dst, 10, 2)
	case slotTimes:
		return append(a.decimal(dst, 10, 2), "倍"...)
	default:
		return a.number(dst, 11, 998)
	}
}

// number appends a whole number from least to most, small ones as often as
// great ones: as in news, each length of number has its share.
func (a *author) number(dst []byte, least, most int) []byte {
	top := most
	for top/10 >= least && top/10 > 9 && a.dice.IntN(3) == 0 {
		top /= 10
	}
	return strconv.AppendInt(dst, int64(least+a.dice.IntN(top-least+1)), 10)
}

// decimal appends a number below most with up to the given decimals.
func (a *author) decimal(dst []byte, most, decimals int) []byte {
	for most > 10 && a.dice.IntN(2) == 0 {
		most /= 10
	}
	dst = strconv.AppendInt(dst, int64(a.dice.IntN(most)), 10)
	dst = append(dst, '.')
	for range 1 + a.dice.IntN(decimals) {
		dst = append(dst, byte('0'+a.dice.IntN(10)))
	}
	return dst
}

func (a *author) timeText(dst []byte, s slot) []byte {
	switch s {
	case slotDate:
		day := a.when.AddDate(0, 0, -max(0, a.dice.IntN(24)-9))
		dst = strconv.AppendInt(dst, int64(day.Month()), 10)
		dst = append(dst, "月"...)
		dst = strconv.AppendInt(dst, int64(day.Day()), 10)
		return append(dst, "日"...)
	case slotYear:
		return strconv.AppendInt(dst, int64(a.when.Year()-4+a.dice.IntN(8)), 10)
	default:
		dst = strconv.AppendInt(dst, int64(a.when.Year()-a.dice.IntN(2)), 10)
		periods := [...]string{"年前三季度", "年上半年", "年一季度", "年二季度", "年三季度", "年四季度", "年度", "财年"}
		return append(dst, periods[a.dice.IntN(len(periods))]...)
	}
}

// nameText appends an invented name: most often one of the few that the
// article uses.
func (a *author) nameText(dst []byte, s slot) []byte {
	const own = 3
	x := bits(a.dice.Uint64())
	if x.below(8) > 1 {
		x = bits(scatter(a.key ^ uint64(s)<<8 ^ uint64(x.below(own))))
	}
	switch s {
	case slotPerson:
		dst = x.runes(dst, surnames, 1)
		return x.runes(dst, givenNames, 1+x.below(2))
	case slotCounty:
		kinds := [...]string{"县", "市", "区", "镇"}
		return append(x.runes(dst, placeChars, 2), kinds[x.below(len(kinds))]...)
	case slotBrand:
		return x.runes(dst, brandChars, 2)
	case slotRating:
		ratings := [...]string{"AAA", "AA+", "AA", "A+"}
		return append(dst, ratings[x.below(len(ratings))]...)
	default:
		dst = append(dst, modelLetter[x.below(len(modelLetter))], modelLetter[x.below(len(modelLetter))], '-')
		return strconv.AppendInt(dst, int64(10+x.below(990)), 10)
	}
}

// bits are a random number from which smaller ones are taken, few enough that
// it lasts.
type bits uint64

// below takes a number below n.
func (x *bits) below(n int) int {
	k := int(*x % bits(n))
	*x /= bits(n)
	return k
}

// runes appends n runes taken from a string of three-byte ones.
func (x *bits) runes(dst []byte, from string, n int) []byte {
	const size = 3
	for range n {
		i := size * x.below(len(from)/size)
		dst = append(dst, from[i:i+size]...)
	}
	return dst
}
