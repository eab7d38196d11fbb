package archive

import (
	"bytes"
	"context"
	"errors"
	"time"
)

// errEnough ends inLooks without an error.
var errEnough = errors.New("enough")

// inLooks calls fn with the keys of a bucket and their values as they are stored,
// from one on, until it returns errEnough. It looks into the file for a short
// while at a time, so that a crawl need not wait: what others write between two
// looks may be met. fn is called once for each key; where it returns one, that is
// the next, or the first after it.
func (a *Archive) inLooks(ctx context.Context, bucket, from []byte, fn func(t *tx, k, v []byte) (next []byte, err error)) error {
	for over := false; !over; {
		err := a.view(ctx, func(t *tx) error {
			var err error
			from, err = t.look(bucket, from, fn)
			over = from == nil
			return err
		})
		if err != nil && !errors.Is(err, errEnough) {
			return err
		}
		over = over || err != nil
	}
	return nil
}

// look is one of these looks. It returns the key with which the next begins, or
// nil where none is left.
func (t *tx) look(bucket, from []byte, fn func(t *tx, k, v []byte) ([]byte, error)) ([]byte, error) {
	c := t.Bucket(bucket).Cursor()
	deadline := time.Now().Add(selectTime)
	n := 0
	for k, v := c.Seek(from); k != nil; n++ {
		skip, err := fn(t, k, v)
		if err != nil {
			return nil, err
		}
		if skip != nil {
			k, v = c.Seek(skip)
		} else {
			k, v = c.Next()
		}
		if k != nil && n%64 == 0 && time.Now().After(deadline) { // to ask for the time takes as long as a key
			return bytes.Clone(k), nil
		}
	}
	return nil, nil
}
