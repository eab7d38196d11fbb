package storetest

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/news"
)

// againRules are of what a crawl must remember in order to ask again: when, of
// whom, and for what.
var againRules = []rule{
	{"a post that was tried waits", testWaits},
	{"a link does not end a wait, one to another page does", testWaitEnds},
	{"a failed post does not wait when it is brought back", testBroughtBackInTime},
	{"which other mirrors link a post", testOtherMirrors},
	{"the title of the newest link counts", testTitleSum},
	{"another mirror's title stands beside the first one's", testOtherTitle},
	{"another mirror's page of a held post is wanted, once", testOtherWanted},
	{"a title that only lists show is no other mirror's", testListTitle},
	{"hosts are kept as they were last told", testHosts},
	{"robots.txt that was never had leaves what is known", testHostPaused},
	{"hosts that nobody asks are forgotten", testHostsForgotten},
	{"a long robots.txt is cut", testHostLong},
	{"a capture that was seen again moves last_seen of its mirror", testSeen},
	{"of the answers with which a page was as it was the last is kept", testRevisit},
	{"what is not held is not seen again", testSeenNotHeld},
	{"mirrors that disagree make a revision each", testDisagree},
	{"a mirror that corrects itself revises its own", testDisagreeRevised},
	{"mirrors that come to agree", testAgree},
	{"an older capture of another mirror differs", testDisagreeOlder},
	{"what was known at a moment, where mirrors disagree", testDisagreeAsOf},
	{"held posts with a copy of each mirror", testHeld},
	{"held posts since a moment, by portions", testHeldPortions},
	{"how pages could be read", testPageHistory},
	{"how many posts were published in which hour", testHourly},
}

// waitingUntil returns sample i as a link that was tried and waits.
func waitingUntil(i int, next time.Time, pages ...string) news.Wanted {
	w := failedIn(i, 1, pages...)
	w.Next, w.TitleSum = next, 7
	return w
}

func testWaits(t *testing.T, s Store) {
	w := waitingUntil(1, Noon.Add(time.Hour))
	found(t, s, WantedOf(1))
	commit(t, s, news.Batch{Tried: []news.Wanted{w, waitingUntil(2, Noon)}})
	wantSame(t, "frontier", []news.Wanted{w, waitingUntil(2, Noon)}, waitingIn(t, s).Frontier)
	w.Next = Noon.Add(2 * time.Hour)
	commit(t, s, news.Batch{Tried: []news.Wanted{w}})
	wantSame(t, "frontier", []news.Wanted{w, waitingUntil(2, Noon)}, waitingIn(t, s).Frontier)
}

func testWaitEnds(t *testing.T, s Store) {
	const page, other = "https://mirror.example/1.html", "https://other.example/1.html"
	w := waitingUntil(1, Noon.Add(time.Hour), page)
	commit(t, s, news.Batch{Tried: []news.Wanted{w}})
	link := with(WantedOf(1), page)
	link.Category = "21caijing"
	found(t, s, link)
	w.Category = link.Category
	wantSame(t, "after a link", []news.Wanted{w}, waitingIn(t, s).Frontier)
	found(t, s, with(WantedOf(1), other))
	commit(t, s, news.Batch{Tried: []news.Wanted{w}}) // by a run that does not know of the other page
	w.Pages, w.Next = []string{page, other}, time.Time{}
	wantSame(t, "after a link to another page", []news.Wanted{w}, waitingIn(t, s).Frontier)
}

func testBroughtBackInTime(t *testing.T, s Store) {
	w := waitingUntil(1, Noon.Add(time.Hour))
	commit(t, s, news.Batch{Tried: []news.Wanted{w}})
	commit(t, s, news.Batch{Failed: []news.Wanted{w}})
	wantSame(t, "failed", waiting{Failed: []news.Wanted{w}}, waitingIn(t, s))
	found(t, s, WantedOf(1))
	wantSame(t, "before its time", waiting{Failed: []news.Wanted{w}}, waitingIn(t, s))
	link := WantedOf(1)
	link.Found = w.Next
	found(t, s, link)
	w.Next = time.Time{}
	wantSame(t, "brought back", waiting{Frontier: []news.Wanted{w}}, waitingIn(t, s))
}

func testOtherMirrors(t *testing.T, s Store) {
	links := [3]news.Wanted{WantedOf(1), WantedOf(1), WantedOf(1)}
	links[1].Mirror, links[2].Mirror = "z", "b"
	for _, w := range links {
		found(t, s, w)
		found(t, s, w)
	}
	want := links[0]
	want.Also = []string{"b", "z"}
	wantSame(t, "waiting", []news.Wanted{want}, waitingIn(t, s).Frontier)
}

func testTitleSum(t *testing.T, s Store) {
	titled := func(sum uint32) news.Wanted {
		w := WantedOf(1)
		w.TitleSum = sum
		return w
	}
	for i, step := range []struct {
		batch news.Batch
		want  uint32
	}{
		{news.Batch{Found: []news.Wanted{titled(0)}}, 0},
		{news.Batch{Found: []news.Wanted{titled(3)}}, 3},
		{news.Batch{Found: []news.Wanted{titled(2)}}, 2},
		{news.Batch{Found: []news.Wanted{titled(0)}}, 2},
		{news.Batch{Tried: []news.Wanted{titled(3)}}, 2}, // as the run knew it
		{news.Batch{Found: []news.Wanted{titled(1<<32 - 1)}}, 1<<32 - 1},
	} {
		commit(t, s, step.batch)
		wantSame(t, fmt.Sprint("after ", i), []news.Wanted{titled(step.want)}, waitingIn(t, s).Frontier)
	}
}

// hostOf returns a host whose robots.txt was had at a time.
func hostOf(origin string, fetched time.Time) news.Host {
	return news.Host{Origin: origin, Robots: news.Robots{Status: 200, Body: []byte("User-agent: *\nDisallow: /x\n"), Fetched: fetched}}
}

func hosts(t *testing.T, s Store) []news.Host {
	t.Helper()
	return do[[]news.Host](t)(s.Hosts(t.Context()))
}

func testHosts(t *testing.T, s Store) {
	wantSame(t, "hosts of none", []news.Host(nil), hosts(t, s))
	a, b := hostOf("https://a.example", Noon), hostOf("http://b.example:8080", Noon.Add(time.Minute))
	b.Robots.Status, b.Robots.Body, b.Paused = 404, nil, Noon.Add(time.Hour)
	commit(t, s, news.Batch{Hosts: []news.Host{a, b}})
	wantSame(t, "hosts", []news.Host{b, a}, hosts(t, s))
	a.Robots.Body, a.Robots.Fetched = []byte{0xff, 0}, Noon.Add(24*time.Hour)
	b.Robots.Fetched, b.Paused = a.Robots.Fetched, time.Time{}
	commit(t, s, news.Batch{Hosts: []news.Host{a, b}})
	wantSame(t, "hosts", []news.Host{b, a}, hosts(t, s))
	list := hosts(t, s)
	list[1].Robots.Body[0] = 'x'
	wantSame(t, "hosts, though a reader changed its own", []news.Host{b, a}, hosts(t, s))
}

func testHostPaused(t *testing.T, s Store) {
	a := hostOf("https://a.example", Noon)
	commit(t, s, news.Batch{Hosts: []news.Host{a}})
	a.Paused = Noon.Add(time.Hour)
	commit(t, s, news.Batch{Hosts: []news.Host{{Origin: a.Origin, Paused: a.Paused}}})
	wantSame(t, "hosts", []news.Host{a}, hosts(t, s))
}

func testHostsForgotten(t *testing.T, s Store) {
	const day = 24 * time.Hour
	old, paused := hostOf("https://old.example", Noon), hostOf("https://paused.example", Noon)
	paused.Paused = Noon.Add(day)
	commit(t, s, news.Batch{Hosts: []news.Host{old, paused}})
	now := hostOf("https://now.example", Noon.Add(90*day))
	commit(t, s, news.Batch{Hosts: []news.Host{now}})
	wantSame(t, "after 90 days", []news.Host{now, old, paused}, hosts(t, s))
	commit(t, s, news.Batch{Hosts: []news.Host{{Origin: now.Origin, Paused: Noon.Add(900 * day)}}})
	now.Paused = Noon.Add(900 * day)
	wantSame(t, "a long pause forgets nobody", []news.Host{now, old, paused}, hosts(t, s))
	now.Robots.Fetched = Noon.Add(90*day + time.Second)
	commit(t, s, news.Batch{Hosts: []news.Host{now}})
	wantSame(t, "a second later", []news.Host{now, paused}, hosts(t, s))
}

func testHostLong(t *testing.T, s Store) {
	a := hostOf("https://a.example", Noon)
	a.Robots.Body = bytes.Repeat([]byte("Disallow: /x\n"), 50_000)
	commit(t, s, news.Batch{Hosts: []news.Host{a}})
	a.Robots.Body = a.Robots.Body[:500<<10]
	wantSame(t, "hosts", []news.Host{a}, hosts(t, s))
}

// from returns a sighting by another mirror.
func from(mirror string, p news.Captured) news.Captured {
	p.Capture.Mirror, p.Capture.URL = mirror, "https://"+mirror+".example/"+string(p.Post.ID)+".html"
	return p
}

func revisions(t *testing.T, s Store, id news.ID) []news.Revision {
	t.Helper()
	return do[[]news.Revision](t)(s.Revisions(t.Context(), id))
}

func testSeen(t *testing.T, s Store) {
	a := from("a", Sample(1))
	b := from("b", Corrected(a, "更正", time.Hour))
	a2 := Corrected(a, "又更正", 2*time.Hour)
	at := a.Capture.Fetched.Add(24 * time.Hour)
	commit(t, s, news.Batch{Posts: []news.Captured{a, b, a2}, Seen: []news.Seen{{ID: a.Post.ID, Mirror: "b", Answer: news.Revisit{Time: at}}}})
	want := revisions(t, s, a.Post.ID)
	if len(want) != 3 || !want[1].LastSeen.Equal(at) {
		t.Fatalf("%+v", want)
	}
	commit(t, s, news.Batch{Seen: []news.Seen{
		{ID: a.Post.ID, Mirror: "a", Answer: news.Revisit{Time: at.Add(time.Hour)}}, {ID: a.Post.ID, Mirror: "a", Answer: news.Revisit{Time: at}},
		{ID: a.Post.ID, Mirror: "c", Answer: news.Revisit{Time: at.Add(2 * time.Hour)}}, {ID: a.Post.ID, Mirror: "b", Answer: news.Revisit{Time: a.Capture.Fetched}},
	}})
	want[2].LastSeen = at.Add(time.Hour)
	wantSame(t, "revisions", want, revisions(t, s, a.Post.ID))
	put(t, s, Sample(2))
	if rev := post(t, s, Sample(2).Post.ID); rev.Seq != 4 {
		t.Errorf("the change sequence went on to %d, want 4", rev.Seq)
	}
}

func testSeenNotHeld(t *testing.T, s Store) {
	p := Sample(1)
	p.Wanted.ID = "20211222-0123456789abcdef"
	put(t, s, p)
	found(t, s, WantedOf(2))
	at := p.Capture.Fetched.Add(time.Hour)
	commit(t, s, news.Batch{Seen: []news.Seen{
		{ID: Sample(2).Post.ID, Mirror: "m", Answer: news.Revisit{Time: at}}, {ID: "20211222-f123456789abcdef", Mirror: "m", Answer: news.Revisit{Time: at}}, {},
	}})
	wantSame(t, "waiting", waiting{Frontier: []news.Wanted{WantedOf(2)}}, waitingIn(t, s))
	wantSame(t, "selected", 1, len(selected(t, s, archive.Selection{})))
	commit(t, s, news.Batch{Seen: []news.Seen{{ID: p.Wanted.ID, Mirror: "m", Answer: news.Revisit{Time: at}}}})
	if rev := post(t, s, p.Post.ID); !rev.LastSeen.Equal(at) {
		t.Errorf("under its other identity: last seen %v, want %v", rev.LastSeen, at)
	}
}

func testDisagree(t *testing.T, s Store) {
	a := from("a", Sample(1))
	b := from("b", Corrected(a, "更正", time.Hour))
	c := from("c", Corrected(a, "又更正", 2*time.Hour))
	wantSame(t, "first", []news.Change{news.ChangeNew, news.ChangeDiffers, news.ChangeDiffers}, put(t, s, a, b, c))
	unchanged := []news.Change{news.ChangeUnchanged, news.ChangeUnchanged, news.ChangeUnchanged}
	for i := range 3 {
		by := time.Duration(i+1) * 24 * time.Hour
		wantSame(t, fmt.Sprint("refresh ", i), unchanged, put(t, s, Later(c, by), Later(a, by), Later(b, by)))
	}
	list := revisions(t, s, a.Post.ID)
	if len(list) != 3 {
		t.Fatalf("%d revisions, want one of each mirror", len(list))
	}
	for i, p := range []news.Captured{a, b, c} {
		last := p.Capture.Fetched.Add(3 * 24 * time.Hour)
		if list[i].Title != p.Post.Title || list[i].Mirror != p.Capture.Mirror || !list[i].LastSeen.Equal(last) {
			t.Errorf("revision %d: %+v, last seen %v, want %v", i+1, list[i].Title, list[i].LastSeen, last)
		}
	}
}

func testDisagreeRevised(t *testing.T, s Store) {
	a := from("a", Sample(1))
	b := from("b", Corrected(a, "更正", time.Hour))
	put(t, s, a, b)
	wantSame(t, "the mirror of the newest", []news.Change{news.ChangeRevised}, put(t, s, Corrected(b, "又更正", time.Hour)))
	wantSame(t, "the other", []news.Change{news.ChangeDiffers, news.ChangeRevised}, put(t, s, Corrected(a, "三", 3*time.Hour), Later(a, 4*time.Hour)))
	wantSame(t, "both again", []news.Change{news.ChangeUnchanged, news.ChangeUnchanged},
		put(t, s, Later(Corrected(b, "又更正", time.Hour), 10*time.Hour), Later(a, 20*time.Hour)))
	if n := len(revisions(t, s, a.Post.ID)); n != 5 {
		t.Errorf("%d revisions", n)
	}
}

func testAgree(t *testing.T, s Store) {
	old := from("a", Sample(1))
	next := from("b", Corrected(old, "更正", time.Hour))
	put(t, s, old, next, from("b", Later(old, 2*time.Hour))) // b goes back to what a has
	list := revisions(t, s, old.Post.ID)
	if len(list) != 3 || list[2].Mirror != "b" || list[2].Title != old.Post.Title {
		t.Fatalf("%+v", list)
	}
	wantSame(t, "both agree", []news.Change{news.ChangeUnchanged, news.ChangeUnchanged},
		put(t, s, Later(old, 3*time.Hour), from("b", Later(old, 4*time.Hour))))
	wantSame(t, "both are corrected", []news.Change{news.ChangeDiffers, news.ChangeUnchanged},
		put(t, s, from("a", Later(next, 5*time.Hour)), Later(next, 6*time.Hour)))
	wantSame(t, "and stay so", []news.Change{news.ChangeUnchanged, news.ChangeUnchanged},
		put(t, s, Later(next, 7*time.Hour), from("a", Later(next, 8*time.Hour))))
	if rev := post(t, s, old.Post.ID); rev.Title != next.Post.Title {
		t.Errorf("newest is %s", rev.Title)
	}
}

func testDisagreeOlder(t *testing.T, s Store) {
	a := from("a", Sample(1))
	b := from("b", Corrected(a, "更正", 2*time.Hour))
	put(t, s, b, Later(a, 3*time.Hour))
	wantSame(t, "before all, between, and between again",
		[]news.Change{news.ChangeRevised, news.ChangeDiffers, news.ChangeUnchanged, news.ChangeUnchanged},
		put(t, s, a, from("c", Corrected(a, "三", time.Hour)), Later(a, 90*time.Minute), Later(a, 150*time.Minute)))
	titles := []string{}
	for _, rev := range revisions(t, s, a.Post.ID) {
		titles = append(titles, rev.Title)
	}
	wantSame(t, "titles", []string{a.Post.Title, "三", "更正", a.Post.Title}, titles)
}

func testDisagreeAsOf(t *testing.T, s Store) {
	a := from("a", Sample(1))
	b := from("b", Corrected(a, "更正", time.Hour))
	put(t, s, a, b, Later(a, 2*time.Hour))
	for by, want := range map[time.Duration]news.Captured{0: a, 59 * time.Minute: a, time.Hour: b, 3 * time.Hour: b} {
		at := a.Capture.Fetched.Add(by)
		list := selected(t, s, archive.Selection{AsOf: at})
		if len(list) != 1 || list[0].Title != want.Post.Title || list[0].LastSeen.After(at) {
			t.Errorf("after %v: %+v", by, list)
		}
	}
}

// portions returns all held posts since a moment, asked for by n.
func portions(t *testing.T, s Store, since time.Time, n int) []news.Held {
	t.Helper()
	var all []news.Held
	for after := news.ID(""); ; {
		list := do[[]news.Held](t)(s.Held(t.Context(), since, after, n))
		if len(list) == 0 {
			return all
		}
		if len(list) > n {
			t.Fatalf("%d posts, want %d at most", len(list), n)
		}
		all, after = append(all, list...), list[len(list)-1].ID
	}
}

func testHeld(t *testing.T, s Store) {
	a := from("a", Sample(1))
	a.Capture.Header.Set("ETag", `"1"`)
	a.Capture.Header.Set("Last-Modified", "Wed, 22 Dec 2021 04:00:00 GMT")
	b := from("b", Corrected(a, "更正", time.Hour))
	b.Capture.Header = nil
	share := from("c", Corrected(a, "三", 2*time.Hour))
	share.Capture.Kind = news.KindShare
	put(t, s, Corrected(a, "草稿", -time.Hour), a, b, share, Later(a, 3*time.Hour))
	copyOf := func(p news.Captured) news.Copy {
		h := p.Capture.Header
		return news.Copy{Mirror: p.Capture.Mirror, URL: p.Capture.URL, Kind: p.Capture.Kind, ETag: h.Get("ETag"), LastModified: h.Get("Last-Modified")}
	}
	want := news.Held{
		Wanted: news.Wanted{
			ID: a.Post.ID, InfoCode: a.Post.InfoCode, Category: a.Post.Category, Mirror: "c", TitleSum: news.TitleSum("三"),
			Pages: []string{b.Capture.URL, a.Capture.URL},
		},
		Copies: []news.Copy{copyOf(share), copyOf(b), copyOf(a)},
	}
	wantSame(t, "held", []news.Held{want}, portions(t, s, Noon, 9))
}

func testHeldPortions(t *testing.T, s Store) {
	wantSame(t, "of none", []news.Held(nil), portions(t, s, time.Time{}, 9))
	put(t, s, Samples(30)...)
	moved := Later(Sample(29), time.Hour) // its newest revision is of long ago
	moved.Post.Published = Noon.AddDate(0, 0, -40)
	undated := Sample(31)
	undated.Post.ID, undated.Post.InfoCode, undated.Post.Published = "00000000-0123456789abcdef", "", time.Time{}
	put(t, s, moved, Corrected(Sample(3), "更正", time.Hour), undated)
	since := Noon.Add(10 * time.Minute)
	var want []news.ID
	for i := 10; i < 29; i++ {
		want = append(want, Sample(i).Post.ID)
	}
	for _, n := range []int{1, 7, 19, 1000} {
		var got []news.ID
		for _, h := range portions(t, s, since, n) {
			got = append(got, h.ID)
		}
		wantSame(t, fmt.Sprint("by ", n), want, got)
	}
	all := portions(t, s, time.Time{}, 8)
	wantSame(t, "posts of all time", 31, len(all))
	if !slices.IsSortedFunc(all, func(a, b news.Held) int { return byIdentity(a.ID, b.ID) }) {
		t.Error("they are not in order")
	}
	wantSame(t, "none", []news.Held(nil), do[[]news.Held](t)(s.Held(t.Context(), since, "", 0)))
	wantSame(t, "of the future", []news.Held(nil), portions(t, s, Noon.AddDate(1, 0, 0), 9))
	wantSame(t, "a millisecond later", 18, len(portions(t, s, since.Add(time.Millisecond), 9)))
}

func testPageHistory(t *testing.T, s Store) {
	history := do[[]news.PageCounts](t)
	wantSame(t, "of no run", 0, len(history(s.PageHistory(t.Context()))))
	post, share := news.PageCount{Read: 10, Unreadable: 1, NoTitle: 2, NoDate: 3, NoBody: 4}, news.PageCount{Read: 1}
	both := map[news.PageKind]news.PageCount{news.KindPost: post, news.KindShare: share}
	ended := Noon.Add(time.Minute)
	for i, run := range []news.Run{
		{Ended: ended, Pages: map[news.PageKind]news.PageCount{news.KindPost: post}},
		{Ended: ended, Pages: both, Drift: []news.Drift{{Kind: news.KindPost, Field: "title"}}},
		{Ended: ended},
		{Pages: both}, // was killed
		{Ended: ended, Pages: both},
	} {
		run.ID, run.Started = uint64(i+1), Noon
		commit(t, s, news.Batch{Run: &run})
	}
	wantSame(t, "history", []news.PageCounts{both, {news.KindShare: share}, {news.KindPost: post}}, history(s.PageHistory(t.Context())))
}

func testHourly(t *testing.T, s Store) {
	hourly := do[[]news.HourCount](t)
	wantSame(t, "of nothing", 0, len(hourly(s.Hourly(t.Context(), time.Time{}))))
	var posts []news.Captured
	for i, at := range []time.Time{Noon, Noon.Add(59 * time.Minute), Noon.Add(-time.Second), Noon.Add(-5 * time.Hour), {}} {
		p := Sample(i)
		p.Post.Published = at
		posts = append(posts, p)
	}
	commit(t, s, news.Batch{Posts: posts})
	want := []news.HourCount{{Hour: Noon.Add(-5 * time.Hour), Posts: 1}, {Hour: Noon.Add(-time.Hour), Posts: 1}, {Hour: Noon, Posts: 2}}
	wantSame(t, "since seven", want, hourly(s.Hourly(t.Context(), Noon.Add(-5*time.Hour+10*time.Minute))))
	wantSame(t, "since noon", want[2:], hourly(s.Hourly(t.Context(), Noon)))
	all := 0
	for _, h := range hourly(s.Hourly(t.Context(), time.Time{})) {
		all += h.Posts
	}
	wantSame(t, "of all time, one without a date included", len(posts), all)
}
