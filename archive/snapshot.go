package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
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
	room [2][]byte
}

const (
	// snapshotPrefix begins the names of such copies.
	snapshotPrefix = ".finarc-snapshot-"
	// snapshotChunk is what is read at a time.
	snapshotChunk = 1 << 20
	// snapshotRounds is how often what differs is copied without the lock.
	snapshotRounds = 3
)

func newSnapshot(from *Archive, into *os.File) *snapshot {
	return &snapshot{from: from, copy: into, room: [2][]byte{make([]byte, snapshotChunk), make([]byte, snapshotChunk)}}
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
	for at := int64(0); at < s.size; at += snapshotChunk {
		if err := ctx.Err(); err != nil {
			return err
		}
		is, was := s.room[0][:min(snapshotChunk, s.size-at)], s.room[1][:min(snapshotChunk, s.size-at)]
		readable(f, is, at)
		if _, err := s.copy.ReadAt(was, at); err != nil {
			return fmt.Errorf("read %s: %w", s.copy.Name(), withoutPath(err))
		}
		if bytes.Equal(is, was) {
			continue
		}
		if _, err := s.copy.WriteAt(is, at); err != nil {
			return fmt.Errorf("write %s: %w", s.copy.Name(), withoutPath(err))
		}
	}
	return nil
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
