package securities

import (
	"errors"
	"iter"
	"testing"

	"github.com/finarc/finarc/mirror"
	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/page"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// posts returns the revisions, and then the error if there is one.
func posts(revs []news.Revision, err error) iter.Seq2[news.Revision, error] {
	return func(yield func(news.Revision, error) bool) {
		for _, rev := range revs {
			if !yield(rev, nil) {
				return
			}
		}
		if err != nil {
			yield(news.Revision{}, err)
		}
	}
}

// On all processors the same is counted as on one.
func TestRead(t *testing.T) {
	m, err := mirror.New(mirror.Options{Seed: 9, Posts: 300})
	if err != nil {
		t.Fatal(err)
	}
	var revs []news.Revision
	for i := range 300 {
		revs = append(revs, news.Revision{Post: m.Post(i)})
	}
	var g Gazetteer
	if err := g.LearnAll(posts(revs, nil)); err != nil {
		t.Fatal(err)
	}
	find := g.Finder().In(page.ReadArticle)
	var want, marked Survey
	for i := range revs {
		want.Add(&revs[i], find(&revs[i]))
		marked.Add(&revs[i], nil)
	}
	for _, test := range []struct {
		find func(*news.Revision) []news.Place
		want *Survey
	}{{find, &want}, {nil, &marked}} {
		got, err := Read(t.Context(), posts(revs, nil), test.find)
		if err != nil {
			t.Fatal(err)
		}
		for _, boards := range []bool{false, true} {
			if diff := cmp.Diff(test.want.Counts(boards), got.Counts(boards)); diff != "" || got.Posts != 300 {
				t.Errorf("%d posts:\n%s", got.Posts, diff)
			}
		}
	}
	if want.Counts(false)[0].Found == 0 || cmp.Equal(want.Counts(false), marked.Counts(false)) {
		t.Error("nothing was found in the texts: the test shows nothing")
	}
	failed := errors.New("disk")
	if _, err := Read(t.Context(), posts(revs, failed), find); !errors.Is(err, failed) {
		t.Errorf("a failing archive: %v", err)
	}
	if err := g.LearnAll(posts(revs, failed)); !errors.Is(err, failed) {
		t.Errorf("a failing archive: %v", err)
	}
}
