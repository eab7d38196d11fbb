package storetest

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/news"
)

// rule is a part of the contract: its name, and a test of it on an empty store.
type rule struct {
	name string
	test func(*testing.T, Store)
}

// Known is a rule that a store is known not to keep yet, and why.
type Known struct{ Rule, Why string }

// Conform checks that a store keeps the contract. open returns an empty store.
// Rules that are known not to be kept are skipped.
func Conform(t *testing.T, open func(t *testing.T) Store, known ...Known) {
	why := make(map[string]string)
	for _, k := range known {
		why[k.Rule] = k.Why
	}
	for _, r := range slices.Concat(postRules, frontierRules, dayRules, listRules, againRules, selectRules, batchRules, oddRules) {
		t.Run(r.name, func(t *testing.T) {
			if why[r.name] != "" {
				t.Skip(why[r.name])
			}
			r.test(t, open(t))
		})
		delete(why, r.name)
	}
	for name := range why {
		t.Errorf("there is no rule %q", name)
	}
}

var postRules = []rule{
	{"a post and its capture come back whole", testWhole},
	{"what a page lacks stays empty", testLacking},
	{"the same article moves last_seen only", testUnchanged},
	{"last_seen does not move back", testSeenEarlier},
	{"another article is a revision", testRevised},
	{"each part of an article counts", testArticle},
	{"an earlier article come again is a revision", testThereAndBack},
	{"files make no revisions by turns, and cannot be asked for again", testFiles},
	{"the change sequence has no gaps", testSequence},
	{"a post twice in one batch", testTwiceInOneBatch},
	{"an older capture stands where its time belongs", testOlderCapture},
	{"what is not held", testNotHeld},
	{"a link to a post of another identity", testAlias},
	{"an alias that was a post's own identity", testAliasOfHeld},
	{"unread captures are kept apart", testUnread},
}

func testWhole(t *testing.T, s Store) {
	want := Sample(1)
	wantSame(t, "changes", []news.Change{news.ChangeNew}, put(t, s, want))
	rev := post(t, s, want.Post.ID)
	wantSame(t, "post", want.Post, rev.Post)
	fetched := want.Capture.Fetched
	rev.Post, rev.SHA256 = news.Post{}, ""
	wantSame(t, "revision", news.Revision{
		Number: 1, Seq: 1, FirstSeen: fetched, LastSeen: fetched, Fetched: fetched,
		Mode: news.ModeLive, Mirror: "m", URL: want.Capture.URL,
	}, rev)
	wantSame(t, "capture", &want.Capture, do[*news.Capture](t)(s.Capture(t.Context(), 1)))
	wantSame(t, "revisions", []news.Revision{post(t, s, want.Post.ID)}, do[[]news.Revision](t)(s.Revisions(t.Context(), want.Post.ID)))
}

func testLacking(t *testing.T, s Store) {
	for i, want := range []news.Post{
		{ID: "20211101-0123456789abcdef", Title: "开站大吉"},
		{ID: "00000000-0123456789abcdef", Body: "<p>无日期</p>"},
		{ID: "202112222222306968", InfoCode: "202112222222306968"},
		{ID: "202112222222306969", InfoCode: "AN202112222222306969", Tag: "某新闻"},
		{ID: "202112222222306970", InfoCode: "NW202112222222306970", Tag: "某新闻", Outlet: "某", Source: "某"},
		{ID: "202112222222306971", InfoCode: "NW202112222222306971", Outlet: "某"},
	} {
		c := Sample(0).Capture
		c.Fetched = Noon.Add(time.Duration(i) * time.Second)
		put(t, s, news.Captured{Post: want, Capture: c})
		wantSame(t, "post", want, post(t, s, want.ID).Post)
	}
}

func testUnchanged(t *testing.T, s Store) {
	first := Sample(1)
	again := Later(first, time.Hour)
	again.Capture.Body = append(slices.Clone(again.Capture.Body), "<!-- another advert -->"...)
	again.Capture.Mirror, again.Capture.URL = "n", "https://other.example/"
	again.Post.Category, again.Post.Tag, again.Post.Foot, again.Post.Digest = "x", "y", "", "z" // of the page, not of the article
	put(t, s, first)
	before := post(t, s, first.Post.ID)
	wantSame(t, "changes", []news.Change{news.ChangeUnchanged}, put(t, s, again))
	before.LastSeen = again.Capture.Fetched
	wantSame(t, "revision", before, post(t, s, first.Post.ID))
	wantSame(t, "capture", &first.Capture, do[*news.Capture](t)(s.Capture(t.Context(), 1)))
	if _, err := s.Capture(t.Context(), 2); err == nil {
		t.Error("the second sighting is a capture of its own")
	}
}

func testSeenEarlier(t *testing.T, s Store) {
	first := Sample(1)
	put(t, s, first)
	put(t, s, Later(first, 2*time.Hour))
	wantSame(t, "changes", []news.Change{news.ChangeUnchanged, news.ChangeUnchanged},
		put(t, s, Later(first, time.Hour), Later(first, -30*time.Second)))
	rev := post(t, s, first.Post.ID)
	if !rev.LastSeen.Equal(first.Capture.Fetched.Add(2*time.Hour)) || !rev.FirstSeen.Equal(first.Capture.Fetched) {
		t.Errorf("first seen %v, last seen %v", rev.FirstSeen, rev.LastSeen)
	}
}

func testRevised(t *testing.T, s Store) {
	first := Sample(1)
	other := Corrected(first, "更正", 2*time.Hour)
	put(t, s, first)
	put(t, s, Later(first, time.Hour))
	wantSame(t, "changes", []news.Change{news.ChangeRevised}, put(t, s, other))
	put(t, s, Later(other, time.Hour))

	list := do[[]news.Revision](t)(s.Revisions(t.Context(), first.Post.ID))
	if len(list) != 2 {
		t.Fatalf("%d revisions", len(list))
	}
	for i, want := range []news.Captured{first, other} {
		rev := list[i]
		wantSame(t, "post", want.Post, rev.Post)
		if rev.Number != i+1 || rev.Seq != uint64(i+1) || !rev.Fetched.Equal(want.Capture.Fetched) ||
			!rev.FirstSeen.Equal(first.Capture.Fetched) || !rev.LastSeen.Equal(want.Capture.Fetched.Add(time.Hour)) || len(rev.SHA256) != 64 {
			t.Errorf("revision %+v", rev)
		}
		wantSame(t, "capture", &want.Capture, do[*news.Capture](t)(s.Capture(t.Context(), rev.Seq)))
	}
	wantSame(t, "newest revision", list[1], post(t, s, first.Post.ID))
}

func testArticle(t *testing.T, s Store) {
	p := Sample(1)
	put(t, s, p)
	for _, edit := range []func(*news.Post){
		func(p *news.Post) { p.Title += "。" },
		func(p *news.Post) { p.Body += "<p>完</p>" },
		func(p *news.Post) { p.Published = p.Published.Add(time.Second) },
		func(p *news.Post) { p.Published = time.Time{} },
		func(p *news.Post) { p.Title = "" },
		func(p *news.Post) { p.Body = "" },
	} {
		p = Later(p, time.Minute)
		edit(&p.Post)
		wantSame(t, "changes", []news.Change{news.ChangeRevised}, put(t, s, p))
		wantSame(t, "post", p.Post, post(t, s, p.Post.ID).Post)
	}
}

func testThereAndBack(t *testing.T, s Store) {
	first := Sample(1)
	put(t, s, first, Corrected(first, "更正", time.Hour))
	wantSame(t, "changes", []news.Change{news.ChangeRevised}, put(t, s, Later(first, 2*time.Hour)))
	if rev := post(t, s, first.Post.ID); rev.Number != 3 || rev.Title != first.Post.Title {
		t.Errorf("revision %d, %s", rev.Number, rev.Title)
	}
}

func testFiles(t *testing.T, s Store) {
	page := Sample(0)
	title := page.Post.Title
	for i, step := range []struct {
		p    news.Captured
		want news.Change
	}{
		{page, news.ChangeNew},
		{AsFile(page, title, time.Hour), news.ChangeUnchanged},
		{AsFile(page, "别名", 2*time.Hour), news.ChangeRevised},
		{AsFile(page, title, 3*time.Hour), news.ChangeUnchanged},
		{AsFile(page, "别名", 3*time.Hour), news.ChangeUnchanged},
		{Later(page, 4*time.Hour), news.ChangeUnchanged}, // as the page before it
		{AsFile(page, "又名", 5*time.Hour), news.ChangeRevised},
		{AsFile(page, "别名", 6*time.Hour), news.ChangeUnchanged},
		{Corrected(page, "更正", 7*time.Hour), news.ChangeRevised},
		{AsFile(page, "又一名", 8*time.Hour), news.ChangeRevised},
	} {
		wantSame(t, "change of step "+strconv.Itoa(i), []news.Change{step.want}, put(t, s, step.p))
	}
	put(t, s, AsFile(Sample(1), "无页", time.Hour))
	held := do[[]news.Held](t)(s.Held(t.Context(), time.Time{}, "", 10))
	if len(held) != 2 || len(held[0].Copies) != 1 || held[0].Copies[0].Kind != news.KindPost || len(held[1].Copies) != 0 {
		t.Errorf("got %+v, want the page alone to be asked for again", held)
	}
}

func testSequence(t *testing.T, s Store) {
	want := uint64(0)
	for i := range 40 {
		p := Sample(i)
		put(t, s, p, Later(p, time.Hour))
		put(t, s, Corrected(p, "更正", 2*time.Hour))
		list := do[[]news.Revision](t)(s.Revisions(t.Context(), p.Post.ID))
		for _, rev := range list {
			if want++; rev.Seq != want {
				t.Fatalf("revision %d of post %d has place %d, want %d", rev.Number, i, rev.Seq, want)
			}
		}
	}
}

func testTwiceInOneBatch(t *testing.T, s Store) {
	a, b, c := Sample(1), Sample(2), Sample(3)
	wantSame(t, "changes", []news.Change{
		news.ChangeNew, news.ChangeUnchanged, news.ChangeNew, news.ChangeRevised, news.ChangeNew, news.ChangeRevised, news.ChangeRevised,
	}, put(t, s, a, Later(a, time.Hour), b, Corrected(b, "更正", time.Hour), c, Corrected(c, "更正", time.Hour), Later(c, 2*time.Hour)))
	for _, want := range []struct {
		of        news.Captured
		revisions int
	}{{a, 1}, {b, 2}, {c, 3}} {
		list := do[[]news.Revision](t)(s.Revisions(t.Context(), want.of.Post.ID))
		if len(list) != want.revisions {
			t.Errorf("%d revisions, want %d", len(list), want.revisions)
		}
	}
	if rev := post(t, s, a.Post.ID); !rev.LastSeen.Equal(a.Capture.Fetched.Add(time.Hour)) {
		t.Errorf("last seen %v", rev.LastSeen)
	}
	if n := len(selected(t, s, archive.Selection{})); n != 3 {
		t.Errorf("%d posts selected", n)
	}
	links := found(t, s, WantedOf(4), WantedOf(4))
	wantSame(t, "links", []news.Standing{news.StandingNew, news.StandingPending}, links)
}

func testOlderCapture(t *testing.T, s Store) {
	first := Sample(1)
	last := Corrected(first, "又更正", 2*time.Hour)
	put(t, s, first, last)
	between, before := Corrected(first, "更正", time.Hour), Corrected(first, "草稿", -time.Hour)
	wantSame(t, "changes", []news.Change{news.ChangeRevised, news.ChangeRevised}, put(t, s, between, before))
	list := do[[]news.Revision](t)(s.Revisions(t.Context(), first.Post.ID))
	if len(list) != 4 {
		t.Fatalf("%d revisions", len(list))
	}
	for i, want := range []news.Captured{before, first, between, last} {
		rev := list[i]
		if rev.Title != want.Post.Title || rev.Number != i+1 || !rev.FirstSeen.Equal(before.Capture.Fetched) || rev.Seq != []uint64{4, 1, 3, 2}[i] {
			t.Errorf("revision %d: %+v", i+1, rev)
		}
	}
	wantSame(t, "newest revision", list[3], post(t, s, first.Post.ID))
	wantSame(t, "selected", list[3:], selected(t, s, archive.Selection{Body: true}))
}

func testNotHeld(t *testing.T, s Store) {
	put(t, s, Sample(1))
	for _, id := range []news.ID{Sample(2).Post.ID, "20211101-0123456789abcdef"} {
		_, err := s.Post(t.Context(), id)
		_, err2 := s.Revisions(t.Context(), id)
		_, err3 := s.Unread(t.Context(), id)
		for _, err := range []error{err, err2, err3} {
			if !errors.Is(err, archive.ErrNoPost) {
				t.Errorf("%s: error %v, want ErrNoPost", id, err)
			}
		}
	}
	for _, seq := range []uint64{0, 2, 1 << 39} {
		if c, err := s.Capture(t.Context(), seq); err == nil {
			t.Errorf("capture %d: %+v", seq, c)
		}
	}
}

func testAlias(t *testing.T, s Store) {
	p := Sample(1)
	p.Wanted = news.Wanted{ID: "20211222-0123456789abcdef"}
	found(t, s, p.Wanted, WantedOf(1))
	put(t, s, p)
	wantSame(t, "waiting", waiting{}, waitingIn(t, s))
	wantSame(t, "links", []news.Standing{news.StandingArchived, news.StandingArchived}, found(t, s, p.Wanted, WantedOf(1)))
	wantSame(t, "post by alias", post(t, s, p.Post.ID), post(t, s, p.Wanted.ID))
	wantSame(t, "revisions by alias", do[[]news.Revision](t)(s.Revisions(t.Context(), p.Post.ID)),
		do[[]news.Revision](t)(s.Revisions(t.Context(), p.Wanted.ID)))
	if done := commit(t, s, news.Batch{Leads: []news.Wanted{p.Wanted}, Tried: []news.Wanted{p.Wanted}, Failed: []news.Wanted{p.Wanted}}); done.Leads != 0 {
		t.Error("an alias became a lead")
	}
	wantSame(t, "waiting", waiting{}, waitingIn(t, s))
}

func testAliasOfHeld(t *testing.T, s Store) {
	a, b := Sample(1), Sample(2)
	put(t, s, a)
	b.Wanted.ID = a.Post.ID
	put(t, s, b)
	if rev := post(t, s, a.Post.ID); rev.ID != a.Post.ID {
		t.Errorf("under its own identity the post is %s", rev.ID)
	}
}

func testUnread(t *testing.T, s Store) {
	p := Sample(1)
	blocked := p
	blocked.Post = news.Post{ID: p.Post.ID}
	blocked.Wanted.Error = "block page"
	blocked.Capture.Body = []byte("<h1>请稍候</h1>")
	commit(t, s, news.Batch{Unread: []news.Captured{Later(p, -time.Hour)}})
	commit(t, s, news.Batch{Unread: []news.Captured{blocked}})
	wantSame(t, "apart", archive.Apart{ID: p.Post.ID, Why: "block page", Capture: &blocked.Capture},
		do[archive.Apart](t)(s.Unread(t.Context(), p.Post.ID)))
	if _, err := s.Post(t.Context(), p.Post.ID); !errors.Is(err, archive.ErrNoPost) {
		t.Errorf("an unread page counts as the post: %v", err)
	}
	wantSame(t, "links", []news.Standing{news.StandingNew}, found(t, s, WantedOf(1)))
	elsewhere := p
	elsewhere.Capture.URL = "https://share.example/NewsShare.html?infoCode=" + string(p.Post.InfoCode)
	put(t, s, elsewhere)
	wantSame(t, "apart, though another source had the post", archive.Apart{ID: p.Post.ID, Why: "block page", Capture: &blocked.Capture},
		do[archive.Apart](t)(s.Unread(t.Context(), p.Post.ID)))
	put(t, s, Later(p, time.Hour))
	if _, err := s.Unread(t.Context(), p.Post.ID); !errors.Is(err, archive.ErrNoPost) {
		t.Errorf("still apart after the page was read: %v", err)
	}
}

var batchRules = []rule{
	{"an empty batch", testEmptyBatch},
	{"a batch that fails leaves nothing", testAtomic},
	{"a cancelled context", testCancelled},
	{"a batch of everything", testEverything},
}

func testEmptyBatch(t *testing.T, s Store) {
	wantSame(t, "committed", news.Committed{}, commit(t, s, news.Batch{}))
	wantSame(t, "selected", 0, len(selected(t, s, archive.Selection{})))
	wantSame(t, "waiting", waiting{}, waitingIn(t, s))
}

// everything is a batch of all that a batch can hold, about the samples from
// the n-th on.
func everything(n int) news.Batch {
	lost := WantedOf(n + 4)
	lost.Attempts, lost.Error = 3, "gone"
	return news.Batch{
		Posts: []news.Captured{Sample(n)}, Unread: []news.Captured{Sample(n + 1)},
		Found: []news.Wanted{WantedOf(n + 2)}, Leads: []news.Wanted{WantedOf(n + 3)},
		Failed: []news.Wanted{lost}, Tried: []news.Wanted{WantedOf(n + 5)},
		Lists: []news.ListPage{{URL: "https://mirror.example/", Mirror: "m", Kind: news.KindHome, Checked: Noon.Add(time.Duration(n) * time.Hour)}},
		Seen:  []news.Seen{{ID: Sample(n).Post.ID, Mirror: Sample(n).Capture.Mirror, Answer: news.Revisit{Time: Noon.AddDate(0, 0, 1)}}},
		Hosts: []news.Host{hostOf("https://mirror.example", Noon.Add(time.Duration(n)*time.Hour))},
		Run:   &news.Run{ID: uint64(n + 1), Command: "crawl"},
	}
}

func testAtomic(t *testing.T, s Store) {
	commit(t, s, everything(0))
	universe := Universe{IDs: idsOfSamples(40), Mirrors: []string{"m"}}
	before := do[*Picture](t)(Look(t.Context(), s, universe))
	for name, spoil := range map[string]func(*news.Batch){
		"a post without identity": func(b *news.Batch) { b.Posts = append(b.Posts, news.Captured{}) },
		"a link without identity": func(b *news.Batch) { b.Found = append(b.Found, news.Wanted{}) },
		"a list without address":  func(b *news.Batch) { b.Lists = append(b.Lists, news.ListPage{}) },
		"a host without origin":   func(b *news.Batch) { b.Hosts = append(b.Hosts, news.Host{}) },
	} {
		b := everything(10)
		b.Posts = append(b.Posts, Corrected(Sample(0), "更正", time.Hour))
		spoil(&b)
		if done, err := s.Commit(t.Context(), &b); err == nil || Diff(news.Committed{}, done) != "" {
			t.Errorf("%s: committed %+v, %v", name, done, err)
		}
		wantSame(t, name, before, do[*Picture](t)(Look(t.Context(), s, universe)))
	}
	wantSame(t, "the same without it", news.Committed{
		Posts: []news.Change{news.ChangeNew}, Found: []news.Standing{news.StandingNew}, Leads: 1,
	}, commit(t, s, everything(10)))
	if rev := post(t, s, Sample(10).Post.ID); rev.Seq != 2 {
		t.Errorf("failed commits leave a gap: place %d, want 2", rev.Seq)
	}
}

func idsOfSamples(n int) []news.ID {
	ids := make([]news.ID, n)
	for i := range ids {
		ids[i] = Sample(i).Post.ID
	}
	return ids
}

func testCancelled(t *testing.T, s Store) {
	put(t, s, Sample(0))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	id := Sample(0).Post.ID
	for name, call := range map[string]func() error{
		"start run": func() error { return s.StartRun(ctx, &news.Run{}) },
		"commit":    func() error { _, err := s.Commit(ctx, &news.Batch{Posts: Samples(3)}); return err },
		"wanted":    func() error { _, err := s.Wanted(ctx, "", 1); return err },
		"leads":     func() error { _, err := s.Leads(ctx, "", 1); return err },
		"failures":  func() error { _, err := s.Failures(ctx, "", 1); return err },
		"lists":     func() error { _, err := s.Lists(ctx, "m"); return err },
		"post":      func() error { _, err := s.Post(ctx, id); return err },
		"revisions": func() error { _, err := s.Revisions(ctx, id); return err },
		"capture":   func() error { _, err := s.Capture(ctx, 1); return err },
		"unread":    func() error { _, err := s.Unread(ctx, id); return err },
		"runs":      func() error { _, err := s.Runs(ctx, 0); return err },
		"hosts":     func() error { _, err := s.Hosts(ctx); return err },
		"held":      func() error { _, err := s.Held(ctx, time.Time{}, "", 1); return err },
		"held none": func() error { _, err := s.Held(ctx, time.Time{}, "", 0); return err },
		"known on":  func() error { _, err := s.KnownOn(ctx, 20211222, "", 1); return err },
		"gone on":   func() error { _, err := s.GoneOn(ctx, 20211222, "", 1); return err },
		"unknown":   func() error { _, err := s.Unknown(ctx, nil); return err },
		"days":      func() error { _, err := s.Days(ctx, 0, 0); return err },
		"history":   func() error { _, err := s.PageHistory(ctx); return err },
		"hourly":    func() error { _, err := s.Hourly(ctx, time.Time{}); return err },
		"select":    func() error { return lastError(s.Select(ctx, archive.Selection{})) },
	} {
		if err := call(); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := len(selected(t, s, archive.Selection{})); n != 1 {
		t.Errorf("%d posts, want 1", n)
	}
	run := new(news.Run)
	if err := s.StartRun(t.Context(), run); err != nil || run.ID != 1 {
		t.Errorf("run %d, %v", run.ID, err)
	}
}

func testEverything(t *testing.T, s Store) {
	for n := range 3 {
		wantSame(t, "committed", news.Committed{
			Posts: []news.Change{news.ChangeNew}, Found: []news.Standing{news.StandingNew}, Leads: 1,
		}, commit(t, s, everything(10*n)))
	}
	w := waitingIn(t, s)
	if len(w.Frontier) != 6 || len(w.Leads) != 3 || len(w.Failed) != 3 {
		t.Errorf("waiting %+v", w)
	}
}
