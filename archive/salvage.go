package archive

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/finarc/finarc/news"
	bolt "go.etcd.io/bbolt"
)

// SalvageReport tells what was saved from a damaged file.
type SalvageReport struct {
	From      string         `json:"from"`
	To        string         `json:"to"`
	Posts     int64          `json:"posts"`
	Revisions int64          `json:"revisions"`
	NoPage    int64          `json:"without_page"`   // of which only the front matter was found
	Remade    int64          `json:"records_remade"` // of which only the page was found
	Bare      int64          `json:"without_front_matter"`
	Missing   int64          `json:"missing"`        // numbers up to the last one found of which there was nothing
	Ranges    []string       `json:"missing_ranges"` // the first of them
	Kept      map[string]int `json:"kept"`           // other values, by bucket
	Dropped   map[string]int `json:"dropped"`        // those that were found and make no sense in the new archive
	Findings  []Finding      `json:"findings"`       // the first pages that are damaged
	Damaged   int            `json:"damaged_pages"`
}

// Salvage saves from the file at from, which may be damaged in any way, what can
// be read of it into a new archive at to, where nothing must be; it comes into
// being whole or not at all. Every page of the file is looked at, whether or not
// anything leads to it. The revisions keep their order, and what they hold, but
// are numbered anew, and the archive gets an identity of its own. The file at
// from is only read, and others can read it meanwhile, but not write. What read is
// for says [Archive.Repair]. It fails with [ErrNotArchive] where nothing of an
// archive is found.
func Salvage(ctx context.Context, from, to string, read Reader, options ...Option) (SalvageReport, error) {
	report := SalvageReport{From: from, To: to, Ranges: []string{}, Kept: make(map[string]int), Dropped: make(map[string]int), Findings: []Finding{}}
	if err := checkFile(from); err != nil {
		return report, err
	}
	if _, err := os.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
		return report, fmt.Errorf("salvage to %s: %w", to, cmp.Or(err, fs.ErrExist))
	}
	a, err := handle(from)
	if err != nil {
		return report, err
	}
	for _, set := range options {
		set(a)
	}
	f, err := a.share(ctx)
	if err != nil {
		return report, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return report, err
	}
	s, err := newSalvage(f, info.Size(), read, &report)
	if err != nil {
		return report, err
	}
	if err := s.find(ctx); err != nil {
		return report, err
	}
	if len(s.blocks)+len(s.others) == 0 {
		return report, fmt.Errorf("%s: %w: no page of it is one of an archive", from, ErrNotArchive)
	}
	err = s.write(ctx, to)
	return report, err
}

// share opens the file, as it is, and takes the lock under which nobody writes,
// waiting for whoever does. Where the system has no such lock it does without.
// The lock ends when the file is closed.
func (a *Archive) share(ctx context.Context) (*os.File, error) {
	deadline := time.Now().Add(a.wait)
	leave, err := a.enter(ctx, true, deadline)
	if err != nil {
		return nil, err
	}
	defer leave()
	for {
		f, err := os.Open(a.path)
		if err != nil {
			return nil, fmt.Errorf("open archive %s: %w", a.path, withoutPath(err))
		}
		free, err := tryShare(f)
		if free || err != nil {
			if err = stillNamed(a.path, f); err == nil {
				return f, nil
			}
		}
		_ = f.Close() // it was only read
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil && !errors.Is(err, errReplaced):
			return nil, fmt.Errorf("open archive %s: %w", a.path, withoutPath(err))
		case !time.Now().Before(deadline):
			return nil, a.busy()
		}
		select {
		case <-ctx.Done():
		case <-time.After(2 * doorPoll):
		}
	}
}

// salvage is a salvage under way.
type salvage struct {
	file   *os.File
	size   int64
	read   Reader
	report *SalvageReport
	codec  *codec

	dicts   map[uint32][]byte
	doubted map[uint32][]byte // dictionaries that do not match their checksum
	blocks  map[string][]salvaged
	lasted  map[uint64]uint64 // by the number in the damaged file
	sources map[uint64]string
	others  map[string]located // by bucket, a zero and the key
	seen    map[uint64]bool    // revisions written, see fingerprint

	out   *Archive
	db    *bolt.DB          // of out
	next  uint64            // the number that the next revision gets
	later map[uint64]uint64 // lasted, by the new number

	pageless []uint64 // the new numbers of revisions whose page was not found
}

// located is where a value stands in the file.
type located struct {
	at   int64
	size int
	live bool // the file's own pages lead to it
}

// salvaged is a block that can be read.
type salvaged struct {
	located
	first uint64
	n     int
}

func newSalvage(f *os.File, size int64, read Reader, report *SalvageReport) (*salvage, error) {
	c, err := newCodec()
	if err != nil {
		return nil, err
	}
	return &salvage{
		file: f, size: size, read: read, report: report, codec: c, next: 1,
		dicts: make(map[uint32][]byte), doubted: make(map[uint32][]byte), blocks: make(map[string][]salvaged),
		lasted: make(map[uint64]uint64), sources: make(map[uint64]string), others: make(map[string]located),
		seen: make(map[uint64]bool), later: make(map[uint64]uint64),
	}, nil
}

func (s *salvage) dict(id uint32) ([]byte, error) {
	if d := cmp.Or(string(s.dicts[id]), string(s.doubted[id])); d != "" {
		return []byte(d), nil
	}
	return nil, fmt.Errorf("%w: dictionary %d is missing", ErrCorrupt, id)
}

// unpackBlock returns the values of a block.
func (s *salvage) unpackBlock(stored []byte) ([][]byte, error) {
	plain, err := s.codec.unpack(stored, s.dict)
	if err != nil {
		return nil, err
	}
	return decodeBlock(plain)
}

// salvagePrefix begins the names of files that are not whole yet.
const salvagePrefix = ".finarc-salvaged-"

// write makes the new archive of what was found, and verifies it before it gets
// its name. Until then this process alone has it, and holds its lock, so that no
// other takes it for one that was left behind.
func (s *salvage) write(ctx context.Context, to string) error {
	dir := filepath.Dir(to)
	if err := removeLeftovers(dir, salvagePrefix); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(dir, salvagePrefix+"*")
	if err != nil {
		return fmt.Errorf("folder %s: %w", dir, withoutPath(err))
	}
	defer os.Remove(tmp.Name())
	if err := errors.Join(tmp.Chmod(fileMode), tmp.Close()); err != nil {
		return err
	}
	if err := format(tmp.Name()); err != nil {
		return err
	}
	err = s.fill(ctx, tmp.Name())
	if err == nil {
		err = check(ctx, tmp.Name(), Copied{Posts: s.report.Posts, Revisions: s.report.Revisions})
	}
	if err == nil {
		err = name(tmp.Name(), to, false)
	}
	if errors.Is(err, ErrExists) {
		err = fs.ErrExist
	}
	if err != nil {
		return fmt.Errorf("salvage to %s: %w", to, err)
	}
	return syncDir(dir)
}

// fill writes everything into the new archive's file, and forces it to the disk
// at the end.
func (s *salvage) fill(ctx context.Context, path string) (err error) {
	if s.out, err = handle(path); err != nil {
		return err
	}
	o := options(false)
	o.NoSync, o.NoGrowSync = true, true
	if s.db, err = bolt.Open(path, fileMode, o); err != nil {
		return fmt.Errorf("write %s: %w", path, withoutPath(err))
	}
	defer func() { err = errors.Join(err, s.db.Close()) }()
	for _, step := range []func(context.Context) error{s.writeDicts, s.writeRevisions, s.writeRest} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return s.db.Sync()
}

// update runs fn in a transaction on the new archive.
func (s *salvage) update(ctx context.Context, fn func(*tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.out.transact(s.db, false, fn)
}

func (s *salvage) writeDicts(ctx context.Context) error {
	return s.update(ctx, func(t *tx) error {
		for id, d := range s.dicts {
			if err := t.putDict(id, d); err != nil {
				return err
			}
		}
		return nil
	})
}

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
		return nil // the file has changed since
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
	numbers := slices.Sorted(maps.Keys(merged(captures.in, records.in)))
	s.missing(numbers)
	var batch []saved
	var alone []uint64
	bytes := 0
	for _, seq := range numbers {
		if err := ctx.Err(); err != nil {
			return err
		}
		rec := s.record(records.value(seq))
		e, c, err := s.codec.decodeCapture(captures.value(seq))
		if err != nil || len(e.ID) == 0 {
			if rec != nil {
				alone = append(alone, seq)
			}
			continue
		}
		if rec == nil || belongs(rec, &e, c.Body) != nil {
			if rec != nil {
				alone = append(alone, seq)
			}
			rec = s.remake(&e, c)
		}
		batch, bytes = append(batch, saved{seq, rec, e.ID, c}), bytes+len(c.Body)
		if len(batch) >= salvageBatch || bytes >= salvageBytes {
			if err := s.writeBatch(ctx, batch); err != nil {
				return err
			}
			batch, bytes = nil, 0
		}
	}
	if err := s.writeBatch(ctx, batch); err != nil {
		return err
	}
	return s.writeAlone(ctx, alone, records)
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

// missing notes the numbers of which nothing was found.
func (s *salvage) missing(numbers []uint64) {
	next := uint64(1)
	for _, seq := range numbers {
		if seq > next {
			s.report.Missing += int64(seq - next)
			if len(s.report.Ranges) < maxFindings {
				s.report.Ranges = append(s.report.Ranges, fmt.Sprintf("%d-%d", next, seq-1))
			}
		}
		next = seq + 1
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
		r := &repair{tx: t}
		if err := errors.Join(r.runs(), r.totals(ctx)); err != nil {
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
		if err == nil {
			switch string(bucket) {
			case string(bucketFrontier), string(bucketLeads), string(bucketFailed):
				var w news.Wanted
				if w, err = s.wanted(t, key, plain); err == nil {
					wanted[string(bucket)] = append(wanted[string(bucket)], w)
					continue
				}
			case string(bucketAliases):
				if !t.has(bucketPosts, plain) {
					err = ErrCorrupt
				}
			case string(bucketUnread):
				plain, err = s.repacked(t, key, plain)
			case string(bucketLists):
				plain, err = s.codec.unvalidated(plain) // links that were on it may be lost
			}
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
