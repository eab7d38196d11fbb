package archive

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	sys "golang.org/x/sys/unix"
)

// holders returns the processes that hold a lock on the file, as far as the
// kernel shows them: those outside of a container are hidden from one within,
// and on some file systems, such as btrfs, locks and files have different
// numbers of devices.
func holders(path string) []Holder {
	var st sys.Stat_t
	if err := sys.Stat(path, &st); err != nil {
		return nil
	}
	locks, err := os.ReadFile("/proc/locks")
	if err != nil {
		return nil
	}
	var list []Holder
	for _, pid := range flockers(string(locks), fileNumber(uint64(st.Dev), st.Ino)) {
		if h, ok := process(pid); ok {
			list = append(list, h)
		}
	}
	return list
}

// fileNumber returns what proc_locks(5) calls a file: device and inode.
func fileNumber(dev, ino uint64) string {
	return fmt.Sprintf("%02x:%02x:%d", sys.Major(dev), sys.Minor(dev), ino)
}

// flockers returns the processes that hold flock(2) locks on a file, by the
// text of /proc/locks. Lines such as
//
//	1: FLOCK  ADVISORY  WRITE 4711 fe:00:9977926 0 EOF
//
// tell of locks, those with an arrow after the first number of processes that
// wait. A process that the reader cannot see is 0.
func flockers(locks, file string) []int {
	var pids []int
	for line := range strings.Lines(locks) {
		f := strings.Fields(line)
		if len(f) < 6 || f[1] != "FLOCK" || f[5] != file {
			continue
		}
		if pid, err := strconv.Atoi(f[4]); err == nil && pid > 0 {
			pids = append(pids, pid)
		}
	}
	return pids
}

// process returns what a process was called with and when it started; false if
// it has ended or is hidden.
func process(pid int) (Holder, bool) {
	dir := fmt.Sprintf("/proc/%d/", pid)
	command, err := os.ReadFile(dir + "cmdline")
	if err != nil {
		return Holder{}, false
	}
	stat, err := os.ReadFile(dir + "stat")
	if err != nil {
		return Holder{}, false
	}
	system, err := os.ReadFile("/proc/stat")
	if err != nil {
		return Holder{}, false
	}
	since, ok := startTime(string(stat), string(system))
	// The arguments end with a zero byte each.
	words := strings.TrimSpace(string(bytes.ReplaceAll(command, []byte{0}, []byte{' '})))
	return Holder{PID: pid, Command: words, Since: since}, ok && words != ""
}

// clockTick is the unit of times in /proc: USER_HZ is 100 on every system that
// Go runs on.
const clockTick = 10 * time.Millisecond

// startTime returns when a process started, by the texts of its stat file and
// of /proc/stat: see proc_pid_stat(5), field 22, and proc_stat(5), btime.
func startTime(stat, system string) (time.Time, bool) {
	// The second field is a name in brackets, which may hold anything.
	f := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	const field = 22 - 3
	if len(f) <= field {
		return time.Time{}, false
	}
	ticks, err := strconv.ParseInt(f[field], 10, 64)
	if err != nil {
		return time.Time{}, false
	}
	for line := range strings.Lines(system) {
		if value, ok := strings.CutPrefix(line, "btime "); ok {
			boot, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
			return time.Unix(boot, 0).Add(time.Duration(ticks) * clockTick), err == nil
		}
	}
	return time.Time{}, false
}
