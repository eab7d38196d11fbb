package archive

import (
	"errors"
	"fmt"
	"os"
)

// guard refuses a file in which pages lead back to themselves: bbolt would
// follow them until its stack is full, which ends the process and cannot be
// recovered from, as its panics can. It reads the branches alone, some 600 pages
// in an archive of a million posts, the first time that the archive is looked
// into: what this process itself writes later leads in no circle.
func (a *Archive) guard() (err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.guarded {
		return nil
	}
	f, err := os.Open(a.path)
	if err != nil {
		return fmt.Errorf("open archive %s: %w", a.path, withoutPath(err))
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("open archive %s: %w", a.path, withoutPath(err))
	}
	p := newPager(f, info.Size(), func(uint64, string) {})
	if p.root == 0 {
		return nil
	}
	if page := p.circle(); page != 0 {
		return fmt.Errorf("%s: %w: page %d leads in a circle", a.path, ErrCorrupt, page)
	}
	a.guarded = true
	return nil
}

// circle returns a page that leads in a circle, or 0 if there is none. Of all
// else that is wrong with a page bbolt makes an error or a panic.
//
// Of the leaves, which are nearly all of the file, it reads only the first below
// each branch, to tell that they are leaves. The others lead in a circle only
// where they are branches: those that were met before are known.
func (p *pager) circle() uint64 {
	branches := make(map[uint64]bool)
	var leaves []uint64
	for queue := p.roots(); len(queue) > 0; {
		id := queue[0]
		queue = queue[1:]
		if branches[id] {
			return id
		}
		below := p.below(id)
		if len(below) == 0 {
			continue
		}
		branches[id] = true
		if p.kind(below[0]) == flagBranch {
			queue = append(queue, below...)
		} else {
			leaves = append(leaves, below...)
		}
	}
	for _, id := range leaves {
		if branches[id] {
			return id
		}
	}
	return 0
}

// roots returns the first pages of the buckets, and of the tree that names
// them.
func (p *pager) roots() []uint64 {
	roots := []uint64{p.root}
	_, list, _, err := p.header(p.root)
	if err != nil {
		return roots
	}
	for _, e := range list {
		if b, err := p.read(e.at, e.size); err == nil && len(b) == bucketSize && e.flags == flagBucket {
			roots = append(roots, little.Uint64(b))
		}
	}
	return roots
}

// kind returns a page's flags, or 0 where it cannot be read.
func (p *pager) kind(id uint64) uint16 {
	if id >= p.high {
		return 0
	}
	head, err := p.read(int64(id)*p.pageSize, pageHeader)
	if err != nil {
		return 0
	}
	return little.Uint16(head[8:])
}

// below returns the pages below a branch; none of any other page.
func (p *pager) below(id uint64) []uint64 {
	if id >= p.high {
		return nil
	}
	at := int64(id) * p.pageSize
	b, err := p.read(at, int(p.pageSize))
	if err != nil || little.Uint16(b[8:]) != flagBranch {
		return nil
	}
	count := int(little.Uint16(b[10:]))
	if table := pageHeader + count*elementSize; table > len(b) {
		if b, err = p.read(at, table); err != nil {
			return nil
		}
	}
	pages := make([]uint64, count)
	for i := range pages {
		pages[i] = little.Uint64(b[pageHeader+i*elementSize+8:])
	}
	return pages
}

// header reads the elements of a page, without a look at what else is wrong
// with it.
func (p *pager) header(id uint64) (leaf bool, list []element, end int64, err error) {
	if id >= p.high {
		return false, nil, 0, fmt.Errorf("there is no page %d of %d", id, p.high)
	}
	at := int64(id) * p.pageSize
	head, err := p.read(at, int(p.pageSize))
	if err != nil {
		return false, nil, 0, err
	}
	return p.elements(head, at, at+(int64(little.Uint32(head[12:]))+1)*p.pageSize)
}
