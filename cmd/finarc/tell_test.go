package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/finarc/finarc/config"
	"github.com/finarc/finarc/news"
)

// What is wrong after a run, in words and as exit code.
func TestVerdict(t *testing.T) {
	drift := []news.Drift{{Kind: news.KindPost, Field: "title", Share: 0.4444, Usual: 0.01}, {Kind: news.KindText, Field: "unreadable", Share: 1}}
	const drifts = "run 7: the mirror's layout may have changed: 100.0 % of text pages are unreadable, usually 0.0 %; 44.4 % of post pages lack the title, usually 1.0 %"
	const failed = "run 7: some pages failed for good: 2 posts and 1 list page"
	noon := time.Date(2021, 12, 22, 12, 0, 0, 0, news.Shanghai)
	gap := []news.Gap{{Mirror: "m", From: noon.AddDate(0, 0, -5), To: noon.AddDate(0, 0, -3), Lists: 12}}
	const missed = "run 7: posts may have come and gone unseen: m: nobody looked at 12 list pages from 2021-12-17 12:00:00 to 2021-12-19 12:00:00, and what they showed then is there no more"
	for _, c := range []struct {
		r    news.Run
		code int
		says string
	}{
		{news.Run{ID: 7, Gaps: gap}, 3, missed},
		{news.Run{}, 0, ""},
		{news.Run{Revised: 3, Differing: 3, Pending: 4}, 0, ""},
		{news.Run{Ending: news.EndingDuration, Pending: 4}, 0, ""},
		{news.Run{ID: 7, Failed: map[string]int{"gone": 2}, Lists: news.Lists{Failed: 1}}, 3, failed},
		{news.Run{ID: 7, Drift: drift}, 3, drifts},
		{news.Run{ID: 7, Drift: drift, Failed: map[string]int{"gone": 2}, Lists: news.Lists{Failed: 1}}, 3, failed + "\n" + drifts},
	} {
		err := verdict(&c.r)
		var out bytes.Buffer
		if code := exit(err, "finarc crawl", &out); code != c.code || code != exitCode(err) {
			t.Errorf("%+v: exit code %d, want %d", c.r, code, c.code)
		}
		if (err == nil) != (c.says == "") || err != nil && err.Error() != c.says {
			t.Errorf("verdict is %v\nwant %s", err, c.says)
		}
		if got, want := strings.Count(out.String(), "finarc: "), strings.Count(c.says, "run 7"); got != want {
			t.Errorf("%d lines, want %d: %s", got, want, &out)
		}
	}
}

// Metrics that could not be written make 1 of whatever the run would have ended
// with, but for an interrupt.
func TestMetricsFailure(t *testing.T) {
	failed := fmt.Errorf("%w: %w", errMetrics, errors.New("disk on fire"))
	for code, err := range map[int]error{
		1:   errors.Join(errPagesFailed, failed),
		130: errors.Join(errInterrupted, failed),
	} {
		if got := exitCode(err); got != code {
			t.Errorf("exit code %d of %v, want %d", got, err, code)
		}
	}
}

func TestLeftOver(t *testing.T) {
	for _, c := range []struct {
		r     news.Run
		quiet bool
		wrong bool
		want  string
	}{
		{r: news.Run{Ending: news.EndingDone}},
		{r: news.Run{Ending: news.EndingDone, Pending: 2}, wrong: true},
		{r: news.Run{Ending: news.EndingDone, Pending: 2}, quiet: true,
			want: "run 0 could not get 2 posts now; the next crawl tries again (finarc runs --limit 1 tells why)"},
		{r: news.Run{Ending: news.EndingDuration}, want: "run 0 ended by its duration limit; nothing is left"},
		{r: news.Run{Ending: news.EndingDuration}, quiet: true},
		{r: news.Run{Ending: news.EndingDuration, Pending: 1, GoOn: "finarc crawl --mirror m"}, quiet: true, wrong: true,
			want: "run 0 ended by its duration limit; left: 1 post; go on with: finarc crawl --mirror m"},
		{r: news.Run{Ending: news.EndingRequests, Pending: 1200, Lists: news.Lists{Pending: 3}, GoOn: "finarc crawl it"},
			want: "run 0 ended by its request limit; left: 1,200 posts and 3 list pages; go on with: finarc crawl it"},
	} {
		if got := new(app).leftOver(&c.r, &crawlFlags{quiet: c.quiet}, c.wrong); got != c.want {
			t.Errorf("%+v, quiet %v, wrong %v:\ngot  %s\nwant %s", c.r, c.quiet, c.wrong, got, c.want)
		}
	}
}

func TestAgain(t *testing.T) {
	for want, a := range map[string]*app{
		"finarc crawl": {},
		"finarc crawl --config '/srv/it'\\''s here/crawler.yaml' --archive news.db": {configFile: "/srv/it's here/crawler.yaml", archiveFile: "news.db"},
		"finarc crawl --archive '$(rm -rf *)'":                                      {archiveFile: "$(rm -rf *)"},
	} {
		if got := a.again(&crawlFlags{only: nil}); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if got, want := new(app).again(&crawlFlags{only: []string{"财经", "b&c"}}), "finarc crawl --mirror 财经 --mirror 'b&c'"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// config show --json has every key of the configuration.
func TestConfigJSONIsWhole(t *testing.T) {
	c := config.Default()
	c.Mirrors = []config.Mirror{{Name: "m", Site: "https://example.org/"}}
	var b bytes.Buffer
	if err := encodeJSON(&b, newConfigJSON(c)); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(c.YAML())) {
		key, _, ok := strings.Cut(strings.TrimLeft(line, " -"), ":")
		if !ok || strings.HasPrefix(key, "#") {
			continue
		}
		if !strings.Contains(b.String(), `"`+key+`":`) {
			t.Errorf("no %s in %s", key, &b)
		}
	}
}
