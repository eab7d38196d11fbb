package storetest

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/news"
)

// notModified is a batch of answers of 304 by a post's mirror, so much later.
func notModified(p news.Captured, by ...time.Duration) news.Batch {
	var b news.Batch
	for _, d := range by {
		b.Seen = append(b.Seen, news.Seen{ID: p.Post.ID, Mirror: p.Capture.Mirror, Answer: news.Revisit{
			URL: p.Capture.URL, Status: 304, Proto: "HTTP/2.0", Header: http.Header{"Etag": {`"1"`}}, Time: p.Capture.Fetched.Add(d),
		}})
	}
	return b
}

func testRevisit(t *testing.T, s Store) {
	a := from("a", Sample(1))
	advert := Later(a, 4*time.Hour)
	advert.Capture.Body = append(slices.Clone(advert.Capture.Body), "<!-- another advert -->"...)
	unknown := notModified(a, 5*time.Hour)
	unknown.Seen[0].Answer = news.Revisit{Time: unknown.Seen[0].Answer.Time}
	record, silent := Later(a, 9*time.Hour), Later(a, 10*time.Hour)
	record.Revisit = &news.Revisit{URL: "https://a.example/", Status: 304, Header: http.Header{"Etag": {`"r"`}}}
	silent.Revisit = new(news.Revisit)
	captured := func(list ...news.Captured) news.Batch { return news.Batch{Posts: list} }
	for _, step := range []struct {
		what  string
		batch news.Batch
		last  time.Duration // after the capture: when the last answer came; 0: there is none
		seen  time.Duration // likewise: last_seen
	}{
		{"captured", captured(a, from("b", Corrected(a, "更正", time.Hour))), 0, 0},
		{"not modified, and before that", notModified(a, 2*time.Hour, time.Hour), 2 * time.Hour, 2 * time.Hour},
		{"the same bytes", captured(Later(a, 3*time.Hour)), 3 * time.Hour, 3 * time.Hour},
		{"the same article in other bytes", captured(advert), 3 * time.Hour, 4 * time.Hour},
		{"seen, by which answer is not known", unknown, 3 * time.Hour, 5 * time.Hour},
		{"not modified again", notModified(a, 6*time.Hour), 6 * time.Hour, 6 * time.Hour},
		{"another crawler's record", captured(record), 9 * time.Hour, 9 * time.Hour},
		{"one that does not tell the answer", captured(silent), 9 * time.Hour, 10 * time.Hour},
	} {
		commit(t, s, step.batch)
		list := selected(t, s, archive.Selection{All: true, Captures: true})
		if len(list) != 2 || list[1].Revisit != nil || !list[0].LastSeen.Equal(a.Capture.Fetched.Add(step.seen)) {
			t.Fatalf("%s: %+v", step.what, list)
		}
		var last time.Duration
		if r := list[0].Revisit; r != nil {
			last = r.Time.Sub(a.Capture.Fetched)
		}
		wantSame(t, step.what, step.last, last)
	}
	wantRevisits(t, s, a.Capture.Fetched, *record.Revisit)
}

// wantRevisits fails the test unless the last answer of the first post is the one that
// came nine hours after its capture, and was not known before.
func wantRevisits(t *testing.T, s Store, captured time.Time, want news.Revisit) {
	t.Helper()
	last := func(by time.Duration) *news.Revisit {
		return selected(t, s, archive.Selection{All: true, Captures: true, AsOf: captured.Add(by)})[0].Revisit
	}
	want.Time = captured.Add(9 * time.Hour)
	wantSame(t, "the last answer", &want, last(9*time.Hour))
	wantSame(t, "before it came", (*news.Revisit)(nil), last(8*time.Hour))
	if rev := post(t, s, selected(t, s, archive.Selection{})[0].ID); rev.Revisit != nil {
		t.Errorf("without its capture: %+v", rev.Revisit)
	}
}
