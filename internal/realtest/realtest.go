// Package realtest helps tests that judge our work by real programs.
package realtest

import (
	"os"
	"os/exec"
	"path/filepath"
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

// Jar returns the command that runs a Java program of Debian's, by the name of its
// archive in /usr/share/java. Without it the test is skipped, or fails likewise.
func Jar(t testing.TB, name string) []string {
	t.Helper()
	java, path := Program(t, "java"), filepath.Join("/usr/share/java", name)
	_, err := os.Stat(path)
	if err == nil {
		return []string{java, "-jar", path}
	}
	if os.Getenv(requireAll) == "1" {
		t.Fatalf("%s=1, but the Java program %s is not installed: %v", requireAll, name, err)
	}
	t.Skipf("the Java program %s is not installed: %v", name, err)
	return nil
}

// Node returns the folder of a Node.js project's copy in which the packages of its
// lock file are installed, and the program node. Without node or npm, or where the
// packages cannot be had, the test is skipped, or fails where all are required.
func Node(t testing.TB, project string) (dir, node string) {
	t.Helper()
	node, npm := Program(t, "node"), Program(t, "npm")
	dir = t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(project)); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), npm, "ci", "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		if os.Getenv(requireAll) == "1" {
			t.Fatalf("%s=1, but npm cannot install the packages of %s: %v\n%s", requireAll, project, err, out)
		}
		t.Skipf("npm cannot install the packages of %s: %v\n%s", project, err, out)
	}
	return dir, node
}
