package web

import (
	"strings"
	"testing"

	"github.com/finarc/finarc/archive"
)

// FuzzCursor: whatever is sent as a cursor is refused, or is the one cursor of the
// place that it names.
func FuzzCursor(f *testing.F) {
	f.Add(sealPosition(archive.Position{When: 1640140635, Seq: 120}))
	f.Add(sealPosition(archive.Position{Seq: 1}))
	f.Add("")
	f.Add("cA")
	f.Add("cDE2NDAxNDA2MzUuKzEyMA")
	f.Fuzz(func(t *testing.T, cursor string) {
		at, err := openPosition(cursor)
		if err != nil || cursor == "" {
			return
		}
		if again := sealPosition(at); again != cursor {
			t.Errorf("%q names %+v, whose cursor is %q", cursor, at, again)
		}
	})
}

// TestCursorKinds: the cursor of one list is none of another.
func TestCursorKinds(t *testing.T) {
	if _, err := openPosition(sealCursor(cursorRuns, "1.1")); err == nil || !strings.Contains(err.Error(), "none that this list has given") {
		t.Errorf("a cursor of runs among posts: %v", err)
	}
}
