// Package e2e_test runs the program as its users do: the real binary, over
// real HTTP, with real Jekyll before and behind it.
package e2e_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// finarc is the binary that TestMain builds.
var finarc string

func TestMain(m *testing.M) {
	os.Exit(withBinary(m))
}

func withBinary(m *testing.M) int {
	dir, err := os.MkdirTemp("", "finarc-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	finarc = filepath.Join(dir, "finarc")
	build := exec.Command("go", "build", "-o", finarc, "github.com/finarc/finarc/cmd/finarc")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build finarc:", err)
		return 1
	}
	return m.Run()
}

// output runs a program to its end and returns what it printed; its failure is
// the test's.
func output(t *testing.T, program string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = append(os.Environ(), "LANG=C.UTF-8")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", filepath.Base(program), strings.Join(args, " "), err, out)
	}
	return string(out)
}

// configuration is a crawler.yaml for one mirror: archive, address, and how many
// requests may be in flight.
const configuration = `archive: %s
mirrors:
  - name: local
    site: %[2]s/
    share: %[2]s/html_News/NewsShare.html?infoCode={infoCode}
    text: %[2]s/NewsData/GetNewsText.do?id={infoCode}
limits:
  rate: 0
  parallel: %[3]d
`

// serve starts finarc mirror with flags and returns its address.
func serve(t testing.TB, flags ...string) string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, finarc, append([]string{"mirror", "--addr", "127.0.0.1:0"}, flags...)...)
	cmd.Stderr = os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait() // it was told to end
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("finarc mirror said %q: %v", line, err)
	}
	address := strings.TrimSuffix(regexp.MustCompile(`http://\S+`).FindString(line), "/")
	if address == "" {
		t.Fatalf("finarc mirror names no address: %q", line)
	}
	return address
}

// frontMatter returns what stands between the two lines of hyphens.
func frontMatter(t *testing.T, file []byte) string {
	t.Helper()
	parts := bytes.SplitN(file, []byte("---\n"), 3)
	if len(parts) != 3 || len(parts[0]) > 0 {
		t.Fatalf("no front matter in %.200q", file)
	}
	return string(parts[1])
}
