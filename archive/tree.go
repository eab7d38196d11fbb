package archive

import (
	"bytes"
	"fmt"
	"sort"
	"unsafe"

	bolt "go.etcd.io/bbolt"
)

// What a transaction that reads sees of the file is read here and not by bbolt,
// which follows pages that lead in a circle until its stack is full, so that all
// branches had to be looked at before it may follow any: the more, the larger the
// archive. Here a page is looked at when it is come to, and no way down is longer
// than maxDepth. The layout is told in pages.go.
//
// Nothing is copied: keys and values are those of bbolt's map of the file, valid
// until the transaction ends. What makes no sense is a panic, of the type damage
// or of Go's own bounds, as it is where bbolt reads; see Archive.recoverDamage.

// damage is the panic about a page that makes no sense.
type damage string

func senseless(format string, args ...any) damage { return damage(fmt.Sprintf(format, args...)) }

// bucket is a bucket in a transaction: bbolt's in one that writes, a tree of our
// own reading in one that reads.
type bucket struct {
	*bolt.Bucket
	finder *bolt.Cursor // of [bucket.Get], whose way down is laid in the same memory each time
	tree   *tree
}

// cursor goes through a bucket in order of its keys. A key of nil is beyond its
// end.
type cursor interface {
	First() (key, value []byte)
	Last() (key, value []byte)
	Next() (key, value []byte)
	Prev() (key, value []byte)
	// Seek goes to the first key that is not before the one given.
	Seek(key []byte) (k, value []byte)
}

// Bucket returns a bucket of the archive. To a transaction that reads, one that
// is missing, see added, is empty.
func (t *tx) Bucket(name []byte) *bucket {
	b := t.opened[string(name)]
	if b == nil {
		b = t.open(name)
		t.opened[string(name)] = b
	}
	return b
}

func (t *tx) open(name []byte) *bucket {
	if t.Writable() {
		b := t.Tx.Bucket(name)
		return &bucket{Bucket: b, finder: b.Cursor()}
	}
	b := &bucket{tree: t.tree(name)}
	if b.tree == nil {
		b.tree = &tree{inline: emptyLeaf(), missing: true}
	}
	return b
}

// hasBucket reports whether there is a bucket of a name.
func (t *tx) hasBucket(name []byte) bool {
	if t.Writable() {
		return t.Tx.Bucket(name) != nil
	}
	return !t.Bucket(name).tree.missing
}

// emptyBucket takes everything out of a bucket.
func (t *tx) emptyBucket(name []byte) error {
	delete(t.opened, string(name))
	if err := t.DeleteBucket(name); err != nil {
		return err
	}
	_, err := t.CreateBucket(name)
	return err
}

// Get returns the value under a key, or nil where there is none.
func (b *bucket) Get(key []byte) []byte {
	if b.tree != nil {
		return b.tree.get(key)
	}
	if k, v := b.finder.Seek(key); bytes.Equal(k, key) {
		return v
	}
	return nil
}

func (b *bucket) Cursor() cursor {
	if b.tree == nil {
		return b.Bucket.Cursor()
	}
	return &walker{tree: b.tree}
}

// ForEach calls fn with every key and its value, in order, until it fails.
func (b *bucket) ForEach(fn func(k, v []byte) error) error {
	c := b.Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		if err := fn(k, v); err != nil {
			return err
		}
	}
	return nil
}

// Sequence returns the number that bbolt keeps for the bucket.
func (b *bucket) Sequence() uint64 {
	if b.tree == nil {
		return b.Bucket.Sequence()
	}
	return b.tree.sequence
}

// tree is a bucket's tree of pages.
type tree struct {
	file     mapped
	root     uint64 // the first page; 0: it is inline
	inline   []byte
	sequence uint64
	missing  bool // there is no such bucket
}

// emptyLeaf returns a leaf without elements.
func emptyLeaf() []byte {
	b := make([]byte, pageHeader)
	little.PutUint16(b[8:], flagLeaf)
	return b
}

// mapped returns bbolt's map of the file, as it is now: a transaction that writes
// may get another.
func (t *tx) mapped() mapped {
	info := t.DB().Info()
	// The address is of bbolt's map, which Go's collector does not move.
	data := *(*unsafe.Pointer)(unsafe.Pointer(&info.Data))
	return unsafe.Slice((*byte)(data), t.Size())
}

// release lets the memory of a large value go that was read, as it is needed no
// more: what is mapped of the file counts as this process's until the transaction
// ends, and one may read all posts. Small values lie on pages with others.
func (t *tx) release(stored []byte) {
	if len(stored) < largeValue {
		return
	}
	m := t.mapped()
	at := uintptr(unsafe.Pointer(unsafe.SliceData(stored))) - uintptr(unsafe.Pointer(unsafe.SliceData(m)))
	if end := at + uintptr(len(stored)); at < end && end <= uintptr(len(m)) { // or it was put in this transaction
		m.letGo(int(at), int(end))
	}
}

// tree returns the tree of a bucket, or nil where there is no such bucket.
func (t *tx) tree(name []byte) *tree {
	// Cursor does not look at the page yet.
	names := walker{tree: &tree{file: t.file, root: uint64(t.Cursor().Bucket().Root())}}
	e, ok := names.find(name)
	if !ok {
		return nil
	}
	if e.flags != flagBucket {
		panic(senseless("%q is no bucket", name))
	}
	return &tree{file: t.file, root: little.Uint64(e.value), inline: e.value[bucketSize:], sequence: little.Uint64(e.value[8:])}
}

func (t *tree) first() node {
	if t.root == 0 {
		return newNode(t.inline)
	}
	return t.file.page(t.root)
}

func (t *tree) get(key []byte) []byte {
	e, _ := (&walker{tree: t}).find(key)
	return e.plain()
}

// usage says what the tree takes, and how much of its leaves is in use. A bucket
// that is inline has no pages.
func (t *tree) usage() (u Usage, inuse int64) {
	left := len(t.file) / pageSize
	var take func(n node, depth int)
	take = func(n node, depth int) {
		if left--; left < 0 || depth > maxDepth {
			panic(senseless("more pages lead to each other than there are"))
		}
		if t.root != 0 {
			u.Bytes += int64(len(n))
		}
		if !n.leaf() {
			for i := range n.count() {
				take(t.file.page(n.below(i)), depth+1)
			}
			return
		}
		u.Keys += n.count()
		if t.root != 0 {
			inuse += int64(n.used())
		}
	}
	take(t.first(), 0)
	return u, inuse
}

// mapped is the file, as far as the transaction knows it.
type mapped []byte

// largeValue is the length in bytes from which on a value is released when it was
// read.
const largeValue = 256 << 10

// page returns a page with those that it flows over into.
func (m mapped) page(id uint64) node {
	high := uint64(len(m) / pageSize)
	if id < 2 || id >= high {
		panic(senseless("there is no page %d of %d", id, high))
	}
	b := m[id*pageSize:]
	overflow := uint64(little.Uint32(b[12:]))
	if got := little.Uint64(b); got != id || overflow >= high-id {
		panic(senseless("page %d calls itself %d, and flows over into %d", id, got, overflow))
	}
	return newNode(b[: (overflow+1)*pageSize : (overflow+1)*pageSize])
}

// node is the bytes of a leaf or branch.
type node []byte

func newNode(b []byte) node {
	if kind := little.Uint16(b[8:]); kind != flagLeaf && kind != flagBranch {
		panic(senseless("a page of kind %#x", kind))
	}
	return b
}

func (n node) leaf() bool { return little.Uint16(n[8:]) == flagLeaf }
func (n node) count() int { return int(little.Uint16(n[10:])) }

// used returns how many bytes of a leaf are in use: up to the end of its last
// value.
func (n node) used() int {
	if n.count() == 0 {
		return pageHeader
	}
	at := pageHeader + (n.count()-1)*elementSize
	e := n[at:]
	return at + int(little.Uint32(e[4:])) + int(little.Uint32(e[8:])) + int(little.Uint32(e[12:]))
}

// leafElement is an element of a leaf.
type leafElement struct {
	flags      uint32
	key, value []byte
}

// plain returns the value, or nil where it is a bucket, as bbolt does.
func (e leafElement) plain() []byte {
	if e.flags&flagBucket != 0 {
		return nil
	}
	return e.value
}

func (n node) element(i int) leafElement {
	e := n[pageHeader+i*elementSize:]
	key, size := e[little.Uint32(e[4:]):], little.Uint32(e[8:])
	value, end := key[size:], little.Uint32(e[12:])
	return leafElement{little.Uint32(e), key[:size:size], value[:end:end]}
}

// key returns a key of a leaf or branch.
func (n node) key(i int) []byte {
	e := n[pageHeader+i*elementSize:]
	if n.leaf() {
		e, i = e[little.Uint32(e[4:]):], int(little.Uint32(e[8:]))
	} else {
		e, i = e[little.Uint32(e):], int(little.Uint32(e[4:]))
	}
	return e[:i:i]
}

// below returns a page below a branch.
func (n node) below(i int) uint64 { return little.Uint64(n[pageHeader+i*elementSize+8:]) }

// search returns the first element whose key is not before the one given, or
// the number of elements. exact: it is that key.
func (n node) search(key []byte) (i int, exact bool) {
	return sort.Find(n.count(), func(i int) int { return bytes.Compare(key, n.key(i)) })
}

// walker is a cursor of a tree.
type walker struct {
	tree *tree
	path []step // from the first page to the leaf
	room [4]step
}

// step is an element of a page on the way to a leaf; that of a leaf may be
// beyond its last.
type step struct {
	node
	i int
}

// down adds a page to the path.
func (w *walker) down(n node, i int) {
	if len(w.path) == maxDepth {
		panic(senseless("pages lead in a circle, or lie more than %d deep", maxDepth))
	}
	if n.count() == 0 && (len(w.path) > 0 || !n.leaf()) {
		panic(senseless("a page is empty"))
	}
	w.path = append(w.path, step{n, i})
}

// start begins a path with the first page.
func (w *walker) start() node {
	w.path = w.room[:0]
	return w.tree.first()
}

// find returns the element with a key, if there is one.
func (w *walker) find(key []byte) (e leafElement, ok bool) {
	if !w.seek(key) {
		return e, false
	}
	at := &w.path[len(w.path)-1]
	return at.element(at.i), true
}

// seek goes to where a key is, or would be, and reports whether it is there.
func (w *walker) seek(key []byte) bool {
	for n := w.start(); ; {
		i, exact := n.search(key)
		if n.leaf() {
			w.down(n, i)
			return exact
		}
		if !exact && i > 0 {
			i--
		}
		w.down(n, i)
		n = w.tree.file.page(n.below(i))
	}
}

func (w *walker) Seek(key []byte) (k, value []byte) {
	w.seek(key)
	if at := &w.path[len(w.path)-1]; at.i >= at.count() {
		return w.Next()
	}
	return w.current()
}

func (w *walker) First() (key, value []byte) {
	w.descend(w.start(), func(node) int { return 0 })
	return w.current()
}

func (w *walker) Last() (key, value []byte) {
	w.descend(w.start(), last)
	return w.current()
}

func last(n node) int { return n.count() - 1 }

// descend goes to a leaf below a page, by the element that is chosen of each.
func (w *walker) descend(n node, choose func(node) int) {
	for {
		i := choose(n)
		w.down(n, i)
		if n.leaf() {
			return
		}
		n = w.tree.file.page(n.below(i))
	}
}

// Next goes to the next key. At the end it stays where it is.
func (w *walker) Next() (key, value []byte) {
	for i := len(w.path) - 1; i >= 0; i-- {
		at := &w.path[i]
		if at.i >= at.count()-1 {
			continue
		}
		at.i++
		if at.leaf() {
			return w.current()
		}
		left := w.path[len(w.path)-1].node
		w.path = w.path[:i+1]
		w.descend(w.tree.file.page(at.below(at.i)), func(node) int { return 0 })
		ordered(left, w.path[len(w.path)-1].node)
		return w.current()
	}
	return nil, nil
}

// Prev goes to the key before. At the beginning it stays where it is.
func (w *walker) Prev() (key, value []byte) {
	for i := len(w.path) - 1; i >= 0; i-- {
		at := &w.path[i]
		if at.i <= 0 {
			continue
		}
		at.i--
		if at.leaf() {
			return w.current()
		}
		left := w.path[len(w.path)-1].node
		w.path = w.path[:i+1]
		w.descend(w.tree.file.page(at.below(at.i)), last)
		ordered(w.path[len(w.path)-1].node, left)
		return w.current()
	}
	return nil, nil
}

// ordered sees to it that a leaf lies after another: a walk through pages that
// several lead to would not end in the lifetime of anybody. As the first keys
// rise, no leaf is met twice.
func ordered(a, b node) {
	if first := b.key(0); bytes.Compare(a.key(0), first) >= 0 || bytes.Compare(a.key(a.count()-1), first) >= 0 {
		panic(senseless("keys are out of order, at %x", first))
	}
}

// current returns the element that the path leads to.
func (w *walker) current() (key, value []byte) {
	at := &w.path[len(w.path)-1]
	if at.i < 0 || at.i >= at.count() {
		return nil, nil // of a tree without any
	}
	e := at.element(at.i)
	return e.key, e.plain()
}
