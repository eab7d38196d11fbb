package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/finarc/finarc/news"
)

// How much of a run its report tells people.
const (
	shownProblems = 20
	shownCounts   = 8 // of a map
	shownHosts    = 10
	shownDrift    = 10
	shownGaps     = 10
	shownName     = 48 // columns of a name that a server chose
)

// writeReport writes a run's report for people.
func writeReport(w io.Writer, r *news.Run) error {
	if _, err := fmt.Fprintf(w, "run %d  %s  %s  %s\n", r.ID, printable(strings.Join(r.Mirrors, ", ")), clock(r.Started), runEnding(r)); err != nil {
		return err
	}
	var rows [][2]string
	for _, row := range [][2]string{
		{"posts", fmt.Sprintf("%s met = %s new + %s revised + %s unchanged + %s skipped%s + %s failed%s + %s pending",
			grouped(r.Discovered), grouped(r.New), grouped(r.Revised), grouped(r.Unchanged),
			grouped(r.SkippedPosts()), counts(r.Skipped), grouped(r.FailedPosts()), counts(r.Failed), grouped(r.Pending))},
		{"lists", lists(&r.Lists)},
		{"requests", fmt.Sprintf("%s%s, %s retries, %s of pages", grouped(news.Total(r.Requests)), counts(r.Requests), grouped(r.Retries), size(r.Bytes))},
		{"answers", answers(r)},
		{"hosts", hosts(r.Hosts)},
		{"touched", touched(r)},
		{"attempts", attempts(r)},
		{"pages", pages(r.Pages)},
		{"lacking", strings.Trim(counts(r.Incomplete), " ()")},
		{"differ", differing(r.Differing)},
		{"leads", leads(r.Leads)},
		{"drift", drift(r.Drift)},
		{"gaps", gaps(r.Gaps)},
		{"few", shortfall(r.Shortfall)},
	} {
		rows = append(rows, labelled(row[0], row[1])...)
	}
	if err := table(w, rows); err != nil {
		return err
	}
	if err := writeStandings(w, r); err != nil {
		return err
	}
	if err := writeProblems(w, r); err != nil || r.GoOn == "" {
		return err
	}
	_, err := fmt.Fprintf(w, "  go on with: %s\n", printable(r.GoOn))
	return err
}

// labelled returns a row for each line of the text, of which the first has the
// label; none where there is nothing to tell.
func labelled(label, text string) (rows [][2]string) {
	for line := range strings.Lines(text) {
		rows = append(rows, [2]string{"  " + pad(label, len("requests")), strings.TrimSuffix(line, "\n")})
		label = ""
	}
	return rows
}

// runEnding tells how a run ended.
func runEnding(r *news.Run) string {
	if r.Ended.IsZero() {
		return "not ended: running, or killed"
	}
	return fmt.Sprintf("%s after %v", printable(r.Ending), r.Ended.Sub(r.Started).Round(10*time.Millisecond))
}

// writeProblems writes the first of a run's problems, a line each.
func writeProblems(w io.Writer, r *news.Run) error {
	for i, p := range r.Problems {
		if i == shownProblems {
			_, err := fmt.Fprintf(w, "  … and more: finarc runs --json has the first %d problems\n", len(r.Problems))
			return err
		}
		if _, err := fmt.Fprintf(w, "  %s  %s: %s%s\n", p.For, printable(p.URL), printable(p.Why), tried(p.Attempts)); err != nil {
			return err
		}
	}
	return nil
}

// tried tells in how many runs a post was tried, if it was more than this one.
func tried(runs int) string {
	if runs <= 1 {
		return ""
	}
	return fmt.Sprintf(" (tried in %s)", plural(runs, "run"))
}

// attempts tells in how many runs the posts that failed were tried, by final
// error, where that was more than once each.
func attempts(r *news.Run) string {
	if news.Total(r.Attempts) <= r.FailedPosts() {
		return ""
	}
	return "failed after " + ranked(r.Attempts) + " tries"
}

func lists(l *news.Lists) string {
	return dash(listing([]part{
		{l.Read, "read"}, {l.NotModified, "not modified"}, {l.Gone, "not there"},
		{l.Disallowed, "disallowed"}, {l.Failed, "failed"}, {l.Pending, "pending"}, {l.NotDue, "not due"},
	}))
}

// answers tells of the answers by status, and of the requests without one, where
// there was anything but 200.
func answers(r *news.Run) string {
	if news.Total(r.Statuses) == r.Statuses[http.StatusOK] && len(r.Transport) == 0 {
		return ""
	}
	text := ranked(r.Statuses)
	if n := news.Total(r.Transport); n > 0 {
		if text != "" {
			text += "; "
		}
		text += grouped(n) + " without a whole one" + counts(r.Transport)
	}
	return text
}

// touched tells of the days and categories of new and revised posts.
func touched(r *news.Run) string {
	var lines []string
	if n := len(r.Days); n > 0 {
		lines = append(lines, plural(n, "day")+": "+ranked(r.Days))
	}
	switch n := len(r.Categories); {
	case n == 1:
		lines = append(lines, "1 category: "+ranked(r.Categories))
	case n > 1:
		lines = append(lines, grouped(n)+" categories: "+ranked(r.Categories))
	}
	return strings.Join(lines, "\n")
}

// pages tells of pages of posts that were not as they should be.
func pages(kinds map[news.PageKind]news.PageCount) string {
	var lines []string
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		c := kinds[kind]
		amiss := listing([]part{
			{c.Unreadable, "unreadable"}, {c.NoTitle, "without title"}, {c.NoDate, "without date"}, {c.NoBody, "without body"},
		})
		if amiss != "" {
			lines = append(lines, fmt.Sprintf("%s: %s read, %s", named(kind), grouped(c.Read), amiss))
		}
	}
	return few(lines, shownCounts)
}

func differing(n int) string {
	if n == 0 {
		return ""
	}
	return plural(n, "revised post") + " that another mirror has otherwise; both are kept"
}

func leads(n int) string {
	if n == 0 {
		return ""
	}
	return plural(n, "related post") + " recorded for a backfill"
}

// drift tells what pages lack more often than they used to, the worst first.
func drift(ds []news.Drift) string {
	ds = slices.SortedStableFunc(slices.Values(ds), func(a, b news.Drift) int { return cmp.Compare(b.Share-b.Usual, a.Share-a.Usual) })
	var lines []string
	for _, d := range ds {
		lines = append(lines, drifted(d))
	}
	return few(lines, shownDrift)
}

// gaps tells in which times posts may have come and gone unseen.
func gaps(gs []news.Gap) string {
	var lines []string
	for _, g := range gs {
		lines = append(lines, fmt.Sprintf("%s: nobody looked at %s from %s to %s, and what they showed then is there no more",
			named(g.Mirror), plural(g.Lists, "list page"), clock(g.From), clock(g.To)))
	}
	return few(lines, shownGaps)
}

// shortfall tells of a time of which there are far fewer posts than usual.
func shortfall(s *news.Shortfall) string {
	if s == nil {
		return ""
	}
	return fmt.Sprintf("%s from %s to %s, usually %s", plural(s.Posts, "post"), clock(s.From), clock(s.To), grouped(s.Usual))
}

// drifted tells of one drift: 44.4 % of post pages lack the title, usually 1.0 %.
func drifted(d news.Drift) string {
	what := "lack the " + named(d.Field)
	if d.Field == "unreadable" {
		what = "are unreadable"
	}
	return fmt.Sprintf("%.1f %% of %s pages %s, usually %.1f %%", 100*d.Share, named(d.Kind), what, 100*d.Usual)
}

// hosts tells what was asked of each host: those first that are down or want to
// be left alone, then those that were asked most.
func hosts(uses map[string]news.HostUse) string {
	names := slices.SortedFunc(maps.Keys(uses), func(a, b string) int {
		return cmp.Or(cmp.Compare(trouble(uses[b]), trouble(uses[a])), cmp.Compare(uses[b].Requests, uses[a].Requests), cmp.Compare(a, b))
	})
	if len(names) == 0 || len(names) == 1 && plain(uses[names[0]]) {
		return ""
	}
	rows := [][]string{{"", "requests", "retries", "bytes", "waited", "lowest rate", ""}}
	for _, n := range names {
		u := uses[n]
		rows = append(rows, []string{named(n), grouped(u.Requests), grouped(u.Retries), size(u.Bytes), waited(u.WaitedMS), lowestRate(u.Rate), state(u)})
		if len(rows) > shownHosts {
			break
		}
	}
	lines := aligned(rows)
	if n := len(names) - shownHosts; n > 0 {
		lines = append(lines, fmt.Sprintf("… and %s more", grouped(n)))
	}
	return strings.Join(lines, "\n")
}

// plain reports whether there is nothing to tell of the only host that the
// requests do not tell already.
func plain(u news.HostUse) bool {
	return trouble(u) == 0 && u.Rate == 0 && u.WaitedMS < time.Second.Milliseconds()
}

// trouble orders hosts by what people should know of them.
func trouble(u news.HostUse) int {
	switch {
	case u.Down:
		return 2
	case !u.Paused.IsZero():
		return 1
	}
	return 0
}

func waited(ms int64) string {
	if ms == 0 {
		return "–"
	}
	d := time.Duration(ms) * time.Millisecond
	if d < time.Minute {
		return d.Round(10 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}

func lowestRate(rate float64) string {
	if rate == 0 {
		return "–"
	}
	return fmt.Sprintf("%.3g/s", rate)
}

// state tells what there is to know of a host beside numbers: its answers too,
// where they were not all pages.
func state(u news.HostUse) string {
	var parts []string
	if u.Down {
		parts = append(parts, "down")
	}
	if u.DelayMS > 0 {
		parts = append(parts, "Crawl-delay "+waited(u.DelayMS))
	}
	if !u.Paused.IsZero() {
		parts = append(parts, "paused until "+clock(u.Paused))
	}
	if news.Total(u.Statuses) > u.Statuses[http.StatusOK] {
		parts = append(parts, "answered "+ranked(u.Statuses))
	}
	return strings.Join(parts, "; ")
}

// aligned returns a line for each of the rows, the columns but the first and the
// last aligned at the right.
func aligned(rows [][]string) []string {
	widest := make([]int, len(rows[0]))
	for _, r := range rows {
		for i, cell := range r {
			widest[i] = max(widest[i], columns(cell))
		}
	}
	var lines []string
	for _, r := range rows {
		line := pad(r[0], widest[0])
		for i, cell := range r[1 : len(r)-1] {
			line += strings.Repeat(" ", 2+widest[i+1]-columns(cell)) + cell
		}
		lines = append(lines, strings.TrimRight(line+"  "+r[len(r)-1], " "))
	}
	return lines
}

// A part is a number of things of one kind.
type part struct {
	n    int
	what string
}

// listing tells of the parts that are not 0: 3 read, 1 failed.
func listing(parts []part) string {
	var told []string
	for _, p := range parts {
		if p.n > 0 {
			told = append(told, grouped(p.n)+" "+p.what)
		}
	}
	return strings.Join(told, ", ")
}

// counts writes the counts of a map, greatest first, in brackets.
func counts[K cmp.Ordered](m map[K]int) string {
	if len(m) == 0 {
		return ""
	}
	var parts []string
	for _, k := range greatest(m) {
		parts = append(parts, fmt.Sprintf("%s %s", grouped(m[k]), named(k)))
	}
	return " (" + firsts(parts) + ")"
}

// ranked writes the counts of a map, greatest first: 200 (50), 304 (12).
func ranked[K cmp.Ordered](m map[K]int) string {
	var parts []string
	for _, k := range greatest(m) {
		parts = append(parts, fmt.Sprintf("%s (%s)", named(k), grouped(m[k])))
	}
	return firsts(parts)
}

// greatest returns the keys of a map, those of the greatest counts first.
func greatest[K cmp.Ordered](m map[K]int) []K {
	return slices.SortedFunc(maps.Keys(m), func(a, b K) int { return cmp.Or(cmp.Compare(m[b], m[a]), cmp.Compare(a, b)) })
}

// firsts lists the first parts, and how many there are beside them.
func firsts(parts []string) string {
	text := strings.Join(parts[:min(len(parts), shownCounts)], ", ")
	if n := len(parts) - shownCounts; n > 0 {
		text += fmt.Sprintf(", … and %s more", grouped(n))
	}
	return text
}

// few returns the first of the lines, and how many there are beside them.
func few(lines []string, most int) string {
	text := strings.Join(lines[:min(len(lines), most)], "\n")
	if n := len(lines) - most; n > 0 {
		text += fmt.Sprintf("\n… and %s more", grouped(n))
	}
	return text
}

// named returns what may stand in a report for a name that a server chose.
func named[K any](k K) string { return cut(printable(fmt.Sprint(k)), shownName) }
