package mirror

import (
	"fmt"
	"math/rand/v2"
	"sort"
	"strings"
)

// outlet is a source of news: a category and a tag of the site.
type outlet struct {
	name     string // 砚岚财经
	category string // yanlancaijing: the front matter's categories value
	tag      string // the front matter's tags value
	path     string // of its posts: /yanlancaijing
	tags     []string
	heading  string // what its category page calls itself: often another outlet
	indented bool   // paragraphs begin with two full-width spaces
}

// rollingCategory is the rolling news, whose posts are named by bare digits.
const rollingCategory = "emnews"

func (o *outlet) rolling() bool { return o.category == rollingCategory }

// categoryURL is the path of the outlet's category page as links write it.
func (o *outlet) categoryURL() string {
	return "/category/" + strings.ReplaceAll(o.category, " ", "%20") + ".html"
}

// pinyin are the characters that outlets are named with, and how each is
// written without tones.
const pinyin = "砚yan岚lan澍shu朔shuo翊yi湉tian皓hao峤qiao汀ting棠tang榆yu槿jin麓lu溪xi漪yi霁ji曦xi晟sheng昱yu珩heng" +
	"琅lang璟jing瑾jin钧jun铎duo锦jin骏jun鲲kun鹭lu鹤he雁yan云yun海hai江jiang川chuan岭ling浦pu港gang东dong西xi" +
	"南nan北bei中zhong华hua新xin远yuan明ming星xing启qi衡heng信xin财cai经jing日ri报bao证zheng券quan在zai线xian" +
	"观guan察cha时shi晚wan商shang周zhou刊kan济ji网wang闻wen期qi货huo基ji金jin研yan究jiu资zi讯xun快kuai导dao" +
	"融rong投tou产chan业ye能neng源yuan科ke技ji地di汽qi车che医yi药yao视shi点dian智zhi库ku头tou条tiao香xiang" +
	"国guo际ji世shi纪ji道dao行hang"

// An invented name is one of pinyin's first, rare characters and another that
// is not too common, so that no real outlet is met by chance.
const (
	rareNames = 32
	allNames  = 51
)

var outletKinds = [...]string{
	"财经", "日报", "证券", "在线", "观察", "时报", "晚报", "商报", "周刊", "经济网", "新闻网", "期货", "基金", "研究", "资讯", "快讯",
	"导报", "金融", "投资", "产业观察", "能源网", "科技", "地产", "汽车网", "医药", "视点", "智库", "头条", "证券报", "财经网",
}

// syllables is pinyin as a table.
type syllables struct {
	chars []string
	sound map[string]string
}

func newSyllables() syllables {
	s := syllables{sound: map[string]string{}}
	for _, r := range pinyin {
		if r >= 'a' && r <= 'z' {
			s.sound[s.chars[len(s.chars)-1]] += string(r)
		} else if c := string(r); s.sound[c] == "" {
			s.chars = append(s.chars, c)
		}
	}
	return s
}

// romanise writes a name as the site's categories do: Chinese characters by
// their sound, all else as it is.
func (s syllables) romanise(name string) string {
	var b strings.Builder
	for _, r := range name {
		c := string(r)
		if sound, ok := s.sound[c]; ok {
			c = sound
		}
		b.WriteString(c)
	}
	return b.String()
}

// outletNamer invents names of outlets, no two with one category.
type outletNamer struct {
	syllables
	dice *rand.Rand
	used map[string]bool // categories, in lower case
}

// newOutlets returns n outlets: the rolling news, then invented ones.
func newOutlets(n int, seed uint64) []outlet {
	namer := outletNamer{
		syllables: newSyllables(),
		dice:      rand.New(rand.NewPCG(seed, stream(streamOutlets, 0))),
		used:      map[string]bool{rollingCategory: true},
	}
	outlets := []outlet{newOutlet("东财滚动", rollingCategory, "东财滚动新闻")}
	for len(outlets) < n {
		name := namer.name(len(outlets))
		category := namer.romanise(name)
		if key := strings.ToLower(category); !namer.used[key] {
			namer.used[key] = true
			outlets = append(outlets, newOutlet(name, brackets.Replace(category), name+"新闻"))
		}
	}
	namer.mixUp(outlets)
	return outlets
}

var brackets = strings.NewReplacer("（", "(", "）", ")")

func newOutlet(name, category, tag string) outlet {
	o := outlet{name: name, category: category, tag: tag, tags: strings.Fields(tag)}
	seen := map[string]bool{}
	for _, part := range strings.Fields(strings.ToLower(category)) {
		if !seen[part] {
			seen[part] = true
			o.path += "/" + part
		}
	}
	return o
}

// name invents the i-th name. The odd shapes that real outlets have come early,
// so that a small mirror has them as well, and again now and then.
func (n *outletNamer) name(i int) string {
	switch i % 29 {
	case 2:
		return fmt.Sprintf("%d财经", 10+n.dice.IntN(90))
	case 3:
		return fmt.Sprintf("%s经济报道 %d财经APP", n.first(), 10+n.dice.IntN(90))
	case 5:
		return n.first() + "国际证券（香港）"
	case 7:
		return fmt.Sprintf("Market In %s投研PEVC", n.first())
	case 9:
		return n.first() + "财经  " + n.first() + "研究"
	case 11:
		return string(modelLetter[n.dice.IntN(len(modelLetter))]) + n.first() + "视点"
	default:
		return n.first() + outletKinds[n.dice.IntN(len(outletKinds))]
	}
}

func (n *outletNamer) first() string {
	return n.chars[n.dice.IntN(rareNames)] + n.chars[n.dice.IntN(allNames)]
}

// mixUp gives most category pages the heading of another outlet, a fault of
// the site's own generator.
func (n *outletNamer) mixUp(outlets []outlet) {
	for i := range outlets {
		heading := &outlets[i]
		if n.dice.IntN(10) < 6 {
			heading = &outlets[n.dice.IntN(len(outlets))]
		}
		outlets[i].heading = heading.tag
		outlets[i].indented = n.dice.IntN(3) == 0
	}
}

// shares draws outlets so that few are large and most are small.
type shares []float64

func newShares(n int) shares {
	s := make(shares, n)
	total := 0.0
	for i := range s {
		total += 1 / float64(i+2)
		s[i] = total
	}
	return s
}

func (s shares) draw(dice *rand.Rand) int {
	x := dice.Float64() * s[len(s)-1]
	return min(sort.SearchFloat64s(s, x), len(s)-1)
}
