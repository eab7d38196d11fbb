package archive

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"github.com/finarc/finarc/news"
)

// listPage is a news.ListPage as stored, under its address.
type listPage struct {
	Mirror       string        `cbor:"1,keyasint,omitempty"`
	Kind         news.PageKind `cbor:"2,keyasint"`
	ETag         string        `cbor:"3,keyasint,omitempty"`
	LastModified string        `cbor:"4,keyasint,omitempty"`
	Read         int64         `cbor:"5,keyasint,omitempty"` // milliseconds since 1970, as the next two
	Checked      int64         `cbor:"6,keyasint,omitempty"`
	Gone         int64         `cbor:"7,keyasint,omitempty"`
	Depth        int           `cbor:"8,keyasint,omitempty"`
	Moved        int64         `cbor:"9,keyasint,omitempty"`
	Visits       *visits       `cbor:"10,keyasint,omitempty"`
}

// visits is a news.Visits as stored.
type visits struct {
	Posts float64 `cbor:"1,keyasint,omitempty"`
	Hours float64 `cbor:"2,keyasint,omitempty"`
	Told  float64 `cbor:"3,keyasint,omitempty"`
	Alone float64 `cbor:"4,keyasint,omitempty"`
	Since int     `cbor:"5,keyasint,omitempty"`
}

// newListPage returns a list page as it is stored.
func newListPage(l *news.ListPage) *listPage {
	s := &listPage{
		Mirror: l.Mirror, Kind: l.Kind, ETag: l.ETag, LastModified: l.LastModified,
		Read: millis(l.Read), Checked: millis(l.Checked), Gone: millis(l.Gone), Depth: l.Depth, Moved: millis(l.Moved),
	}
	if v := visits(l.Visits); v != (visits{}) {
		s.Visits = &v
	}
	return s
}

// page returns the list page that is stored under an address.
func (s *listPage) page(address string) news.ListPage {
	l := news.ListPage{
		URL: address, Mirror: s.Mirror, Kind: s.Kind, ETag: s.ETag, LastModified: s.LastModified,
		Read: fromMillis(s.Read), Checked: fromMillis(s.Checked), Gone: fromMillis(s.Gone), Depth: s.Depth, Moved: fromMillis(s.Moved),
	}
	if s.Visits != nil {
		l.Visits = news.Visits(*s.Visits)
	}
	return l
}

// commitLists records list pages. One that was only found (neither read nor
// checked) does not touch what is known of it.
func (t *tx) commitLists(lists []news.ListPage) error {
	for i := range lists {
		l := &lists[i]
		if l.Checked.IsZero() && t.has(bucketLists, []byte(l.URL)) {
			continue
		}
		v, err := t.a.codec.encode(newListPage(l))
		if err != nil {
			return err
		}
		if err := t.put(bucketLists, []byte(l.URL), v); err != nil {
			return fmt.Errorf("record list page %s: %w", l.URL, err)
		}
	}
	return nil
}

// unvalidated returns a stored list page without what its server calls the
// answer that was read, so that it is read again even if it has not changed.
func (c *codec) unvalidated(plain []byte) ([]byte, error) {
	var l listPage
	if err := c.decode(plain, &l); err != nil {
		return nil, err
	}
	l.ETag, l.LastModified = "", ""
	return c.encode(l)
}

// Lists returns the list pages that are known of a mirror.
func (a *Archive) Lists(ctx context.Context, mirror string) ([]news.ListPage, error) {
	var lists []news.ListPage
	err := a.view(ctx, func(t *tx) error {
		lists = nil
		return t.each(bucketLists, func(k, v []byte) error {
			var s listPage
			if err := a.codec.decode(v, &s); err != nil {
				return fmt.Errorf("list page %s: %w", k, err)
			}
			if s.Mirror == mirror {
				lists = append(lists, s.page(string(k)))
			}
			return nil
		})
	})
	return lists, err
}

// Hourly returns how many revisions there are of posts that were published in each
// hour since a time, in order of time; hours without any are left out.
func (a *Archive) Hourly(ctx context.Context, since time.Time) ([]news.HourCount, error) {
	var counts []news.HourCount
	var failed error
	err := a.scan(ctx, bucketTimes, appendChunk(nil, uint64(max(0, since.Unix()))/hour), func(_ *tx, k, v []byte) bool {
		var n news.HourCount
		n, failed = hourCount(k, v)
		counts = append(counts, n)
		return failed == nil
	})
	return counts, cmp.Or(failed, err)
}

// hourCount counts a list of the index of times.
func hourCount(key, stored []byte) (news.HourCount, error) {
	entries, err := decodeEntries(stored)
	if err == nil && len(key) != chunkSize {
		err = fmt.Errorf("%w: no hour", ErrCorrupt)
	}
	if err != nil {
		return news.HourCount{}, fmt.Errorf("%s %x: %w", bucketTimes, key, err)
	}
	return news.HourCount{Hour: unix(int64(binary.BigEndian.Uint32(key)) * hour), Posts: len(entries)}, nil
}

func unix(seconds int64) time.Time { return time.Unix(seconds, 0).In(news.Shanghai) }

// millis returns t in milliseconds since 1970, and 0 for no time.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// fromMillis undoes millis.
func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).In(news.Shanghai)
}

// StartRun gives a run its number and records that it began.
func (a *Archive) StartRun(ctx context.Context, run *news.Run) error {
	return a.update(ctx, func(t *tx) error {
		id, err := t.Bucket(bucketRuns).NextSequence()
		if err != nil {
			return err
		}
		run.ID = id
		return t.commitRun(run)
	})
}

// commitRun records the report of a run as it stands.
func (t *tx) commitRun(run *news.Run) error {
	if run == nil {
		return nil
	}
	v, err := json.Marshal(run)
	if err != nil {
		return fmt.Errorf("report of run %d: %w", run.ID, err)
	}
	if b := t.Bucket(bucketRuns); b.Sequence() < run.ID {
		if err := b.SetSequence(run.ID); err != nil {
			return err
		}
	}
	return t.put(bucketRuns, seqKey(run.ID), v)
}

// Runs returns the reports of the newest runs, newest first, at most limit of
// them; a limit of 0 means all.
func (a *Archive) Runs(ctx context.Context, limit int) ([]news.Run, error) {
	return a.RunsUpTo(ctx, lastRun, limit)
}

// lastRun is a number that no run has.
const lastRun = 1<<40 - 1

// RunsUpTo is as Runs, of those runs whose number is at most last.
func (a *Archive) RunsUpTo(ctx context.Context, last uint64, limit int) ([]news.Run, error) {
	var runs []news.Run
	err := a.view(ctx, func(t *tx) error {
		runs = nil
		c := t.Bucket(bucketRuns).Cursor()
		for k, v := floor(c, seqKey(min(last, lastRun))); k != nil && (limit <= 0 || len(runs) < limit); k, v = c.Prev() {
			v, err := unseal(bucketRuns, k, v)
			if err != nil {
				return err
			}
			var run news.Run
			if err := json.Unmarshal(v, &run); err != nil {
				return fmt.Errorf("%w: report of run %x: %w", ErrCorrupt, k, err)
			}
			runs = append(runs, run)
		}
		return nil
	})
	return runs, err
}

// historyRuns is how many runs [Archive.PageHistory] goes back.
const historyRuns = 1000

// PageHistory returns how the pages of posts could be read in each of the last
// 1,000 runs that ended, newest first; without kinds that drifted, see
// [news.Run.Drift], and runs that read none.
func (a *Archive) PageHistory(ctx context.Context) ([]news.PageCounts, error) {
	var history []news.PageCounts
	var before []byte // the last run that was looked at
	for looked := 0; looked < historyRuns; {
		done := true
		err := a.view(ctx, func(t *tx) error {
			began := time.Now()
			c := t.Bucket(bucketRuns).Cursor()
			k, v := c.Last()
			if before != nil {
				c.Seek(before)
				k, v = c.Prev()
			}
			for ; k != nil && looked < historyRuns; k, v = c.Prev() {
				counts, err := typicalPages(k, v)
				if err != nil {
					return err
				}
				if len(counts) > 0 {
					history = append(history, counts)
				}
				before, looked = bytes.Clone(k), looked+1
				if done = time.Since(began) < selectTime; !done {
					return nil
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		if done {
			break
		}
	}
	return history, nil
}

// typicalPages returns the counts of a run that ended, without those that drifted.
func typicalPages(key, stored []byte) (news.PageCounts, error) {
	v, err := unseal(bucketRuns, key, stored)
	if err != nil {
		return nil, err
	}
	var run news.Run
	if err := json.Unmarshal(v, &run); err != nil {
		return nil, fmt.Errorf("%w: report of run %x: %w", ErrCorrupt, key, err)
	}
	if run.Ended.IsZero() {
		return nil, nil
	}
	return run.Typical(), nil
}
