package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/finarc/finarc/news"
)

// TestMarketBeyondTheCalendar: what is not known is left out, and said once.
func TestMarketBeyondTheCalendar(t *testing.T) {
	var told bytes.Buffer
	a := &app{err: &told, json: true, environ: []string{"FINARC_CALENDAR=" + t.TempDir() + "/none"}}
	if _, err := a.market(); exitCode(err) != 2 {
		t.Errorf("with a calendar that is not there: %v", err)
	}
	a.environ = nil
	m, err := a.market()
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[news.ID]time.Time{
		"202112222222306968":        time.Date(2021, 12, 23, 9, 15, 0, 0, news.Shanghai),
		"200612222222306968":        {},
		"202701042222306968":        {},
		"00000000-0123456789abcdef": {}, // which has no day
	} {
		if got := m.revision(news.Revision{Post: news.Post{ID: id}}); !got.TradableAt.Equal(want) {
			t.Errorf("%s: tradable at %v, want %v", id, got.TradableAt, want)
		}
	}
	a.noteUnknown(m)
	const want = "finarc: warning: tradable_at is missing from 2 posts: the calendar of trading days is from 2007-01-01 to 2026-12-31; a file named as calendar in the configuration adds years\n"
	if told.String() != want {
		t.Errorf("told %q, want %q", told.String(), want)
	}
}
