package archive

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
)

// stories checks what is known of stories: that signatures stand in the hour of
// their revision, that the posts of a story and its origin name each other, and
// that there are as many as the bookmark says. Whether a signature is that of the
// text is not looked at: its checksum guards it.
func (v *verifier) stories(ctx context.Context) error {
	was, err := v.followed(ctx)
	if err != nil {
		return err
	}
	var found followed
	for _, step := range []struct {
		bucket []byte
		check  func(t *tx, k, plain []byte, found *followed) error
	}{{bucketSignatures, v.signatures}, {bucketStories, v.storyEntry}} {
		err := v.a.scan(ctx, step.bucket, nil, func(t *tx, k, stored []byte) bool {
			v.report.Values++
			plain, err := unseal(step.bucket, k, stored)
			if err == nil {
				err = step.check(t, k, plain, &found)
			}
			if err != nil {
				v.report.find(FoundStory, fmt.Sprintf("%s %x", step.bucket, k), err)
			}
			return true
		})
		if err := v.damage(err); err != nil {
			return err
		}
	}
	is, err := v.followed(ctx)
	if err != nil || is != was || v.report.Counts[FoundStory] > 0 {
		return err // they were found meanwhile, or cannot be counted
	}
	for _, n := range []struct {
		what     string
		told, is int64
	}{
		{"signatures", is.Signed, found.Signed}, {"stories", is.Stories, found.Stories}, {"posts in stories", is.Posts, found.Posts},
	} {
		if n.told != n.is {
			v.report.find(FoundStory, n.what, fmt.Sprintf("%d are told, and %d are there", n.told, n.is))
		}
	}
	return nil
}

// followed returns the bookmark. Of one that cannot be read the values tell.
func (v *verifier) followed(ctx context.Context) (f followed, err error) {
	err = v.a.view(ctx, func(t *tx) error {
		if f, err = t.followed(); err != nil {
			f = followed{}
		}
		if last := t.Bucket(bucketRevisions).Sequence(); f.Next > last+1 {
			v.report.find(FoundStory, "bookmark", fmt.Sprintf("it is at revision %d of %d", f.Next, last))
		}
		return nil
	})
	return f, err
}

// signatures checks those of an hour.
func (v *verifier) signatures(t *tx, k, plain []byte, found *followed) error {
	list, err := decodeSigned(plain)
	if err != nil {
		return err
	}
	if len(k) != chunkSize {
		return fmt.Errorf("%w: it is no hour", ErrCorrupt)
	}
	found.Signed += int64(len(list))
	hours := binary.BigEndian.Uint32(k)
	for i := range list {
		if seq := list[i].seq; !v.inHour(t, seq, hours) {
			return fmt.Errorf("%w: revision %d is none of this hour's", ErrCorrupt, seq)
		}
	}
	return nil
}

// inHour reports whether a revision is of an hour: as it was when the records were
// gone through, or as it is now. Of one that cannot be read it cannot be told.
func (v *verifier) inHour(t *tx, seq uint64, hours uint32) bool {
	if seq > 0 && seq <= uint64(len(v.hours)) && (v.hours[seq-1] == hours || !v.known[seq-1]) {
		return true
	}
	r, err := t.record(seq)
	return err == nil && uint32(r.when()/hour) == hours
}

// storyEntry checks an entry of the stories: an origin's, which names the
// reprints, or that of a reprint, which names the origin.
func (v *verifier) storyEntry(t *tx, k, plain []byte, found *followed) error {
	list, err := decodeSeqs(plain)
	if err != nil {
		return err
	}
	if len(k) != seqSize {
		return fmt.Errorf("%w: it is no revision", ErrCorrupt)
	}
	found.Posts++
	seq, origin := uint40(k), list[0]
	if origin != seq {
		if of, err := t.storyEntry(origin); err != nil || len(list) > 1 || !slices.Contains(of, seq) || of[0] != origin {
			return fmt.Errorf("%w: its origin, revision %d, does not name it", ErrCorrupt, origin)
		}
		return nil
	}
	found.Stories++
	if len(list) < 2 || !slices.IsSorted(list[1:]) {
		return fmt.Errorf("%w: it is no story", ErrCorrupt)
	}
	for _, reprint := range list[1:] {
		if of, err := t.storyEntry(reprint); err != nil || len(of) != 1 || of[0] != seq {
			return fmt.Errorf("%w: revision %d, which it names, is of another story", ErrCorrupt, reprint)
		}
	}
	return nil
}

// stories lets them be found anew where they are damaged, or what they were made
// of was.
func (r *repair) stories(ctx context.Context) error {
	n := 0
	for _, what := range []string{FoundStory, FoundBlock, FoundRecord, FoundCapture, FoundPost} {
		n += r.found[what]
	}
	return r.a.update(ctx, func(t *tx) error {
		f, err := t.followed()
		signatures, _ := t.Bucket(bucketSignatures).Cursor().First()
		if err == nil && (n == 0 || f.Next == 0) && (f.Next > 0 || signatures == nil) {
			return nil
		}
		r.tell("stories are found anew, by finarc stories or the next crawl")
		return t.beginStories()
	})
}
