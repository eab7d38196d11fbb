package robots_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/finarc/finarc/robots"
)

// verdicts are files and what they say of addresses. from tells where a case
// comes from: a section of RFC 9309; a test of Google's parser (robots_test.cc of
// google/robotstxt, or the examples of its documentation); or neither, "ours".
var verdicts = []struct {
	from       string
	file       string
	agent      string // foobot, if empty
	allowed    string // addresses, divided by spaces
	disallowed string
}{
	// Groups and lines.
	{from: "2.1: no file", file: "", allowed: "/ /a"},
	{from: "2.1: a group without rules", file: "User-agent: foobot\n", allowed: "/ /a"},
	{from: "2.1: a last group without rules", file: "User-agent: *\nDisallow: /\n\nUser-agent: foobot\n", allowed: "/ /a"},
	{from: "2.1: a group of several agents", file: "User-agent: barbot\nUser-agent: foobot\nUser-agent: bazbot\nDisallow: /a\n", allowed: "/b", disallowed: "/a"},
	{from: "2.1: an empty line ends nothing", file: "User-agent: foobot\n\nUser-agent: barbot\n\n\nDisallow: /a\n\nDisallow: /b\n", allowed: "/c", disallowed: "/a /b"},
	{from: "2.1: rules end the list of agents", file: "User-agent: foobot\nDisallow: /a\nUser-agent: barbot\nDisallow: /b\n", allowed: "/b", disallowed: "/a"},
	{from: "2.2: no space, and much of it", file: "User-agent:foobot\n \t Disallow \t:\t /a \t\nAllow:/a/b\n", allowed: "/a/b", disallowed: "/a"},
	{from: "2.2: CR alone", file: "User-agent: foobot\rDisallow: /a\r\rDisallow: /b\r", allowed: "/c", disallowed: "/a /b"},
	{from: "2.2: CR and LF", file: "User-agent: foobot\r\nDisallow: /a\r\n\r\nDisallow: /b", allowed: "/c", disallowed: "/a /b"},
	{from: "Google ID_LineSyntax_Line: other names", file: "foo: foobot\nbar: /\n", allowed: "/x/y"},
	{from: "Google ID_LineSyntax_Line: no colons", file: "user-agent foobot\ndisallow /\n", disallowed: "/x/y"},
	{from: "Google ID_LineSyntax_Groups: foobot", file: groups, allowed: "/x/b /z/d", disallowed: "/y/c /w/a /foo/bar/"},
	{from: "Google ID_LineSyntax_Groups: barbot", file: groups, agent: "BarBot", allowed: "/y/c /w/a", disallowed: "/z/d /x/b /foo/bar/"},
	{from: "Google ID_LineSyntax_Groups: bazbot", file: groups, agent: "BazBot", allowed: "/z/d", disallowed: "/w/a /foo/bar/"},
	{from: "Google ID_REPLineNamesCaseInsensitive", file: "uSER-aGENT: foobot\nDISALLOW: /\naLLow: /x/\n", allowed: "/x/y", disallowed: "/a/b"},
	{from: "Google ID_UTF8ByteOrderMarkIsSkipped: whole", file: "\xef\xbb\xbfUser-agent: foobot\nDisallow: /\n", disallowed: "/"},
	{from: "Google ID_UTF8ByteOrderMarkIsSkipped: two bytes", file: "\xef\xbbUser-agent: foobot\nDisallow: /\n", disallowed: "/"},
	{from: "Google ID_UTF8ByteOrderMarkIsSkipped: one byte", file: "\xefUser-agent: foobot\nDisallow: /\n", disallowed: "/"},
	{from: "Google ID_UTF8ByteOrderMarkIsSkipped: broken", file: "\xef\x11\xbfUser-agent: foobot\nDisallow: /\n", allowed: "/"},
	{from: "Google ID_UTF8ByteOrderMarkIsSkipped: in the middle", file: "User-agent: foobot\n\xef\xbb\xbfDisallow: /\n", allowed: "/"},
	{from: "Google ID_LinesNumbersAreCountedCorrectly: mixed", file: "User-agent: barbot\nAllow: /a\r\nUser-agent: foobot\n\r\n\nDisallow: /", disallowed: "/a"},
	{from: "Google's parser: misspellings", file: "useragent: foobot\nDissallow: /a\ndissalow: /b\nDISALOW: /c\ndiasllow: /d\ndisallaw: /e\n", allowed: "/f", disallowed: "/a /b /c /d /e"},
	{from: "Google's parser: names that go on", file: "User agents: foobot\nDisallowed: /\nAllowing: /a\n", allowed: "/a", disallowed: "/"},
	{from: "Google's parser: three words without a colon", file: "User-agent: foobot\nDisallow /a /b\n", allowed: "/a /b"},
	{from: "ours: a colon behind the missing one", file: "User-agent: foobot\nDisallow /a:b\n", allowed: "/a", disallowed: "/a:b"},

	// 2.2.1: agents.
	{from: "2.2.1: any case", file: "User-agent: FOObot\nDisallow: /\n", disallowed: "/"},
	{from: "2.2.1: groups are merged", file: "user-agent: foobot\ndisallow: /foo\ndisallow: /bar\n\nuser-agent: foobot\ndisallow: /baz\n", allowed: "/qux", disallowed: "/foo /bar /baz"},
	{from: "2.2.1: merged, with another's between", file: "user-agent: foobot\ndisallow: /\n\nuser-agent: *\nallow: /c\n\nuser-agent: foobot\nuser-agent: barbot\nallow: /a\n", allowed: "/a", disallowed: "/b /c"},
	{from: "2.2.1: groups of all are merged", file: "user-agent: *\ndisallow: /foo\n\nuser-agent: barbot\n\nuser-agent: *\ndisallow: /bar\n", allowed: "/qux", disallowed: "/foo /bar"},
	{from: "2.2.1: none but that of all", file: "user-agent: *\ndisallow: /foo\ndisallow: /bar\n\nuser-agent: bazbot\ndisallow: /baz\n", allowed: "/baz", disallowed: "/foo /bar"},
	{from: "2.2.1: none at all", file: "user-agent: bazbot\ndisallow: /baz\n", allowed: "/ /baz"},
	{from: "2.2.1: one's own beats that of all, wherever it stands", file: "user-agent: foobot\ndisallow: /a\n\nuser-agent: *\ndisallow: /b\n", allowed: "/b", disallowed: "/a"},
	{from: "2.2.1: one's own and all in one group", file: "user-agent: *\nuser-agent: foobot\ndisallow: /a\n\nuser-agent: *\ndisallow: /b\n", allowed: "/b", disallowed: "/a"},
	{from: "2.2.1: the beginning of the token is another", file: "user-agent: foo\ndisallow: /\n", allowed: "/"},
	{from: "2.2.1: a longer token is another", file: "user-agent: foobot-news\ndisallow: /\n", allowed: "/"},
	{from: "2.2.1: an agent with version and more", file: "user-agent: foobot\ndisallow: /\n", agent: "FooBot/2.1 (+https://foo.example)", disallowed: "/"},
	{from: "Google ID_GlobalGroups_Secondary: others", file: "user-agent: *\nallow: /\nuser-agent: barbot\ndisallow: /\n", allowed: "/x/y"},
	{from: "Google ID_GlobalGroups_Secondary: oneself", file: "user-agent: *\nallow: /\nuser-agent: foobot\ndisallow: /\n", disallowed: "/x/y"},
	{from: "Google ID_UserAgentValueCaseInsensitive: up to what is no token", file: "User-agent: FOO BAR\nAllow: /x/\nDisallow: /\n", agent: "foo", allowed: "/x/y", disallowed: "/a/b"},
	{from: "Google GoogleOnly_AcceptUserAgentUpToFirstSpace", file: "User-agent: *\nDisallow: /\nUser-agent: Foo Bar\nAllow: /x/\nDisallow: /\n", agent: "Foo", allowed: "/x/y", disallowed: "/a"},
	{from: "Google's parser: with a version", file: "User-agent: foobot/1.0\nDisallow: /\n", disallowed: "/"},
	{from: "Google's parser: words behind the star", file: "User-agent: * all of you\nDisallow: /\n", disallowed: "/"},
	{from: "Google's parser: a star that is none", file: "User-agent: *bot\nDisallow: /\n", allowed: "/"},
	{from: "Google GoogleOnly_SystemTest: no agent is asked for", file: "user-agent: foobot\ndisallow: /\n", agent: "*", allowed: "/"},
	{from: "ours: a group for nobody is not the last one's", file: "User-agent: foobot\nDisallow: /a\nUser-agent: 蜘蛛\nDisallow: /b\nUser-agent:\nDisallow: /c\n", allowed: "/b /c", disallowed: "/a"},

	// 2.2.2: rules.
	{from: "2.2.2: a rule before all groups", file: "Disallow: /a\nUser-agent: foobot\nDisallow: /b\n", allowed: "/a", disallowed: "/b"},
	{from: "2.2.2: from the first octet on", file: "User-agent: foobot\nDisallow: /b\n", allowed: "/a/b", disallowed: "/b/a"},
	{from: "2.2.2: the longest", file: "User-agent: foobot\nAllow: /a/b\nDisallow: /a\nDisallow: /a/b/c\n", allowed: "/a/b /a/b/d", disallowed: "/a /a/c /a/b/c/d"},
	{from: "2.2.2: of equals, Allow", file: "User-agent: foobot\nDisallow: /a\nAllow: /a\nAllow: /b\nDisallow: /b\n", allowed: "/a /b"},
	{from: "2.2.2: of equals across groups, Allow", file: "User-agent: foobot\nDisallow: /a\n\nUser-agent: foobot\nAllow: /a\n", allowed: "/a"},
	{from: "2.2.2: robots.txt", file: "User-agent: *\nDisallow: /\nDisallow: /robots.txt\n", allowed: "/robots.txt", disallowed: "/robots.txt.html /a/robots.txt /robots"},
	{from: "2.2.2, table: nothing to encode", file: only("/foo/bar?baz=quz"), allowed: "/foo/bar?baz=quz /foo/bar?baz=quz&a", disallowed: "/foo/bar /foo/bar?baz=qu"},
	{from: "2.2.2, table: reserved, as it is", file: only("/foo/bar?baz=https://foo.bar"), allowed: "/foo/bar?baz=https://foo.bar /foo/bar?baz=https%3A%2F%2Ffoo.bar /foo/bar?baz=https%3a//foo.bar", disallowed: "/foo/bar?baz=https"},
	{from: "2.2.2, table: reserved, encoded", file: only("/foo/bar?baz=https%3A%2F%2Ffoo.bar"), allowed: "/foo/bar?baz=https://foo.bar /foo/bar?baz=https%3A%2F%2Ffoo.bar", disallowed: "/foo/bar?baz=https"},
	{from: "2.2.2, table: beyond ASCII, as it is", file: only("/foo/bar/ツ"), allowed: "/foo/bar/%E3%83%84 /foo/bar/%e3%83%84 /foo/bar/ツ", disallowed: "/foo/bar/%E3%83%85 /foo/bar/"},
	{from: "2.2.2, table: beyond ASCII, encoded", file: only("/foo/bar/%e3%83%84"), allowed: "/foo/bar/%E3%83%84 /foo/bar/ツ", disallowed: "/foo/bar/%E3%83%85"},
	{from: "2.2.2, table: unreserved, encoded", file: only("/foo/bar/%62%61%7A"), allowed: "/foo/bar/baz /foo/bar/%62%61%7A /foo/bar/%62a%7a", disallowed: "/foo/bar/%42az"},
	{from: "2.2.2: unreserved, encoded in the address", file: only("/foo/bar/baz"), allowed: "/foo/bar/%62%61%7A", disallowed: "/foo/bar/ba%5A"},
	{from: "2.2.2: reserved is not decoded in a path", file: only("/a/b"), allowed: "/a/b", disallowed: "/a%2Fb /a%2fb"},
	{from: "2.2.2: nor what divides a query", file: only("/?a=1&b"), allowed: "/?a=1&b", disallowed: "/?a=1%26b /?a%3D1&b /%3Fa=1&b"},
	{from: "ours: what no URI holds", file: only(`/a b|"c"`), allowed: "/a%20b%7C%22c%22", disallowed: "/ab"},
	{from: "ours: broken UTF-8", file: only("/\xff\x00"), allowed: "/%FF /\xff", disallowed: "/%FE"},
	{from: "ours: GB 18030", file: only("/\xd0\xc2"), allowed: "/%D0%C2 /%d0%c2/a", disallowed: "/新"},
	{from: "ours: a percent sign that begins no escape", file: "User-agent: foobot\nDisallow: /*%\nDisallow: /a%zz", allowed: "/b", disallowed: "/%E3%83%84 /a%zz"},
	{from: "Google ID_AllowDisallow_Value_CaseSensitive", file: "user-agent: foobot\ndisallow: /X/\n", allowed: "/x/y", disallowed: "/X/y"},
	{from: "Google ID_LongestMatch: Disallow", file: "user-agent: foobot\ndisallow: /x/page.html\nallow: /x/\n", allowed: "/x/ /x/page.htm", disallowed: "/x/page.html"},
	{from: "Google ID_LongestMatch: Allow", file: "user-agent: foobot\nallow: /x/page.html\ndisallow: /x/\n", allowed: "/x/page.html", disallowed: "/x/"},
	{from: "Google ID_LongestMatch: both empty", file: "user-agent: foobot\ndisallow:\nallow: \n", allowed: "/x/page.html"},
	{from: "Google ID_LongestMatch: both all", file: "user-agent: foobot\ndisallow: /\nallow: /\n", allowed: "/x/page.html"},
	{from: "Google ID_LongestMatch: a slash longer", file: "user-agent: foobot\ndisallow: /x\nallow: /x/\n", allowed: "/x/", disallowed: "/x"},
	{from: "Google ID_LongestMatch: a wildcard counts", file: "user-agent: foobot\nallow: /page\ndisallow: /*.html\n", allowed: "/page", disallowed: "/page.html"},
	{from: "Google ID_LongestMatch: a wildcard that is shorter", file: "user-agent: foobot\nallow: /x/page.\ndisallow: /*.html\n", allowed: "/x/page.html", disallowed: "/x/y.html"},
	{from: "Google ID_LongestMatch: one's own group", file: "User-agent: *\nDisallow: /x/\nUser-agent: foobot\nDisallow: /y/\n", allowed: "/x/page", disallowed: "/y/page"},
	{from: "Google ID_Encoding: an address in a query", file: only("/foo/bar?qux=taz&baz=http://foo.bar?tar&par"), allowed: "/foo/bar?qux=taz&baz=http://foo.bar?tar&par", disallowed: "/foo/bar?qux=taz"},
	{from: "Google GoogleOnly_SystemTest, TestGetPathParamsQuery: no path", file: "user-agent: foobot\ndisallow: /?a\n", allowed: " /", disallowed: "?a /?a#b"},
	{from: "Google GoogleOnly_IndexHTMLisDirectory: not followed", file: only("/dir/index.html"), allowed: "/dir/index.html", disallowed: "/dir/ /dir/index.htm"},
	{from: "Google GoogleOnly_LineTooLong: not cut", file: only("/x/" + strings.Repeat("a", 20000) + "/qux"), allowed: "/x/" + strings.Repeat("a", 20000) + "/qux", disallowed: "/x/" + strings.Repeat("a", 20000) + "/fux"},

	// 2.2.3: special characters.
	{from: "2.2.3: a comment behind", file: "user-agent: foobot # us\ndisallow: /a # all of it\ndisallow: /b#c\n", allowed: "/c", disallowed: "/a /b"},
	{from: "2.2.3: a comment alone", file: "user-agent: foobot\n# disallow: /a\n  #\ndisallow: /b\n", allowed: "/a", disallowed: "/b"},
	{from: "2.2.3: a comment for a value", file: "user-agent: foobot\ndisallow: # nothing\n", allowed: "/"},
	{from: "2.2.3: the end", file: only("/this/path/exactly$"), allowed: "/this/path/exactly", disallowed: "/this/path/exactly/ /this/path/exactly?a /this/path/exactl"},
	{from: "2.2.3: any characters", file: only("/this/*/exactly"), allowed: "/this/a/exactly /this//exactly /this/a/b/exactly/c", disallowed: "/this/exactly /this/a/exactl"},
	{from: "2.2.3, table: an encoded star", file: only("/path/file-with-a-%2A.html"), allowed: "/path/file-with-a-*.html /path/file-with-a-%2A.html /path/file-with-a-%2a.html", disallowed: "/path/file-with-a-b.html"},
	{from: "2.2.3, table: an encoded dollar sign", file: only("/path/foo-%24"), allowed: "/path/foo-$ /path/foo-%24 /path/foo-$a", disallowed: "/path/foo-"},
	{from: "Google's parser: a dollar sign within", file: only("/a$b"), allowed: "/a$b /a$bc /a%24b", disallowed: "/a"},
	{from: "Google's parser: a dollar sign before a star", file: only("/a$*"), allowed: "/a$ /a$b", disallowed: "/a /ab"},
	{from: "Google's parser: a star at the end, then the end", file: only("/a*$"), allowed: "/a /ab", disallowed: "/"},
	{from: "Google's parser: the end of nothing", file: "User-agent: foobot\nDisallow: $\n", allowed: "/ /a"},
	{from: "Google's parser: stars in a row", file: only("/a***b"), allowed: "/ab /axb", disallowed: "/a"},
	{from: "Google's parser: what begins with no slash", file: "User-agent: foobot\nDisallow: a\nDisallow: http://foo.example/\n", allowed: "/ /a"},
	{from: "ours: the end is looked for last", file: only("/*a$"), allowed: "/a /aa /ba", disallowed: "/ab /"},
	{from: "ours: parts do not overlap", file: only("/ab*ba$"), allowed: "/abba /abcba", disallowed: "/aba"},
	{from: "Google ID_SpecialCharacters: a star", file: "User-agent: foobot\nDisallow: /foo/bar/quz\nAllow: /foo/*/qux\n", allowed: "/foo/quz /foo//quz /foo/bax/quz", disallowed: "/foo/bar/quz"},
	{from: "Google ID_SpecialCharacters: the end", file: "User-agent: foobot\nDisallow: /foo/bar$\nAllow: /foo/bar/qux\n", allowed: "/foo/bar/qux /foo/bar/ /foo/bar/baz", disallowed: "/foo/bar"},
	{from: "Google ID_SpecialCharacters: comments", file: "User-agent: foobot\n# Disallow: /\nDisallow: /foo/quz#qux\nAllow: /\n", allowed: "/foo/bar", disallowed: "/foo/quz"},
	{from: "Google GoogleOnly_DocumentationChecks: fish", file: only("/fish"), allowed: fish, disallowed: "/bar /Fish.asp /catfish /?id=fish"},
	{from: "Google GoogleOnly_DocumentationChecks: fish*", file: only("/fish*"), allowed: fish, disallowed: "/bar /Fish.bar /catfish /?id=fish"},
	{from: "Google GoogleOnly_DocumentationChecks: fish/", file: only("/fish/"), allowed: "/fish/ /fish/salmon /fish/?salmon /fish/salmon.html /fish/?id=anything", disallowed: "/bar /fish /fish.html /Fish/Salmon.html"},
	{from: "Google GoogleOnly_DocumentationChecks: *.php", file: only("/*.php"), allowed: "/filename.php /folder/filename.php /folder/filename.php?parameters //folder/any.php.file.html /filename.php/ /index?f=filename.php/", disallowed: "/bar /php/ /index?php /windows.PHP"},
	{from: "Google GoogleOnly_DocumentationChecks: *.php$", file: only("/*.php$"), allowed: "/filename.php /folder/filename.php", disallowed: "/bar /filename.php?parameters /filename.php/ /filename.php5 /php/ /filename?php /aaaphpaaa //windows.PHP"},
	{from: "Google GoogleOnly_DocumentationChecks: fish*.php", file: only("/fish*.php"), allowed: "/fish.php /fishheads/catfish.php?parameters", disallowed: "/bar /Fish.PHP"},
	{from: "Google GoogleOnly_DocumentationChecks: precedence, longer", file: "user-agent: foobot\nallow: /p\ndisallow: /\n", allowed: "/page", disallowed: "/a"},
	{from: "Google GoogleOnly_DocumentationChecks: precedence, equal", file: "user-agent: foobot\nallow: /folder\ndisallow: /folder\n", allowed: "/folder/page"},
	{from: "Google GoogleOnly_DocumentationChecks: precedence, wildcard", file: "user-agent: foobot\nallow: /page\ndisallow: /*.htm\n", disallowed: "/page.htm"},
	{from: "Google GoogleOnly_DocumentationChecks: precedence, the end", file: "user-agent: foobot\nallow: /$\ndisallow: /\n", allowed: "/", disallowed: "/page.html"},

	// 2.2.4: other records.
	{from: "2.2.4: a sitemap ends no group", file: "User-agent: foobot\nDisallow: /a\nSitemap: https://foo.example/sitemap.xml\nDisallow: /b\n", allowed: "/c", disallowed: "/a /b"},
	{from: "2.2.4: nor does what is not known", file: "User-agent: foobot\nClean-param: ref /a\nDisallow: /a\nHost: foo.example\nDisallow: /b\n", allowed: "/c", disallowed: "/a /b"},
	{from: "Google ID_LineSyntax_Groups_OtherRules: a sitemap between agents", file: "User-agent: foobot\nSitemap: https://foo.bar/sitemap\nUser-agent: *\nDisallow: /\n", disallowed: "/"},
	{from: "Google ID_LineSyntax_Groups_OtherRules: what is not known between agents", file: "User-agent: foobot\nInvalid-Unknown-Line: unknown\nUser-agent: *\nDisallow: /\n", disallowed: "/"},
	{from: "2.2.4: a delay between agents", file: "User-agent: foobot\nCrawl-delay: 1\nUser-agent: *\nDisallow: /\n", disallowed: "/"},

	// 2.3.1.5: what cannot be read.
	{from: "2.3.1.5: garbage between rules", file: "\x00\x01\xff\n<html>\nUser-agent: foobot\n::::\n:\nDisallow\nDisallow:\n \xff\xfe: /\nDisallow: /a\n", allowed: "/b", disallowed: "/a"},
	{from: "2.3.1.5: a page in its place", file: "<!DOCTYPE html>\n<title>404: not found</title>\n", allowed: "/"},
	{from: "ours: lines filled up with NUL", file: "User-agent: foobot\x00\x00\nDisallow: /a\x00\x00\n", allowed: "/b", disallowed: "/a/b"},

	// 5: examples.
	{from: "5.1: *", file: simple, agent: "otherbot", allowed: "/publications/a /a.gif?b /", disallowed: "/a.gif /example/ /example/page.html"},
	{from: "5.1: foobot", file: simple, allowed: "/example/page.html /example/allowed.gif", disallowed: "/ /publications/ /example/"},
	{from: "5.1: barbot", file: simple, agent: "barbot", allowed: "/ /a.gif", disallowed: "/example/page.html"},
	{from: "5.1: bazbot", file: simple, agent: "bazbot", allowed: "/ /a.gif", disallowed: "/example/page.html"},
	{from: "5.1: quxbot", file: simple, agent: "quxbot", allowed: "/ /example/page.html /a.gif"},
	{from: "5.2", file: "User-agent: foobot\nAllow: /example/page/\nDisallow: /example/page/disallowed.gif\n", allowed: "/example/page/ /example/page/allowed.gif", disallowed: "/example/page/disallowed.gif"},
}

const (
	groups = "allow: /foo/bar/\n\nuser-agent: FooBot\ndisallow: /\nallow: /x/\nuser-agent: BarBot\ndisallow: /\nallow: /y/\n\n\n" +
		"allow: /w/\nuser-agent: BazBot\n\nuser-agent: FooBot\nallow: /z/\ndisallow: /\n"
	fish   = "/fish /fish.html /fish/salmon.html /fishheads /fishheads/yummy.html /fish.html?id=anything"
	simple = "User-Agent: *\nDisallow: *.gif$\nDisallow: /example/\nAllow: /publications/\n\n" +
		"User-Agent: foobot\nDisallow:/\nAllow:/example/page.html\nAllow:/example/allowed.gif\n\n" +
		"User-Agent: barbot\nUser-Agent: bazbot\nDisallow: /example/page.html\n\nUser-Agent: quxbot\n"
)

// only returns a file that allows foobot nothing but what a pattern matches.
func only(pattern string) string {
	return "User-agent: foobot\nDisallow: /\nAllow: " + pattern + "\n"
}

func addresses(list string) []string {
	if list == "" {
		return nil
	}
	return strings.Split(list, " ")
}

func TestVerdicts(t *testing.T) {
	for _, c := range verdicts {
		t.Run(c.from, func(t *testing.T) {
			if c.agent == "" {
				c.agent = "foobot"
			}
			g := robots.Parse([]byte(c.file)).Group(c.agent)
			for _, a := range addresses(c.allowed) {
				if !g.Allowed(a) {
					t.Errorf("%q is not allowed", a)
				}
			}
			for _, a := range addresses(c.disallowed) {
				if g.Allowed(a) {
					t.Errorf("%q is allowed", a)
				}
			}
		})
	}
}

func TestCrawlDelay(t *testing.T) {
	const none = -1
	for _, c := range []struct {
		name, file string
		want       time.Duration
	}{
		{"none", "User-agent: foobot\nDisallow: /\n", none},
		{"whole seconds", "User-agent: foobot\nCrawl-delay: 10\n", 10 * time.Second},
		{"a fraction", "User-agent: foobot\ncrawl-delay:.25\n", 250 * time.Millisecond},
		{"none at all", "User-agent: foobot\nCrawl-delay: 0\n", 0},
		{"with a comment", "User-agent: foobot\nCrawl-delay: 2 # seconds\n", 2 * time.Second},
		{"misspelt", "Useragent: foobot\nCrawldelay 2\n", 2 * time.Second},
		{"after rules", "User-agent: foobot\nDisallow: /a\nCrawl-delay: 2\n", 2 * time.Second},
		{"for all", "User-agent: *\nCrawl-delay: 2\n", 2 * time.Second},
		{"for all, who are named elsewhere", "User-agent: *\nCrawl-delay: 2\n\nUser-agent: foobot\nDisallow: /\n", none},
		{"for others", "User-agent: barbot\nCrawl-delay: 2\n\nUser-agent: foobot\nDisallow: /\n", none},
		{"for those above", "User-agent: foobot\nUser-agent: barbot\nCrawl-delay: 2\nUser-agent: *\nDisallow: /\n", 2 * time.Second},
		{"not for those below", "User-agent: barbot\nCrawl-delay: 2\n\nUser-agent: foobot\nCrawl-delay: 1\n", time.Second},
		{"the longest of a group", "User-agent: foobot\nCrawl-delay: 1\nCrawl-delay: 3\nCrawl-delay: 2\n", 3 * time.Second},
		{"the longest of several groups", "User-agent: foobot\nCrawl-delay: 1\nDisallow:\nUser-agent: foobot\nCrawl-delay: 3\n", 3 * time.Second},
		{"before all groups", "Crawl-delay: 2\nUser-agent: foobot\n", none},
		{"longer than time", "User-agent: foobot\nCrawl-delay: 9223372036.9\n", 1<<63 - 1},
		{"endless", "User-agent: foobot\nCrawl-delay: 1" + strings.Repeat("0", 1000) + "\n", 1<<63 - 1},
		{"negative", "User-agent: foobot\nCrawl-delay: -1\n", none},
		{"no number", "User-agent: foobot\nCrawl-delay: Inf\nCrawl-delay: NaN\nCrawl-delay: 1e3\nCrawl-delay: 0x10\nCrawl-delay: 1_0\nCrawl-delay: 1.2.3\nCrawl-delay: .\nCrawl-delay:\nCrawl-delay: 10s\n", none},
	} {
		got, ok := robots.Parse([]byte(c.file)).Group("foobot").CrawlDelay()
		if !ok && got == 0 {
			got = none
		}
		if got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestSitemaps(t *testing.T) {
	file := "Sitemap: https://foo.example/a.xml\nUser-agent: foobot\nSITEMAP:https://foo.example/b.xml # more\nDisallow: /\n" +
		"site-map: /c.xml\nSitemap https://foo.example/d.xml\nSitemap:\n"
	want := []string{"https://foo.example/a.xml", "https://foo.example/b.xml", "/c.xml", "https://foo.example/d.xml"}
	if got := robots.Parse([]byte(file)).Sitemaps(); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestLimit: the lines that end within the first 500 KiB count, and no part of
// the next (RFC 9309, 2.5).
func TestLimit(t *testing.T) {
	const head, rule = "User-agent: foobot\n", "Disallow: /abc"
	filled := func(size int) string { // lines of so many bytes
		return head + strings.Repeat("#\n", (size-len(head))/2) + strings.Repeat("\n", (size-len(head))%2)
	}
	for _, c := range []struct {
		name, file string
		allowed    bool
	}{
		{"the last line ends with the limit", filled(robots.MaxBytes-len(rule)-1) + rule + "\n" + head, false},
		{"its end is the first byte beyond", filled(robots.MaxBytes-len(rule)) + rule + "\n" + head, false},
		{"the file ends with the limit", filled(robots.MaxBytes-len(rule)) + rule, false},
		{"a byte of it is beyond", filled(robots.MaxBytes-len(rule)+1) + rule + "\n", true},
		{"the line goes on", filled(robots.MaxBytes-len(rule)) + rule + "/d\n", true},
		{"CR ends lines", strings.ReplaceAll(filled(robots.MaxBytes-len(rule)-1)+rule+"\n"+head, "\n", "\r"), false},
		{"a line of megabytes before", head + rule + "\n#" + strings.Repeat("a", 4<<20) + "\nAllow: /abc\n", false},
		{"a line of megabytes alone", head[:len(head)-1] + strings.Repeat(" ", 4<<20) + "\n" + rule, true},
	} {
		if got := robots.Parse([]byte(c.file)).Group("foobot").Allowed("/abc"); got != c.allowed {
			t.Errorf("%s: allowed %v, want %v", c.name, got, c.allowed)
		}
	}
}

// TestHostile: no file takes long to read, nor long to be asked, be it made for
// that. Either takes some milliseconds; a slow machine is left a thousand times
// as long, and trying all ways to match would take longer than the world is old.
func TestHostile(t *testing.T) {
	path := "/" + strings.Repeat("a", 8<<10)
	fill := func(head, line string) string {
		return head + strings.Repeat(line, (robots.MaxBytes-len(head))/len(line))
	}
	const head = "User-agent: *\n"
	for name, file := range map[string]string{
		"stars between letters":      head + "Disallow: /*" + strings.Repeat("a*", 50) + "b\n",
		"stars in one long line":     head + "Disallow: /" + strings.Repeat("*a", 200_000) + "b",
		"nothing but stars":          head + "Disallow: " + strings.Repeat("*", 500_000),
		"many rules with stars":      fill(head, "Disallow:/*aa*a*aaaa*b$\n"),
		"many short rules":           fill(head, "Allow:*b\n"),
		"many escapes":               head + "Disallow: /" + strings.Repeat("%e3", 160_000),
		"many agents":                fill("", "User-agent:*\n"),
		"many agents, many delays":   fill("", "User-agent:*\nCrawl-delay:1\n"),
		"many groups":                fill("", "User-agent:*\nAllow:*b\n"),
		"half agents and half rules": fill("", "User-agent:*\n")[:robots.MaxBytes/2] + "\n" + fill("", "Allow:*b\n"),
		"a long number":              head + "Crawl-delay: " + strings.Repeat("9", 500_000),
		"spaces":                     strings.Repeat(" \t", 250_000),
		"line ends":                  strings.Repeat("\r", 500_000),
	} {
		begin := time.Now()
		g := robots.Parse([]byte(file)).Group("foobot")
		for range 3 {
			g.Allowed(path)
			g.Allowed(path + "?" + strings.Repeat("%3a", 2000))
		}
		if took := time.Since(begin); took > 10*time.Second {
			t.Errorf("%s: took %v", name, took)
		} else {
			t.Logf("%s: took %v", name, took)
		}
	}
}
