// Package realtest helps tests that judge our work by real programs.
package realtest

import (
	"os"
	"os/exec"
	"testing"
)

// requireAll is the environment variable that turns missing programs into
// failures: continuous integration sets it to 1, so that nothing is skipped
// there unseen.
const requireAll = "FINARC_REQUIRE_ALL"

// Program returns the path of an installed program. Without it the test is
// skipped with a word on what is missing, or fails where all are required.
func Program(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if os.Getenv(requireAll) == "1" {
		t.Fatalf("%s=1, but the program %s is not installed: %v", requireAll, name, err)
	}
	t.Skipf("the program %s is not installed: %v", name, err)
	return ""
}
