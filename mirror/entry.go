package mirror

import (
	"strconv"
	"time"

	"github.com/finarc/finarc/news"
)

// Uses of randomness. Each draws from its own stream, so that one use more or
// less of one leaves the others as they were.
const (
	streamOutlets uint64 = iota
	streamSecurities
	streamTimes
	streamEntry
	streamArticle
	streamRevision
	streamLater
	numStreams
)

// stream numbers the i-th stream of a use: a second seed for a PCG, scattered
// because a PCG's first numbers show where its seeds are neighbours.
func stream(use uint64, i int) uint64 {
	x := (uint64(i)*numStreams + use + 1) * 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// entry is all that is held of a post; the rest is made from it on request. An
// entry never changes; of a living mirror it is that of one moment.
type entry struct {
	serial    int64  // of its infoCode
	published int64  // Unix seconds
	number    uint32 // in order of publication, from 0: what its article is drawn from
	outlet    uint16
	fault     faultID
	flags     entryFlags
}

type entryFlags uint8

const (
	shareOnly  entryFlags = 1 << iota // the site links its NewsShare address and has no page
	shareShell                        // its share page is a script shell
	otherNames                        // its text JSON uses the other field names
	retitled                          // its title was changed
	relaid                            // its page shows another advert
)

func (e *entry) is(f entryFlags) bool { return e.flags&f != 0 }

func (e *entry) time() time.Time { return time.Unix(e.published, 0).In(news.Shanghai) }

// The serial of an infoCode rises by some 13 a second, as between the two
// codes that fix it here.
const (
	serialEpoch = 1638928800 // 2021-12-08 10:00 in Shanghai
	serialBase  = 2206672930
	serialStep  = 12
)

func serialAt(unix int64) int64 { return serialBase + (unix-serialEpoch)*129/10 }

// appendDigits appends the 18 digits of the post's infoCode.
func (e *entry) appendDigits(dst []byte) []byte {
	dst = strconv.AppendInt(dst, int64(news.DayOf(e.time())), 10)
	return strconv.AppendInt(dst, e.serial, 10)
}

func (e *entry) appendCode(dst []byte) []byte { return e.appendDigits(append(dst, "NW"...)) }

func (e *entry) code() news.InfoCode { return news.InfoCode(e.appendCode(nil)) }

// appendPath appends the address path of the post's page, as links write it.
func (e *entry) appendPath(dst []byte, o *outlet) []byte {
	dst = append(dst, o.path...)
	dst = e.time().AppendFormat(dst, "/2006/01/02/")
	switch {
	case e.fault == faultNoCode:
		dst = append(dst, noteSlug(e)...)
	case o.rolling():
		dst = e.appendDigits(dst)
	default:
		dst = e.appendCode(dst)
	}
	return append(dst, ".html"...)
}
