package archive

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/story"
)

// Stories are kept in two buckets, which are made of the revisions alone and can
// be made again at any time:
//
//	signatures  hours since 1970 (4 bytes) → seq (5 bytes) and signature of each
//	            newest revision of a post that was published in the hour and has
//	            text enough, in order of seq
//	stories     seq of a post's newest revision → seq of its story's origin; under
//	            the origin its own, and then those of its reprints, in order
//
// A post that runs no other's story, and whose story nobody else runs, is not in
// the second. How far the change sequence has been followed stands in a bookmark.
var keyStories = []byte("stories")

// followed is the bookmark: how far stories have been found, and how much there
// is of them.
type followed struct {
	Next    uint64 `cbor:"1,keyasint"` // the next revision
	Version int    `cbor:"2,keyasint"` // of the method, see story.Version
	Signed  int64  `cbor:"3,keyasint"` // signatures
	Stories int64  `cbor:"4,keyasint"`
	Posts   int64  `cbor:"5,keyasint"` // that are in a story
}

// followed returns the bookmark; its zero value where stories were never looked
// for.
func (t *tx) followed() (followed, error) {
	var f followed
	v, err := t.get(bucketMeta, keyStories)
	if v == nil || err != nil {
		return f, err
	}
	return f, t.a.codec.decode(v, &f)
}

func (t *tx) putFollowed(f followed) error {
	v, err := t.a.codec.encode(f)
	if err != nil {
		return err
	}
	return t.put(bucketMeta, keyStories, v)
}

// forgetStories lets them be found anew, from the first revision on, if they were
// ever looked for: of what they were made something has changed.
func (t *tx) forgetStories() error {
	f, err := t.followed()
	if err != nil || f.Next <= 1 {
		return err
	}
	return t.beginStories()
}

// beginStories empties what is known of stories, and sets the bookmark to the
// first revision.
func (t *tx) beginStories() error {
	for _, bucket := range [][]byte{bucketSignatures, bucketStories} {
		if err := t.emptyBucket(bucket); err != nil {
			return err
		}
	}
	return t.putFollowed(followed{Next: 1, Version: story.Version})
}

// signed is a revision and its signature.
type signed struct {
	seq       uint64
	signature story.Signature
}

const signedSize = seqSize + story.SignatureSize

func encodeSigned(list []signed) []byte {
	b := make([]byte, 0, len(list)*signedSize)
	for i := range list {
		b = append(appendUint40(b, list[i].seq), list[i].signature[:]...)
	}
	return b
}

func decodeSigned(b []byte) ([]signed, error) {
	if len(b)%signedSize != 0 || len(b) == 0 {
		return nil, fmt.Errorf("%w: %d bytes are no signatures", ErrCorrupt, len(b))
	}
	list := make([]signed, len(b)/signedSize)
	for i := range list {
		e := b[i*signedSize:]
		list[i] = signed{uint40(e), story.Signature(e[seqSize:signedSize])}
		if i > 0 && list[i].seq <= list[i-1].seq {
			return nil, fmt.Errorf("%w: signatures are out of order", ErrCorrupt)
		}
	}
	return list, nil
}

func hourKey(hours uint64) []byte { return binary.BigEndian.AppendUint32(nil, uint32(hours)) }

// signatures returns those of an hour.
func (t *tx) signatures(hours uint64) ([]signed, error) {
	v, err := t.get(bucketSignatures, hourKey(hours))
	if v == nil || err != nil {
		return nil, err
	}
	list, err := decodeSigned(v)
	if err != nil {
		return nil, fmt.Errorf("signatures of hour %d: %w", hours, err)
	}
	return list, nil
}

// putSignatures stores those of an hour.
func (t *tx) putSignatures(hours uint64, list []signed) error {
	if len(list) == 0 {
		return t.delete(bucketSignatures, hourKey(hours))
	}
	slices.SortFunc(list, func(a, b signed) int { return cmp.Compare(a.seq, b.seq) })
	return t.put(bucketSignatures, hourKey(hours), encodeSigned(list))
}

// seqs packs and unpacks lists of revisions.
func encodeSeqs(list []uint64) []byte {
	b := make([]byte, 0, len(list)*seqSize)
	for _, seq := range list {
		b = appendUint40(b, seq)
	}
	return b
}

func decodeSeqs(b []byte) ([]uint64, error) {
	if len(b)%seqSize != 0 || len(b) == 0 {
		return nil, fmt.Errorf("%w: %d bytes are no revisions", ErrCorrupt, len(b))
	}
	list := make([]uint64, len(b)/seqSize)
	for i := range list {
		list[i] = uint40(b[i*seqSize:])
	}
	return list, nil
}

// storyEntry returns what stands in the stories under a revision: nil, or the
// origin of its story, and if that is itself, the reprints.
func (t *tx) storyEntry(seq uint64) ([]uint64, error) {
	v, err := t.get(bucketStories, seqKey(seq))
	if v == nil || err != nil {
		return nil, err
	}
	list, err := decodeSeqs(v)
	if err != nil {
		return nil, fmt.Errorf("story of revision %d: %w", seq, err)
	}
	return list, nil
}

// storyOf returns the revisions of the story that a revision is in, the origin
// first; nil where it is in none.
func (t *tx) storyOf(seq uint64) ([]uint64, error) {
	list, err := t.storyEntry(seq)
	if err != nil || list == nil || list[0] == seq {
		return list, err
	}
	origin := list[0]
	if list, err = t.storyEntry(origin); err == nil && (len(list) < 2 || list[0] != origin) {
		err = fmt.Errorf("%w: revision %d names %d as its story's origin, which is none", ErrCorrupt, seq, origin)
	}
	return list, err
}

// originOf returns the origin of the story that a revision is in: itself where it
// is in none.
func (t *tx) originOf(seq uint64) (uint64, error) {
	list, err := t.storyEntry(seq)
	if err != nil || list == nil {
		return seq, err
	}
	return list[0], nil
}

// join makes one story of those of the two revisions of each pair. Each story is
// read and written once, however many of the pairs are of it.
func (t *tx) join(pairs [][2]uint64, f *followed) error {
	groups := make(groups) // of origins, and of revisions that are in no story
	for _, pair := range pairs {
		a, err := t.originOf(pair[0])
		if err != nil {
			return err
		}
		b, err := t.originOf(pair[1])
		if err != nil {
			return err
		}
		groups.join(a, b)
	}
	for _, origins := range groups.all() {
		if err := t.unite(origins, f); err != nil {
			return err
		}
	}
	return nil
}

// unite makes one story of several, given their origins, of which some may be in
// none yet. The earliest of the origins is the origin of all.
func (t *tx) unite(origins []uint64, f *followed) error {
	origin, err := t.earliest(origins)
	if err != nil || len(origins) < 2 {
		return err
	}
	all := []uint64{origin}
	for _, of := range origins {
		list, err := t.storyOf(of)
		switch {
		case err != nil:
			return err
		case list == nil:
			list = []uint64{of}
			f.Posts++
		default:
			f.Stories--
		}
		if of == origin {
			all = append(all, list[1:]...) // which name it already
			continue
		}
		if err := t.nameOrigin(list, origin); err != nil {
			return err
		}
		all = append(all, list...)
	}
	f.Stories++
	return t.putStory(all)
}

// nameOrigin lets revisions name the origin of their story.
func (t *tx) nameOrigin(reprints []uint64, origin uint64) error {
	for _, seq := range reprints {
		if err := t.put(bucketStories, seqKey(seq), encodeSeqs([]uint64{origin})); err != nil {
			return err
		}
	}
	return nil
}

// putStory stores the entry of an origin, the first of the list, with its reprints,
// which name it already.
func (t *tx) putStory(list []uint64) error {
	slices.Sort(list[1:])
	return t.put(bucketStories, seqKey(list[0]), encodeSeqs(list))
}

// leave takes a revision out of its story, of which the others stay together: more
// than one.
func (t *tx) leave(seq uint64, f *followed) error {
	list, err := t.storyOf(seq)
	if err != nil || list == nil {
		return err
	}
	was := list[0]
	list = slices.DeleteFunc(list, func(member uint64) bool { return member == seq })
	if err := t.delete(bucketStories, seqKey(seq)); err != nil {
		return err
	}
	f.Posts--
	if was == seq {
		origin, err := t.earliest(list)
		if err != nil {
			return err
		}
		at := slices.Index(list, origin)
		list[0], list[at] = list[at], list[0]
		if err := t.nameOrigin(list[1:], origin); err != nil {
			return err
		}
	}
	return t.putStory(list)
}

// dissolve takes the story apart that a revision is in.
func (t *tx) dissolve(seq uint64, f *followed) error {
	list, err := t.storyOf(seq)
	if err != nil || list == nil {
		return err
	}
	for _, seq := range list {
		if err := t.delete(bucketStories, seqKey(seq)); err != nil {
			return err
		}
	}
	f.Stories--
	f.Posts -= int64(len(list))
	return nil
}

// earliest returns which of some revisions was published first. Of those of one
// second it is the one with the lowest identity.
func (t *tx) earliest(list []uint64) (uint64, error) {
	first := uint64(0)
	var known *record
	for _, seq := range list {
		r, err := t.record(seq)
		if err != nil {
			return 0, err
		}
		if known == nil || before(r, known) {
			first, known = seq, r
		}
	}
	return first, nil
}

func before(a, b *record) bool {
	return cmp.Or(cmp.Compare(a.when(), b.when()), bytes.Compare(a.ID, b.ID)) < 0
}

// storyID returns what the story of a post is called, given its revisions: its
// origin's infoCode, or ID; "" where it is in no story that is known.
func (t *tx) storyID(h head) (string, error) {
	in, err := t.inStory(h)
	if err != nil || in == nil {
		return "", err
	}
	r, err := t.record(in[0])
	if err != nil {
		return "", err
	}
	p := r.post()
	return p.Name(), nil
}

// inStory returns what stands in the stories under the newest revision of a post
// that was followed: nil, or the origin first.
func (t *tx) inStory(h head) ([]uint64, error) {
	for _, rev := range slices.Backward(h) {
		if list, err := t.storyEntry(rev.seq); list != nil || err != nil {
			return list, err
		}
	}
	return nil, nil
}

// beginsStory reports whether a post is the first of its story.
func (t *tx) beginsStory(h head) (bool, error) {
	in, err := t.inStory(h)
	return in != nil && slices.ContainsFunc(h, func(rev headRevision) bool { return rev.seq == in[0] }), err
}

// Story returns the posts of the story that a post is in, without their bodies,
// the earliest first: the post alone where it is in none that is known. It fails
// with [ErrNoPost] where the archive does not hold the post.
func (a *Archive) Story(ctx context.Context, id news.ID) ([]news.Revision, error) {
	var seqs []uint64
	err := a.view(ctx, func(t *tx) error {
		h, err := t.resolve(id)
		if err != nil {
			return err
		}
		if len(h) == 0 {
			return fmt.Errorf("%s: %w", id, ErrNoPost)
		}
		in, err := t.inStory(h)
		if in == nil || err != nil {
			seqs = []uint64{h[len(h)-1].seq}
			return err
		}
		seqs, err = t.storyOf(in[0])
		return err
	})
	var posts []news.Revision
	for len(seqs) > 0 && err == nil {
		err = a.view(ctx, func(t *tx) error {
			for began := time.Now(); len(seqs) > 0 && time.Since(began) < selectTime; seqs = seqs[1:] {
				rev, err := t.newestOf(seqs[0])
				if err != nil {
					return err
				}
				posts = append(posts, rev)
			}
			return nil
		})
	}
	slices.SortStableFunc(posts, func(x, y news.Revision) int {
		return cmp.Or(x.Place().Compare(y.Place()), cmp.Compare(x.ID, y.ID))
	})
	return posts, err
}

// newestOf returns the newest revision of the post that a revision is of.
func (t *tx) newestOf(seq uint64) (news.Revision, error) {
	r, err := t.record(seq)
	if err != nil {
		return news.Revision{}, err
	}
	h, err := t.head(idOf(r.ID))
	if err != nil || len(h) == 0 {
		return news.Revision{}, cmp.Or(err, fmt.Errorf("%w: revision %d is of no post", ErrCorrupt, seq))
	}
	last := len(h) - 1
	if r, err = t.record(h[last].seq); err != nil {
		return news.Revision{}, err
	}
	return t.revision(h, last, r, false)
}

// StoriesKnown says how far stories have been found.
type StoriesKnown struct {
	Looked  bool  `json:"looked"`  // they were looked for at all
	Stories int64 `json:"stories"` // that more than one post runs
	Posts   int64 `json:"posts"`   // that are in them
	Behind  int64 `json:"behind"`  // revisions that were not gone through yet
}

// StoriesKnown returns how far stories have been found.
func (a *Archive) StoriesKnown(ctx context.Context) (StoriesKnown, error) {
	var k StoriesKnown
	err := a.view(ctx, func(t *tx) error {
		f, err := t.followed()
		if err != nil {
			return err
		}
		if f.Version != story.Version {
			f = followed{Next: min(f.Next, 1)}
		}
		last := t.Bucket(bucketRevisions).Sequence()
		k = StoriesKnown{Looked: f.Next > 0, Stories: f.Stories, Posts: f.Posts, Behind: int64(last+1) - int64(max(1, f.Next))}
		return nil
	})
	return k, err
}
