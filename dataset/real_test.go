package dataset_test

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/finarc/finarc/dataset"
	"github.com/finarc/finarc/internal/realtest"
	"github.com/google/go-cmp/cmp"
)

// inMilliseconds makes the times of a table what the judge prints: milliseconds
// since 1970.
func inMilliseconds(t *testing.T, rows table) table {
	t.Helper()
	for _, row := range rows {
		for _, name := range []string{"published", "first_seen", "fetched", "tradable_at"} {
			text, ok := row[name].(string)
			if !ok {
				continue
			}
			at, err := time.Parse(time.RFC3339, text)
			if err != nil {
				t.Fatal(err)
			}
			row[name] = float64(at.UnixMilli())
		}
	}
	return rows
}

// withoutMark takes byte order marks from the beginnings of all text, as the
// decoder of JavaScript does that hyparquet uses.
func withoutMark(v any) any {
	switch v := v.(type) {
	case string:
		return strings.TrimLeft(v, "\ufeff")
	case []any:
		for i := range v {
			v[i] = withoutMark(v[i])
		}
	case map[string]any:
		for name := range v {
			v[name] = withoutMark(v[name])
		}
	}
	return v
}

// TestOthersReadTheSame lets programs that we did not write read what was exported:
// hyparquet the Parquet, and the Frictionless library the CSV, by the descriptor.
// They must find the rows of the JSON lines. The library also holds the
// descriptor of each format against the published schema.
func TestOthersReadTheSame(t *testing.T) {
	dir, node := realtest.Node(t, filepath.Join("testdata", "judge"))
	judge := func(args ...string) table {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), node, append([]string{"judge.mjs"}, args...)...)
		cmd.Dir = dir
		var out, errs bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &errs
		if err := cmd.Run(); err != nil {
			t.Fatalf("judge %q: %v\n%s", args, err, &errs)
		}
		return readJSONL(t, out.Bytes())
	}
	list := drawnPosts(13, 500)
	want := inMilliseconds(t, readJSONL(t, stream(t, list, options(dataset.JSONLines))))
	for i := range want {
		withoutMark(want[i])
	}
	for _, format := range formats {
		for _, months := range []bool{false, true} {
			o := options(format)
			o.Months = months
			out := filepath.Join(t.TempDir(), "out")
			report := export(t, out, list, o)
			got := judge("package", out)
			switch format {
			case dataset.JSONLines:
				continue
			case dataset.Parquet:
				for _, file := range report.Files {
					got = append(got, judge("parquet", filepath.Join(out, filepath.FromSlash(file.Path)))...)
				}
			}
			for i := range got {
				withoutMark(got[i])
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-json lines +judge):\n%.4000s", format, diff)
			}
		}
	}
}
