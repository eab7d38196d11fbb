package durable_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/finarc/finarc/durable"
)

// put puts a file into a folder that is opened for that, and returns whether it
// was so before.
func put(t *testing.T, dir, name, text string) bool {
	t.Helper()
	f, err := durable.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	same, err := f.Put(name, []byte(text))
	if err != nil {
		t.Error(err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if changed := f.Changed(); same != (changed == 0) {
		t.Errorf("%d files changed, same is %v", changed, same)
	}
	return same
}

func TestFolderLeavesWhatIsTheSame(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	for _, step := range []struct {
		text string
		same bool
	}{{"one", false}, {"one", true}, {"two", false}} {
		if same := put(t, dir, "a", step.text); same != step.same {
			t.Errorf("%s: same is %v", step.text, same)
		}
		if got, err := os.ReadFile(filepath.Join(dir, "a")); err != nil || string(got) != step.text {
			t.Errorf("%q, %v", got, err)
		}
	}
}

// What a killed process left is removed; what others may have put there is not.
func TestFolderCleansUp(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{".finarc-12345-0.tmp", ".finarc-other", "other.tmp"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("half a po"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put(t, dir, "a", "one")
	if got := names(t, dir); len(got) != 3 {
		t.Errorf("there are %q", got)
	}
}
