package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/finarc/finarc/news"
	"github.com/spf13/cobra"
)

func (a *app) runsCommand() *cobra.Command {
	limit := 0
	cmd := reports(&cobra.Command{
		Use:   "runs",
		Short: "Show the reports of past runs",
		Long:  `Show the reports of past runs, newest first. With --json, one report a line.`,
		Example: `  finarc runs
  finarc runs --limit 1 --json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if limit < 0 {
				return usagef("--limit %d: want 0 (all) or more", limit)
			}
			arc, err := a.openArchive(cmd.Context())
			if err != nil {
				return err
			}
			runs, err := arc.Runs(cmd.Context(), limit)
			if err != nil {
				return err
			}
			for i := range runs {
				if err := a.showRun(&runs[i]); err != nil {
					return err
				}
			}
			return nil
		},
	})
	cmd.Flags().IntVar(&limit, "limit", 10, "at most `N` runs (0: all)")
	return cmd
}

func (a *app) showRun(r *news.Run) error {
	if a.json {
		return a.writeJSON(r)
	}
	return writeReport(a.out, r)
}

// shownProblems is how many of a run's problems its report tells people.
const shownProblems = 20

// writeReport writes a run's report for people.
func writeReport(w io.Writer, r *news.Run) error {
	if _, err := fmt.Fprintf(w, "run %d  %s  %s  %s\n", r.ID, strings.Join(r.Mirrors, ", "), clock(r.Started), runEnding(r)); err != nil {
		return err
	}
	rows := [][2]string{
		{"  posts", fmt.Sprintf("%s met = %s new + %s revised + %s unchanged + %s skipped%s + %s failed%s + %s pending",
			grouped(r.Discovered), grouped(r.New), grouped(r.Revised), grouped(r.Unchanged),
			grouped(r.SkippedPosts()), counts(r.Skipped), grouped(r.FailedPosts()), counts(r.Failed), grouped(r.Pending))},
		{"  lists", lists(&r.Lists)},
		{"  requests", fmt.Sprintf("%s%s, %s retries, %s of pages", grouped(news.Total(r.Requests)), counts(r.Requests), grouped(r.Retries), size(r.Bytes))},
	}
	if news.Total(r.Incomplete) > 0 {
		rows = append(rows, [2]string{"  lacking", strings.Trim(counts(r.Incomplete), " ()")})
	}
	if r.Leads > 0 {
		rows = append(rows, [2]string{"  leads", plural(r.Leads, "related post") + " recorded for a backfill"})
	}
	if err := table(w, rows); err != nil {
		return err
	}
	return writeProblems(w, r)
}

// runEnding tells how a run ended.
func runEnding(r *news.Run) string {
	if r.Ended.IsZero() {
		return "not ended: running, or killed"
	}
	return fmt.Sprintf("%s after %v", r.Ending, r.Ended.Sub(r.Started).Round(10*time.Millisecond))
}

// writeProblems writes the first of a run's problems, a line each.
func writeProblems(w io.Writer, r *news.Run) error {
	for i, p := range r.Problems {
		if i == shownProblems {
			_, err := fmt.Fprintf(w, "  … and more: finarc runs --json has the first %d problems\n", len(r.Problems))
			return err
		}
		if _, err := fmt.Fprintf(w, "  %s  %s: %s\n", p.For, printable(p.URL), printable(p.Why)); err != nil {
			return err
		}
	}
	return nil
}

func lists(l *news.Lists) string {
	var parts []string
	for _, c := range []struct {
		n    int
		what string
	}{
		{l.Read, "read"}, {l.NotModified, "not modified"}, {l.Gone, "not there"},
		{l.Disallowed, "disallowed"}, {l.Failed, "failed"}, {l.Pending, "pending"},
	} {
		if c.n > 0 {
			parts = append(parts, grouped(c.n)+" "+c.what)
		}
	}
	return dash(strings.Join(parts, ", "))
}

// counts writes the counts of a map, greatest first, in brackets.
func counts[K ~string](m map[K]int) string {
	if len(m) == 0 {
		return ""
	}
	keys := slices.SortedFunc(maps.Keys(m), func(a, b K) int {
		if m[a] != m[b] {
			return m[b] - m[a]
		}
		return strings.Compare(string(a), string(b))
	})
	var parts []string
	for _, k := range keys {
		parts = append(parts, fmt.Sprintf("%s %s", grouped(m[k]), string(k)))
	}
	return " (" + strings.Join(parts, ", ") + ")"
}
