package storetest

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/news"
)

// Memory is a store made of maps and slices: the archive's twin, which tests
// use where the file is not what they are about, and against which the file is
// judged. It is as simple as it can be, and slow: a commit copies every map,
// changes the copy, and puts it in place. It is safe for concurrent use.
type Memory struct {
	mu  sync.RWMutex
	now *state // never changed once it stands here
}

// NewMemory returns an empty store.
func NewMemory() *Memory { return &Memory{now: new(state).clone()} }

// Snapshot returns a store of its own that holds what m holds now.
func (m *Memory) Snapshot() *Memory { return &Memory{now: m.look()} }

// state is what a store holds at one moment.
type state struct {
	posts    map[news.ID][]news.Revision // oldest first, whole; see read
	captures []news.Capture              // by place in the change sequence, less one
	aliases  map[news.ID]news.ID         // of a link, to its post
	unread   map[news.ID]archive.Apart
	lists    map[string]news.ListPage // by address
	hosts    map[string]news.Host     // by origin
	runs     map[uint64]*news.Run
	lastRun  uint64

	frontier, leads, failed map[news.ID]news.Wanted
}

// clone returns a copy to change. What the maps hold is shared: it is
// replaced, never written to.
func (s *state) clone() *state {
	c := *s
	c.posts, c.aliases, c.unread = cloneMap(s.posts), cloneMap(s.aliases), cloneMap(s.unread)
	c.frontier, c.leads, c.failed = cloneMap(s.frontier), cloneMap(s.leads), cloneMap(s.failed)
	c.lists, c.hosts, c.runs = cloneMap(s.lists), cloneMap(s.hosts), cloneMap(s.runs)
	c.captures = slices.Clip(s.captures)
	return &c
}

// cloneMap is maps.Clone, and a new map for none.
func cloneMap[K comparable, V any](m map[K]V) map[K]V {
	c := make(map[K]V, len(m))
	maps.Copy(c, m)
	return c
}

func (m *Memory) look() *state {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.now
}

// update makes fn's changes, all or, where it fails, none.
func (m *Memory) update(ctx context.Context, fn func(*state) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	next := m.now.clone()
	if err := fn(next); err != nil {
		return err
	}
	m.now = next
	return nil
}

// What a batch may not hold: nothing could be found under such a name.
var (
	errNoID      = errors.New("no identity")
	errNoAddress = errors.New("no address")
)

// StartRun implements [crawler.Store].
func (m *Memory) StartRun(ctx context.Context, run *news.Run) error {
	return m.update(ctx, func(s *state) error {
		s.lastRun++
		run.ID = s.lastRun
		s.runs[run.ID] = run.Clone()
		return nil
	})
}

// Commit implements [crawler.Store].
func (m *Memory) Commit(ctx context.Context, b *news.Batch) (news.Committed, error) {
	var done news.Committed
	err := m.update(ctx, func(s *state) error {
		if err := check(b); err != nil {
			return err
		}
		for i := range b.Posts {
			p := &b.Posts[i]
			titles := b.Run == nil || len(b.Run.Mirrors) != 1 || len(p.Wanted.Others) > 0
			change, others := s.post(p, titles, b.Attempts)
			done.Posts = append(done.Posts, change)
			done.Others += others
		}
		for _, seen := range b.Seen {
			s.see(seen)
		}
		for _, w := range b.Found {
			standing := s.link(kept(w), b.Attempts)
			done.Found = append(done.Found, standing)
			if standing == news.StandingArchived && len(w.Pages) > 0 && s.other(s.revisionsOf(w.ID), kept(w), b.Attempts) {
				done.Others++
			}
		}
		for _, w := range b.Leads {
			if s.lead(kept(w)) {
				done.Leads++
			}
		}
		for _, w := range b.Tried {
			s.tried(kept(w))
		}
		for _, w := range b.Failed {
			s.fail(kept(w))
		}
		for _, u := range b.Unread {
			s.unread[u.Post.ID] = archive.Apart{ID: u.Post.ID, Why: u.Wanted.Error, Capture: keptCapture(&u.Capture)}
		}
		for _, l := range b.Lists {
			s.list(l)
		}
		s.remember(b.Hosts)
		if b.Run != nil {
			s.runs[b.Run.ID] = b.Run.Clone()
		}
		return nil
	})
	if err != nil {
		return news.Committed{}, err
	}
	return done, nil
}

// check refuses what could not be found again.
func check(b *news.Batch) error {
	for _, list := range [][]news.Captured{b.Posts, b.Unread} {
		for i := range list {
			if list[i].Post.ID == "" {
				return fmt.Errorf("put %s: %w", list[i].Capture.URL, errNoID)
			}
		}
	}
	for _, list := range [][]news.Wanted{b.Found, b.Leads, b.Tried, b.Failed} {
		for i := range list {
			if list[i].ID == "" {
				return fmt.Errorf("link on %s: %w", list[i].FoundOn, errNoID)
			}
		}
	}
	for i := range b.Lists {
		if b.Lists[i].URL == "" {
			return fmt.Errorf("list of mirror %s: %w", b.Lists[i].Mirror, errNoAddress)
		}
	}
	for i := range b.Hosts {
		if b.Hosts[i].Origin == "" {
			return fmt.Errorf("host: %w", errNoAddress)
		}
	}
	return nil
}

// post takes a capture in, and answers what was wanted. It returns how many other
// mirrors' pages of the post are wanted now, if titles are to be compared.
func (s *state) post(p *news.Captured, titles bool, attempts int) (change news.Change, others int) {
	change = s.put(p)
	if titles {
		others = s.answerTitles(p, attempts)
	}
	for _, id := range []news.ID{p.Post.ID, p.Wanted.ID} {
		delete(s.frontier, id)
		delete(s.leads, id)
		delete(s.failed, id)
		if kept, ok := s.unread[id]; ok && kept.Capture.URL == p.Capture.URL {
			delete(s.unread, id)
		}
	}
	if p.Wanted.ID != "" && p.Wanted.ID != p.Post.ID {
		s.aliases[p.Wanted.ID] = p.Post.ID
	}
	return change, others
}

// answerTitles compares the titles that lists show for a post, once it is captured.
func (s *state) answerTitles(p *news.Captured, attempts int) (others int) {
	w := s.frontier[cmp.Or(p.Wanted.ID, p.Post.ID)]
	if sum := titleOn(w, p.Capture.Mirror); !sameTitle(p.Post.Title, sum) {
		s.aliases[news.OtherID(p.Post.ID, sum)] = p.Post.ID
	}
	for _, link := range otherLinks(w) {
		if s.other(s.posts[p.Post.ID], link, attempts) {
			others++
		}
	}
	return others
}

// put takes a capture as the moment when a revision was seen again, or as a
// revision, where its time belongs.
func (s *state) put(p *news.Captured) news.Change {
	list := slices.Clone(s.posts[p.Post.ID])
	fetched := milli(p.Capture.Fetched)
	at := len(list)
	for at > 0 && list[at-1].Fetched.After(fetched) {
		at--
	}
	sum := sha256.Sum256(p.Capture.Body)
	digest := hex.EncodeToString(sum[:])
	if i := again(list, at, p); i >= 0 {
		met(&list[i], p.Answer(), list[i].SHA256 == digest)
		s.posts[p.Post.ID] = list
		return news.ChangeUnchanged
	}
	s.captures = append(s.captures, *keptCapture(&p.Capture))
	rev := news.Revision{
		Post: keptPost(&p.Post), Seq: uint64(len(s.captures)), Fetched: fetched, LastSeen: fetched,
		Mode: p.Capture.Mode, Mirror: p.Capture.Mirror, URL: p.Capture.URL, SHA256: digest,
	}
	s.posts[p.Post.ID] = slices.Insert(list, at, rev)
	switch {
	case len(list) == 0:
		return news.ChangeNew
	case at > 0 && list[at-1].Mirror != rev.Mirror:
		return news.ChangeDiffers
	}
	return news.ChangeRevised
}

// again returns the revision that a capture, whose place among them is at, is
// the same as: the one before it, the last before it of its mirror, of a file any
// before it, or one of the minute after it, when two crawls may have gone on at a
// time; else -1. Files count as another mirror's.
func again(list []news.Revision, at int, p *news.Captured) int {
	file := p.Capture.Kind == news.KindJekyll
	for i := at - 1; file && i >= 0; i-- {
		if same(&list[i].Post, &p.Post) {
			return i
		}
	}
	own := at - 1
	for own >= 0 && (list[own].Mirror != p.Capture.Mirror || isFile(&list[own]) != file) {
		own--
	}
	for _, i := range []int{at - 1, own} {
		if i >= 0 && same(&list[i].Post, &p.Post) {
			return i
		}
	}
	for i := at; i < len(list) && list[i].Fetched.Sub(milli(p.Capture.Fetched)) < time.Minute; i++ {
		if same(&list[i].Post, &p.Post) {
			return i
		}
	}
	return -1
}

// isFile reports whether a revision is of a file, and no mirror's answer.
func isFile(rev *news.Revision) bool { return strings.HasPrefix(rev.URL, "file:") }

// same reports whether two posts are one article.
func same(a, b *news.Post) bool {
	return a.Title == b.Title && a.Published.Equal(b.Published) && a.Body == b.Body
}

// list records a list page, unless it was only found and is known.
func (s *state) list(l news.ListPage) {
	if _, known := s.lists[l.URL]; known && l.Checked.IsZero() {
		return
	}
	l.Read, l.Checked, l.Gone, l.Moved = milli(l.Read), milli(l.Checked), milli(l.Gone), milli(l.Moved)
	s.lists[l.URL] = l
}

// milli returns t as it is kept: to the millisecond, in Shanghai.
func milli(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return time.UnixMilli(t.UnixMilli()).In(news.Shanghai)
}

// codeOf returns a post's infoCode as it is kept: its letters before the
// identity, which has the digits.
func codeOf(id news.ID, code news.InfoCode) news.InfoCode {
	if !id.HasCode() {
		return ""
	}
	return news.InfoCode(code.Kind() + string(id))
}

func kept(w news.Wanted) news.Wanted {
	w.InfoCode, w.Pages = codeOf(w.ID, w.InfoCode), slices.Clone(w.Pages)
	w.Found, w.Next = milli(w.Found), milli(w.Next)
	return w
}

func keptPost(p *news.Post) news.Post {
	k := *p
	k.InfoCode = codeOf(p.ID, p.InfoCode)
	if !p.Published.IsZero() {
		k.Published = time.Unix(p.Published.Unix(), 0).In(news.Shanghai)
	}
	k.Related, k.Securities, k.Boards = slices.Clone(p.Related), slices.Clone(p.Securities), slices.Clone(p.Boards)
	return k
}

func keptCapture(c *news.Capture) *news.Capture {
	k := *c
	k.Fetched, k.Header, k.Body = milli(c.Fetched), c.Header.Clone(), bytes.Clone(c.Body)
	return &k
}
