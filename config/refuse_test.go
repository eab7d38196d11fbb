package config

import (
	"errors"
	"strings"
	"testing"
)

// TestRefusals gives every fault's exact message.
func TestRefusals(t *testing.T) {
	mirror := func(lines string) string { return "mirrors:\n  - " + strings.ReplaceAll(lines, "\n", "\n    ") }
	limits := func(line string) string { return smallest + "limits:\n  " + line }
	for name, test := range map[string]struct{ file, want string }{
		"empty":             {"", `crawler.yaml: the file is empty: finarc config init writes one to begin with`},
		"only a comment":    {"# nothing\n", `crawler.yaml: the file is empty: finarc config init writes one to begin with`},
		"not YAML":          {"archive: [\n", `crawler.yaml:1: not YAML: did not find expected node content`},
		"a list":            {"- archive", `crawler.yaml:1: want keys and values, not a list`},
		"a text":            {"archive", `crawler.yaml:1: want keys and values, not "archive"`},
		"two documents":     {smallest + "---\narchive: b\n", `crawler.yaml:4: a second YAML document begins: want one`},
		"unknown key":       {smallest + "timetable: hourly\n", `crawler.yaml:4: unknown key "timetable"`},
		"misspelled":        {smallest + "archiv: a\n", `crawler.yaml:4: unknown key "archiv": did you mean "archive"?`},
		"misspelled limit":  {limits("retrys: 1"), `crawler.yaml:5: limits: unknown key "retrys": did you mean "retries"?`},
		"misspelled mirror": {mirror("name: m\nsite: http://m.example/\nshar: x"), `crawler.yaml:4: mirrors[0]: unknown key "shar": did you mean "share"?`},
		"merge key":         {smallest + "<<: {archive: a}\n", `crawler.yaml:4: unknown key "<<"`},
		"key that is none":  {smallest + "[a]: b\n", `crawler.yaml:4: want a key, not a list`},
		"twice":             {smallest + "archive: a\narchive: b\n", `crawler.yaml:5: archive: told twice: first on line 4`},
		"section twice":     {limits("rate: 1\nlimits:\n  rate: 1"), `crawler.yaml:6: limits: told twice: first on line 4`},
		"limits no mapping": {smallest + "limits: 2\n", `crawler.yaml:4: limits: want keys and values, not "2"`},
		"limits nothing":    {smallest + "limits:\n", `crawler.yaml:4: limits: want keys and values, not nothing`},
		"alias":             {smallest + "contact: &a b\narchive: *a\n", `crawler.yaml:5: archive: want the name of a file, not an alias`},
		"tag":               {smallest + "archive: !!binary YQ==\n", `crawler.yaml:4: archive: want the name of a file, not a value with a tag`},

		"archive of nothing": {smallest + "archive: ''\n", `crawler.yaml:4: archive: want the name of a file, not ""`},
		"archive absent":     {smallest + "archive:\n", `crawler.yaml:4: archive: want the name of a file, not nothing`},
		"archive a list":     {smallest + "archive: [a]\n", `crawler.yaml:4: archive: want the name of a file, not a list`},
		"archive with line":  {smallest + `archive: "a\nb"`, `crawler.yaml:4: archive: want the name of a file, not "a\nb"`},
		"contact":            {smallest + "contact: 某人\n", `crawler.yaml:4: contact: want a mail or web address in ASCII, without brackets, not "某人"`},

		"schedule of words":   {smallest + "schedule: hourly\n", `crawler.yaml:4: schedule: want cron expressions, or nothing: "hourly": want 5 fields (minute, hour, day of month, month, day of week), not 1`},
		"schedule in a list":  {smallest + "schedule:\n  - '*/5 * * * *'\n  - 0 24 * * *\n", `crawler.yaml:6: schedule: want cron expressions, or nothing: "0 24 * * *": end of range (24) above maximum (23): "24"`},
		"schedule never due":  {smallest + "schedule: 0 0 30 2 *\n", `crawler.yaml:4: schedule: want cron expressions, or nothing: "0 0 30 2 *": it is never due`},
		"schedule a mapping":  {smallest + "schedule: {every: 5m}\n", `crawler.yaml:4: schedule: want cron expressions, or nothing, not keys and values`},
		"schedule of nothing": {smallest + "schedule:\n", `crawler.yaml:4: schedule: want cron expressions, or nothing, not nothing`},
		"schedule of lists":   {smallest + "schedule: [[a]]\n", `crawler.yaml:4: schedule: want cron expressions, or nothing, not a list`},
		"schedule empty":      {smallest + "schedule: ''\n", `crawler.yaml:4: schedule: want cron expressions, or nothing: "": it is empty`},

		"rate no number":   {limits("rate: fast"), `crawler.yaml:5: limits.rate: want a number of requests a second: 0, or from 0.001 (one in 17 minutes) to 100000, not "fast"`},
		"rate negative":    {limits("rate: -1"), `crawler.yaml:5: limits.rate: want a number of requests a second: 0, or from 0.001 (one in 17 minutes) to 100000, not "-1"`},
		"rate infinite":    {limits("rate: inf"), `crawler.yaml:5: limits.rate: want a number of requests a second: 0, or from 0.001 (one in 17 minutes) to 100000, not "inf"`},
		"rate NaN":         {limits("rate: NaN"), `crawler.yaml:5: limits.rate: want a number of requests a second: 0, or from 0.001 (one in 17 minutes) to 100000, not "NaN"`},
		"burst negative":   {limits("burst: -1"), `crawler.yaml:5: limits.burst: want a whole number, 0 or more, not "-1"`},
		"burst under rate": {limits("burst: 0"), `crawler.yaml:5: limits.burst: want 1 or more while limits.rate is above 0, not 0`},
		"parallel":         {limits("parallel: 0"), `crawler.yaml:5: limits.parallel: want a whole number, 1 or more, not "0"`},
		"parallel broken":  {limits("parallel: 1.5"), `crawler.yaml:5: limits.parallel: want a whole number, 1 or more, not "1.5"`},
		"timeout":          {limits("timeout: 0s"), `crawler.yaml:5: limits.timeout: want a duration above 0, as 30s or 2m, not "0s"`},
		"timeout unitless": {limits("timeout: 30"), `crawler.yaml:5: limits.timeout: want a duration above 0, as 30s or 2m, not "30"`},
		"max_body":         {limits("max_body: 1023"), `crawler.yaml:5: limits.max_body: want a size from 1KiB to 64MiB, as 8MiB or 500KiB, not "1023"`},
		"retries":          {limits("retries: -1"), `crawler.yaml:5: limits.retries: want a whole number, 0 or more, not "-1"`},
		"robots":           {limits("robots: yes"), `crawler.yaml:5: limits.robots: want true or false, not "yes"`},

		"no mirror":         {"archive: a\n", `crawler.yaml: mirrors: want at least one mirror`},
		"no mirror listed":  {"archive: a\nmirrors: []\n", `crawler.yaml:2: mirrors: want at least one mirror`},
		"mirrors no list":   {"mirrors: {name: m}\n", `crawler.yaml:1: mirrors: want a list of mirrors, not keys and values`},
		"mirror no mapping": {"mirrors: [m]\n", `crawler.yaml:1: mirrors[0]: want keys and values, not "m"`},
		"mirror nameless":   {mirror("site: http://m.example/"), `crawler.yaml:2: mirrors[0].name: want a short name without spaces or commas, not ""`},
		"mirror siteless":   {mirror("name: m"), `crawler.yaml:2: mirrors[0].site: want an absolute http or https address without query, not ""`},
		"name of two words": {mirror("name: m n\nsite: http://m.example/"), `crawler.yaml:2: mirrors[0].name: want a short name without spaces or commas, not "m n"`},
		"one name twice":    {smallest + "  - name: m\n    site: http://n.example/\n", `crawler.yaml:4: mirrors[1].name: "m" is mirrors[0] already`},
		"site relative":     {mirror("name: m\nsite: /news/"), `crawler.yaml:3: mirrors[0].site: want an absolute http or https address without query, not "/news/"`},
		"site of ftp":       {mirror("name: m\nsite: ftp://m.example/"), `crawler.yaml:3: mirrors[0].site: want an absolute http or https address without query, not "ftp://m.example/"`},
		"site hostless":     {mirror("name: m\nsite: http:///a"), `crawler.yaml:3: mirrors[0].site: want an absolute http or https address without query, not "http:///a"`},
		"share":             {mirror("name: m\nsite: http://m.example/\nshare: http://m.example/s"), `crawler.yaml:4: mirrors[0].share: want an address with {infoCode} in it, not "http://m.example/s"`},
		"text":              {mirror("name: m\nsite: http://m.example/\ntext: \"{infoCode}\""), `crawler.yaml:4: mirrors[0].text: want an address with {infoCode} in it, not "{infoCode}"`},
		"text as host":      {mirror("name: m\nsite: http://m.example/\ntext: http://{infoCode}/"), `crawler.yaml:4: mirrors[0].text: want an address with {infoCode} in it, not "http://{infoCode}/"`},
		"category a text":   {mirror("name: m\nsite: http://m.example/\ncategories: a"), `crawler.yaml:4: mirrors[0].categories: want a list of different category names, without commas or slashes, not "a"`},
		"category twice":    {mirror("name: m\nsite: http://m.example/\ncategories: [a, a]"), `crawler.yaml:4: mirrors[0].categories: want a list of different category names, without commas or slashes, not ["a" "a"]`},
		"category a list":   {mirror("name: m\nsite: http://m.example/\ncategories:\n  - [a]"), `crawler.yaml:5: mirrors[0].categories: want a list of different category names, without commas or slashes, not a list`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse("crawler.yaml", []byte(test.file), nil)
			if err == nil || err.Error() != test.want {
				t.Errorf("got  %v\nwant %s\n%s", err, test.want, test.file)
			}
		})
	}
}

// TestPasswordsAreNotShown: what is wrong with an address is told without the user
// and password in it, however it is written, and wherever it stands.
func TestPasswordsAreNotShown(t *testing.T) {
	for _, address := range []string{
		"ftp://who:secret@m.example/", "ftp://secret@m.example", "ftp://who:se@cret@m.example:80/a?b", "ftp://who:se/cret@m.example",
		"who:secret@m.example:3128", "//who:secret@m.example/", "http://who:secret@", "http://who:secret@m.example:port/", "http://who:%zzsecret@m.example/",
	} {
		files := []string{
			"mirrors:\n  - name: m\n    site: '" + address + "'\n",
			"mirrors:\n  - name: m\n    site: http://m.example/\n    share: '" + address + "'\n    text: '" + address + "'\n",
			smallest + "limits:\n  timeout: '" + address + "'\n",
			smallest + "proxy: '" + address + "'\n",
			smallest + "notify:\n  url: '" + address + "'\n",
		}
		for _, file := range files {
			_, err := Parse("crawler.yaml", []byte(file), nil)
			wantNoPassword(t, address, err)
		}
		for _, name := range []string{"PROXY", "NOTIFY_URL", "MIRROR_SITE", "LIMITS_RATE"} {
			_, err := Parse("crawler.yaml", []byte(smallest), []string{"FINARC_" + name + "=" + address})
			wantNoPassword(t, address, err)
		}
		c := Default()
		c.Proxy, c.Mirrors = address, []Mirror{{Name: "m", Site: address}}
		wantNoPassword(t, address, c.Validate())
	}
	if _, err := Parse("crawler.yaml", []byte(smallest+"proxy: ftp://who:secret@m.example/\n"), nil); err == nil || !strings.HasSuffix(err.Error(), `not "ftp://…@m.example/"`) {
		t.Errorf("what is left of the address is not told: %v", err)
	}
}

// TestSecretsAreNotShown: what is wrong with one is told without it.
func TestSecretsAreNotShown(t *testing.T) {
	for key, wrong := range map[string][]string{
		"token": {"tooshort-secret", "this secret has blanks in it", "this-is-a-secret-密码"},
		"basic": {"secret", "who:secret", ":much-too-secret", "who:sec\tret-and-more"},
	} {
		for _, value := range wrong {
			_, inFile := Parse("crawler.yaml", []byte(smallest+"serve:\n  "+key+": '"+value+"'\n"), nil)
			_, inVariable := Parse("crawler.yaml", []byte(smallest), []string{"FINARC_SERVE_" + strings.ToUpper(key) + "=" + value})
			for _, err := range []error{inFile, inVariable} {
				if err == nil || strings.Contains(err.Error(), value) {
					t.Errorf("serve.%s %q: got %v, want an error without it", key, value, err)
				}
			}
		}
	}
}

func TestServeAddresses(t *testing.T) {
	for addr, good := range map[string]bool{
		"127.0.0.1:8080": true, ":80": true, "[::1]:0": true, "news.example:443": true,
		"8080": false, "127.0.0.1": false, "127.0.0.1:65536": false, "127.0.0.1:http": false, "::1:80": false, "a b:80": false,
	} {
		_, err := Parse("crawler.yaml", []byte(smallest+"serve:\n  addr: '"+addr+"'\n"), nil)
		if (err == nil) != good {
			t.Errorf("serve.addr %q: got %v", addr, err)
		}
	}
	for _, host := range []string{"a.example:80", "http://a.example", "a b", ""} {
		if _, err := Parse("crawler.yaml", []byte(smallest+"serve:\n  hosts: ['"+host+"']\n"), nil); err == nil {
			t.Errorf("serve.hosts %q is taken", host)
		}
	}
}

func wantNoPassword(t *testing.T, address string, err error) {
	t.Helper()
	if err == nil || strings.Contains(err.Error(), "cret") || strings.Contains(err.Error(), "who") {
		t.Errorf("%s: %v", address, err)
	}
}

// TestAllProblemsTogether asks that one run tells everything, in the order of
// the lines, each fault once.
func TestAllProblemsTogether(t *testing.T) {
	const file = `limits:
  rate: fast
  bust: 1
mirrors:
  - name: m
    site: nowhere
archive: ""
`
	const want = `crawler.yaml:2: limits.rate: want a number of requests a second: 0, or from 0.001 (one in 17 minutes) to 100000, not "fast"
crawler.yaml:3: limits: unknown key "bust": did you mean "burst"?
crawler.yaml:6: mirrors[0].site: want an absolute http or https address without query, not "nowhere"
crawler.yaml:7: archive: want the name of a file, not ""
FINARC_LIMITS_RETRIES: want a whole number, 0 or more, not "some"`
	_, err := Parse("crawler.yaml", []byte(file), []string{"FINARC_LIMITS_RETRIES=some"})
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	var p Problem
	if !errors.As(err, &p) || p.Line != 2 || p.Key != "limits.rate" {
		t.Errorf("got %+v as the first problem", p)
	}
}

func TestValidateWithoutFile(t *testing.T) {
	c := Default()
	c.Limits.Parallel = -3
	c.Mirrors = []Mirror{{Name: "m", Site: "http://m.example/", Categories: []string{"a", ""}, Window: DefaultWindow}}
	const want = `limits.parallel: want a whole number, 1 or more, not "-3"
mirrors[0].categories: want a list of different category names, without commas or slashes, not ["a" ""]`
	if err := c.Validate(); err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}
