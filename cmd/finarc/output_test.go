package main

import (
	"strings"
	"testing"
	"time"

	"github.com/finarc/finarc/crawler"
	"github.com/finarc/finarc/news"
	"github.com/spf13/cobra"
)

func TestColumns(t *testing.T) {
	for s, want := range map[string]int{
		"": 0, "abc": 3, "财经": 4, "ABＣ": 4, "21财经新闻": 10, "…": 1, "–": 1, "e\u0301": 1, "\u200b": 0, "😀": 2, "　": 2, "ｱ": 1,
	} {
		if got := columns(s); got != want {
			t.Errorf("columns(%q) = %d, want %d", s, got, want)
		}
	}
}

func TestCut(t *testing.T) {
	for _, c := range []struct {
		s    string
		to   int
		want string
	}{
		{"abc", 3, "abc"},
		{"abcd", 3, "ab…"},
		{"财经新闻", 8, "财经新闻"},
		{"财经新闻", 7, "财经新…"},
		{"财经新闻", 6, "财经…"},
		{"财经", 1, "…"},
		{"财经", 0, ""},
		{"财经", -1, ""},
		{"", 0, ""},
		{"e\u0301e\u0301e\u0301", 2, "e\u0301…"},
	} {
		got := cut(c.s, c.to)
		if got != c.want {
			t.Errorf("cut(%q, %d) = %q, want %q", c.s, c.to, got, c.want)
		}
		if columns(got) > max(0, c.to) {
			t.Errorf("cut(%q, %d) takes %d columns", c.s, c.to, columns(got))
		}
	}
}

func TestPad(t *testing.T) {
	for _, s := range []string{"", "abc", "财经", "e\u0301"} {
		if got := pad(s, 8); columns(got) != 8 || !strings.HasPrefix(got, s) {
			t.Errorf("pad(%q, 8) = %q", s, got)
		}
	}
	if got := pad("财经新闻", 4); got != "财经新闻" {
		t.Errorf("pad does more than pad: %q", got)
	}
}

func TestPrintable(t *testing.T) {
	hostile := "涨\x1b[31m停\r\u009b2J\u202e板\u2028x\ty\n"
	if got, want := printable(hostile), "涨 [31m停  2J 板 x y "; got != want {
		t.Errorf("printable = %q, want %q", got, want)
	}
	if got, want := printableText("a\x1b\nb"), "a \nb"; got != want {
		t.Errorf("printableText = %q, want %q", got, want)
	}
}

func TestNumbers(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1234: "-1,234", -123: "-123"} {
		if got := grouped(n); got != want {
			t.Errorf("grouped(%d) = %s, want %s", n, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 5 << 20: "5.0 MiB", 3 << 30: "3.00 GiB"} {
		if got := size(n); got != want {
			t.Errorf("size(%d) = %s, want %s", n, got, want)
		}
	}
	for n, want := range map[int]string{0: "0 posts", 1: "1 post", 2000: "2,000 posts"} {
		if got := plural(n, "post"); got != want {
			t.Errorf("plural(%d) = %s, want %s", n, got, want)
		}
	}
}

func TestClock(t *testing.T) {
	at := time.Date(2021, 12, 22, 2, 37, 15, 0, time.UTC)
	if got, want := clock(at), "2021-12-22 10:37:15"; got != want {
		t.Errorf("clock = %s, want %s", got, want)
	}
	if got := clock(time.Time{}); got != "–" {
		t.Errorf("clock of no time = %s", got)
	}
}

func TestPace(t *testing.T) {
	s := crawler.Progress{Queued: 600, Run: news.Run{Pending: 900, Requests: map[news.PageKind]int{news.KindPost: 80, news.KindHome: 20}}}
	if rate, left := pace(&s, 50*time.Second); rate != 2 || left != "7m30s" {
		t.Errorf("pace = %v, %s, want 2, 7m30s", rate, left)
	}
	if rate, left := pace(new(crawler.Progress), time.Second); rate != 0 || left != "–" {
		t.Errorf("pace of nothing = %v, %s", rate, left)
	}
	if rate, _ := pace(&s, 0); rate != 0 && rate < 1e9 {
		t.Errorf("pace in no time = %v", rate)
	}
}

// Every command says what it does, with an example, and takes what it says.
func TestCommands(t *testing.T) {
	root := new(app).root()
	root.InitDefaultHelpFlag()
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		if cmd.Short == "" || strings.HasSuffix(cmd.Short, ".") {
			t.Errorf("%s: short help %q", cmd.CommandPath(), cmd.Short)
		}
		if !strings.Contains(cmd.Example, "finarc") {
			t.Errorf("%s: has no example", cmd.CommandPath())
		}
		for line := range strings.Lines(cmd.Long) {
			if columns(line) > 120 {
				t.Errorf("%s: long line in help: %s", cmd.CommandPath(), line)
			}
		}
		if cmd.RunE == nil {
			t.Errorf("%s: does nothing", cmd.CommandPath())
		}
		for _, c := range cmd.Commands() {
			walk(c)
		}
	}
	walk(root)
}
