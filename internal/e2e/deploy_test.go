package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/finarc/finarc/internal/realtest"
	"github.com/finarc/finarc/schedule"
)

// installed is where the files in deploy/ look for the program.
const installed = "/usr/local/bin/finarc"

// deployed returns a file of deploy/.
func deployed(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "deploy", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// understood wants finarc to know a command with all its flags.
func understood(t *testing.T, command string) {
	t.Helper()
	output(t, finarc, append(strings.Fields(command), "--help")...)
}

// TestUnits lets systemd judge the units: with the program where they look for it.
func TestUnits(t *testing.T) {
	analyze := realtest.Program(t, "systemd-analyze")
	dir := t.TempDir()
	var units []string
	for _, name := range []string{"finarc-crawl.service", "finarc-crawl.timer", "finarc-watch.service", "finarc-serve.service"} {
		text := deployed(t, name)
		unit := filepath.Join(dir, name)
		writeFile(t, unit, strings.ReplaceAll(text, installed, finarc))
		units = append(units, unit)
		for _, line := range regexp.MustCompile(`(?m)^#?ExecStart=`+installed+` (.*)$`).FindAllStringSubmatch(text, -1) {
			understood(t, line[1])
		}
	}
	// Its exit code is 0 also where it says that a line means nothing.
	out, err := exec.CommandContext(t.Context(), analyze, append([]string{"verify", "--man=no"}, units...)...).CombinedOutput()
	if err != nil || strings.Contains(string(out), "finarc") {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
	when := regexp.MustCompile(`(?m)^OnCalendar=(.*)$`).FindStringSubmatch(deployed(t, "finarc-crawl.timer"))
	if out := output(t, analyze, "calendar", "--iterations=2", when[1]); !strings.Contains(out, "*-*-* *:00/5:00") {
		t.Errorf("the timer is not due every five minutes: %s", out)
	}
}

// TestCrontab reads the crontab as cron does.
func TestCrontab(t *testing.T) {
	jobs := regexp.MustCompile(`(?m)^#?(\S+ \S+ \S+ \S+ \S+)  cd \S+ && flock -n crawl\.lock finarc (.*)$`).FindAllStringSubmatch(deployed(t, "crontab"), -1)
	if len(jobs) != 2 {
		t.Errorf("%d jobs, want two", len(jobs))
	}
	for _, job := range jobs {
		if _, err := schedule.Parse(job[1]); err != nil {
			t.Error(err)
		}
		understood(t, job[2])
	}
}
