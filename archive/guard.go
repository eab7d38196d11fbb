package archive

import (
	"errors"
	"fmt"
	"os"
)

// guard refuses a file in which pages lead back to themselves: bbolt would
// follow them until its stack is full, which ends the process and cannot be
// recovered from, as its panics can. Only who writes goes through bbolt (see
// tree.go), and so needs it. It reads the branches alone, some 600 pages in an
// archive of a million posts, the first time that a handle writes: what this
// process itself writes later leads in no circle.
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
	branches, leaves := p.used, p.told
	head, first := make([]byte, p.pageSize), make([]byte, pageHeader)
	for todo := p.roots(); len(todo) > 0; {
		id := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if id < p.high && (branches.has(id) || leaves.has(id) && p.branch(id, head)) {
			return id
		}
		if !p.branch(id, head) {
			continue
		}
		branches.add(id)
		page, ok := p.child(id, 0, head)
		lowest := !ok || !p.branch(page, first)
		for i := range int(little.Uint16(head[10:])) {
			page, ok := p.child(id, i, head)
			switch {
			case !ok || page >= p.high:
			case !lowest:
				todo = append(todo, page)
			case branches.has(page):
				return page
			default:
				leaves.add(page)
			}
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

// branch reads the beginning of a page, as much as head has room for, and reports
// whether it is a branch.
func (p *pager) branch(id uint64, head []byte) bool {
	if id >= p.high {
		return false
	}
	_, err := p.file.ReadAt(head, int64(id)*p.pageSize)
	return err == nil && little.Uint16(head[8:]) == flagBranch
}

// child returns a page below a branch, given the branch's first page.
func (p *pager) child(id uint64, i int, head []byte) (page uint64, ok bool) {
	at := pageHeader + i*elementSize + 8
	if at+8 <= len(head) {
		return little.Uint64(head[at:]), true
	}
	b, err := p.read(int64(id)*p.pageSize+int64(at), 8)
	if err != nil {
		return 0, false
	}
	return little.Uint64(b), true
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
