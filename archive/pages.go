package archive

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"slices"
)

// A reader of bbolt's pages that trusts nothing: bbolt itself, which maps the
// file into memory, answers what makes no sense with a panic, or goes round in
// circles until its stack is full. The layout is that of bbolt 1.3 to 1.5, in
// little endian, which every system that finarc is built for has:
//
//	page     id u64, flags u16, count u16, overflow u32; then count elements
//	leaf     flags u32, pos u32, ksize u32, vsize u32
//	branch   pos u32, ksize u32, page u64
//	bucket   root u64, sequence u64; with root 0 a leaf page of its own follows
//	meta     magic u32, version u32, page size u32, flags u32, root bucket,
//	         freelist u64, high water u64, transaction u64, FNV-1a u64
//	freelist count ids u64; with count 0xffff the first one is the count
//
// pos counts from the element, and keys and values follow each other without a
// gap from the last element on.
const (
	pageHeader  = 16
	elementSize = 16
	bucketSize  = 16
	metaSize    = 64

	flagBranch   = 0x01
	flagLeaf     = 0x02
	flagMeta     = 0x04
	flagFreelist = 0x10
	flagBucket   = 0x01 // of a leaf's element

	boltMagic   = 0xED0CDAED
	boltVersion = 2

	maxDepth = 64 // of a tree of pages: far more than the largest file has
)

var little = binary.LittleEndian

// meta is one of the two pages that tell where everything else is. A
// transaction writes the one that is older.
type meta struct {
	pageSize int64
	root     uint64
	freelist uint64
	high     uint64 // the number of pages that are used, or were
	txid     uint64
}

// parseMeta reads meta page id. It returns one that can be used, with an error,
// where the page's header alone is damaged.
func parseMeta(id uint64, b []byte) (meta, error) {
	if len(b) < pageHeader+metaSize {
		return meta{}, fmt.Errorf("it ends after %d bytes", len(b))
	}
	m := b[pageHeader:]
	sum := fnv.New64a()
	sum.Write(m[:metaSize-8])
	switch {
	case little.Uint32(m) != boltMagic, little.Uint32(m[4:]) != boltVersion:
		return meta{}, fmt.Errorf("it is none of bbolt's")
	case little.Uint64(m[metaSize-8:]) != sum.Sum64():
		return meta{}, fmt.Errorf("it does not match its checksum")
	}
	var err error // bbolt does not look at the header
	if little.Uint64(b) != id || little.Uint16(b[8:]) != flagMeta || little.Uint16(b[10:]) != 0 || little.Uint32(b[12:]) != 0 {
		err = fmt.Errorf("its header is damaged")
	}
	return meta{
		pageSize: int64(little.Uint32(m[8:])), root: little.Uint64(m[16:]), freelist: little.Uint64(m[32:]),
		high: little.Uint64(m[40:]), txid: little.Uint64(m[48:]),
	}, err
}

// pager reads the pages of a file.
type pager struct {
	file io.ReaderAt
	size int64 // of the file, in bytes
	meta
	// fault is told of everything that is wrong with a page.
	fault func(page uint64, why string)
	used  bits // pages that something leads to
	told  bits // leaves of which the elements were told
}

// bits is a set of numbers of pages.
type bits []uint64

func (b bits) has(i uint64) bool { return b[i/64]&(1<<(i%64)) != 0 }
func (b bits) add(i uint64)      { b[i/64] |= 1 << (i % 64) }

// newPager reads the meta pages and goes by the newer of those that are whole.
// Where none is, its size of pages is finarc's own, and it has no root.
func newPager(file io.ReaderAt, size int64, fault func(page uint64, why string)) *pager {
	p := &pager{file: file, size: size, fault: fault, meta: meta{pageSize: pageSize}}
	for id := range uint64(2) {
		b, err := p.read(int64(id)*p.pageSize, pageHeader+metaSize)
		if err == nil {
			var m meta
			m, err = parseMeta(id, b)
			switch {
			case m.root == 0:
			case m.pageSize != pageSize:
				err = fmt.Errorf("pages of %d bytes, where finarc writes %d", m.pageSize, int64(pageSize))
			case p.root == 0 || m.txid > p.txid:
				p.meta = m
			}
		}
		if err != nil {
			fault(id, fmt.Sprintf("meta page: %v", err))
		}
	}
	if most := uint64(size / p.pageSize); p.high > most {
		fault(most, fmt.Sprintf("the file ends before page %d of %d", most, p.high))
		p.high = most
	}
	p.used, p.told = make(bits, p.high/64+1), make(bits, p.high/64+1)
	return p
}

// read returns bytes of the file, in memory of their own.
func (p *pager) read(at int64, n int) ([]byte, error) {
	if n < 0 || at < 0 || at > p.size-int64(n) {
		return nil, fmt.Errorf("%d bytes at %d are beyond the file's end", n, at)
	}
	b := make([]byte, n)
	if _, err := p.file.ReadAt(b, at); err != nil {
		return nil, fmt.Errorf("read %d bytes at %d: %w", n, at, err)
	}
	return b, nil
}

// claim marks a page and those that it flows over into as used. It reports
// whether they are within the file and were not used before.
func (p *pager) claim(id, overflow uint64) error {
	if id < 2 || overflow >= p.high || id >= p.high-overflow {
		return fmt.Errorf("pages %d+%d are not within the file's %d", id, overflow, p.high)
	}
	for i := id; i <= id+overflow; i++ {
		if p.used.has(i) {
			return fmt.Errorf("page %d is used twice", i)
		}
	}
	for i := id; i <= id+overflow; i++ {
		p.used.add(i)
	}
	return nil
}

// element is a key of a leaf, and where its value stands in the file.
type element struct {
	flags uint32
	key   []byte
	at    int64 // of the value
	size  int
	page  uint64 // that the element stands on; its value may stand on those that follow
}

// rawPage is a page of which the elements have been checked.
type rawPage struct {
	id       uint64
	leaf     bool
	elements []element // of a branch: key and, in at, the page below
}

// page reads a page of a tree, which must be whole.
func (p *pager) page(id uint64) (*rawPage, error) {
	if id >= p.high {
		return nil, fmt.Errorf("there is no page %d of %d", id, p.high)
	}
	at := int64(id) * p.pageSize
	head, err := p.read(at, int(p.pageSize))
	if err != nil {
		return nil, err
	}
	overflow := uint64(little.Uint32(head[12:]))
	if got := little.Uint64(head); got != id {
		return nil, fmt.Errorf("it calls itself page %d", got)
	}
	if err := p.claim(id, overflow); err != nil {
		return nil, err
	}
	leaf, elements, end, err := p.elements(head, at, at+int64(overflow+1)*p.pageSize)
	if err != nil {
		return nil, err
	}
	if want := uint64(max(0, end-at-1) / p.pageSize); want != overflow {
		return nil, fmt.Errorf("it takes %d pages, and says %d", want+1, overflow+1)
	}
	return &rawPage{id, leaf, elements}, nil
}

// elements reads the elements of a page whose first bytes are head, which
// stands at a place of the file and may go on to another. It returns where the
// last of them ends.
func (p *pager) elements(head []byte, at, limit int64) (leaf bool, list []element, end int64, err error) {
	flags, count := little.Uint16(head[8:]), int(little.Uint16(head[10:]))
	if flags != flagLeaf && flags != flagBranch {
		return false, nil, 0, fmt.Errorf("its kind is %#x", flags)
	}
	leaf = flags == flagLeaf
	table := pageHeader + count*elementSize
	if int64(table) > limit-at {
		return leaf, nil, 0, fmt.Errorf("%d elements have no room", count)
	}
	if table > len(head) {
		if head, err = p.read(at, table); err != nil {
			return leaf, nil, 0, err
		}
	}
	end = at + int64(table)
	list = make([]element, count)
	for i := range list {
		list[i].page = uint64(at / p.pageSize)
		e := head[pageHeader+i*elementSize:]
		pos, ksize, vsize := little.Uint32(e), little.Uint32(e[4:]), uint32(0)
		if leaf {
			list[i].flags, pos, ksize, vsize = little.Uint32(e), little.Uint32(e[4:]), little.Uint32(e[8:]), little.Uint32(e[12:])
		} else {
			list[i].at = int64(little.Uint64(e[8:]))
		}
		from := at + int64(pageHeader+i*elementSize) + int64(pos)
		to := from + int64(ksize) + int64(vsize)
		if from != end || to > limit || ksize == 0 {
			return leaf, nil, 0, fmt.Errorf("element %d of %d does not stand where it should", i, count)
		}
		if list[i].key, err = p.slice(head, at, from, int(ksize)); err != nil {
			return leaf, nil, 0, err
		}
		if leaf {
			list[i].at, list[i].size = from+int64(ksize), int(vsize)
		}
		end = to
	}
	return leaf, list, end, nil
}

// slice returns bytes of the file, out of those at hand if they are there.
func (p *pager) slice(hand []byte, at, from int64, n int) ([]byte, error) {
	if i := from - at; i+int64(n) <= int64(len(hand)) {
		return hand[i : i+int64(n) : i+int64(n)], nil
	}
	return p.read(from, n)
}

// walk calls fn with every element of the tree below a page, in order, and
// tells of every page that is not as it should be. It reports whether all were.
func (p *pager) walk(id uint64, fn func(element)) bool {
	return p.descend(id, nil, nil, 0, fn)
}

// descend walks through the pages below one, whose keys must not be before low
// and must be before high (nil: no bound).
func (p *pager) descend(id uint64, low, high []byte, depth int, fn func(element)) bool {
	pg, err := p.page(id)
	if err == nil && depth > maxDepth {
		err = fmt.Errorf("it lies %d pages deep", depth)
	}
	if err == nil {
		err = pg.ordered(low, high, depth)
	}
	if err != nil {
		p.fault(id, err.Error())
		return false
	}
	if pg.leaf {
		p.told.add(id)
	}
	whole := true
	for i, e := range pg.elements {
		if pg.leaf {
			fn(e)
			continue
		}
		next := high
		if i+1 < len(pg.elements) {
			next = pg.elements[i+1].key
		}
		whole = p.descend(uint64(e.at), e.key, next, depth+1, fn) && whole
	}
	return whole
}

// ordered checks that the keys of a page rise, within bounds.
func (pg *rawPage) ordered(low, high []byte, depth int) error {
	if len(pg.elements) == 0 && (!pg.leaf || depth > 0) {
		return fmt.Errorf("it is empty")
	}
	last := low
	for i, e := range pg.elements {
		if order := bytes.Compare(last, e.key); order > 0 || order == 0 && i > 0 || high != nil && bytes.Compare(e.key, high) >= 0 {
			return fmt.Errorf("key %d of %d is out of order", i, len(pg.elements))
		}
		last = e.key
		if e.flags&^flagBucket != 0 {
			return fmt.Errorf("element %d of %d is of kind %#x", i, len(pg.elements), e.flags)
		}
	}
	return nil
}

// bucketElements calls fn with every element of the bucket that an element of
// the root holds, in order. It reports whether all of its pages are whole.
func (p *pager) bucketElements(e element, fn func(element)) (sequence uint64, whole bool) {
	page := e.page
	if e.flags != flagBucket {
		p.fault(page, fmt.Sprintf("%.40q is no bucket", e.key))
		return 0, false
	}
	b, err := p.read(e.at, e.size)
	if err != nil || len(b) < bucketSize {
		p.fault(page, fmt.Sprintf("bucket %.40q has no root", e.key))
		return 0, false
	}
	root, sequence := little.Uint64(b), little.Uint64(b[8:])
	inside := func(at element) {
		if at.flags != 0 {
			whole = false
			p.fault(page, fmt.Sprintf("bucket %.40q holds another bucket", e.key))
			return
		}
		fn(at)
	}
	whole = true
	if root != 0 {
		if e.size != bucketSize {
			p.fault(page, fmt.Sprintf("bucket %.40q has %d bytes too many", e.key, e.size-bucketSize))
			return sequence, false
		}
		whole = p.walk(root, inside) && whole
		return sequence, whole
	}
	if err := p.inline(b, e.at, inside); err != nil {
		p.fault(page, fmt.Sprintf("bucket %.40q: %v", e.key, err))
		return sequence, false
	}
	return sequence, whole
}

// inline reads the page that a small bucket holds itself.
func (p *pager) inline(b []byte, at int64, fn func(element)) error {
	head := b[bucketSize:]
	if len(head) < pageHeader {
		return fmt.Errorf("its page ends after %d bytes", len(head))
	}
	if little.Uint64(head) != 0 || little.Uint32(head[12:]) != 0 || little.Uint16(head[8:]) != flagLeaf {
		return fmt.Errorf("its page's header is damaged")
	}
	limit := at + int64(len(b))
	_, list, end, err := p.elements(head, at+bucketSize, limit)
	if err != nil {
		return err
	}
	if end != limit {
		return fmt.Errorf("its page has %d bytes too many", limit-end)
	}
	if err := (&rawPage{leaf: true, elements: list}).ordered(nil, nil, 0); err != nil {
		return err
	}
	for _, e := range list {
		fn(e)
	}
	return nil
}

// buckets calls fn with the element of every bucket of the file.
func (p *pager) buckets(fn func(element)) bool {
	if p.root == 0 {
		return false
	}
	return p.walk(p.root, fn)
}

// check goes through all pages: each must be used once or be free, and keys be
// in order. It returns how many pages are used.
func (p *pager) check() int {
	known := make(map[string]bool)
	whole := p.buckets(func(e element) {
		known[string(e.key)] = true
		if !slices.ContainsFunc(buckets(), func(name []byte) bool { return bytes.Equal(name, e.key) }) {
			p.fault(p.root, fmt.Sprintf("there is no bucket %.40q in an archive", e.key)) // be it one under another name
		}
		sequence, _ := p.bucketElements(e, func(element) {})
		if sequence != 0 && !numbered(e.key) {
			p.fault(e.page, fmt.Sprintf("bucket %.40q has a sequence", e.key))
		}
	})
	for _, name := range buckets() {
		if whole && !known[string(name)] && !added(name) { // or else there is no telling
			p.fault(p.root, fmt.Sprintf("bucket %s is missing", name))
		}
	}
	return p.checkFree()
}

// numbered reports whether a bucket counts something in bbolt's sequence.
func numbered(bucket []byte) bool {
	switch string(bucket) {
	case string(bucketRevisions), string(bucketTerms), string(bucketRuns):
		return true
	}
	return false
}

// checkFree goes through the list of free pages, and then through the pages:
// those that are in use were marked before.
func (p *pager) checkFree() (used int) {
	ids, err := p.freelistIDs()
	if err != nil {
		p.fault(p.freelist, fmt.Sprintf("list of free pages: %v", err))
		return 0
	}
	for i := range p.high {
		if i < 2 || p.used.has(i) {
			used++
		}
	}
	last := uint64(0)
	for _, id := range ids {
		if err := p.claim(id, 0); err != nil {
			p.fault(id, fmt.Sprintf("free: %v", err))
		}
		if id <= last {
			p.fault(p.freelist, "list of free pages is out of order")
		}
		last = id
	}
	for i := uint64(2); i < p.high; i++ {
		if !p.used.has(i) {
			p.fault(i, "it is neither used nor free")
		}
	}
	return used
}

// freelistIDs reads the list of free pages.
func (p *pager) freelistIDs() ([]uint64, error) {
	at := int64(p.freelist) * p.pageSize
	if p.freelist >= p.high {
		return nil, fmt.Errorf("there is no page %d of %d", p.freelist, p.high)
	}
	head, err := p.read(at, pageHeader+8)
	if err != nil {
		return nil, err
	}
	overflow := uint64(little.Uint32(head[12:]))
	if little.Uint64(head) != p.freelist || little.Uint16(head[8:]) != flagFreelist {
		return nil, fmt.Errorf("its header is damaged")
	}
	if err := p.claim(p.freelist, overflow); err != nil {
		return nil, err
	}
	from, count := at+pageHeader, uint64(little.Uint16(head[10:]))
	if count == 0xffff {
		from, count = from+8, little.Uint64(head[pageHeader:])
	}
	if count > p.high || from+int64(count)*8 > at+int64(overflow+1)*p.pageSize {
		return nil, fmt.Errorf("%d pages have no room in it", count)
	}
	b, err := p.read(from, int(count)*8)
	if err != nil {
		return nil, err
	}
	ids := make([]uint64, count)
	for i := range ids {
		ids[i] = little.Uint64(b[i*8:])
	}
	return ids, nil
}

// looksLikeArchive reports whether there is a page of bbolt's in a file whose
// beginning is none, or damaged.
func looksLikeArchive(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return false
	}
	p := newPager(f, info.Size(), func(uint64, string) {})
	for id := int64(0); id < info.Size()/p.pageSize; id++ {
		head, err := p.read(id*p.pageSize, pageHeader)
		if err == nil && little.Uint64(head) == uint64(id) && id > 1 && little.Uint16(head[8:]) == flagLeaf && little.Uint16(head[10:]) > 0 {
			return true
		}
	}
	return false
}
