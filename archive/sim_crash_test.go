package archive_test

import (
	"bytes"
	"encoding/binary"
	"os"
)

// What a crash leaves. bbolt writes the pages of a transaction where no state
// that is still valid has any, waits for the disk, then writes one of the two
// meta pages, the older one, and waits again. So a crash leaves any of the
// pages, in any order, and the meta page whole, in part or not at all; a meta
// page that is not whole is told by its checksum, and then the other holds.
const (
	simPage   = 4096 // bytes of a page
	simSector = 512  // bytes that a disk writes at once
	metaPages = 2    // pages 0 and 1
	metaBytes = 80   // of a meta page, header included, that mean anything
	metaTxid  = 64   // where its transaction's number stands
	metaSum   = 72   // where its checksum stands
)

// crash commits a batch, and goes on from a file as a crash in the middle of
// that would have left it.
func (s *simulation) crash() {
	before, state := s.twin.Snapshot(), s.drawing
	old := s.bytes()
	s.commitBatch(s.batch())
	after := s.bytes()
	if s.transaction(after) != s.transaction(old)+1 {
		return // more than one transaction, as when the dictionary is made: what lies between is not known
	}
	left, whole := s.leave(old, after)
	s.must(os.WriteFile(s.path, left, 0o600))
	if whole {
		s.done["crashes that lost nothing"]++
	} else {
		s.done["crashes that lost the commit"]++
		s.twin, s.started = before, state.started
	}
	s.checkPages()
	s.reopen()
	s.compare("a crash")
}

func (s *simulation) bytes() []byte {
	s.Helper()
	data, err := os.ReadFile(s.path)
	s.must(err)
	return data
}

// transaction returns the number of the newest transaction in a file.
func (s *simulation) transaction(file []byte) uint64 {
	return max(binary.LittleEndian.Uint64(file[metaTxid:]), binary.LittleEndian.Uint64(file[simPage+metaTxid:]))
}

// leave draws what a crash leaves of a commit that makes after of old, and
// tells whether the commit is whole.
func (s *simulation) leave(old, after []byte) (left []byte, whole bool) {
	if s.chance(0.4) { // all pages were written: the meta page is under way
		left = s.extended(old, len(after))
		copy(left[metaPages*simPage:], after[metaPages*simPage:])
		return left, s.tearMeta(left, after, simPage)
	}
	length := len(old)
	if s.chance(0.7) {
		length = max(length, len(after))
	}
	left = s.extended(old, length)
	s.applyPages(left, after)
	if s.chance(0.3) { // a disk that takes writes out of order, but no whole meta page
		s.tearMeta(left, after, metaSum)
	}
	return left, false
}

// extended returns a copy of a file, as long as told: with zeros, or with what
// a disk may have there.
func (s *simulation) extended(file []byte, length int) []byte {
	left := make([]byte, length)
	n := copy(left, file)
	if s.chance(0.3) {
		for i := n; i < length; i++ {
			left[i] = byte(s.Uint32())
		}
	}
	return left
}

// applyPages writes some of the pages that a commit changes, and one of them,
// now and then, in some of its sectors only.
func (s *simulation) applyPages(left, after []byte) {
	share := []float64{0, 0.1, 0.5, 0.9, 1}[s.IntN(5)]
	torn := s.chance(0.3)
	for at := metaPages * simPage; at < min(len(left), len(after)); at += simPage {
		end := min(at+simPage, len(left), len(after))
		if bytes.Equal(left[at:end], after[at:end]) || !s.chance(share) {
			continue
		}
		if torn && s.chance(0.2) {
			end = min(end, at+simSector*s.IntN(simPage/simSector))
		}
		copy(left[at:end], after[at:end])
	}
}

// tearMeta writes up to so many bytes of the meta page that a commit writes,
// and reports whether what means anything is all there.
func (s *simulation) tearMeta(left, after []byte, most int) bool {
	at := 0
	if bytes.Equal(left[:metaBytes], after[:metaBytes]) {
		at = simPage
	}
	n := simSector * s.IntN(simPage/simSector+1)
	switch {
	case s.chance(0.5):
		n = s.IntN(metaBytes + 2)
	case s.chance(0.3):
		n = s.IntN(simPage + 1)
	}
	n = min(n, most)
	copy(left[at:at+n], after[at:at+n])
	return s.metaWhole(left, after)
}

// metaWhole reports whether both meta pages are those of the finished commit.
func (s *simulation) metaWhole(left, after []byte) bool {
	return bytes.Equal(left[:metaBytes], after[:metaBytes]) &&
		bytes.Equal(left[simPage:simPage+metaBytes], after[simPage:simPage+metaBytes])
}
