package archive

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/finarc/finarc/news"
)

// finder is told of everything in the file that looks like a key and its value:
// of which bucket it is ("": not known), and whether the file leads to it.
type finder func(bucket string, e element, live bool)

// find looks through the file: first for dictionaries, without which nothing
// else can be read.
func (s *salvage) find(ctx context.Context) error {
	_, err := s.each(ctx, func(string, uint64) {}, s.findDict)
	if err != nil {
		return err
	}
	// A dictionary that is damaged may have been used before its copy was found.
	if s.codec, err = newCodec(); err != nil {
		return err
	}
	fault := func(why string, page uint64) {
		s.report.Damaged++
		if len(s.report.Findings) < maxFindings {
			s.report.Findings = append(s.report.Findings, Finding{FoundPage, fmt.Sprintf("page %d", page), why})
		}
	}
	whole, err := s.each(ctx, fault, s.findValue)
	s.report.Complete = whole[string(bucketCaptures)] && whole[string(bucketRevisions)]
	return err
}

// each calls fn with every element: those that the file's pages lead to, as far
// as they can be followed, and then those of all other leaves that are anywhere
// in it. Of a bucket that is whole nothing else is looked for. It returns which
// are.
func (s *salvage) each(ctx context.Context, fault func(why string, page uint64), fn finder) (whole map[string]bool, err error) {
	p := newPager(s.file, s.size, func(page uint64, why string) { fault(why, page) })
	whole = make(map[string]bool)
	rootWhole := p.buckets(func(e element) {
		name := string(e.key)
		if ctx.Err() != nil || whole[name] {
			return
		}
		_, whole[name] = p.bucketElements(e, func(e element) { fn(name, e, true) })
	})
	if !rootWhole {
		clear(whole)
	}
	for id := uint64(2); int64(id)*p.pageSize < s.size; id++ { // the last one may be cut off
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if id < p.high && p.told.has(id) {
			continue
		}
		p.leaf(int64(id)*p.pageSize, func(e element) { s.stray(p, e, whole, fn) })
	}
	return whole, ctx.Err()
}

// stray tells of an element of a page that nothing leads to.
func (s *salvage) stray(p *pager, e element, whole map[string]bool, fn finder) {
	if e.flags&flagBucket == 0 {
		if bucket := s.guess(e); bucket != "" && (!whole[bucket] || lasting(bucket)) {
			fn(bucket, e, false)
		}
		return
	}
	b, err := p.read(e.at, e.size)
	if err != nil || len(b) <= bucketSize+pageHeader || little.Uint64(b) != 0 {
		return
	}
	p.lenient(b[bucketSize:], e.at+bucketSize, e.at+int64(e.size), func(inner element) {
		if inner.flags == 0 && !whole[string(e.key)] {
			fn(string(e.key), inner, false)
		}
	})
}

// lasting reports whether what a bucket has held once holds still, so that a
// page that it has left behind can stand in for one that is damaged.
func lasting(bucket string) bool {
	switch bucket {
	case string(bucketDicts), string(bucketCaptures), string(bucketRevisions):
		return true
	}
	return false
}

// leaf calls fn with the elements of a leaf, if there is one at a place of the
// file.
func (p *pager) leaf(at int64, fn func(element)) {
	head, err := p.read(at, int(min(p.pageSize, p.size-at)))
	if err != nil || len(head) < pageHeader || little.Uint16(head[8:]) != flagLeaf || int64(little.Uint64(head)) != at/p.pageSize {
		return
	}
	p.lenient(head, at, p.size, fn)
}

// lenient calls fn with those elements of a leaf that lie within bounds,
// whatever the others are like.
func (p *pager) lenient(head []byte, at, limit int64, fn func(element)) {
	count := int(little.Uint16(head[10:]))
	for i := range min(count, (len(head)-pageHeader)/elementSize) {
		e := head[pageHeader+i*elementSize:]
		from := at + int64(pageHeader+i*elementSize) + int64(little.Uint32(e[4:]))
		ksize, vsize := int64(little.Uint32(e[8:])), int64(little.Uint32(e[12:]))
		if ksize == 0 || ksize > longestKey || from+ksize+vsize > limit {
			continue
		}
		key, err := p.read(from, int(ksize))
		if err != nil {
			continue
		}
		fn(element{flags: little.Uint32(e), key: key, at: from + ksize, size: int(vsize)})
	}
}

// longestKey is the longest key that bbolt takes.
const longestKey = 32 << 10

// stored reads the value of an element, if it is not larger than any can be.
func (s *salvage) stored(e element) ([]byte, error) {
	if e.size > maxBlob {
		return nil, fmt.Errorf("%w: value of %d bytes", ErrCorrupt, e.size)
	}
	b := make([]byte, e.size)
	_, err := s.file.ReadAt(b, e.at)
	return b, err
}

// findDict takes dictionaries, and their copies.
func (s *salvage) findDict(_ string, e element, _ bool) {
	copied := bytes.HasPrefix(e.key, dictCopyPrefix) && len(e.key) == len(dictCopyKey(0))
	if len(e.key) != 4 && !copied {
		return
	}
	stored, err := s.stored(e)
	if err != nil {
		return
	}
	key := e.key[len(e.key)-4:]
	id := binary.BigEndian.Uint32(key)
	d, err := unseal(bucketDicts, e.key, stored)
	if copied && err == nil {
		d, err = s.codec.unpack(d, s.dict)
	}
	if copied && err != nil {
		return
	}
	doubted := err != nil
	if doubted {
		d = stored[:max(0, len(stored)-sealSize)]
	}
	c, err := newCodec()
	if err != nil || c.tryDict(key, d) != nil {
		return
	}
	if doubted {
		s.doubted[id] = d
	} else {
		s.dicts[id] = d
	}
}

// frameMagic begins a frame (RFC 8878, 3.1.1).
const frameMagic = 0xFD2FB528

// guess tells of which bucket an element may be. The frontier stands for the
// leads and the failures too: nothing in an entry tells which it was.
func (s *salvage) guess(e element) string {
	if isDictKey(e.key) {
		return string(bucketDicts)
	}
	stored, err := s.stored(e)
	if err != nil {
		return ""
	}
	if len(stored) > 4 && little.Uint32(stored) == frameMagic {
		return s.guessFrame(e.key, stored)
	}
	plain, err := unseal(bucketMeta, e.key, stored)
	if err != nil || len(plain) == 0 {
		return ""
	}
	switch key := string(e.key); {
	case key == string(keyCounters):
		return string(bucketMeta)
	case len(key) == 1+seqSize && key[0] == 0:
		return string(bucketTerms)
	case strings.HasPrefix(key, "http"):
		return string(bucketLists)
	case len(key) == seqSize && plain[0] == '{':
		return string(bucketRuns)
	case strings.IndexByte(key, 0) > 0 && isBucket(key[:strings.IndexByte(key, 0)]):
		return string(bucketBroken)
	case isID(e.key):
		return s.guessID(plain)
	}
	return ""
}

func isDictKey(key []byte) bool {
	return len(key) == 4 || len(key) == len(dictCopyKey(0)) && bytes.HasPrefix(key, dictCopyPrefix)
}

func isBucket(name string) bool {
	for _, b := range buckets() {
		if string(b) == name {
			return true
		}
	}
	return false
}

// isID reports whether a key is a valid identity's.
func isID(key []byte) bool {
	if len(key) != 8 && len(key) != 12 {
		return false
	}
	id := idOf(key)
	parsed, err := news.ParseID(string(id))
	return err == nil && parsed == id && bytes.Equal(idKey(id), key)
}

func (s *salvage) guessFrame(key, frame []byte) string {
	switch {
	case bytes.HasPrefix(key, []byte("http")):
		return string(bucketHosts)
	case isID(key):
		return string(bucketUnread)
	case len(key) != seqSize:
		return ""
	}
	values, err := s.unpackBlock(frame)
	if err != nil {
		if _, err := s.unpackRevisit(frame); err == nil {
			return string(bucketRevisits)
		}
		return ""
	}
	for _, plain := range values {
		if len(plain) == 0 {
			continue
		}
		if s.record(plain) != nil {
			return string(bucketRevisions)
		}
		return string(bucketCaptures)
	}
	return ""
}

func (s *salvage) guessID(plain []byte) string {
	const cborMap = 5
	switch {
	case plain[0]>>5 == cborMap && s.codec.decode(plain, new(wanted)) == nil:
		return string(bucketFrontier)
	case isID(plain):
		return string(bucketAliases)
	}
	return string(bucketPosts)
}

// findValue notes where a value is.
func (s *salvage) findValue(bucket string, e element, live bool) {
	stored, err := s.stored(e)
	if err != nil {
		return
	}
	plain := stored
	if sealed([]byte(bucket)) {
		if plain, err = unseal([]byte(bucket), e.key, stored); err != nil {
			return
		}
	}
	at := located{e.at, e.size, live}
	switch bucket {
	case string(bucketCaptures), string(bucketRevisions):
		s.findBlock(bucket, e.key, stored, at)
	case string(bucketRevisits):
		s.findRevisit(e.key, stored, at)
	case string(bucketMeta):
		s.findCounters(e.key, plain)
	case string(bucketPosts):
		s.findHead(plain)
	case string(bucketTerms):
		if len(e.key) == 1+seqSize && e.key[0] == 0 {
			s.sources[uint40(e.key[1:])] = string(plain)
		}
	case string(bucketAliases), string(bucketFrontier), string(bucketLeads), string(bucketFailed),
		string(bucketUnread), string(bucketLists), string(bucketRuns), string(bucketBroken), string(bucketHosts):
		s.findOther(bucket, e.key, at)
	}
}

func (s *salvage) findBlock(bucket string, key, stored []byte, at located) {
	values, err := s.unpackBlock(stored)
	if err != nil || len(key) != seqSize || !slices.ContainsFunc(values, func(v []byte) bool { return len(v) > 0 }) {
		return
	}
	s.blocks[bucket] = append(s.blocks[bucket], salvaged{at, uint40(key), len(values)})
}

// findCounters notes how many revisions there were at least: of blocks that are
// lost at the end no gap tells.
func (s *salvage) findCounters(key, plain []byte) {
	var n counters
	if bytes.Equal(key, keyCounters) && s.codec.decode(plain, &n) == nil && n.Revisions > 0 {
		s.last = max(s.last, uint64(n.Revisions))
	}
}

func (s *salvage) findHead(plain []byte) {
	h, err := decodeHead(plain)
	if err != nil {
		return
	}
	for _, r := range h {
		s.last = max(s.last, r.seq)
		if r.lasted > s.lasted[r.seq] {
			s.lasted[r.seq] = r.lasted
		}
	}
}

func (s *salvage) findOther(bucket string, key []byte, at located) {
	name := bucket + "\x00" + string(key)
	if old, ok := s.others[name]; ok && old.live {
		return
	}
	s.others[name] = at
}

// other returns the key and value that were found under a name.
func (s *salvage) other(name string) (bucket, key, plain []byte, err error) {
	b, k, _ := strings.Cut(name, "\x00")
	bucket, key = []byte(b), []byte(k)
	at := s.others[name]
	plain, err = s.stored(element{at: at.at, size: at.size})
	if err == nil && sealed(bucket) {
		plain, err = unseal(bucket, key, plain)
	}
	if err != nil {
		return bucket, key, nil, err
	}
	if bytes.Equal(bucket, bucketRuns) {
		_, err = decodeRun(key, plain)
	}
	if bytes.Equal(bucket, bucketLists) {
		err = s.codec.decode(plain, new(listPage))
	}
	return bucket, key, plain, err
}

// repacked returns a capture that is kept apart, packed anew.
func (s *salvage) repacked(t *tx, key, frame []byte) ([]byte, error) {
	plain, err := s.codec.unpack(frame, s.dict)
	if err != nil {
		return nil, err
	}
	if err := s.codec.checkUnread(key, plain); err != nil {
		return nil, err
	}
	with, err := t.packer()
	if err != nil {
		return nil, err
	}
	return pack(with, plain), nil
}
