package archive

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strings"

	"github.com/finarc/finarc/news"
)

// plan says in which of a bucket's blocks each number is to be looked for: in
// one that the file leads to, before one that it has left behind, and in the
// fuller one of two.
func plan(blocks []salvaged) map[uint64]int {
	order := make([]int, len(blocks))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		a, b := blocks[i], blocks[j]
		return cmp.Or(-compareBool(a.live, b.live), cmp.Compare(b.n, a.n))
	})
	in := make(map[uint64]int)
	for _, i := range order {
		for seq := blocks[i].first; seq < blocks[i].first+uint64(blocks[i].n); seq++ {
			if _, ok := in[seq]; !ok {
				in[seq] = i
			}
		}
	}
	return in
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// source reads the values of one bucket's blocks.
type source struct {
	*salvage
	blocks []salvaged
	in     map[uint64]int
	at     int // the block that is unpacked
	values [][]byte
}

func (s *salvage) source(bucket []byte) *source {
	blocks := s.blocks[string(bucket)]
	return &source{salvage: s, blocks: blocks, in: plan(blocks), at: -1}
}

// value returns the value with a number, or nil.
func (s *source) value(seq uint64) []byte {
	i, ok := s.in[seq]
	if !ok {
		return nil
	}
	b := s.blocks[i]
	if s.at != i {
		stored := make([]byte, b.size)
		if _, err := s.file.ReadAt(stored, b.at); err != nil {
			return nil
		}
		values, err := s.unpackBlock(stored)
		if err != nil {
			return nil
		}
		s.at, s.values = i, values
	}
	if seq-b.first >= uint64(len(s.values)) {
		return nil // the page is another than when it was looked at
	}
	return s.values[seq-b.first]
}

// saved is a revision to be written.
type saved struct {
	old    uint64 // its number in the damaged file
	record *record
	id     []byte
	page   *news.Capture // nil: lost
}

// fingerprint tells revisions apart, whatever their number.
func (s *saved) fingerprint() uint64 {
	h := fnv.New64a()
	h.Write(s.record.ID)
	h.Write(s.record.Raw)
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(s.record.Fetched)))
	return h.Sum64()
}

// Bounds on what is written in one transaction.
const (
	salvageBatch = 4096
	salvageBytes = 16 << 20
)

// writeRevisions writes all revisions: those with their page, and then those of
// which only the front matter was found and whose page is nowhere.
func (s *salvage) writeRevisions(ctx context.Context) error {
	captures, records := s.source(bucketCaptures), s.source(bucketRevisions)
	var batch []saved
	var alone []uint64
	size, next := 0, uint64(1)
	for _, seq := range slices.Sorted(maps.Keys(merged(captures.in, records.in))) {
		if err := ctx.Err(); err != nil {
			return err
		}
		one, left := s.revision(seq, captures, records)
		if left {
			alone = append(alone, seq)
		}
		if one == nil && !left {
			continue
		}
		s.missing(next, seq)
		next = seq + 1
		if one == nil {
			continue
		}
		batch, size = append(batch, *one), size+len(one.page.Body)
		if len(batch) >= salvageBatch || size >= salvageBytes {
			if err := s.writeBatch(ctx, batch); err != nil {
				return err
			}
			batch, size = nil, 0
		}
	}
	s.missing(next, s.last+1)
	if err := s.writeBatch(ctx, batch); err != nil {
		return err
	}
	return s.writeAlone(ctx, alone, records)
}

// revision returns what was found of the revision with a number: it with its
// page, or nil, and whether there is a record that is not that page's.
func (s *salvage) revision(seq uint64, captures, records *source) (one *saved, left bool) {
	rec := s.record(records.value(seq))
	e, c, err := s.codec.decodeCapture(captures.value(seq))
	switch {
	case err != nil || len(e.ID) == 0:
		return nil, rec != nil
	case rec == nil || belongs(rec, &e, c.Body) != nil:
		return &saved{seq, s.remake(&e, c), e.ID, c}, rec != nil
	}
	return &saved{seq, rec, e.ID, c}, false
}

// writeAlone writes the records whose page was not found.
func (s *salvage) writeAlone(ctx context.Context, numbers []uint64, records *source) error {
	for part := range slices.Chunk(numbers, salvageBatch) {
		var batch []saved
		for _, seq := range part {
			rec := s.record(records.value(seq))
			if rec == nil {
				continue // the file could be read before
			}
			one := saved{old: seq, record: rec, id: rec.ID}
			if !s.seen[one.fingerprint()] {
				s.report.NoPage++
				batch = append(batch, one)
			}
		}
		if err := s.writeBatch(ctx, batch); err != nil {
			return err
		}
	}
	return nil
}

func merged(a, b map[uint64]int) map[uint64]int {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

func (s *salvage) record(plain []byte) *record {
	rec, err := s.codec.decodeRecord(plain)
	if err != nil || rec.sound() != nil {
		return nil
	}
	return rec
}

func (s *salvage) remake(e *envelope, c *news.Capture) *record {
	rec, whole := remade(e, c, s.read)
	s.report.Remade++
	if !whole {
		s.report.Bare++
	}
	return rec
}

// missing notes that of the numbers from one to before another nothing was
// found.
func (s *salvage) missing(from, before uint64) {
	if from >= before {
		return
	}
	s.report.Missing += int64(before - from)
	if len(s.report.Ranges) < maxFindings {
		s.report.Ranges = append(s.report.Ranges, fmt.Sprintf("%d-%d", from, before-1))
	}
}

// writeBatch writes revisions, each once.
func (s *salvage) writeBatch(ctx context.Context, batch []saved) error {
	var fresh []saved
	for _, one := range batch {
		if print := one.fingerprint(); !s.seen[print] {
			s.seen[print] = true
			fresh = append(fresh, one)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	var captures, records []value
	for i := range fresh {
		one := &fresh[i]
		plain, err := s.codec.encode(one.record.elided())
		if err != nil {
			return err
		}
		records = append(records, value{plain})
		page := value{}
		if one.page != nil {
			if page[0], err = s.codec.encodeEnvelope(one.id, one.page, ""); err != nil {
				return err
			}
			page[1] = one.page.Body
		}
		captures = append(captures, page)
		if one.page == nil {
			s.pageless = append(s.pageless, s.next+uint64(i))
		}
		if lasted := s.lasted[one.old]; lasted > 0 {
			s.later[s.next+uint64(i)] = lasted
		}
		if v, ok := s.revisits[one.old]; ok {
			s.renewed[s.next+uint64(i)] = v.located
		}
	}
	err := s.update(ctx, func(t *tx) error {
		return errors.Join(
			t.storeValues(bucketCaptures, s.next, captures, blockValues),
			t.storeValues(bucketRevisions, s.next, records, recordBlock),
			t.Bucket(bucketRevisions).SetSequence(s.next+uint64(len(fresh))-1),
		)
	})
	s.next += uint64(len(fresh))
	return err
}

// writeRest writes everything that is not a revision.
func (s *salvage) writeRest(ctx context.Context) error {
	return s.update(ctx, func(t *tx) error {
		list, err := t.owners(ctx)
		if err != nil {
			return err
		}
		if _, err := t.rebuildHeads(ctx, list, func(_ []byte, seq uint64) uint64 { return s.later[seq] }); err != nil {
			return err
		}
		if err := t.rebuildIndexes(ctx); err != nil {
			return err
		}
		if err := s.writeRevisits(ctx, t); err != nil {
			return err
		}
		if err := s.writeOthers(ctx, t); err != nil {
			return err
		}
		if _, err := t.wantAgain(s.pageless); err != nil {
			return err
		}
		if len(s.dicts) > 0 {
			if err := t.putCounters(counters{DictDue: s.next + dictEvery}); err != nil {
				return err
			}
		}
		if _, _, err := t.endOfRuns(); err != nil {
			return err
		}
		if err := t.recount(); err != nil {
			return err
		}
		n, err := t.counters()
		s.report.Posts, s.report.Revisions = n.Posts, n.Revisions
		return err
	})
}

// writeOthers writes aliases, the frontier, lists, runs, and what was kept
// apart.
func (s *salvage) writeOthers(ctx context.Context, t *tx) error {
	t.sources = maps.Clone(s.sources)
	wanted := make(map[string][]news.Wanted)
	for _, name := range slices.Sorted(maps.Keys(s.others)) {
		if err := ctx.Err(); err != nil {
			return err
		}
		bucket, key, plain, err := s.other(name)
		if err == nil && isWanted(bucket) {
			var w news.Wanted
			if w, err = s.wanted(t, key, plain); err == nil {
				wanted[string(bucket)] = append(wanted[string(bucket)], w)
				continue
			}
		}
		if err == nil {
			plain, err = s.fitting(t, bucket, key, plain)
		}
		if err != nil {
			s.report.Dropped[string(bucket)]++
			continue
		}
		s.report.Kept[string(bucket)]++
		if err := t.put(bucket, key, plain); err != nil {
			return err
		}
	}
	t.sources = nil // those have numbers of the damaged file
	return s.writeWanted(t, wanted)
}

// isWanted reports whether a bucket is one of wanted posts.
func isWanted(bucket []byte) bool {
	return bytes.Equal(bucket, bucketFrontier) || bytes.Equal(bucket, bucketLeads) || bytes.Equal(bucket, bucketFailed)
}

// fitting returns what is to be stored of a value in the new archive.
func (s *salvage) fitting(t *tx, bucket, key, plain []byte) ([]byte, error) {
	switch string(bucket) {
	case string(bucketAliases):
		if !t.has(bucketPosts, plain) {
			return nil, fmt.Errorf("%w: alias of a post that is lost", ErrCorrupt)
		}
	case string(bucketUnread):
		return s.repacked(t, key, plain)
	case string(bucketHosts):
		return s.repackedHost(t, key, plain)
	case string(bucketLists):
		return s.codec.unvalidated(plain) // links that were on it may be lost
	}
	return plain, nil
}

// wanted returns an entry of the frontier, the leads or the failures. Where the
// page that it was found on is not known, it does without, and without the
// addresses that were stored short for that page: a post with infoCode can be
// asked for elsewhere.
func (s *salvage) wanted(t *tx, key, plain []byte) (news.Wanted, error) {
	w, err := t.decodeWanted(key, plain)
	if err == nil || !isID(key) || !idOf(key).HasCode() {
		return w, err
	}
	var stored wanted
	if err := s.codec.decode(plain, &stored); err != nil {
		return w, err
	}
	stored.FoundOn, stored.Source = "", 0
	stored.Pages = slices.DeleteFunc(stored.Pages, func(page string) bool { return strings.HasPrefix(page, shortMark) })
	return stored.of(idOf(key)), nil
}

// writeWanted writes the posts that are wanted and not held, each to one bucket.
func (s *salvage) writeWanted(t *tx, wanted map[string][]news.Wanted) error {
	for _, bucket := range [][]byte{bucketFailed, bucketFrontier, bucketLeads} {
		list := wanted[string(bucket)]
		if err := t.numberSources(list); err != nil {
			return err
		}
		for i := range list {
			key := idKey(list[i].ID)
			if t.held(key) || t.has(bucketFailed, key) || t.has(bucketFrontier, key) {
				continue
			}
			s.report.Kept[string(bucket)]++
			if err := t.putWanted(bucket, &list[i]); err != nil {
				return err
			}
		}
	}
	return nil
}
