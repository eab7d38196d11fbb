package archive_test

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"testing"

	"github.com/finarc/finarc/news"
	bolt "go.etcd.io/bbolt"
)

// putRun stores the report of a run as it is.
func putRun(tx *bolt.Tx, id uint64, report string) error {
	b := tx.Bucket([]byte("runs"))
	key := seqKey(id)
	sum := crc32.Checksum(append(append([]byte(nil), key...), report...), crc32.MakeTable(crc32.Castagnoli))
	if err := b.SetSequence(id); err != nil {
		return err
	}
	return b.Put(key, binary.BigEndian.AppendUint32([]byte(report), sum))
}

// Reports of before there were hosts and pages in them are read as they are.
func TestReportOfBefore(t *testing.T) {
	a := open(t)
	edit(t, a.Path(), func(tx *bolt.Tx) error {
		return putRun(tx, 1, `{"run":1,"command":"crawl","mirrors":["m"],"started":"2021-12-22T12:00:00+08:00",`+
			`"ended":"2021-12-22T12:01:00+08:00","ending":"done","discovered":1,"new":1,"revised":0,"unchanged":0,"skipped":{},"failed":{},`+
			`"pending":0,"incomplete":{},"leads":0,"lists":{"read":1},"requests":{"post":1},"statuses":{"200":2},"transport":{},"retries":0,`+
			`"bytes":9,"days":{},"categories":{},"problems":[{"url":"x","kind":"post","why":"gone","outcome":"failed"}]}`)
	})
	runs, err := a.Runs(t.Context(), 0)
	if err != nil || len(runs) != 1 || runs[0].New != 1 || !runs[0].AddsUp() || runs[0].Problems[0].Attempts != 0 || len(runs[0].Hosts) != 0 {
		t.Errorf("%+v, %v", runs, err)
	}
	if h, err := a.PageHistory(t.Context()); err != nil || len(h) != 0 {
		t.Errorf("history %v, %v", h, err)
	}
	clean(t, a)
}

// The history goes back a thousand runs.
func TestPageHistoryIsOfTheLastRuns(t *testing.T) {
	a := open(t)
	edit(t, a.Path(), func(tx *bolt.Tx) error {
		for id := range uint64(1203) {
			ended := `"ended":"2021-12-22T12:01:00+08:00",`
			if id%4 == 0 {
				ended = ""
			}
			if err := putRun(tx, id+1, fmt.Sprintf(`{"run":%d,%s"pages":{"post":{"read":1}}}`, id+1, ended)); err != nil {
				return err
			}
		}
		return nil
	})
	h, err := a.PageHistory(t.Context())
	if want := (news.PageCount{Read: 1}); err != nil || len(h) != 750 || h[0][news.KindPost] != want {
		t.Errorf("%d of 750: %v", len(h), err)
	}
}
