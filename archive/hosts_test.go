package archive_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/internal/storetest"
	"github.com/finarc/finarc/news"
	bolt "go.etcd.io/bbolt"
)

// someHosts returns hosts that were asked at a time.
func someHosts(n int, fetched time.Time) []news.Host {
	var list []news.Host
	for i := range n {
		h := news.Host{Origin: fmt.Sprintf("https://%d.example", i)}
		h.Robots = news.Robots{Status: 200, Body: fmt.Appendf(nil, "User-agent: *\nDisallow: /%d\n", fetched.Unix()), Fetched: fetched}
		if i > 0 {
			h.Paused = fetched.Add(time.Duration(i) * time.Hour)
		}
		list = append(list, h)
	}
	return list
}

func hosts(t testing.TB, a *archive.Archive) []news.Host {
	t.Helper()
	list, err := a.Hosts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func wantHosts(t *testing.T, what string, a *archive.Archive, want []news.Host) {
	t.Helper()
	if diff := storetest.Diff(want, hosts(t, a)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// hostless returns an archive as it was written before hosts were remembered.
func hostless(t *testing.T) *archive.Archive {
	t.Helper()
	a := everything(t, 40)
	edit(t, a.Path(), func(tx *bolt.Tx) error { return tx.DeleteBucket([]byte("hosts")) })
	if _, err := a.Compact(t.Context()); err != nil { // so that no page of the file has any
		t.Fatal(err)
	}
	again, err := archive.Open(t.Context(), a.Path())
	if err != nil {
		t.Fatal(err)
	}
	return again
}

// at opens an archive that must be there and whole.
func at(t *testing.T, path string) *archive.Archive {
	t.Helper()
	a, err := archive.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	clean(t, a)
	return a
}

// Whatever is done to an archive of before there were hosts, it has none, until
// there is one.
func TestArchiveWithoutHosts(t *testing.T) {
	next := func(t *testing.T) string { return filepath.Join(t.TempDir(), "next.db") }
	for name, do := range map[string]func(*testing.T, *archive.Archive) *archive.Archive{
		"nothing": func(_ *testing.T, a *archive.Archive) *archive.Archive { return a },
		"stats": func(t *testing.T, a *archive.Archive) *archive.Archive {
			if s, err := a.Stats(t.Context(), time.Time{}); err != nil || s.Posts != 40 {
				t.Errorf("%v: %+v", err, s)
			}
			return a
		},
		"backup": func(t *testing.T, a *archive.Archive) *archive.Archive {
			to := next(t)
			if _, err := a.Backup(t.Context(), to, false); err != nil {
				t.Fatal(err)
			}
			return at(t, to)
		},
		"compaction": func(t *testing.T, a *archive.Archive) *archive.Archive {
			if _, err := a.Compact(t.Context()); err != nil {
				t.Fatal(err)
			}
			return a
		},
		"repair": func(t *testing.T, a *archive.Archive) *archive.Archive {
			edit(t, a.Path(), func(tx *bolt.Tx) error { return tx.Bucket([]byte("revisions")).Delete(seqKey(1)) })
			if r, err := a.Repair(t.Context(), readAgain, nil); err != nil || !r.Clean() {
				t.Fatalf("%v: %+v", err, r)
			}
			return a
		},
		"salvage": func(t *testing.T, a *archive.Archive) *archive.Archive {
			to := next(t)
			if _, err := archive.Salvage(t.Context(), a.Path(), to, nil); err != nil {
				t.Fatal(err)
			}
			return at(t, to)
		},
		"merge from it": func(t *testing.T, a *archive.Archive) *archive.Archive {
			into := open(t)
			merge(t, into, a)
			return into
		},
		"merge into it": func(t *testing.T, a *archive.Archive) *archive.Archive {
			merge(t, a, hostless(t))
			return a
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := hostless(t)
			clean(t, a)
			wantHosts(t, "before", a, nil)
			a = do(t, a)
			clean(t, a)
			wantHosts(t, "after", a, nil)
			want := someHosts(2, noon)
			commit(t, a, news.Batch{Hosts: want})
			wantHosts(t, "at last", a, want)
			clean(t, a)
		})
	}
}

func TestHostsAreMerged(t *testing.T) {
	x, y := open(t), open(t)
	older, newer := someHosts(3, noon), someHosts(2, noon.Add(24*time.Hour))
	older[1].Paused = noon.Add(48 * time.Hour)
	commit(t, x, news.Batch{Hosts: older})
	commit(t, y, news.Batch{Hosts: newer})
	want := []news.Host{newer[0], newer[1], older[2]}
	want[1].Paused = older[1].Paused
	for _, sources := range [][]*archive.Archive{{x, y}, {y, x}} {
		into := open(t)
		merge(t, into, sources...)
		wantHosts(t, "merged", into, want)
		raw := dump(t, into.Path())
		merge(t, into, y, x)
		sameDump(t, raw, dump(t, into.Path()))
	}
}

// What tells of a host and is broken is set aside, and found by a salvage where
// nothing leads to it.
func TestDamagedHosts(t *testing.T) {
	a := everything(t, 40)
	want := hosts(t, a)
	salvaged := func() []news.Host {
		data, err := os.ReadFile(a.Path())
		if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(t.TempDir(), "new.db")
		path := damaged(t, data, func(b []byte) []byte { clear(b[:8192]); return b })
		if _, err := archive.Salvage(t.Context(), path, to, nil); err != nil {
			t.Fatal(err)
		}
		return hosts(t, at(t, to))
	}
	if diff := storetest.Diff(want, salvaged()); diff != "" {
		t.Errorf("salvaged (-want +got):\n%s", diff)
	}
	edit(t, a.Path(), func(tx *bolt.Tx) error {
		b := tx.Bucket([]byte("hosts"))
		v := b.Get([]byte(want[0].Origin))
		return b.Put([]byte(want[1].Origin), append([]byte(nil), v...)) // another's
	})
	if _, err := a.Hosts(t.Context()); err == nil {
		t.Error("a host under another's origin is told")
	}
	if r := verified(t, a); r.Counts[archive.FoundValue] != 1 || r.Damaged() != 1 {
		t.Errorf("%+v", r)
	}
	if r, err := a.Repair(t.Context(), nil, nil); err != nil || !r.Clean() || r.SetAside != 1 {
		t.Errorf("%v: %+v", err, r)
	}
	wantHosts(t, "repaired", a, []news.Host{want[0], want[2]})
}
