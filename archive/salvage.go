package archive

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/finarc/finarc/durable"
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
	Complete  bool           `json:"complete"`       // the file's pages lead to all of its revisions, so that there were no others than these
	Missing   int64          `json:"missing"`        // numbers up to the last one that anything tells of, of which there was nothing
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
// from is only read. Others can read and write it meanwhile: it is copied first,
// to a file beside the new one that is removed in the end, and what is written
// later is not in the new one. What read is for says [Archive.Repair]. It fails
// with [ErrNotArchive] where nothing of an archive is found.
func Salvage(ctx context.Context, from, to string, read Reader, options ...Option) (SalvageReport, error) {
	report := SalvageReport{From: from, To: to, Ranges: []string{}, Kept: make(map[string]int), Dropped: make(map[string]int), Findings: []Finding{}}
	if err := checkFile(from); err != nil {
		return report, err
	}
	if _, err := os.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
		return report, fmt.Errorf("salvage to %s: %w", to, cmp.Or(err, ErrExists))
	}
	a, err := handle(from)
	if err != nil {
		return report, err
	}
	for _, set := range options {
		set(a)
	}
	d, err := durable.NewFile(filepath.Dir(to), snapshotPrefix, 0o600)
	if err != nil {
		return report, fmt.Errorf("salvage to %s: %w", to, err)
	}
	err = a.salvage(ctx, d.File, to, read, &report)
	return report, errors.Join(err, d.File.Close(), d.Discard())
}

// salvage saves what can be read of the archive's file, given an empty file for
// a copy of it.
func (a *Archive) salvage(ctx context.Context, into *os.File, to string, read Reader, report *SalvageReport) error {
	copied := newSnapshot(a, into)
	if err := copied.take(ctx); err != nil {
		return err
	}
	s, err := newSalvage(into, copied.size, read, report)
	if err != nil {
		return err
	}
	if err := s.find(ctx); err != nil {
		return err
	}
	if len(s.blocks)+len(s.others) == 0 {
		return fmt.Errorf("%s: %w: no page of it is one of an archive", a.path, ErrNotArchive)
	}
	return s.write(ctx, to)
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
		free, err := durable.TryShare(f)
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

	dicts    map[uint32][]byte
	doubted  map[uint32][]byte // dictionaries that do not match their checksum
	blocks   map[string][]salvaged
	lasted   map[uint64]uint64   // by the number in the damaged file
	revisits map[uint64]answered // likewise
	last     uint64              // the last number that a value under a checksum tells of
	sources  map[uint64]string
	others   map[string]located // by bucket, a zero and the key
	seen     map[uint64]bool    // revisions written, see fingerprint

	out     *Archive
	db      *bolt.DB           // of out
	next    uint64             // the number that the next revision gets
	later   map[uint64]uint64  // lasted, by the new number
	renewed map[uint64]located // revisits, likewise

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
		revisits: make(map[uint64]answered), renewed: make(map[uint64]located),
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
	return s.codec.unpackBlock(stored, s.dict)
}

// salvagePrefix begins the names of files that are not whole yet.
const salvagePrefix = ".finarc-salvaged-"

// write makes the new archive of what was found, and verifies it before it gets
// its name.
func (s *salvage) write(ctx context.Context, to string) error {
	err := build(to, salvagePrefix, func(temporary string) error {
		if err := s.fill(ctx, temporary); err != nil {
			return err
		}
		return check(ctx, temporary, Copied{Posts: s.report.Posts, Revisions: s.report.Revisions})
	})
	if err != nil {
		return fmt.Errorf("salvage to %s: %w", to, err)
	}
	return nil
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
