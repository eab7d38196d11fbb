package archive

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
)

const procLocks = `1: FLOCK  ADVISORY  WRITE 4711 fe:00:9977926 0 EOF
1: -> FLOCK  ADVISORY  WRITE 4712 fe:00:9977926 0 EOF
2: POSIX  ADVISORY  READ 4713 fe:00:9977926 0 EOF
3: FLOCK  ADVISORY  READ 4714 fe:00:9977926 0 EOF
4: FLOCK  ADVISORY  READ 0 fe:00:9977926 0 EOF
5: FLOCK  ADVISORY  WRITE 4715 fe:00:997792 0 EOF
6: FLOCK  ADVISORY  WRITE 4716 103:00:9977926 0 EOF
7: OFDLCK ADVISORY  READ -1 00:06:1 0 EOF
8: LEASE
`

func TestFlockers(t *testing.T) {
	for _, tt := range []struct {
		major, minor, ino uint64
		want              []int
	}{
		{0xfe, 0, 9977926, []int{4711, 4714}},
		{0x103, 0, 9977926, []int{4716}},
		{0xfe, 1, 9977926, nil},
	} {
		dev := tt.major<<8 | tt.minor // as long as major is less than 1<<12 and minor less than 1<<8
		if got := flockers(procLocks, fileNumber(dev, tt.ino)); !slices.Equal(got, tt.want) {
			t.Errorf("%x:%x:%d: %v, want %v", tt.major, tt.minor, tt.ino, got, tt.want)
		}
	}
}

func TestStartTime(t *testing.T) {
	const stat = "22850 (a ) b) R 22844 22833 12211 0 -1 4194304 100 0 0 0 0 0 0 0 20 0 1 0 1399509 3133440 384\n"
	const system = "cpu  1 2 3\nintr 4\nbtime 1795336114\nprocesses 5\n"
	got, ok := startTime(stat, system)
	if want := time.Unix(1795336114+13995, 90e6); !ok || !got.Equal(want) {
		t.Errorf("%v %v, want %v", got, ok, want)
	}
	for _, bad := range [][2]string{{"", system}, {"1 (a) R", system}, {stat, ""}, {stat, "btime x\n"}, {strings.Replace(stat, "1399509", "x", 1), system}} {
		if got, ok := startTime(bad[0], bad[1]); ok {
			t.Errorf("%q: %v", bad, got)
		}
	}
}

// The kernel names this process as the one that holds a file.
func TestHolders(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	if got := holders(path); got != nil {
		t.Errorf("no file, and %v hold it", got)
	}
	db, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	got := holders(path)
	if len(got) == 0 {
		t.Skip("the kernel does not show who holds a file here")
	}
	h := got[0]
	if len(got) != 1 || h.PID != os.Getpid() || !strings.Contains(h.Command, filepath.Base(os.Args[0])) {
		t.Errorf("%+v", got)
	}
	if since := time.Since(h.Since); since < -time.Second || since > time.Hour {
		t.Errorf("started %v ago", since)
	}
}
