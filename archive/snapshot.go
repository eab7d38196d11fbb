package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"os"
)

// snapshot is a copy of a file as it stood at one moment, whatever is in it: of
// one that is damaged no page can be trusted. It is made while others write: the
// file is copied without its lock, and then what differs, until nobody wrote
// meanwhile. Where somebody always does, the last time is under the lock.
type snapshot struct {
	from *Archive
	copy *os.File
	size int64
	seed maphash.Seed
	sums []uint64 // of each page of the copy, so that only the file is read again
	room []byte
}

const (
	// snapshotPrefix begins the names of such copies.
	snapshotPrefix = ".finarc-snapshot-"
	// snapshotPart is what is read at a time, in bytes: whole pages.
	snapshotPart = 256 << 10
	// snapshotRounds is how often what differs is copied without the lock.
	snapshotRounds = 3
)

func newSnapshot(from *Archive, into *os.File) *snapshot {
	return &snapshot{from: from, copy: into, seed: maphash.MakeSeed(), room: make([]byte, snapshotPart)}
}

// take makes the copy.
func (s *snapshot) take(ctx context.Context) error {
	for range snapshotRounds {
		still, err := s.round(ctx)
		if still || err != nil {
			return err
		}
	}
	return s.last(ctx)
}

// round copies what differs without the lock, and reports whether nobody wrote
// meanwhile.
func (s *snapshot) round(ctx context.Context) (still bool, err error) {
	f, before, err := s.open(ctx)
	if err != nil {
		return false, err
	}
	if err := errors.Join(s.differences(ctx, f), f.Close()); err != nil {
		return false, err
	}
	f, after, err := s.open(ctx)
	if err != nil {
		return false, err
	}
	return before.same(after), f.Close()
}

// open opens the file in a moment in which nobody writes, and tells how it is
// then. The lock is another opening's, which ends with that moment.
func (s *snapshot) open(ctx context.Context) (f *os.File, now state, err error) {
	locked, err := s.from.share(ctx)
	if err != nil {
		return nil, state{}, err
	}
	defer func() { err = errors.Join(err, locked.Close()) }()
	if f, err = os.Open(s.from.path); err != nil {
		return nil, state{}, fmt.Errorf("open archive %s: %w", s.from.path, withoutPath(err))
	}
	if now, err = stateOf(f); err != nil {
		err = errors.Join(err, f.Close())
	}
	return f, now, err
}

// last copies what differs under the lock.
func (s *snapshot) last(ctx context.Context) error {
	f, err := s.from.share(ctx)
	if err != nil {
		return err
	}
	return errors.Join(s.differences(ctx, f), f.Close())
}

// state tells whether a file was written: each commit writes a meta page, last.
type state struct {
	info  os.FileInfo
	metas []byte
}

func stateOf(f *os.File) (state, error) {
	info, err := f.Stat()
	if err != nil {
		return state{}, err
	}
	metas := make([]byte, min(2*pageSize, info.Size()))
	readable(f, metas, 0)
	return state{info, metas}, nil
}

func (s state) same(as state) bool {
	return os.SameFile(s.info, as.info) && s.info.Size() == as.info.Size() && bytes.Equal(s.metas, as.metas)
}

// differences copies what is otherwise in the file than in the copy.
func (s *snapshot) differences(ctx context.Context, f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	s.size = info.Size()
	if err := s.copy.Truncate(s.size); err != nil {
		return fmt.Errorf("write %s: %w", s.copy.Name(), withoutPath(err))
	}
	pages := int((s.size + pageSize - 1) / pageSize)
	known := min(len(s.sums), pages)
	s.sums = append(s.sums[:known], make([]uint64, pages-known)...)
	for at := int64(0); at < s.size; at += snapshotPart {
		if err := ctx.Err(); err != nil {
			return err
		}
		part := s.room[:min(snapshotPart, s.size-at)]
		readable(f, part, at)
		if err := s.write(part, at, known); err != nil {
			return fmt.Errorf("write %s: %w", s.copy.Name(), withoutPath(err))
		}
	}
	return nil
}

// write writes those pages of a part that differ from what was copied, where so
// many pages have been copied before. Pages that follow each other are written
// together.
func (s *snapshot) write(part []byte, at int64, known int) error {
	from := 0 // what is before it is written, or need not be
	for next := 0; next < len(part); next += pageSize {
		page := int((at + int64(next)) / pageSize)
		sum := maphash.Bytes(s.seed, part[next:min(next+pageSize, len(part))])
		if page >= known || sum != s.sums[page] {
			s.sums[page] = sum
			continue
		}
		if from < next {
			if _, err := s.copy.WriteAt(part[from:next], at+int64(from)); err != nil {
				return err
			}
		}
		from = next + pageSize
	}
	if from >= len(part) {
		return nil
	}
	_, err := s.copy.WriteAt(part[from:], at+int64(from))
	return err
}

// readable reads a part of a file, with zeros for the pages of it that the disk
// does not give any more.
func readable(f io.ReaderAt, b []byte, at int64) {
	if n, err := f.ReadAt(b, at); err == nil || n == len(b) {
		return
	}
	for from := 0; from < len(b); from += pageSize {
		page := b[from:min(from+pageSize, len(b))]
		if n, err := f.ReadAt(page, at+int64(from)); err != nil {
			clear(page[n:])
		}
	}
}
