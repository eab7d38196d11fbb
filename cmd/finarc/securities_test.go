package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/internal/storetest"
	"github.com/finarc/finarc/news"
)

// Of two companies that as many posts of a day name, only the one is told that few
// named in the weeks before; what came before these does not count.
func TestRisingSecurities(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "finarc.db")
	arc, err := archive.OpenOrCreate(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	day := news.Day(20211222)
	list := storetest.Samples(900)
	usual := news.Mention{Security: news.Security{Market: 1, Code: "600519"}, Name: "贵州茅台", Count: 1}
	rises := news.Mention{Security: news.Security{Market: 1, Code: "600160"}, Name: "巨化股份", Count: 1}
	for i := range list {
		p, on := &list[i], day
		switch {
		case i < 400:
			on = day.Add(-40)
		case i < 800:
			on = day.Add(-1 - i%usualDays)
		}
		p.Post.Published = on.Time().Add(10*time.Hour + time.Duration(i)*time.Second)
		p.Post.Title, p.Post.Securities, p.Post.Boards = fmt.Sprint("第", i), nil, nil
		switch {
		case i%2 == 0:
			p.Post.Securities = []news.Mention{usual}
		case i <= 401 || i >= 800:
			p.Post.Securities = []news.Mention{rises}
		}
		p.Post.Body = "<p>无</p>"
		p.Capture.Body = fmt.Appendf(nil, "<h1>%d</h1>%s", i, p.Post.Body)
	}
	if _, err := arc.Commit(t.Context(), &news.Batch{Posts: list}); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if code := run(t.Context(), []string{"securities", "--archive", path, "--from", day.String(), "--rising", "--json"}, &out, io.Discard, nil); code != 0 {
		t.Fatalf("exit code %d: %s", code, out.String())
	}
	var got securityJSON
	got.risen = new(risen)
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatalf("%v: %s", err, out.String())
	}
	if got.Code != "600160" || got.Posts != 50 || got.Before != 1 || got.Chance > 1e-9 || got.Rank != 1 {
		t.Errorf("rising: %s", out.String())
	}
}
