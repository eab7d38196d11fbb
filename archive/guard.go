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
func (p *pager) circle() uint64 {
	branches := make(map[uint64]bool)
	roots := []uint64{p.root}
	if _, list, _, err := p.header(p.root); err == nil {
		for _, e := range list {
			if b, err := p.read(e.at, e.size); err == nil && len(b) == bucketSize && e.flags == flagBucket {
				roots = append(roots, little.Uint64(b))
			}
		}
	}
	for _, root := range roots {
		if page := p.circleBelow(root, branches); page != 0 {
			return page
		}
	}
	return 0
}

// guardSample is how many pages of a level are looked at to tell whether it is
// of leaves. To look at all would read half the file.
const guardSample = 32

// circleBelow goes down a tree, of which all leaves lie equally deep. Of a level
// with a branch among those looked at every page is read, and judged by what it
// is itself.
func (p *pager) circleBelow(root uint64, branches map[uint64]bool) uint64 {
	for level := []uint64{root}; p.branching(level); {
		var next []uint64
		for _, id := range level {
			if branches[id] {
				return id
			}
			leaf, list, _, err := p.header(id)
			if leaf || err != nil {
				continue
			}
			branches[id] = true
			for _, e := range list {
				next = append(next, uint64(e.at))
			}
		}
		level = next
	}
	return 0
}

// branching reports whether a branch is among pages, of which it looks at some,
// the first and the last among them.
func (p *pager) branching(level []uint64) bool {
	n := min(len(level), guardSample)
	for i := range n {
		id := level[i*(len(level)-1)/max(1, n-1)]
		if leaf, _, _, err := p.header(id); err == nil && !leaf {
			return true
		}
	}
	return false
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
