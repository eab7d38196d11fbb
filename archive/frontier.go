package archive

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/finarc/finarc/news"
)

// wanted is a news.Wanted as stored, under its packed ID.
type wanted struct {
	Kind     string   `cbor:"1,keyasint,omitempty"`
	Mirror   string   `cbor:"2,keyasint,omitempty"`
	Pages    []string `cbor:"3,keyasint,omitempty"`
	Category string   `cbor:"4,keyasint,omitempty"`
	FoundOn  string   `cbor:"5,keyasint,omitempty"` // absent where Source tells it
	Found    int64    `cbor:"6,keyasint,omitempty"` // milliseconds since 1970
	Attempts int      `cbor:"7,keyasint,omitempty"`
	Run      uint64   `cbor:"8,keyasint,omitempty"`
	Error    string   `cbor:"9,keyasint,omitempty"`
	Source   uint64   `cbor:"10,keyasint,omitempty"` // the number of the page that it was found on, see tx.sourceNumber
	Next     int64    `cbor:"11,keyasint,omitempty"` // milliseconds since 1970
	TitleSum uint32   `cbor:"12,keyasint,omitempty"`
	Also     []string `cbor:"13,keyasint,omitempty"` // the names of other mirrors
	Vain     []string `cbor:"14,keyasint,omitempty"` // addresses
	Of       []byte   `cbor:"15,keyasint,omitempty"` // packed, see keys.go
	Others   []other  `cbor:"16,keyasint,omitempty"`
}

// other is a news.OtherTitle as stored.
type other struct {
	_        struct{} `cbor:",toarray"`
	Mirror   string
	Page     string
	TitleSum uint32
}

func (t *tx) putWanted(bucket []byte, w *news.Wanted) error {
	stored := wanted{
		Kind: w.InfoCode.Kind(), Mirror: w.Mirror, Also: w.Also, Category: w.Category, FoundOn: w.FoundOn,
		Attempts: w.Attempts, Run: w.Run, Error: w.Error, Found: millis(w.Found),
		Next: millis(w.Next), TitleSum: w.TitleSum, Vain: w.Vain,
	}
	for _, page := range w.Pages {
		stored.Pages = append(stored.Pages, shorten(page, w))
	}
	if w.Of != "" {
		stored.Of = idKey(w.Of)
	}
	for _, o := range w.Others {
		stored.Others = append(stored.Others, other{Mirror: o.Mirror, Page: o.Page, TitleSum: o.TitleSum})
	}
	n, known, err := t.findTerm(sourceTerm(w.FoundOn))
	if err != nil {
		return err
	}
	if known {
		stored.FoundOn, stored.Source = "", n
	}
	v, err := t.a.codec.encode(stored)
	if err != nil {
		return err
	}
	return t.put(bucket, idKey(w.ID), v)
}

func (t *tx) decodeWanted(key, value []byte) (news.Wanted, error) {
	var s wanted
	id := idOf(key)
	if err := t.a.codec.decode(value, &s); err != nil {
		return news.Wanted{}, fmt.Errorf("wanted post %s: %w", id, err)
	}
	if s.Source != 0 {
		source, err := t.source(s.Source)
		if err != nil {
			return news.Wanted{}, fmt.Errorf("wanted post %s: %w", id, err)
		}
		s.FoundOn = source
	}
	return s.of(id), nil
}

// of returns the entry of a post. The page that it was found on is known.
func (s *wanted) of(id news.ID) news.Wanted {
	w := news.Wanted{
		ID: id, Mirror: s.Mirror, Also: s.Also, Category: s.Category, FoundOn: s.FoundOn,
		Attempts: s.Attempts, Run: s.Run, Error: s.Error, Found: fromMillis(s.Found),
		Next: fromMillis(s.Next), TitleSum: s.TitleSum, Vain: s.Vain,
	}
	if id.HasCode() {
		w.InfoCode = news.InfoCode(s.Kind + string(id))
	}
	for _, page := range s.Pages {
		w.Pages = append(w.Pages, lengthen(page, &w))
	}
	if len(s.Of) > 0 {
		w.Of = idOf(s.Of)
	}
	for _, o := range s.Others {
		w.Others = append(w.Others, news.OtherTitle{Mirror: o.Mirror, Page: o.Page, TitleSum: o.TitleSum})
	}
	return w
}

// shortMark begins a post's address that is stored short: what follows stands
// for a page on the site of the page it was found on, at the permalink that
// Jekyll gives it.
const (
	shortMark = "\x00"
	plainMark = "\x01" // begins one that is stored as it is, though it begins with either mark
)

// shorten returns the stored form of an address of w.
func shorten(page string, w *news.Wanted) string {
	if rest, ok := strings.CutPrefix(page, origin(w.FoundOn)); ok {
		if folder, ok := strings.CutSuffix(rest, permalinkEnd(w)); ok {
			return shortMark + folder
		}
	}
	if strings.HasPrefix(page, shortMark) || strings.HasPrefix(page, plainMark) {
		return plainMark + page
	}
	return page
}

// lengthen undoes shorten. w has its infoCode and the page it was found on.
func lengthen(stored string, w *news.Wanted) string {
	if folder, ok := strings.CutPrefix(stored, shortMark); ok {
		return origin(w.FoundOn) + folder + permalinkEnd(w)
	}
	return strings.TrimPrefix(stored, plainMark)
}

// origin returns scheme and host of an address.
func origin(address string) string {
	scheme, rest, _ := strings.Cut(address, "://")
	host, _, _ := strings.Cut(rest, "/")
	return scheme + "://" + host
}

// permalinkEnd returns how Jekyll ends the address of a post: its day, and its
// file's name.
func permalinkEnd(w *news.Wanted) string {
	name := string(w.InfoCode)
	if name == "" {
		name = string(w.ID)
	}
	day := "00010101" // of a post whose day is not known
	if w.ID.Day() != 0 {
		day = string(w.ID[:8])
	}
	return "/" + day[:4] + "/" + day[4:6] + "/" + day[6:] + "/" + name + ".html"
}

// manyLinks is how many posts of a batch must have been found on a page for it
// to get a number: so have lists, of which there are few.
const manyLinks = 16

// numberSources gives the pages on which many of these posts were found a
// number each, so that their addresses are not stored with every post.
func (t *tx) numberSources(found []news.Wanted) error {
	links := make(map[string]int)
	for i := range found {
		links[found[i].FoundOn]++
	}
	for _, address := range slices.Sorted(maps.Keys(links)) {
		if links[address] < manyLinks || len(address) > maxTerm {
			continue
		}
		if err := t.sourceNumber(address); err != nil {
			return err
		}
	}
	return nil
}

// sourceNumber gives a page a number that is a term's, under which its address
// is found too.
func (t *tx) sourceNumber(address string) error {
	text := sourceTerm(address)
	if _, known, err := t.findTerm(text); known || err != nil {
		return err
	}
	n, err := t.termNumber(text)
	if err != nil {
		return err
	}
	return t.put(bucketTerms, sourceKey(n), []byte(address))
}

// source returns the address of the page with a number.
func (t *tx) source(n uint64) (string, error) {
	if address, ok := t.sources[n]; ok {
		return address, nil
	}
	v, err := t.get(bucketTerms, sourceKey(n))
	if err != nil {
		return "", err
	}
	if v == nil {
		return "", fmt.Errorf("%w: page number %d is missing", ErrCorrupt, n)
	}
	if t.sources == nil {
		t.sources = make(map[uint64]string)
	}
	t.sources[n] = string(v)
	return string(v), nil
}

// sourceTerm is the term of a page. Unlike in other terms, case matters.
func sourceTerm(address string) string { return string(byte(termSource)) + address }

// sourceKey is the key of a page's address in the terms: no term begins so.
func sourceKey(n uint64) []byte { return appendUint40([]byte{0}, n) }

// wanted returns the entry of a bucket under a key that it has.
func (t *tx) wanted(bucket, key []byte) (news.Wanted, error) {
	v, err := t.get(bucket, key)
	if err != nil {
		return news.Wanted{}, err
	}
	return t.decodeWanted(key, v)
}

// commitFound puts linked posts into the frontier unless they are known, and
// tells how each stands.
func (t *tx) commitFound(b *news.Batch, done *news.Committed) error {
	if err := t.numberSources(b.Found); err != nil {
		return err
	}
	for i := range b.Found {
		standing, err := t.commitLink(&b.Found[i], b.Attempts)
		if err != nil {
			return fmt.Errorf("link to %s: %w", b.Found[i].ID, err)
		}
		done.Found = append(done.Found, standing)
	}
	return t.compareTitles(b, done)
}

// commitLink puts a linked post into the frontier unless it is known, or failed
// in so many runs that it is not tried again.
func (t *tx) commitLink(w *news.Wanted, attempts int) (news.Standing, error) {
	key := idKey(w.ID)
	switch pending := t.has(bucketFrontier, key); {
	case !pending && t.held(key): // one that is both lost its page, see wantAgain
		return news.StandingArchived, nil
	case t.has(bucketFailed, key):
		return t.commitLinkToFailed(key, w, attempts)
	case pending:
		return news.StandingPending, t.mergeLink(key, w)
	}
	if err := t.delete(bucketLeads, key); err != nil {
		return "", err
	}
	return news.StandingNew, t.putWanted(bucketFrontier, w)
}

// commitLinkToFailed brings a post that could not be had back into the frontier,
// since a site that is being built anew may be all that failed: if it was tried
// in fewer runs than it may be, and not just now, or not where the link leads.
func (t *tx) commitLinkToFailed(key []byte, w *news.Wanted, attempts int) (news.Standing, error) {
	failed, err := t.wanted(bucketFailed, key)
	if err != nil {
		return "", err
	}
	pages := len(failed.Pages)
	learn(&failed, w)
	due := failed.Attempts < attempts && !w.Found.Before(failed.Next)
	if !due && len(failed.Pages) == pages {
		return news.StandingFailed, nil
	}
	failed.Next = time.Time{}
	if err := t.delete(bucketFailed, key); err != nil {
		return "", err
	}
	return news.StandingNew, t.putWanted(bucketFrontier, &failed)
}

// mergeLink adds what another link tells of a post in the frontier. One that
// waits goes on waiting, unless the link tells of another page of it: that was
// not tried yet.
func (t *tx) mergeLink(key []byte, w *news.Wanted) error {
	old, err := t.wanted(bucketFrontier, key)
	if err != nil {
		return err
	}
	pages := len(old.Pages)
	if !learn(&old, w) {
		return nil
	}
	if len(old.Pages) > pages {
		old.Next = time.Time{}
	}
	return t.putWanted(bucketFrontier, &old)
}

// learn adds to w what it lacks and from, which is newer, tells, and reports
// whether there was anything.
func learn(w, from *news.Wanted) bool {
	changed := false
	for _, page := range from.Pages {
		if !slices.Contains(w.Pages, page) {
			w.Pages, changed = append(slices.Clip(w.Pages), page), true
		}
	}
	if w.InfoCode.Kind() == "" && from.InfoCode.Kind() != "" {
		w.InfoCode, changed = from.InfoCode, true
	}
	if w.Category == "" && from.Category != "" {
		w.Category, changed = from.Category, true
	}
	for _, mirror := range append([]string{from.Mirror}, from.Also...) {
		if mirror != "" && mirror != w.Mirror && !slices.Contains(w.Also, mirror) {
			w.Also, changed = slices.Sorted(slices.Values(append(slices.Clip(w.Also), mirror))), true
		}
	}
	return learnTitles(w, from) || changed
}

// commitFrontier records leads, posts that were tried in vain, and failures.
func (t *tx) commitFrontier(b *news.Batch, done *news.Committed) error {
	for i := range b.Leads {
		fresh, err := t.commitLead(&b.Leads[i])
		if err != nil {
			return fmt.Errorf("lead to %s: %w", b.Leads[i].ID, err)
		}
		if fresh {
			done.Leads++
		}
	}
	for i := range b.Tried {
		if err := t.commitTried(&b.Tried[i]); err != nil {
			return fmt.Errorf("keep %s in the frontier: %w", b.Tried[i].ID, err)
		}
	}
	for i := range b.Failed {
		if err := t.commitFailed(&b.Failed[i]); err != nil {
			return fmt.Errorf("record that %s failed: %w", b.Failed[i].ID, err)
		}
	}
	return nil
}

// held reports whether the archive holds the post that an identity names.
func (t *tx) held(key []byte) bool {
	return t.has(bucketPosts, key) || t.has(bucketAliases, key)
}

// wantAgain puts the posts of some revisions, whose pages are lost, into the
// frontier, unless a later page of theirs is there or they are wanted already.
// It returns how many it put there. Such a post alone is both held and wanted,
// until its page comes, which is then a new revision, or fails to.
func (t *tx) wantAgain(lost []uint64) (int, error) {
	n := 0
	for _, seq := range lost {
		r, err := t.record(seq)
		if err != nil {
			return n, err
		}
		h, err := t.head(idOf(r.ID))
		if err != nil {
			return n, err
		}
		if len(h) == 0 || h[len(h)-1].seq != seq || t.has(bucketFrontier, r.ID) || t.has(bucketFailed, r.ID) || !t.pageLost(r.ID) {
			continue
		}
		p := r.post()
		w := news.Wanted{ID: p.ID, InfoCode: p.InfoCode, Mirror: r.Mirror, Category: p.Category, Found: fromMillis(r.Fetched)}
		if r.URL != "" {
			w.Pages = []string{r.URL}
		}
		if err := t.putWanted(bucketFrontier, &w); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// pageLost reports whether a page of a post that is held was lost.
func (t *tx) pageLost(key []byte) bool {
	h, err := t.head(idOf(key))
	if err != nil {
		return false
	}
	for _, r := range h {
		if plain, err := t.value(bucketCaptures, r.seq); err == nil && len(plain) == 0 {
			return true
		}
	}
	return false
}

// commitTried keeps a post in the frontier, with what links have told of it
// since it was taken from there, unless another run got it meanwhile. Where they
// told of another page it does not wait. A lead stays one, and so does, for the next
// backfill, a post that had failed before.
func (t *tx) commitTried(w *news.Wanted) error {
	key := idKey(w.ID)
	switch fresh := !t.has(bucketFrontier, key); {
	case fresh && t.held(key):
		return nil
	case fresh && (t.has(bucketLeads, key) || t.has(bucketFailed, key)):
		if err := t.delete(bucketFailed, key); err != nil {
			return err
		}
		return t.putWanted(bucketLeads, w)
	case fresh:
		return t.putWanted(bucketFrontier, w)
	}
	now, err := t.wanted(bucketFrontier, key)
	if err != nil {
		return err
	}
	tried := *w
	if learn(&tried, &now); len(tried.Pages) > len(w.Pages) {
		tried.Next = time.Time{}
	}
	return t.putWanted(bucketFrontier, &tried)
}

// commitFailed records that a post is not to be had, unless another run got it
// meanwhile.
func (t *tx) commitFailed(w *news.Wanted) error {
	key := idKey(w.ID)
	pending := t.has(bucketFrontier, key)
	if !pending && t.held(key) {
		return nil
	}
	failed := *w
	if pending {
		now, err := t.wanted(bucketFrontier, key)
		if err != nil {
			return err
		}
		if learn(&failed, &now) && len(failed.Pages) > len(w.Pages) {
			failed.Next = time.Time{}
			return t.putWanted(bucketFrontier, &failed) // a link told of another page meanwhile
		}
	}
	for _, bucket := range [][]byte{bucketFrontier, bucketLeads} {
		if err := t.delete(bucket, key); err != nil {
			return err
		}
	}
	return t.putWanted(bucketFailed, &failed)
}

// commitLead records a related post unless it is known already, and returns
// whether it did.
func (t *tx) commitLead(w *news.Wanted) (bool, error) {
	if t.knows(idKey(w.ID)) {
		return false, nil
	}
	return true, t.putWanted(bucketLeads, w)
}

// knows reports whether the archive holds the post that an identity names, or
// knows of it.
func (t *tx) knows(key []byte) bool {
	return slices.ContainsFunc([][]byte{bucketPosts, bucketAliases, bucketFrontier, bucketFailed, bucketLeads},
		func(bucket []byte) bool { return t.has(bucket, key) })
}

// Wanted returns up to n posts of the frontier whose identity is after the
// given one, in order of identity: the oldest, which a mirror forgets first,
// before the others. It returns none where there are no more.
func (a *Archive) Wanted(ctx context.Context, after news.ID, n int) ([]news.Wanted, error) {
	return a.wantedIn(ctx, bucketFrontier, after, n)
}

// Leads is as Wanted, for the posts that are known from a related report only.
func (a *Archive) Leads(ctx context.Context, after news.ID, n int) ([]news.Wanted, error) {
	return a.wantedIn(ctx, bucketLeads, after, n)
}

// Failures is as Wanted, for the posts that could not be had from any source.
func (a *Archive) Failures(ctx context.Context, after news.ID, n int) ([]news.Wanted, error) {
	return a.wantedIn(ctx, bucketFailed, after, n)
}

func (a *Archive) wantedIn(ctx context.Context, bucket []byte, after news.ID, n int) ([]news.Wanted, error) {
	var list []news.Wanted
	err := a.view(ctx, func(t *tx) (err error) {
		list, err = t.wantedAfter(bucket, nil, after, n)
		return err
	})
	return list, err
}

// wantedAfter returns up to n entries of a bucket whose keys begin with a prefix,
// after the given identity.
func (t *tx) wantedAfter(bucket, prefix []byte, after news.ID, n int) (list []news.Wanted, err error) {
	start := prefix
	if after != "" {
		start = idKey(after)
	}
	c := t.Bucket(bucket).Cursor()
	for k, v := c.Seek(start); k != nil && bytes.HasPrefix(k, prefix) && len(list) < n; k, v = c.Next() {
		if idOf(k) == after {
			continue
		}
		v, err := unseal(bucket, k, v)
		if err != nil {
			return nil, err
		}
		w, err := t.decodeWanted(k, v)
		if err != nil {
			return nil, err
		}
		list = append(list, w)
	}
	return list, nil
}
