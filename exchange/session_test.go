package exchange_test

import (
	"testing"
	"time"

	"github.com/finarc/finarc/exchange"
	"github.com/finarc/finarc/news"
)

// at reads a moment in Shanghai time; "" is none.
func at(t testing.TB, text string) time.Time {
	t.Helper()
	if text == "" {
		return time.Time{}
	}
	moment, err := time.ParseInLocation(time.DateTime, text, news.Shanghai)
	if err != nil {
		t.Fatal(err)
	}
	return moment
}

func TestTradableAt(t *testing.T) {
	c := mainland(t)
	for _, tc := range []struct{ published, want, why string }{
		{"2021-12-22 00:00:01", "2021-12-22 09:15:00", "the night before"},
		{"2021-12-22 09:14:59", "2021-12-22 09:15:00", "just before the opening auction"},
		{"2021-12-22 09:15:00", "2021-12-22 09:15:00", "as it opens"},
		{"2021-12-22 09:24:59", "2021-12-22 09:24:59", "within the opening auction, where orders can no longer be withdrawn"},
		{"2021-12-22 09:25:00", "2021-12-22 09:30:00", "as it closes"},
		{"2021-12-22 09:29:59", "2021-12-22 09:30:00", "before the morning"},
		{"2021-12-22 10:37:15", "2021-12-22 10:37:15", "within the morning"},
		{"2021-12-22 11:30:00", "2021-12-22 13:00:00", "as the morning closes"},
		{"2021-12-22 12:00:00", "2021-12-22 13:00:00", "at noon"},
		{"2021-12-22 14:56:59", "2021-12-22 14:56:59", "within the afternoon"},
		{"2021-12-22 14:57:00", "2021-12-22 14:57:00", "as the closing auction opens"},
		{"2021-12-22 14:59:59", "2021-12-22 14:59:59", "within the closing auction"},
		{"2017-12-22 14:58:00", "2017-12-22 14:58:00", "before Shanghai had one"},
		{"2021-12-22 15:00:00", "2021-12-23 09:15:00", "as the day closes"},
		{"2021-12-22 22:22:30", "2021-12-23 09:15:00", "in the evening"},
		{"2021-12-24 15:00:01", "2021-12-27 09:15:00", "on a Friday evening"},
		{"2021-12-25 10:00:00", "2021-12-27 09:15:00", "on a Saturday"},
		{"2021-12-31 14:00:00", "2021-12-31 14:00:00", "on the last day of a year"},
		{"2021-12-31 16:00:00", "2022-01-04 09:15:00", "before a holiday"},
		{"2022-01-30 10:00:00", "2022-02-07 09:15:00", "on a Sunday that is a workday"},
		{"2020-01-23 15:30:00", "2020-02-03 09:15:00", "before the holiday that became longer"},
		{"2026-12-31 14:59:59", "2026-12-31 14:59:59", "in the last session that the calendar knows"},
		{"2026-12-31 15:00:00", "", "after it"},
		{"2027-01-05 10:00:00", "", "after the calendar's end"},
		{"2006-12-31 10:00:00", "", "before its beginning"},
		{"", "", "at no time"},
	} {
		got, known := c.TradableAt(at(t, tc.published))
		if want := at(t, tc.want); !got.Equal(want) || known == want.IsZero() {
			t.Errorf("%s (%s): %v, %v, want %v", tc.published, tc.why, got, known, want)
		}
	}
	if got, _ := c.TradableAt(time.Date(2021, 12, 22, 2, 0, 0, 0, time.UTC)); got.Location() != news.Shanghai {
		t.Errorf("told in %v", got.Location())
	}
}

// TestTradableOfDay: a post of which only the day is known.
func TestTradableOfDay(t *testing.T) {
	c := mainland(t)
	for _, tc := range []struct {
		post news.Post
		want string
	}{
		{news.Post{ID: "202112222222306968", Published: at(t, "2021-12-22 10:37:15")}, "2021-12-22 10:37:15"},
		{news.Post{ID: "202112222222306968", Published: at(t, "2021-12-22 00:00:00")}, "2021-12-23 09:15:00"},
		{news.Post{ID: "202112222222306968"}, "2021-12-23 09:15:00"},
		{news.Post{ID: "202112242222306968"}, "2021-12-27 09:15:00"},
		{news.Post{ID: "202612312222306968"}, ""},
		{news.Post{ID: "200612312222306968"}, ""}, // the next trading day may have been before the calendar's first
		{news.Post{ID: "00000000-0123456789abcdef"}, ""},
	} {
		got, known := c.Tradable(&tc.post)
		if want := at(t, tc.want); !got.Equal(want) || known == want.IsZero() {
			t.Errorf("%s, published %v: %v, %v, want %v", tc.post.ID, tc.post.Published, got, known, want)
		}
	}
}

// FuzzTradableAt: nobody trades before he reads, or outside a session; who reads
// later does not trade earlier; and there is no session that he misses.
func FuzzTradableAt(f *testing.F) {
	f.Add(int64(1640140635), uint32(60))
	f.Add(int64(1640156400), uint32(86400))
	c := mainland(f)
	f.Fuzz(func(t *testing.T, unix int64, later uint32) {
		published := time.Unix(unix, 0)
		got, known := c.TradableAt(published)
		if !known {
			return
		}
		if got.Before(published) {
			t.Fatalf("%v is tradable before, at %v", published, got)
		}
		if trading, _ := c.Trading(news.DayOf(got)); !trading || !within(got) {
			t.Fatalf("%v is tradable at %v, when the exchanges take no orders", published, got)
		}
		if next, ok := c.TradableAt(published.Add(time.Duration(later) * time.Second)); ok && next.Before(got) {
			t.Fatalf("%v is tradable at %v, but %d s later at %v", published, got, later, next)
		}
		if again, _ := c.TradableAt(got); !again.Equal(got) {
			t.Fatalf("%v is tradable at %v, but that at %v", published, got, again)
		}
	})
}

func within(moment time.Time) bool {
	for _, s := range exchange.Sessions(news.DayOf(moment)) {
		if !moment.Before(s.Open) && moment.Before(s.Close) {
			return true
		}
	}
	return false
}
