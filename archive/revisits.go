package archive

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/finarc/finarc/news"
)

// revisit is a news.Revisit as stored, in a frame, under the seq of the revision
// whose page was found to be as it was.
type revisit struct {
	ID     []byte      `cbor:"1,keyasint"`           // of the revision's post: no checksum guards the key
	URL    string      `cbor:"2,keyasint,omitempty"` // absent where it is the revision's
	Status int         `cbor:"3,keyasint"`
	Proto  string      `cbor:"4,keyasint,omitempty"`
	Header http.Header `cbor:"5,keyasint,omitempty"`
	Time   int64       `cbor:"6,keyasint"` // milliseconds since 1970
}

// sighting tells that a capture was met again: until when, in milliseconds since
// 1970, and by which answers its very page.
type sighting struct {
	until   int64
	answers []news.Revisit
}

// seen records that revision i of a post, of which there is the record, was met
// again.
func (t *tx) seen(h head, i int, r *record, met sighting) error {
	if err := t.revisited(h[i].seq, r, met.answers); err != nil {
		return err
	}
	after := met.until - r.Fetched
	if after <= int64(h[i].lasted) {
		return nil
	}
	h.seen(i, after)
	return t.put(bucketPosts, r.ID, h.encode())
}

// revisited records the answers by which the page of a revision was found to be as it
// was: the last of them, if it is later than the capture and than the one that is
// known.
func (t *tx) revisited(seq uint64, r *record, answers []news.Revisit) error {
	known, err := t.revisit(seq, r)
	if err != nil {
		return err
	}
	last := known
	for i := range answers {
		a := answers[i]
		a.Time = fromMillis(millis(a.Time))
		if a.Status != 0 && millis(a.Time) > r.Fetched && (last == nil || a.Compare(last) > 0) {
			last = &a
		}
	}
	if last == known {
		return nil
	}
	return t.putRevisit(seq, r, last)
}

func (t *tx) putRevisit(seq uint64, r *record, v *news.Revisit) error {
	stored := revisit{ID: r.ID, URL: v.URL, Status: v.Status, Proto: v.Proto, Header: v.Header, Time: millis(v.Time)}
	if stored.URL == r.URL {
		stored.URL = ""
	}
	plain, err := t.a.codec.encode(stored)
	if err != nil {
		return err
	}
	with, err := t.packer()
	if err != nil {
		return err
	}
	return t.put(bucketRevisits, seqKey(seq), pack(with, plain))
}

// revisit returns the last answer by which the page of a revision was found to be as
// it was, or nil.
func (t *tx) revisit(seq uint64, r *record) (*news.Revisit, error) {
	frame, err := t.get(bucketRevisits, seqKey(seq))
	if frame == nil || err != nil {
		return nil, err
	}
	v, err := t.unpackRevisit(frame, r)
	if err != nil {
		return nil, fmt.Errorf("revisit of revision %d: %w", seq, err)
	}
	return v.revisit(r), nil
}

func (v *revisit) revisit(r *record) *news.Revisit {
	return &news.Revisit{
		URL: cmp.Or(v.URL, r.URL), Status: v.Status, Proto: v.Proto, Header: v.Header, Time: fromMillis(v.Time),
	}
}

// unpackRevisit reads what is stored for a revision with a record.
func (t *tx) unpackRevisit(frame []byte, r *record) (*revisit, error) {
	plain, err := t.unpack(frame)
	if err != nil {
		return nil, err
	}
	v, err := t.a.codec.decodeRevisit(plain)
	if err != nil {
		return nil, err
	}
	return v, v.fits(r)
}

func (c *codec) decodeRevisit(plain []byte) (*revisit, error) {
	v := new(revisit)
	if err := c.decode(plain, v); err != nil {
		return nil, err
	}
	if len(v.ID) == 0 || v.Status == 0 {
		return nil, fmt.Errorf("%w: no revisit", ErrCorrupt)
	}
	return v, nil
}

// fits fails where a revisit is not of the revision with a record.
func (v *revisit) fits(r *record) error {
	if !bytes.Equal(v.ID, r.ID) || v.Time <= r.Fetched {
		return fmt.Errorf("%w: it is of another revision, of post %s", ErrCorrupt, printID(v.ID))
	}
	return nil
}

// checkRevisit checks what is stored for a revision, of which the record may be
// damaged: that is told elsewhere.
func (t *tx) checkRevisit(key, frame []byte) error {
	if len(key) != seqSize || uint40(key) == 0 || uint40(key) > t.Bucket(bucketRevisions).Sequence() {
		return fmt.Errorf("%w: there is no revision of this number", ErrCorrupt)
	}
	r, err := t.record(uint40(key))
	switch {
	case errors.Is(err, ErrLost), errors.Is(err, ErrCorrupt):
		return nil
	case err != nil:
		return err
	}
	_, err = t.unpackRevisit(frame, r)
	return err
}

// revisits sets aside answers that cannot be read, or are of no revision.
func (r *repair) revisits(ctx context.Context) error {
	n, err := r.discard(ctx, bucketRevisits, (*tx).checkRevisit, nil)
	if n > 0 {
		r.tell("set aside %d answers by which pages were found to be as they were", n)
	}
	return err
}

// findRevisit notes the last answer for a revision of the damaged file.
func (s *salvage) findRevisit(key, frame []byte, at located) {
	v, err := s.unpackRevisit(frame)
	if err != nil || len(key) != seqSize {
		return
	}
	if old, ok := s.revisits[uint40(key)]; !ok || v.Time > old.time {
		s.revisits[uint40(key)] = answered{at, v.Time}
	}
}

// answered is where the answer for a revision stands in the damaged file, and its
// time, in milliseconds since 1970.
type answered struct {
	located
	time int64
}

func (s *salvage) unpackRevisit(frame []byte) (*revisit, error) {
	plain, err := s.codec.unpack(frame, s.dict)
	if err != nil {
		return nil, err
	}
	return s.codec.decodeRevisit(plain)
}

// writeRevisits writes the answers that were found for revisions, under the numbers
// that these have now.
func (s *salvage) writeRevisits(ctx context.Context, t *tx) error {
	for _, seq := range slices.Sorted(maps.Keys(s.renewed)) {
		if err := ctx.Err(); err != nil {
			return err
		}
		at := s.renewed[seq]
		kept, err := s.writeRevisit(t, seq, at)
		if err != nil {
			return err
		}
		if kept {
			s.report.Kept[string(bucketRevisits)]++
		} else {
			s.report.Dropped[string(bucketRevisits)]++
		}
	}
	return nil
}

// writeRevisit writes an answer, if it is the revision's, and reports whether it is.
func (s *salvage) writeRevisit(t *tx, seq uint64, at located) (kept bool, err error) {
	r, err := t.record(seq)
	if err != nil {
		return false, err
	}
	frame, err := s.stored(element{at: at.at, size: at.size})
	if err != nil {
		return false, nil // the disk does not give it any more
	}
	v, err := s.unpackRevisit(frame)
	if err != nil || v.fits(r) != nil {
		return false, nil
	}
	return true, t.putRevisit(seq, r, v.revisit(r))
}
