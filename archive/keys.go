package archive

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"

	"github.com/finarc/finarc/news"
)

// Keys are short, since bbolt repeats them whole, and sort as what they stand
// for does:
//
//	seq   5 bytes, big endian
//	id    day as yyyymmdd less 19000000 (3 bytes), then the serial (5 bytes),
//	      or 0xff and the 8 bytes of a page ID's hash
const (
	seqSize  = 5
	dayBase  = 19000000
	serials  = 1e10 // a serial has ten digits
	pageMark = 0xff // no serial of ten digits begins with it: they stay below 2^34
)

func seqKey(seq uint64) []byte { return appendUint40(make([]byte, 0, seqSize), seq) }

func appendUint40(b []byte, n uint64) []byte {
	return append(b, byte(n>>32), byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
}

func uint40(b []byte) uint64 {
	return uint64(b[0])<<32 | uint64(binary.BigEndian.Uint32(b[1:]))
}

// appendID packs an identity.
func appendID(b []byte, id news.ID) []byte {
	if len(id) < 10 {
		return append(b, id...) // no valid identity: kept as it is, found by nothing else
	}
	day, _ := strconv.Atoi(string(id[:8]))
	if day > 0 {
		day -= dayBase
	}
	b = append(b, byte(day>>16), byte(day>>8), byte(day))
	if id.HasCode() {
		serial, _ := strconv.ParseUint(string(id[8:]), 10, 64)
		return appendUint40(b, serial)
	}
	hash, _ := hex.DecodeString(string(id[9:]))
	return append(append(b, pageMark), hash...)
}

// firstDay is the first that a key can have: those of posts without a day stand
// before it.
const firstDay = dayBase + 101

// dayKey is what the keys of a day's posts begin with.
func dayKey(d news.Day) []byte {
	n := int(d) - dayBase
	return []byte{byte(n >> 16), byte(n >> 8), byte(n)}
}

// keyDay returns the day of the post whose key it is, 0 for none.
func keyDay(k []byte) news.Day {
	if len(k) < 3 {
		return 0
	}
	n := int(k[0])<<16 | int(k[1])<<8 | int(k[2])
	if n == 0 {
		return 0
	}
	return news.Day(n + dayBase)
}

func idKey(id news.ID) []byte { return appendID(make([]byte, 0, 12), id) }

// idOf unpacks what appendID packed.
func idOf(key []byte) news.ID {
	if len(key) != 8 && len(key) != 12 {
		return news.ID(key)
	}
	day := int(key[0])<<16 | int(key[1])<<8 | int(key[2])
	if day > 0 {
		day += dayBase
	}
	if key[3] == pageMark {
		return news.ID(fmt.Sprintf("%08d-%x", day, key[4:]))
	}
	serial := uint40(key[3:])
	if day > 0 && serial < serials { // which are all but a few
		return news.ID(strconv.FormatUint(uint64(day)*serials+serial, 10))
	}
	return news.ID(fmt.Sprintf("%08d%010d", day, serial))
}
