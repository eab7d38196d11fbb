package archive

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/finarc/finarc/news"
)

// values checks the values of every bucket that is neither of blocks nor of
// entries.
func (v *verifier) values(ctx context.Context) error {
	for _, step := range []struct {
		bucket []byte
		check  func(t *tx, k, plain []byte) (what string, err error)
	}{
		{bucketMeta, v.metaValue},
		{bucketDicts, v.dictionary},
		{bucketTerms, v.term},
		{bucketPosts, nil},
		{bucketAliases, v.alias},
		{bucketFrontier, v.unheld(bucketFrontier)},
		{bucketLeads, v.unheld(bucketLeads)},
		{bucketFailed, v.unheld(bucketFailed)},
		{bucketUnread, v.unread},
		{bucketLists, v.list},
		{bucketRuns, v.run},
		{bucketHosts, v.host},
		{bucketRevisits, v.revisit},
		{bucketBroken, v.aside},
	} {
		err := v.a.scan(ctx, step.bucket, nil, func(t *tx, k, stored []byte) bool {
			v.report.Values++
			v.value(t, step.bucket, k, stored, step.check)
			return true
		})
		if err := v.damage(err); err != nil {
			return err
		}
	}
	return v.sequences(ctx)
}

// value checks one value.
func (v *verifier) value(t *tx, bucket, k, stored []byte, check func(t *tx, k, plain []byte) (string, error)) {
	where := fmt.Sprintf("%s %x", bucket, k)
	plain := stored
	if sealed(bucket) && !(bytes.Equal(bucket, bucketMeta) && bytes.Equal(k, keyVersion)) {
		var err error
		if plain, err = unseal(bucket, k, stored); err != nil {
			v.report.find(FoundValue, where, "it does not match its checksum")
			return
		}
	}
	if check == nil {
		return
	}
	if what, err := check(t, k, plain); err != nil {
		v.report.find(what, where, err)
	}
}

func (v *verifier) metaValue(t *tx, k, plain []byte) (string, error) {
	if bytes.Equal(k, keyVersion) {
		return FoundValue, t.checkVersion(uint40(plain))
	}
	id, ok := bytes.CutPrefix(k, dictCopyPrefix)
	if !ok || len(id) != 4 {
		return FoundValue, t.checkExported(k, plain) // what is needed of the others was looked at
	}
	copied, err := t.a.codec.unpack(plain, t.dict)
	if err != nil {
		return FoundDictionary, err
	}
	d, err := t.dict(binary.BigEndian.Uint32(id))
	if err == nil && !bytes.Equal(d, copied) {
		err = fmt.Errorf("%w: the copy is not as the dictionary", ErrCorrupt)
	}
	return FoundDictionary, err
}

// checkVersion checks that a version, which has no checksum, is not before the
// buckets that there are.
func (t *tx) checkVersion(version uint64) error {
	for _, bucket := range buckets() {
		if t.hasBucket(bucket) && version < since(bucket) {
			return fmt.Errorf("%w: format %d has no bucket %s", ErrCorrupt, version, bucket)
		}
	}
	return nil
}

// dictMagic begins a dictionary (RFC 8878, 5), before its number.
const dictMagic = 0xEC30A437

func (v *verifier) dictionary(t *tx, k, plain []byte) (string, error) {
	err := t.a.codec.tryDict(k, plain)
	if err == nil && !t.has(bucketMeta, slices.Concat(dictCopyPrefix, k)) {
		err = fmt.Errorf("%w: its copy is missing", ErrCorrupt)
	}
	return FoundDictionary, err
}

// tryDict checks that a dictionary can be used, and is the one that its key
// names.
func (c *codec) tryDict(k, d []byte) error {
	if len(k) != 4 || len(d) < 8 || little.Uint32(d) != dictMagic || little.Uint32(d[4:]) != binary.BigEndian.Uint32(k) {
		return fmt.Errorf("%w: it is no dictionary of this number", ErrCorrupt)
	}
	_, err := c.unpacker(binary.BigEndian.Uint32(k), func(uint32) ([]byte, error) { return bytes.Clone(d), nil })
	return err
}

// term notes a term's number, or the page that has a number.
func (v *verifier) term(_ *tx, k, plain []byte) (string, error) {
	if len(k) == 1+seqSize && k[0] == 0 {
		v.sources[uint40(k[1:])] = string(plain)
		return "", nil
	}
	n, size := binary.Uvarint(plain)
	if size <= 0 || size != len(plain) || n == 0 {
		return FoundTerm, fmt.Errorf("%w: %.40q has no number", ErrCorrupt, k)
	}
	v.terms[string(k)] = n
	return "", nil
}

func (v *verifier) alias(t *tx, k, plain []byte) (string, error) {
	if !t.has(bucketPosts, plain) {
		return FoundAlias, fmt.Errorf("%w: it leads to post %s, which is not there", ErrCorrupt, printID(plain))
	}
	return "", nil
}

// unheld checks a wanted post. The archive must not hold it: what holds a post
// takes it out of these buckets, in the same transaction. Only one whose page
// was lost is wanted again.
func (v *verifier) unheld(bucket []byte) func(t *tx, k, plain []byte) (string, error) {
	return func(t *tx, k, plain []byte) (string, error) {
		if _, err := t.decodeWanted(k, plain); err != nil {
			return FoundWanted, err
		}
		if t.held(k) && !t.pageLost(k) {
			return FoundWanted, fmt.Errorf("%w: %s holds post %s, which is archived", ErrCorrupt, bucket, printID(k))
		}
		return "", nil
	}
}

func (v *verifier) unread(t *tx, k, plain []byte) (string, error) {
	return FoundCapture, t.checkUnread(k, plain)
}

// checkUnread checks a capture that is kept apart.
func (t *tx) checkUnread(k, frame []byte) error {
	plain, err := t.unpack(frame)
	if err != nil {
		return err
	}
	return t.a.codec.checkUnread(k, plain)
}

// checkUnread checks the plain form of a capture that is kept apart under a key.
func (c *codec) checkUnread(k, plain []byte) error {
	e, _, err := c.decodeCapture(plain)
	if err == nil && !bytes.Equal(e.ID, k) {
		err = fmt.Errorf("%w: it is of post %s", ErrCorrupt, printID(e.ID))
	}
	return err
}

func (v *verifier) list(t *tx, _, plain []byte) (string, error) {
	return FoundValue, t.a.codec.decode(plain, new(listPage))
}

func (v *verifier) host(t *tx, k, frame []byte) (string, error) {
	return FoundValue, t.checkHost(k, frame)
}

func (v *verifier) revisit(t *tx, k, frame []byte) (string, error) {
	return FoundValue, t.checkRevisit(k, frame)
}

func (v *verifier) run(t *tx, k, plain []byte) (string, error) {
	run, err := decodeRun(k, plain)
	if last := t.Bucket(bucketRuns).Sequence(); err == nil && run.ID > last {
		err = fmt.Errorf("%w: it is run %d of %d", ErrCorrupt, run.ID, last)
	}
	return FoundValue, err
}

// decodeRun reads the report of a run.
func decodeRun(k, plain []byte) (news.Run, error) {
	var run news.Run
	if err := json.Unmarshal(plain, &run); err != nil {
		return run, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	if len(k) != seqSize || run.ID != uint40(k) {
		return run, fmt.Errorf("%w: it is the report of run %d", ErrCorrupt, run.ID)
	}
	return run, nil
}

func (v *verifier) aside(*tx, []byte, []byte) (string, error) {
	v.report.SetAside++
	return "", nil
}

// sequences checks the numbers of terms and runs: each has its own, and the last
// is the sequence's. Terms that came while they were gone through are no matter:
// what seems wrong is looked at again.
func (v *verifier) sequences(ctx context.Context) error {
	return v.a.view(ctx, func(t *tx) error {
		last := t.Bucket(bucketTerms).Sequence()
		numbers := v.ownNumbers(t)
		for n, text := range numbers {
			if n > last {
				v.report.find(FoundTerm, fmt.Sprintf("%.40q", text), fmt.Sprintf("its number %d is beyond the sequence, %d", n, last))
			}
		}
		for n, address := range v.sources {
			if text := sourceTerm(address); v.terms[text] != n && t.number(text) != n {
				v.report.find(FoundTerm, fmt.Sprintf("page %d", n), fmt.Sprintf("%.80s has another number", address))
			}
		}
		if _, ok := numbers[v.termSeq]; v.termSeq > 0 && !ok {
			v.report.find(FoundCounter, "sequence of terms", fmt.Sprintf("it is %d, which no term has", v.termSeq))
		}
		runs := t.Bucket(bucketRuns).Sequence()
		if k, _ := t.Bucket(bucketRuns).Cursor().Last(); runs > 0 && (len(k) != seqSize || uint40(k) != runs) {
			v.report.find(FoundCounter, "sequence of runs", fmt.Sprintf("it is %d, and the last run is %x", runs, k))
		}
		return nil
	})
}

// ownNumbers checks that no two terms have one number, and that a page's is the
// page's, and returns which term each number is of.
func (v *verifier) ownNumbers(t *tx) map[uint64]string {
	numbers := make(map[uint64]string, len(v.terms))
	for text, n := range v.terms {
		if other, taken := numbers[n]; taken {
			v.report.find(FoundTerm, fmt.Sprintf("%.40q", text), fmt.Sprintf("%.40q has the same number, %d", other, n))
		}
		numbers[n] = text
		if text[0] != byte(termSource) || v.sources[n] == text[1:] {
			continue
		}
		if page, err := t.get(bucketTerms, sourceKey(n)); err != nil || string(page) != text[1:] {
			v.report.find(FoundTerm, fmt.Sprintf("%.40q", text), fmt.Sprintf("its number %d is not that of the page", n))
		}
	}
	return numbers
}
