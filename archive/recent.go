package archive

import (
	"bytes"
	"encoding/binary"
)

// A commit adds to some six hundred lists of entries: of each term that its posts
// have that of their day, mostly the newest. In postings, where the lists of a
// term lie together, each of them is on a page of its own, behind the days
// before it. So lists begin in recent, where those of a day lie together, and are
// put away to postings when the day is over, some with each commit. A list is in
// one of the two.
const (
	leastAway = 64 // lists that a commit puts away, at most, and
	postsAway = 4  // one more for each so many posts
	mostAway  = 16 // times as many, where many days wait
)

// recentKey is where the list of a term's day begins.
func recentKey(term, day uint64) []byte { return appendTerm(appendChunk(nil, day), term) }

// postingsKey is where it is put away.
func postingsKey(term, day uint64) []byte { return appendChunk(appendTerm(nil, term), day) }

// ofRecent reads a key of the bucket recent.
func ofRecent(key []byte) (term, day uint64) {
	return termOf(key[chunkSize:]), uint64(binary.BigEndian.Uint32(key))
}

func termOf(b []byte) uint64 { return uint64(b[0])<<16 | uint64(b[1])<<8 | uint64(b[2]) }

// listAt returns where the list of a term's day is, or where it is to begin: a day
// that is over when its list begins is likely to be of a backfill.
func (t *tx) listAt(term, day uint64) (bucket, key []byte) {
	recent, postings := recentKey(term, day), postingsKey(term, day)
	switch {
	case t.hasRecent(recent):
		return bucketRecent, recent
	case t.has(bucketPostings, postings), day < t.newestDay():
		return bucketPostings, postings
	}
	return bucketRecent, recent
}

// hasRecent reports whether a list has not been put away. Archives of before there
// was such a bucket have none until they are written to.
func (t *tx) hasRecent(key []byte) bool {
	return t.hasBucket(bucketRecent) && t.has(bucketRecent, key)
}

// newestDay returns the newest day that a revision is of, in days since 1970.
func (t *tx) newestDay() uint64 {
	k, _ := t.Bucket(bucketTimes).Cursor().Last()
	if len(k) != chunkSize {
		return 0
	}
	return uint64(binary.BigEndian.Uint32(k)) * hour / day
}

// putAway puts the oldest lists away whose day is over, about so many, and more
// where more days wait than one.
func (t *tx) putAway(most int) error {
	newest := t.newestDay()
	var keys [][]byte
	c := t.Bucket(bucketRecent).Cursor()
	for k, _ := c.First(); len(k) == chunkSize+termSize; k, _ = c.Next() {
		_, of := ofRecent(k)
		if len(keys) == 0 && of < newest {
			most *= int(min(newest-of, mostAway))
		}
		if of >= newest || len(keys) >= most {
			break
		}
		keys = append(keys, bytes.Clone(k))
	}
	for _, k := range keys {
		if err := t.putListAway(k); err != nil {
			return err
		}
	}
	return nil
}

// putListAway puts a list away.
func (t *tx) putListAway(key []byte) error {
	stored := bytes.Clone(t.Bucket(bucketRecent).Get(key))
	if err := t.delete(bucketRecent, key); err != nil {
		return err
	}
	postings := postingsKey(ofRecent(key))
	if !t.has(bucketPostings, postings) {
		return t.put(bucketPostings, postings, stored)
	}
	entries, err := decodeEntries(stored)
	if err != nil {
		return err
	}
	return t.applyTo(bucketPostings, postings, &chunkChange{add: entries})
}

// dated is a list, and of which day it is.
type dated struct {
	day    uint64
	stored []byte
}

// recentOf returns the lists of a term that have not been put away, by day.
func (t *tx) recentOf(term uint64) []dated {
	if !t.hasBucket(bucketRecent) {
		return nil
	}
	var lists []dated
	c := t.Bucket(bucketRecent).Cursor()
	for k, _ := c.First(); len(k) == chunkSize+termSize; {
		_, of := ofRecent(k)
		if at, stored := c.Seek(recentKey(term, of)); bytes.Equal(at, recentKey(term, of)) {
			lists = append(lists, dated{of, stored})
		}
		k, _ = c.Seek(recentKey(0, of+1)) // the next day that there is
	}
	return lists
}
