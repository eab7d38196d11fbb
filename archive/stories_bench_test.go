package archive_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/mirror"
	"github.com/finarc/finarc/news"
)

// BenchmarkFindStories finds the stories of 20,000 posts at 300 an hour, of which
// a fifth run another's, and then those of 25 more, as a crawl every five minutes
// does:
//
//	posts/s     of the first pass
//	compared    pairs of texts, for each post
//	bytes/post  by which the buckets have grown
//	later-ms    for the 25
func BenchmarkFindStories(b *testing.B) {
	const posts, later = 16_000, 25
	m, err := mirror.New(mirror.Options{Posts: posts, Categories: 200, Window: 67 * time.Hour})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		b.StopTimer()
		a := readable(b)
		list := rerun(m)
		for len(list) > later {
			n := min(512, len(list)-later)
			commit(b, a, news.Batch{Posts: list[:n]})
			list = list[n:]
		}
		b.StartTimer()
		began := time.Now()
		found := findStories(b, a, archive.FindOptions{})
		b.ReportMetric(float64(found.Revisions)/time.Since(began).Seconds(), "posts/s")
		b.ReportMetric(float64(found.Compared)/float64(found.Posts), "compared")
		stats, err := a.Stats(b.Context(), time.Time{})
		if err != nil {
			b.Fatal(err)
		}
		grown := stats.Buckets["signatures"].Bytes + stats.Buckets["stories"].Bytes
		b.ReportMetric(float64(grown)/float64(found.Posts), "bytes/post")
		commit(b, a, news.Batch{Posts: list})
		began = time.Now()
		findStories(b, a, archive.FindOptions{})
		b.ReportMetric(float64(time.Since(began).Microseconds())/1000, "later-ms")
		if err := os.Remove(a.Path()); err != nil {
			b.Fatal(err)
		}
	}
}

// rerun returns the posts of a mirror as they are captured, and after every
// fourth one that runs its story an hour later.
func rerun(m *mirror.Mirror) []news.Captured {
	var list []news.Captured
	for i, p := range m.Posts() {
		list = append(list, captured(p))
		if i%4 == 3 {
			p.InfoCode = news.InfoCode(fmt.Sprintf("NW%s9%09d", p.Published.Format("20060102"), i))
			p.ID, p.Published = p.InfoCode.ID(), p.Published.Add(time.Hour)
			list = append(list, captured(p))
		}
	}
	return list
}

func captured(p news.Post) news.Captured {
	return news.Captured{Post: p, Capture: news.Capture{
		URL: "https://mirror.example/" + string(p.InfoCode) + ".html", Status: 200, Fetched: p.Published.Add(2 * time.Minute),
		Mode: news.ModeLive, Mirror: "m", Kind: news.KindPost, Body: []byte("<h1>" + p.Title + "</h1>" + p.Body),
	}}
}
