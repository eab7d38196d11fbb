package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// exportPrefix begins the keys of bookmarks in bucketMeta; the name follows.
var exportPrefix = []byte("export ")

// maxExportName bounds the name of a bookmark, in bytes.
const maxExportName = 100

// ErrExported: an export of the same name ended meanwhile.
var ErrExported = errors.New("another export of that name ended meanwhile")

// Exported is a bookmark: how far the exports of a name have come. Its zero value
// is that of a name under which nothing was exported yet.
type Exported struct {
	Seq uint64 `cbor:"1,keyasint"` // the last place in the change sequence that they cover
	// Selection tells what was selected, in the words of who exported.
	Selection string `cbor:"2,keyasint"`
	At        int64  `cbor:"3,keyasint"` // when, in seconds since 1970
}

// Time returns when the last of them ended, in the second.
func (e Exported) Time() time.Time { return time.Unix(e.At, 0) }

// Exported returns the bookmark of a name, and the last place in the change
// sequence that there is now, both as of one moment.
func (a *Archive) Exported(ctx context.Context, name string) (e Exported, last uint64, err error) {
	err = a.view(ctx, func(t *tx) error {
		last = t.Bucket(bucketRevisions).Sequence()
		e, err = t.exported(name)
		return err
	})
	return e, last, err
}

// SetExported moves the bookmark of a name, durably. It fails with [ErrExported] if
// that is no longer where it was.
func (a *Archive) SetExported(ctx context.Context, name string, was, now Exported) error {
	if name == "" || len(name) > maxExportName {
		return fmt.Errorf("bookmark %.20q: its name has %d bytes, want 1 to %d", name, len(name), maxExportName)
	}
	return a.update(ctx, func(t *tx) error {
		is, err := t.exported(name)
		if err != nil {
			return err
		}
		if is != was {
			return fmt.Errorf("bookmark %q: %w", name, ErrExported)
		}
		v, err := t.a.codec.encode(now)
		if err != nil {
			return err
		}
		return t.put(bucketMeta, exportKey(name), v)
	})
}

func exportKey(name string) []byte { return slices.Concat(exportPrefix, []byte(name)) }

func (t *tx) exported(name string) (Exported, error) {
	v, err := t.get(bucketMeta, exportKey(name))
	if v == nil || err != nil {
		return Exported{}, err
	}
	e, err := t.decodeExported(v)
	if err != nil {
		return e, fmt.Errorf("bookmark %q: %w", name, err)
	}
	return e, nil
}

// decodeExported reads a bookmark, which cannot be beyond the change sequence.
func (t *tx) decodeExported(v []byte) (Exported, error) {
	var e Exported
	if err := t.a.codec.decode(v, &e); err != nil {
		return e, err
	}
	if last := t.Bucket(bucketRevisions).Sequence(); e.Seq > last {
		return e, fmt.Errorf("%w: it is at revision %d of %d", ErrCorrupt, e.Seq, last)
	}
	return e, nil
}

// checkExported checks a value of bucketMeta if it is a bookmark.
func (t *tx) checkExported(k, plain []byte) error {
	if !bytes.HasPrefix(k, exportPrefix) {
		return nil
	}
	_, err := t.decodeExported(plain)
	return err
}

// exports sets bookmarks aside that make no sense: the next export of their name
// is of all.
func (r *repair) exports(ctx context.Context) error {
	return r.a.update(ctx, func(t *tx) error {
		keys, err := t.bad(bucketMeta, (*tx).checkExported)
		if err != nil {
			return err
		}
		for _, k := range keys {
			if !bytes.HasPrefix(k, exportPrefix) {
				continue // others have no checksum, or were looked at
			}
			if err := r.setAside(t, bucketMeta, k); err != nil {
				return err
			}
			r.tell("the next export --since-last %s is of all posts", k[len(exportPrefix):])
		}
		return nil
	})
}
