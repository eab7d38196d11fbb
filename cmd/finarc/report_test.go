package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/finarc/finarc/news"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// fullRun is a run of which there is something to tell everywhere.
func fullRun() *news.Run {
	began := time.Date(2021, 12, 22, 10, 0, 0, 0, news.Shanghai)
	return &news.Run{
		ID: 7, Command: "crawl finews other", Mirrors: []string{"finews", "other"},
		Started: began, Ended: began.Add(30*time.Minute + 15*time.Millisecond), Ending: news.EndingDuration,
		Discovered: 1260, New: 1240, Revised: 5, Unchanged: 3,
		Skipped: map[string]int{news.SkippedArchived: 4, news.SkippedDuplicate: 1},
		Failed:  map[string]int{"gone": 2, "unreadable": 1}, Pending: 4,
		Differing: 2, Incomplete: map[string]int{"date": 1, "body": 3}, Leads: 9,
		Lists:    news.Lists{Read: 3, NotModified: 12, Gone: 1, Disallowed: 1, Failed: 1, Pending: 2, NotDue: 1850},
		Gaps:     []news.Gap{{Mirror: "finews", From: began.Add(-96 * time.Hour), To: began.Add(-72 * time.Hour), Lists: 12}},
		Requests: map[news.PageKind]int{news.KindHome: 1, news.KindPost: 1258, news.KindRobots: 2}, Statuses: map[int]int{200: 1250, 304: 12, 404: 2},
		Transport: map[string]int{"timeout": 3, "connection": 1}, Retries: 5, Bytes: 5 << 20,
		Hosts: map[string]news.HostUse{
			"finews.withounder.com": {Requests: 1250, Retries: 4, Statuses: map[int]int{200: 1236, 304: 12}, Bytes: 4 << 20, WaitedMS: 723_456, Rate: 0.5, Paused: began.Add(time.Hour)},
			"finews.zning.xyz":      {Requests: 10, Statuses: map[int]int{200: 10}, Bytes: 1 << 20, WaitedMS: 1_230, Rate: 2, DelayMS: 500},
			"127.0.0.1:8080":        {Requests: 1, Retries: 1, Down: true},
		},
		Days:       map[string]int{"2021-12-21": 5, "2021-12-22": 1240},
		Categories: map[string]int{"21caijing": 1230, "财经\x1b[2J": 10, "另": 5},
		Pages: map[news.PageKind]news.PageCount{
			news.KindPost:  {Read: 1245, Unreadable: 1, NoTitle: 553, NoDate: 1, NoBody: 3},
			news.KindShare: {Read: 7},
		},
		Drift: []news.Drift{
			{Kind: news.KindPost, Field: "date", Share: 0.1, Usual: 0.05},
			{Kind: news.KindPost, Field: "title", Share: 0.4444, Usual: 0.01},
			{Kind: news.KindText, Field: "unreadable", Share: 1},
		},
		Problems: []news.Problem{
			{URL: "http://127.0.0.1:8080/x.html", What: news.KindPost, Why: "gone: the server answers 404", For: "failed", Attempts: 8},
			{URL: "http://127.0.0.1:8080/y.html", What: news.KindPost, Why: "timeout", For: "pending", Attempts: 1},
			{URL: "http://127.0.0.1:8080/", What: news.KindHome, Why: "connection: \x1b[2Jrefused", For: "failed"},
		},
		GoOn: "finarc crawl -c crawler.yaml",
	}
}

// hugeRun is a run of a mirror that makes up names without end.
func hugeRun() *news.Run {
	r := fullRun()
	for i := range 5000 {
		r.Days[fmt.Sprintf("day %04d", i)] = 1
		r.Categories[fmt.Sprintf("类别%04d%s", i, strings.Repeat("长", 100))] = 10 * i
		r.Hosts[fmt.Sprintf("h%04d.example", i)] = news.HostUse{Requests: i, Bytes: 1, Rate: 2}
		r.Failed[fmt.Sprintf("status %04d", i)] = i
		r.Statuses[1000+i] = i
		r.Requests[news.PageKind(fmt.Sprintf("kind%04d", i))] = i
		r.Pages[news.PageKind(fmt.Sprintf("kind%04d", i))] = news.PageCount{Read: 1, NoDate: 1}
		r.Drift = append(r.Drift, news.Drift{Kind: news.PageKind(fmt.Sprintf("kind%04d", i)), Field: "title", Share: float64(i) / 5000})
		r.AddProblem(news.Problem{URL: fmt.Sprintf("http://127.0.0.1:8080/%04d.html", i), Why: "gone", For: "failed"})
	}
	r.Hosts["h4999.example"] = news.HostUse{Requests: 1_000_000_000, Bytes: 1 << 40, WaitedMS: 1e10, Rate: 0.001}
	return r
}

func TestReport(t *testing.T) {
	for name, r := range map[string]*news.Run{
		"full": fullRun(), "huge": hugeRun(),
		"empty": {ID: 1, Mirrors: []string{"finews"}, Started: fullRun().Started, Ending: news.EndingRunning},
		"plain": {
			ID: 2, Mirrors: []string{"finews"}, Started: fullRun().Started, Ended: fullRun().Started.Add(time.Second), Ending: news.EndingDone,
			Discovered: 1, New: 1, Lists: news.Lists{Read: 1}, Requests: map[news.PageKind]int{news.KindPost: 1},
			Statuses: map[int]int{200: 1}, Hosts: map[string]news.HostUse{"127.0.0.1:8080": {Requests: 1, Bytes: 10, WaitedMS: 12}},
			Days: map[string]int{"2021-12-22": 1}, Categories: map[string]int{"21caijing": 1},
			Pages: map[news.PageKind]news.PageCount{news.KindPost: {Read: 1}},
		},
	} {
		var b bytes.Buffer
		if err := writeReport(&b, r); err != nil {
			t.Fatal(err)
		}
		golden(t, filepath.Join("testdata", "report", name+".txt"), b.String())
		for line := range strings.Lines(b.String()) {
			if columns(line) > 700 || strings.Contains(line, "\x1b") || strings.TrimRight(line, " \n")+"\n" != line {
				t.Errorf("%s: %q", name, line)
			}
		}
	}
}

// golden holds text against a file.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got); -update writes it anew:\n%s", file, diff)
	}
}

// As JSON a report is the whole of it, and no map and no list is null.
// TestReportOfKilledBackfill: how the days stand is found out at the end, so a
// backfill that has none says nothing of them.
func TestReportOfKilledBackfill(t *testing.T) {
	r := &news.Run{ID: 1, Started: time.Date(2021, 12, 22, 10, 0, 0, 0, news.Shanghai), Backfill: &news.Backfill{From: 20211201, To: 20211222}}
	var out bytes.Buffer
	if err := writeReport(&out, r); err != nil || strings.Contains(out.String(), "days") {
		t.Errorf("%v:\n%s", err, &out)
	}
	r.Ended = r.Started.Add(time.Minute)
	if err := writeReport(&out, r); err != nil || !strings.Contains(out.String(), "no trace of a post") {
		t.Errorf("%v:\n%s", err, &out)
	}
}

func TestReportJSON(t *testing.T) {
	for _, r := range []*news.Run{fullRun(), {}} {
		var b bytes.Buffer
		if err := (&app{out: &b, json: true}).showRun(r); err != nil {
			t.Fatal(err)
		}
		if text := b.String(); strings.Contains(text, "null") || strings.Count(text, "\n") != 1 {
			t.Errorf("JSON: %s", text)
		}
		back := new(news.Run)
		if err := json.Unmarshal(b.Bytes(), back); err != nil {
			t.Fatal(err)
		}
		want := r.Clone()
		back.Started, want.Started, back.Ended, want.Ended = time.Time{}, time.Time{}, time.Time{}, time.Time{}
		for _, hosts := range []map[string]news.HostUse{back.Hosts, want.Hosts} {
			for name, u := range hosts {
				u.Paused = time.Time{} // the same moment, but not the same pointer to its zone
				hosts[name] = u
			}
		}
		for _, gaps := range [][]news.Gap{back.Gaps, want.Gaps} {
			for i := range gaps {
				gaps[i].From, gaps[i].To = time.Time{}, time.Time{}
			}
		}
		if !reflect.DeepEqual(back, want) {
			t.Errorf("read back: %+v\nwant %+v", back, want)
		}
	}
}

// A writer that fails at any byte is told of.
func TestReportWriterFails(t *testing.T) {
	var whole bytes.Buffer
	if err := writeReport(&whole, fullRun()); err != nil {
		t.Fatal(err)
	}
	for n := range whole.Len() {
		if err := writeReport(&shortWriter{n}, fullRun()); err == nil {
			t.Fatalf("no error of a writer that takes %d bytes", n)
		}
	}
}

// shortWriter takes so many bytes, and no more.
type shortWriter struct{ left int }

func (w *shortWriter) Write(p []byte) (int, error) {
	n := min(len(p), w.left)
	w.left -= n
	if n < len(p) {
		return n, os.ErrClosed
	}
	return n, nil
}
