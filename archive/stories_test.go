package archive_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/internal/storetest"
	"github.com/finarc/finarc/internal/storytest"
	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/page"
	bolt "go.etcd.io/bbolt"
	"golang.org/x/sync/errgroup"
)

// runBy returns a post of a labelled set as it is captured.
func runBy(i int, p *storytest.Post) news.Captured {
	code := news.InfoCode(fmt.Sprintf("NW%s%010d", p.Published.Format("20060102"), 2222300000+i))
	post := news.Post{ID: code.ID(), InfoCode: code, Title: p.Title, Published: p.Published, Category: "caijing", Tag: "财经新闻", Body: p.Body()}
	if p.Security != "" {
		post.Securities = []news.Mention{{Security: news.Security{Market: 1, Code: p.Security}, Count: 1}}
	}
	return news.Captured{Post: post, Capture: news.Capture{
		URL: "https://mirror.example/" + string(code) + ".html", Status: 200, Header: http.Header{}, Fetched: p.Published.Add(time.Minute),
		Mode: news.ModeLive, Mirror: "m", Kind: news.KindPost, Body: []byte("<h1>" + p.Title + "</h1>" + post.Body),
	}}
}

func allRunBy(posts []storytest.Post) []news.Captured {
	var list []news.Captured
	for i := range posts {
		list = append(list, runBy(i, &posts[i]))
	}
	return list
}

// readable returns a new archive that compares articles by their plain text.
func readable(t testing.TB) *archive.Archive {
	t.Helper()
	a, err := archive.OpenOrCreate(t.Context(), filepath.Join(t.TempDir(), "stories.db"), archive.PlainText(page.Text))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func findStories(t testing.TB, a *archive.Archive, o archive.FindOptions) archive.StoriesFound {
	t.Helper()
	found, err := a.FindStories(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// storyIDs returns the story of every post that is in one, by the posts' IDs.
func storyIDs(t testing.TB, a *archive.Archive) map[news.ID]string {
	t.Helper()
	ids := make(map[news.ID]string)
	for _, rev := range selected(t, a, archive.Selection{}) {
		if rev.Story != "" {
			ids[rev.ID] = rev.Story
		}
	}
	return ids
}

// What is found of a labelled set: of all pairs of posts that are said to be one
// story nearly all are, and of those that are nearly all are said to be. The
// seeds are none of those that the thresholds were chosen on.
func TestStoriesOfALabelledSet(t *testing.T) {
	t.Parallel()
	for _, seed := range []uint64{201, 202, 203} {
		posts := storytest.Set(t, seed, 400)
		a := readable(t)
		for part := range slices.Chunk(allRunBy(posts), 256) {
			commit(t, a, news.Batch{Posts: part})
		}
		found := findStories(t, a, archive.FindOptions{})
		right, wrong, missed := judged(posts, storyIDs(t, a))
		precision, recall := float64(right)/float64(right+wrong), float64(right)/float64(right+missed)
		t.Logf("seed %d: %d posts, %d compared; precision %.4f, recall %.4f", seed, len(posts), found.Compared, precision, recall)
		if precision < 0.98 || recall < 0.95 {
			t.Errorf("seed %d: precision %.4f and recall %.4f", seed, precision, recall)
		}
		clean(t, a)
	}
}

// judged counts pairs: those said to be one story that are and are not, and those
// that are and are not said to be.
func judged(posts []storytest.Post, ids map[news.ID]string) (right, wrong, missed int) {
	var said []string
	for i := range posts {
		p := runBy(i, &posts[i])
		said = append(said, ids[p.Post.ID])
	}
	for i := range posts {
		for j := range i {
			same, are := said[i] != "" && said[i] == said[j], posts[i].Story == posts[j].Story
			switch {
			case same && are:
				right++
			case same:
				wrong++
			case are:
				missed++
			}
		}
	}
	return right, wrong, missed
}

// What is found does not depend on the order in which posts come, on how many
// come at a time, nor on where it is interrupted.
func TestStoriesInAnyOrder(t *testing.T) {
	t.Parallel()
	list := allRunBy(storytest.Set(t, 7, 120))
	a := readable(t)
	commit(t, a, news.Batch{Posts: list})
	findStories(t, a, archive.FindOptions{})
	want := storyIDs(t, a)
	if len(want) < 100 {
		t.Fatalf("%d posts in stories", len(want))
	}
	for seed := range uint64(3) {
		rng := rand.New(rand.NewPCG(seed, 1))
		rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		b := readable(t)
		for rest := list; len(rest) > 0; {
			n := min(1+rng.IntN(60), len(rest))
			commit(t, b, news.Batch{Posts: rest[:n]})
			rest = rest[n:]
			if rng.IntN(3) > 0 {
				findStories(t, b, archive.FindOptions{})
			}
			clean(t, b)
		}
		found := findStories(t, b, archive.FindOptions{})
		if got := storyIDs(t, b); !maps.Equal(got, want) {
			t.Errorf("shuffled by %d: %d posts in stories, want %d", seed, len(got), len(want))
		}
		if known := found.Known; known.Behind != 0 || known.Posts != int64(len(want)) || !known.Looked {
			t.Errorf("known: %+v", known)
		}
		findStories(t, b, archive.FindOptions{FromStart: true})
		if got := storyIDs(t, b); !maps.Equal(got, want) {
			t.Error("begun anew, it finds otherwise")
		}
	}
}

// Whatever comes in and changes, and whenever stories are looked for: in the end
// they are as if looked for once.
func TestStoriesAsIfLookedForOnce(t *testing.T) {
	for seed := range uint64(4) {
		rng := rand.New(rand.NewPCG(seed, 2))
		set := storytest.Set(t, seed, 25)
		a := readable(t)
		for step := range 40 {
			var batch []news.Captured
			for range 1 + rng.IntN(8) {
				i := rng.IntN(len(set))
				p := set[i]
				if step > 10 {
					p.Text = set[rng.IntN(len(set))].Text
				}
				c := runBy(i, &p)
				c.Capture.Fetched = c.Capture.Fetched.Add(time.Duration(step-5*rng.IntN(2)) * time.Hour)
				batch = append(batch, c)
			}
			commit(t, a, news.Batch{Posts: batch})
			if rng.IntN(3) == 0 {
				findStories(t, a, archive.FindOptions{})
				clean(t, a)
			}
		}
		findStories(t, a, archive.FindOptions{})
		got := storyIDs(t, a)
		found := findStories(t, a, archive.FindOptions{FromStart: true})
		if want := storyIDs(t, a); !maps.Equal(got, want) || found.Known.Posts != int64(len(want)) || len(want) < 10 {
			t.Errorf("seed %d: %d posts in stories, begun anew %d (%+v)", seed, len(got), len(want), found.Known)
		}
	}
}

const report = "某证券研究所发布报告称，受益于下游需求回暖，公司三季度实现营业收入12.5亿元，同比增长30%，归母净利润2.1亿元。" +
	"报告认为，公司产能利用率持续提升，新产线将于明年投产，预计全年出货量超过80万台。"

// four returns posts of one story, a quarter of an hour apart, and one of
// another.
func four() []news.Captured {
	at := storetest.Noon
	list := []storytest.Post{
		{Title: "营收12.5亿元", Text: report, Published: at},
		{Title: "转载", Text: report + "\n（来源：某报）", Published: at.Add(15 * time.Minute)},
		{Title: "再转载", Text: "财联社12月22日电，" + report, Published: at.Add(30 * time.Minute)},
		{Title: "别家", Text: strings.ReplaceAll(report, "12.5", "13.5"), Published: at.Add(45 * time.Minute)},
	}
	return allRunBy(list)
}

// want checks which posts of those that four returns run the story of one, the
// first first.
func wantStory(t *testing.T, a *archive.Archive, of int, want ...int) {
	t.Helper()
	posts, err := a.Story(t.Context(), four()[of].Post.ID)
	if err != nil {
		t.Fatal(err)
	}
	var got []int
	for i := range posts {
		got = append(got, slices.IndexFunc(four(), func(p news.Captured) bool { return p.Post.ID == posts[i].ID }))
	}
	if !slices.Equal(got, want) {
		t.Errorf("the story of %d is run by %v, want %v", of, got, want)
	}
}

func TestStory(t *testing.T) {
	a := readable(t)
	list := four()
	commit(t, a, news.Batch{Posts: list[1:]})
	if found := findStories(t, a, archive.FindOptions{IfKept: true}); found != (archive.StoriesFound{}) {
		t.Errorf("never looked for, and: %+v", found)
	}
	findStories(t, a, archive.FindOptions{})
	wantStory(t, a, 2, 1, 2)
	wantStory(t, a, 3, 3)
	commit(t, a, news.Batch{Posts: list[:1]}) // an earlier one becomes the origin
	known, err := a.StoriesKnown(t.Context())
	if want := (archive.StoriesKnown{Looked: true, Stories: 1, Posts: 2, Behind: 1}); err != nil || known != want {
		t.Errorf("%+v, want %+v: %v", known, want, err)
	}
	findStories(t, a, archive.FindOptions{IfKept: true})
	wantStory(t, a, 2, 0, 1, 2)
	var first []news.ID
	for _, rev := range selected(t, a, archive.Selection{Origins: true}) {
		first = append(first, rev.ID)
		if rev.Story != string(list[0].Post.InfoCode) {
			t.Errorf("story %q", rev.Story)
		}
	}
	if !slices.Equal(first, []news.ID{list[0].Post.ID}) {
		t.Errorf("stories begin with %v", first)
	}
	if revs := selected(t, a, archive.Selection{AsOf: storetest.Noon.Add(time.Hour)}); len(revs) != 4 || revs[1].Story != "" {
		t.Errorf("as of a moment: %+v", revs)
	}
	if _, err := a.Story(t.Context(), "202112220000000001"); !errors.Is(err, archive.ErrNoPost) {
		t.Errorf("a post that is not there: %v", err)
	}
}

// A post whose text changes leaves its story or comes into one; the others are
// held against each other anew.
func TestStoryOfARevision(t *testing.T) {
	a := readable(t)
	list := four()
	commit(t, a, news.Batch{Posts: list})
	findStories(t, a, archive.FindOptions{})
	changed := func(i int, text string, by time.Duration) news.Captured {
		p := runBy(i, &storytest.Post{Title: "更正", Text: text, Published: list[i].Post.Published})
		p.Capture.Fetched = p.Capture.Fetched.Add(by)
		return p
	}
	commit(t, a, news.Batch{Posts: []news.Captured{changed(0, strings.ReplaceAll(report, "12.5", "13.5"), time.Hour)}})
	wantStory(t, a, 0, 0, 1, 2) // as far as it is known
	findStories(t, a, archive.FindOptions{})
	wantStory(t, a, 0, 0, 3)
	wantStory(t, a, 1, 1, 2)
	clean(t, a)
	commit(t, a, news.Batch{Posts: []news.Captured{changed(2, "本公司董事会及全体董事保证公告内容不存在任何虚假记载、误导性陈述或者重大遗漏。", time.Hour)}})
	findStories(t, a, archive.FindOptions{})
	wantStory(t, a, 1, 1)
	wantStory(t, a, 2, 2)
	commit(t, a, news.Batch{Posts: []news.Captured{changed(2, "短。", 2*time.Hour)}})
	findStories(t, a, archive.FindOptions{})
	wantStory(t, a, 0, 0, 3)
	clean(t, a)
}

// Posts of one story that change at a time are followed as if one by one.
func TestStoryOfWhichTwoAreRevised(t *testing.T) {
	list := four()
	other := strings.ReplaceAll(report, "12.5", "13.5")
	for _, order := range [][]int{{0, 1}, {1, 0}, {0, 2, 1}} {
		a := readable(t)
		commit(t, a, news.Batch{Posts: list})
		findStories(t, a, archive.FindOptions{})
		var changed []news.Captured
		for _, i := range order {
			p := runBy(i, &storytest.Post{Title: "更正", Text: other, Published: list[i].Post.Published})
			p.Capture.Fetched = p.Capture.Fetched.Add(time.Hour)
			changed = append(changed, p)
		}
		commit(t, a, news.Batch{Posts: changed})
		findStories(t, a, archive.FindOptions{})
		clean(t, a)
		got := storyIDs(t, a)
		findStories(t, a, archive.FindOptions{FromStart: true})
		if want := storyIDs(t, a); !maps.Equal(got, want) || len(want) != len(order)+1 {
			t.Errorf("revised in order %v: %v, begun anew %v", order, got, want)
		}
	}
}

// Two posts that are more than three days apart are one story only by those in
// between.
func TestStoriesThatRunLong(t *testing.T) {
	list := four()
	apart := func(i int, days int) news.Captured {
		return runBy(i, &storytest.Post{Title: "转载", Text: report, Published: storetest.Noon.AddDate(0, 0, days)})
	}
	a := readable(t)
	commit(t, a, news.Batch{Posts: []news.Captured{apart(0, 0), apart(1, 5)}})
	findStories(t, a, archive.FindOptions{})
	if ids := storyIDs(t, a); len(ids) != 0 {
		t.Errorf("after five days: %v", ids)
	}
	commit(t, a, news.Batch{Posts: []news.Captured{apart(2, 3)}})
	findStories(t, a, archive.FindOptions{})
	if ids := storyIDs(t, a); len(ids) != 3 || ids[apart(1, 5).Post.ID] != string(list[0].Post.InfoCode) {
		t.Errorf("with one in between: %v", ids)
	}
}

// A story of very many posts, as of a notice that runs in the same words again and
// again, costs no more than each of them does: one comparison. Where the origin
// and another change, the others stay together.
func TestStoryOfVeryManyPosts(t *testing.T) {
	const half = 300
	run := func(i int, text string) news.Captured {
		return runBy(i, &storytest.Post{Title: "公告", Text: text, Published: storetest.Noon.Add(time.Duration(i) * time.Minute)})
	}
	a := readable(t)
	for _, from := range []int{half, 0} { // the earlier ones come later
		var b news.Batch
		for i := range half {
			b.Posts = append(b.Posts, run(from+i, report))
		}
		commit(t, a, b)
		found := findStories(t, a, archive.FindOptions{})
		if found.Compared > half || found.Known.Stories != 1 || found.Known.Posts != int64(2*half-from) {
			t.Fatalf("from %d on: %+v", from, found)
		}
		clean(t, a)
	}
	var changed news.Batch
	for _, i := range []int{0, half} {
		p := run(i, strings.ReplaceAll(report, "12.5", "13.5"))
		p.Capture.Fetched = p.Capture.Fetched.Add(24 * time.Hour)
		changed.Posts = append(changed.Posts, p)
	}
	commit(t, a, changed)
	findStories(t, a, archive.FindOptions{})
	clean(t, a)
	got := storyIDs(t, a)
	findStories(t, a, archive.FindOptions{FromStart: true})
	if want := storyIDs(t, a); !maps.Equal(got, want) || len(want) != 2*half {
		t.Errorf("%d posts in stories, begun anew %d", len(got), len(want))
	}
	story, err := a.Story(t.Context(), run(2, report).Post.ID)
	if err != nil || len(story) != 2*half-2 || story[0].ID != run(1, report).Post.ID {
		t.Errorf("%d posts are told, %v", len(story), err)
	}
}

// Processes that find stories at a time do each other no harm, and one that is
// interrupted keeps what it has.
func TestStoriesByTwo(t *testing.T) {
	t.Parallel()
	list := allRunBy(storytest.Set(t, 8, 400))
	a := readable(t)
	commit(t, a, news.Batch{Posts: list})
	one := readable(t)
	commit(t, one, news.Batch{Posts: list})
	findStories(t, one, archive.FindOptions{})
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if _, err := a.FindStories(stopped, archive.FindOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	var g errgroup.Group
	for range 3 {
		g.Go(func() error {
			other, err := archive.Open(t.Context(), a.Path(), archive.PlainText(page.Text))
			if err != nil {
				return err
			}
			_, err = other.FindStories(t.Context(), archive.FindOptions{})
			return err
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	if got, want := storyIDs(t, a), storyIDs(t, one); !maps.Equal(got, want) {
		t.Errorf("%d posts in stories, want %d", len(got), len(want))
	}
	clean(t, a)
}

// An archive of before there were stories has none, whatever is done to it, until
// they are looked for; and copies have what it has.
func TestArchiveWithoutStories(t *testing.T) {
	a := readable(t)
	commit(t, a, news.Batch{Posts: four()})
	edit(t, a.Path(), func(tx *bolt.Tx) error {
		return errors.Join(tx.DeleteBucket([]byte("signatures")), tx.DeleteBucket([]byte("stories")))
	})
	a, err := archive.Open(t.Context(), a.Path(), archive.PlainText(page.Text))
	if err != nil {
		t.Fatal(err)
	}
	clean(t, a)
	if known, err := a.StoriesKnown(t.Context()); err != nil || known.Looked {
		t.Errorf("%+v, %v", known, err)
	}
	wantStory(t, a, 0, 0)
	copies := func() map[string]string {
		dir := t.TempDir()
		backup, saved := filepath.Join(dir, "backup.db"), filepath.Join(dir, "saved.db")
		if _, err := a.Backup(t.Context(), backup, false); err != nil {
			t.Fatal(err)
		}
		if _, err := archive.Salvage(t.Context(), a.Path(), saved, readAgain); err != nil {
			t.Fatal(err)
		}
		merged := readable(t)
		merge(t, merged, a)
		if _, err := a.Compact(t.Context()); err != nil {
			t.Fatal(err)
		}
		return map[string]string{"compacted": a.Path(), "backup": backup, "salvaged": saved, "merged": merged.Path()}
	}
	for name, path := range copies() {
		if ids := storyIDs(t, at(t, path)); len(ids) != 0 {
			t.Errorf("%s: %v", name, ids)
		}
	}
	findStories(t, a, archive.FindOptions{})
	want := storyIDs(t, a)
	for name, path := range copies() {
		b, err := archive.Open(t.Context(), path, archive.PlainText(page.Text))
		if err != nil {
			t.Fatal(err)
		}
		clean(t, b)
		if name == "salvaged" || name == "merged" { // they make their own
			if known, err := b.StoriesKnown(t.Context()); err != nil || known.Looked {
				t.Errorf("%s: %+v, %v", name, known, err)
			}
			findStories(t, b, archive.FindOptions{})
		}
		if got := storyIDs(t, b); !maps.Equal(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

// A better reader has stories found anew where it reads another text.
func TestStoriesAreFoundAnewAfterAReread(t *testing.T) {
	a := readable(t)
	commit(t, a, news.Batch{Posts: four()})
	findStories(t, a, archive.FindOptions{})
	reread(t, a, asStored(t, a, func(*news.Post) error { return nil }), archive.RereadOptions{})
	wantStory(t, a, 0, 0, 1, 2)
	reread(t, a, asStored(t, a, func(p *news.Post) error {
		p.Body = strings.ReplaceAll(p.Body, "13.5", "12.5")
		return nil
	}), archive.RereadOptions{})
	if known, err := a.StoriesKnown(t.Context()); err != nil || known.Behind != 4 || known.Posts != 0 {
		t.Errorf("%+v, %v", known, err)
	}
	findStories(t, a, archive.FindOptions{IfKept: true})
	wantStory(t, a, 0, 0, 1, 2, 3)
	clean(t, a)
}

// Damage to what is known of stories is found, and they are found anew.
func TestDamagedStories(t *testing.T) {
	spoil := func(at int) func(*bolt.Bucket, []byte, []byte) error {
		return func(b *bolt.Bucket, k, v []byte) error {
			v[at%len(v)] ^= 0x55
			return b.Put(k, v)
		}
	}
	remove := func(b *bolt.Bucket, k, _ []byte) error { return b.Delete(k) }
	// With checksums of their own: what no checksum tells.
	empty := func(b *bolt.Bucket, k, _ []byte) error { return b.Put(k, sealed(string(k), nil)) }
	moved := func(b *bolt.Bucket, k, v []byte) error {
		k[len(k)-1] ^= 1
		return b.Put(k, sealed(string(k), v[:len(v)-4]))
	}
	for _, c := range []struct {
		bucket string
		edit   func(b *bolt.Bucket, k, v []byte) error
	}{
		{"signatures", spoil(0)}, {"signatures", spoil(20)}, {"signatures", remove}, {"signatures", empty}, {"signatures", moved},
		{"stories", spoil(0)}, {"stories", remove}, {"stories", empty}, {"stories", moved},
	} {
		a := readable(t)
		commit(t, a, news.Batch{Posts: four()})
		findStories(t, a, archive.FindOptions{})
		edit(t, a.Path(), func(tx *bolt.Tx) error {
			b := tx.Bucket([]byte(c.bucket))
			k, v := b.Cursor().First()
			return c.edit(b, slices.Clone(k), slices.Clone(v))
		})
		if r := verified(t, a); r.Counts[archive.FoundStory] == 0 {
			t.Errorf("%s: %+v", c.bucket, r.Findings)
		}
		if r, err := a.Repair(t.Context(), readAgain, nil); err != nil || !r.Clean() {
			t.Fatalf("%v: %+v, %q", err, r.Findings, r.Repaired)
		}
		findStories(t, a, archive.FindOptions{IfKept: true})
		wantStory(t, a, 1, 0, 1, 2)
		clean(t, a)
	}
	a := readable(t)
	commit(t, a, news.Batch{Posts: four()})
	findStories(t, a, archive.FindOptions{})
	edit(t, a.Path(), func(tx *bolt.Tx) error { return tx.Bucket([]byte("finarc")).Put([]byte("stories"), []byte("x")) })
	if r := verified(t, a); r.Clean() {
		t.Error("a spoiled bookmark is not found")
	}
	if r, err := a.Repair(t.Context(), readAgain, nil); err != nil || !r.Clean() {
		t.Fatalf("%v: %+v, %q", err, r.Findings, r.Repaired)
	}
	findStories(t, a, archive.FindOptions{IfKept: true})
	wantStory(t, a, 1, 0, 1, 2)
}
