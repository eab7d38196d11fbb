package jsonform_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/finarc/finarc/exchange"
	"github.com/finarc/finarc/jsonform"
	"github.com/finarc/finarc/news"
)

// noon is a trading day's, between the sessions.
var noon = time.Date(2021, 12, 22, 12, 0, 0, 0, news.Shanghai)

func revision() news.Revision {
	return news.Revision{
		Post: news.Post{
			ID: "202112222222306968", InfoCode: "NW202112222222306968", Title: "题", Published: noon, Category: "a b", Body: "<p>文</p>", Foot: "<p>尾</p>",
		},
		Number: 2, Seq: 7, Fetched: noon.Add(time.Minute), Story: "NW202112222222306968",
	}
}

func calendar(t *testing.T) *exchange.Calendar {
	t.Helper()
	c, err := exchange.Mainland()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestRevision(t *testing.T) {
	r, known := jsonform.NewRevision(revision(), calendar(t))
	if want := noon.Add(time.Hour); !known || !r.TradableAt.Equal(want) {
		t.Errorf("tradable at %s, %t, want %s", r.TradableAt, known, want)
	}
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"categories":["a","b"]`, `"tags":[]`, `"tradable_at":"2021-12-22T13:00:00+08:00"`, `"seq":7`, `"body":`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s lacks %s", text, want)
		}
	}
}

func TestListed(t *testing.T) {
	l, _ := jsonform.NewListed(revision(), calendar(t))
	if l.Body != "" || l.Foot != "" || len(l.TextSHA256) != 64 {
		t.Errorf("listed with body %q, foot %q, digest %q", l.Body, l.Foot, l.TextSHA256)
	}
	lost := revision()
	lost.Lost = true
	if digest := jsonform.TextDigest(&lost); digest != "" {
		t.Errorf("the digest of a text that was lost: %s", digest)
	}
}

func TestDifference(t *testing.T) {
	old, new := revision(), revision()
	old.Number, old.Body = 1, "<p>旧文</p>"
	d := jsonform.NewDifference(&old, &new, 2)
	if d.Revisions != 2 || d.Old.Number != 1 || d.New.Number != 2 || len(d.Title) != 1 || len(d.Text) < 2 {
		t.Errorf("difference %+v", d)
	}
	if alone := jsonform.Alone(&new); alone.Old != nil || alone.New != nil || alone.Revisions != 1 {
		t.Errorf("alone %+v", alone)
	}
}

func TestStory(t *testing.T) {
	origin, reprint := revision(), revision()
	reprint.Published = noon.Add(90 * time.Minute)
	reprint.Fetched = noon.Add(2 * time.Hour)
	s := jsonform.NewStory([]news.Revision{origin, reprint})
	if s.Story != origin.Story || len(s.Posts) != 2 || s.Posts[0].Lag != 0 || s.Posts[1].Lag != 5400 || s.LastLag != 5400 {
		t.Errorf("story %+v", s)
	}
}
