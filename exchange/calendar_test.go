package exchange_test

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/finarc/finarc/exchange"
	"github.com/finarc/finarc/news"
)

func mainland(t testing.TB) *exchange.Calendar {
	t.Helper()
	c, err := exchange.Mainland()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestTrading(t *testing.T) {
	c := mainland(t)
	for _, tc := range []struct {
		day     news.Day
		trading bool
		holiday string
	}{
		{20070104, true, ""},
		{20071231, false, "元旦"},
		{20150903, false, "抗战胜利70周年纪念日"},
		{20180820, true, ""},
		{20200123, true, ""}, // the last day before a Spring Festival
		{20200124, false, "春节"},
		{20200131, false, "春节"}, // which became three days longer
		{20200203, true, ""},
		{20211222, true, ""},
		{20211225, false, ""}, // a Saturday
		{20211231, true, ""},
		{20220103, false, "元旦"},
		{20220104, true, ""},
		{20220129, false, ""}, // Saturday and Sunday, but workdays
		{20220130, false, ""},
		{20231229, true, ""},
		{20240208, true, ""},
		{20240209, false, "春节"}, // no public holiday
		{20241008, true, ""},
		{20250127, true, ""},
		{20250128, false, "春节"},
		{20251009, true, ""},
		{20260102, false, "元旦"},
		{20260223, false, "春节"},
		{20260224, true, ""},
		{20261010, false, ""}, // a Saturday and workday
		{20261231, true, ""},
	} {
		trading, known := c.Trading(tc.day)
		if trading != tc.trading || !known || c.Holiday(tc.day) != tc.holiday {
			t.Errorf("%s: trading %v, known %v, holiday %q, want %v, true, %q", tc.day, trading, known, c.Holiday(tc.day), tc.trading, tc.holiday)
		}
	}
}

// TestTradingDays: how many days the exchanges traded in each year.
func TestTradingDays(t *testing.T) {
	c := mainland(t)
	got := make(map[int]int)
	first, last := c.Span()
	for d := first; d <= last; d = d.Add(1) {
		if trading, _ := c.Trading(d); trading {
			got[int(d)/10000]++
		}
	}
	want := map[int]int{
		2007: 242, 2008: 246, 2009: 244, 2010: 242, 2011: 244, 2012: 243, 2013: 238, 2014: 245, 2015: 244, 2016: 244,
		2017: 244, 2018: 243, 2019: 244, 2020: 243, 2021: 243, 2022: 242, 2023: 242, 2024: 242, 2025: 243, 2026: 242,
	}
	if !maps.Equal(got, want) {
		t.Errorf("trading days a year %v, want %v", got, want)
	}
}

func TestBeyondTheEnds(t *testing.T) {
	c := mainland(t)
	first, last := c.Span()
	if first != 20070101 || last != 20261231 {
		t.Errorf("the calendar knows %s to %s", first, last)
	}
	for day, want := range map[news.Day]bool{
		20061229: true, 20061230: false, 20270101: true, 20270102: false, 0: false,
	} {
		if trading, known := c.Trading(day); trading != want || known {
			t.Errorf("%q: trading %v, known %v, want %v and not known", day, trading, known, want)
		}
	}
	if next, known := c.After(20261230); next != 20261231 || !known {
		t.Errorf("after 2026-12-30: %s, known %v", next, known)
	}
	for _, day := range []news.Day{0, last, 20991231} {
		if next, known := c.After(day); known {
			t.Errorf("after %s: %s, want it not known", day, next)
		}
	}
}

func TestLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "calendar.txt")
	text := "\uFEFF# mine\r\n\r\nyear 2027 https://example.org/notice\r\n2027-01-01 New Year\r\n2027-02-05 2027-02-11 春节\r\nyear 2021 an example\n20210104 a holiday\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := exchange.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	for day, want := range map[news.Day]bool{
		20270101: false, 20270204: true, 20270208: false, 20271231: true, // added
		20210104: false, 20210101: true, // replaced
		20220103: false, // as it was
	} {
		if trading, known := c.Trading(day); trading != want || !known {
			t.Errorf("%s: trading %v, known %v, want %v, true", day, trading, known, want)
		}
	}
	if trading, _ := mainland(t).Trading(20210104); !trading {
		t.Error("a calendar's change shows in another")
	}
	if _, err := exchange.Load(""); err != nil {
		t.Errorf("without a file: %v", err)
	}
}

func TestLoadRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                                       "it tells no year",
		"# nothing\n":                            "it tells no year",
		"2027-01-01 元旦\n":                        "line 1: \"2027-01-01\" stands before the first line such as",
		"\nyear 2027\n":                          "line 2: want year YYYY SOURCE",
		"year MMXXVII x\n":                       `line 1: "MMXXVII" is not a year`,
		"year 1989 x\n":                          `"1989" is not a year from 1990`,
		"year 2027 x\nyear 2027 x\n":             "line 2: year 2027 a second time",
		"year 2029 x\n":                          "there is 2026 and 2029, but no year between them",
		"year 2027 x\n2026-01-01 a\n":            "line 2: 2026-01-01 is not of 2027",
		"year 2027 x\n2027-02-30 a\n":            `line 2: "2027-02-30" is not a day`,
		"year 2027 x\n2027-01-01\n":              "line 2: 2027-01-01: want the holiday's name",
		"year 2027 x\n2027-01-05 2027-01-01 a\n": "line 2: 2027-01-01 is before 2027-01-05",
		"year 2027 x\n2027-01-01 2027 a\n":       `line 2: "2027" is not a day`,
		"year 2027 x\n2027-01-01 2027-01-04 a\n20270104 b\n": "line 3: 2027-01-04 is closed for a already",
		"year 2027 \xff\n": "line 1: not UTF-8",
		"year 2027 x\n" + strings.Repeat("#\n", 1<<19): "more than 1 MiB",
	} {
		path := filepath.Join(t.TempDir(), "calendar.txt")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := exchange.Load(path); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%.40q: %v, want %q and the file's name", text, err, want)
		}
	}
	if _, err := exchange.Load(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a file that is not there is loaded")
	}
}

// FuzzWith: whatever a file says, a calendar that is made of it has no gap, and
// no trading day on a weekend.
func FuzzWith(f *testing.F) {
	f.Add("year 2027 x\n2027-01-01 元旦\n")
	f.Add("year 2006 x\n# c\nyear 2005 y\n20050101 2005-01-03 元 旦\n")
	base := mainland(f)
	f.Fuzz(func(t *testing.T, text string) {
		c, err := base.With("file", []byte(text))
		if err != nil {
			return
		}
		first, last := c.Span()
		for d := first; d <= last; d = d.Add(1) {
			trading, ok := c.Trading(d)
			if trading && (d.Time().Weekday()+6)%7 > 4 || trading && c.Holiday(d) != "" {
				t.Fatalf("%s, %v, %q, is a trading day", d, d.Time().Weekday(), c.Holiday(d))
			}
			if !ok {
				t.Fatalf("%s lies between %s and %s, and is not known", d, first, last)
			}
		}
		if first > 20070101 || last < 20261231 {
			t.Fatalf("years were lost: it knows %s to %s", first, last)
		}
	})
}
