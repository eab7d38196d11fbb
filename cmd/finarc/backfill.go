package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/config"
	"github.com/finarc/finarc/crawler"
	"github.com/finarc/finarc/news"
	"github.com/spf13/cobra"
)

// backfillFlags are what the command line says of a backfill.
type backfillFlags struct {
	crawlFlags
	days   dayRange
	newest bool
	codes  string
	again  bool
	dryRun bool
}

func (a *app) backfillCommand() *cobra.Command {
	var fl backfillFlags
	cmd := reports(&cobra.Command{
		Use:   "backfill --from DAY [--to DAY]",
		Short: "Fetch all posts of some days that can still be had",
		Long: `Fetch the posts of some days that the archive lacks, as far as any source has
them. Posts are known by what the mirrors' list pages link, by the related reports
that archived posts name, and those that these name in turn, and by --codes. Which
day a post is of, its infoCode says: no other day's is asked for.

Days are gone through one after the other, the oldest first. Interrupt a backfill
at any time, and run it again to go on: what was archived, or is nowhere to be had,
is not asked for again, nor are the list pages within a day. Run again after it has
ended, it asks for what has become known since; with --again also for what was gone.

--codes FILE names posts, one a line, by infoCode or by an address that has one; -
is standard input. With it --from and --to may be missing: then nothing but those
posts is asked for.

It ends with a statement of each day: how many posts are archived, how many are gone
(asked for, and no source has them), and how many were never seen (they are named,
and no source has said yet whether it has them). That posts are gone is no failure.

Exit codes: 0 done; 1 failed; 2 wrong usage or configuration; 3 done, but some pages
failed for good for another reason; 4 the archive is busy; 130 interrupted.`,
		Example: `  finarc backfill --from 2021-12-01 --to 2021-12-31
  finarc backfill --from 2021-12-01 --to 2021-12-31 --dry-run
  finarc backfill --from 2021-12-01 --newest-first --max-duration 2h
  finarc backfill --codes missing.txt`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := fl.check(cmd); err != nil {
				return err
			}
			c, err := a.crawlConfig(&fl.crawlFlags)
			if err != nil {
				return err
			}
			if fl.backfill, err = a.backfill(c, &fl); err != nil || fl.backfill == nil {
				return err
			}
			return a.backfillAndTell(cmd.Context(), c, &fl)
		},
	})
	fl.addCommon(cmd)
	f := cmd.Flags()
	fl.days.register(cmd, "of the posts")
	f.BoolVar(&fl.newest, "newest-first", false, "go through the days from the last to the first")
	f.StringVar(&fl.codes, "codes", "", "fetch the posts that `FILE` names, too")
	f.BoolVar(&fl.again, "again", false, "ask again for the posts that no source had")
	f.BoolVar(&fl.dryRun, "dry-run", false, "ask nobody; say what would be asked for, and how long it will take")
	a.completeMirrors(cmd)
	return cmd
}

// backfill returns what the flags ask for; nil for nothing: a list that names no
// post, and no days.
func (a *app) backfill(c config.Config, fl *backfillFlags) (*crawler.Backfill, error) {
	b := &crawler.Backfill{Newest: fl.newest, Again: fl.again}
	var err error
	if b.Leads, err = a.readCodes(c, fl.codes); err != nil {
		return nil, err
	}
	if fl.codes != "" && len(b.Leads) == 0 && fl.days == (dayRange{}) {
		return nil, nil
	}
	if err := a.backfillDays(b, fl); err != nil {
		return nil, err
	}
	other := len(b.Leads)
	b.Leads = slices.DeleteFunc(b.Leads, func(w news.Wanted) bool { return w.ID.Day() < b.From || w.ID.Day() > b.To })
	if other -= len(b.Leads); other > 0 {
		fmt.Fprintf(a.err, "finarc: %s: %s not of these days and left out\n", printable(fl.codes), plural(other, "post"))
	}
	fl.job = fl.words(b)
	return b, nil
}

// words returns the command and its own arguments.
func (fl *backfillFlags) words(b *crawler.Backfill) []string {
	words := []string{"backfill"}
	if !b.LeadsOnly {
		words = append(words, "--from", b.From.String(), "--to", b.To.String())
	}
	if fl.codes != "" {
		words = append(words, "--codes", fl.codes)
	}
	if fl.newest {
		words = append(words, "--newest-first")
	}
	if fl.again {
		words = append(words, "--again")
	}
	return words
}

// backfillDays sets the days, from the flags or from the posts that are named.
func (a *app) backfillDays(b *crawler.Backfill, fl *backfillFlags) (err error) {
	today := a.today()
	if b.From, b.To, err = fl.days.days(today); err != nil {
		return err
	}
	switch {
	case b.From == 0 && b.To == 0 && len(b.Leads) > 0:
		b.LeadsOnly = true
		byDay := func(v, w news.Wanted) int { return cmp.Compare(v.ID.Day(), w.ID.Day()) }
		b.From, b.To = slices.MinFunc(b.Leads, byDay).ID.Day(), slices.MaxFunc(b.Leads, byDay).ID.Day()
		return nil
	case b.From == 0:
		return usagef("--from: want the first day of the backfill, as 2021-12-01")
	case b.To == 0:
		b.To = today
	}
	if b.From > today {
		return usagef("--from %s: nothing was published yet on a day that is to come (today is %s in Shanghai)", b.From, today)
	}
	b.From, b.To = max(b.From, news.FirstDay), min(b.To, today)
	return nil
}

// readCodes reads the posts that a file names; empty: none.
func (a *app) readCodes(c config.Config, path string) ([]news.Wanted, error) {
	if path == "" {
		return nil, nil
	}
	in, name := io.Reader(os.Stdin), "standard input"
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, usagef("--codes: %w", err)
		}
		defer f.Close()
		in, name = f, path
	}
	leads, err := codes(in, c.Mirrors, a.now())
	if err != nil {
		return nil, usagef("--codes %s: %w", name, err)
	}
	if len(leads) == 0 { // as the list of what is missing may well be
		fmt.Fprintf(a.err, "finarc: --codes %s: names no post\n", printable(name))
	}
	return leads, nil
}

// codes reads a list of posts: a line each, empty ones and those that begin with
// # left out.
func codes(in io.Reader, mirrors []config.Mirror, now time.Time) (leads []news.Wanted, err error) {
	lines, met, n := bufio.NewScanner(in), make(map[news.ID]bool), 1
	for ; lines.Scan(); n++ {
		text := strings.TrimSpace(strings.TrimPrefix(lines.Text(), "\ufeff"))
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		w, err := crawler.Lead(mirrors, text, now)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		if !met[w.ID] {
			met[w.ID] = true
			leads = append(leads, w)
		}
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return nil, fmt.Errorf("line %d: longer than %d KiB: not a list of posts", n, bufio.MaxScanTokenSize>>10)
	}
	return leads, lines.Err()
}

// backfillAndTell plans or makes a backfill, and tells of it.
func (a *app) backfillAndTell(ctx context.Context, c config.Config, fl *backfillFlags) error {
	arc, err := a.backfilled(ctx, c, fl)
	if err != nil {
		return err
	}
	if fl.backfill.Since, err = begun(ctx, arc, mirrorNames(c), fl.backfill, a.now()); err != nil {
		return err
	}
	fl.backfill.Store = arc
	if !fl.dryRun {
		return a.crawlAndTell(ctx, c, &fl.crawlFlags)
	}
	plan, err := crawler.PlanBackfill(ctx, crawler.Options{Mirrors: c.Mirrors, Limits: c.Limits, Store: arc, Backfill: fl.backfill})
	switch {
	case err != nil:
		return err
	case a.json:
		return a.writeJSON(plan)
	}
	return a.writePlan(plan, c.Limits.Rate)
}

// backfilled opens the archive that is to be filled. A dry run makes none.
func (a *app) backfilled(ctx context.Context, c config.Config, fl *backfillFlags) (*archive.Archive, error) {
	if fl.dryRun {
		return archive.Open(ctx, c.Archive, a.archiveOptions()...)
	}
	return archive.OpenOrCreate(ctx, c.Archive, a.archiveOptions()...)
}

// sameLists is how long a backfill that is taken up again takes the list pages
// for read.
const sameLists = 24 * time.Hour

// begun returns when the backfill of the same days began that did not come to its
// end, or the zero time.
func begun(ctx context.Context, arc *archive.Archive, mirrors []string, b *crawler.Backfill, now time.Time) (time.Time, error) {
	runs, err := arc.Runs(ctx, 100)
	for i := range runs {
		old := runs[i].Backfill
		if old == nil || old.From != b.From || old.To != b.To || !slices.Equal(runs[i].Mirrors, mirrors) {
			continue
		}
		ended := runs[i].Ending == news.EndingDone || runs[i].Ending == news.EndingFailed
		if age := now.Sub(old.Began); ended || age < 0 || age > sameLists {
			break
		}
		return old.Began, nil
	}
	return time.Time{}, err
}

// writePlan tells people what a backfill would ask for.
func (a *app) writePlan(p *crawler.Plan, rate float64) error {
	fmt.Fprintf(a.out, "backfill of %s to %s, as far as the archive knows; lists and posts may name more\n", p.From, p.To)
	rows := [][]string{{"", "archived", "gone", "never seen", "to ask for", ""}}
	for _, d := range p.Days {
		rows = append(rows, []string{d.Day.String(), grouped(d.Archived), grouped(d.Gone), grouped(d.NeverSeen), grouped(d.Ask), ""})
	}
	if len(p.Days) > 0 {
		for _, line := range aligned(rows) {
			fmt.Fprintf(a.out, "  %s\n", line)
		}
	}
	takes := "without a limit of the rate"
	if rate > 0 {
		takes = fmt.Sprintf("%v to %v at %g requests a second to a host, or its own Crawl-delay", p.Short.Round(time.Second), p.Long.Round(time.Second), rate)
	}
	_, err := fmt.Fprintf(a.out, "  %s and %s: %s to %s requests, %s\n",
		plural(p.Lists, "list page"), plural(p.Posts, "post"), grouped(p.Least), grouped(p.Most), takes)
	return err
}

// shownDays is how many days a report tells people of.
const shownDays = 40

// writeStandings tells how the days of a backfill stand, which it finds out at its
// end.
func writeStandings(w io.Writer, r *news.Run) error {
	b := r.Backfill
	if b == nil || r.Ended.IsZero() {
		return nil
	}
	if len(b.Days) == 0 {
		_, err := fmt.Fprintf(w, "  days      %s to %s: no trace of a post: no list links one, and no related report names one\n", b.From, b.To)
		return err
	}
	rows := [][]string{{"", "archived", "gone", "never seen", ""}}
	for _, d := range b.Days[:min(len(b.Days), shownDays)] {
		rows = append(rows, []string{d.Day.String(), grouped(d.Archived), grouped(d.Gone), grouped(d.NeverSeen), ""})
	}
	lines := aligned(rows)
	if n := len(b.Days) - shownDays; n > 0 {
		lines = append(lines, fmt.Sprintf("… and %s more: finarc runs --json has all", plural(n, "day")))
	}
	if n := daysBetween(b.From, b.To) - len(b.Days); n > 0 {
		lines = append(lines, fmt.Sprintf("%s without a trace of a post", plural(n, "day")))
	}
	return table(w, labelled("days", strings.Join(lines, "\n")))
}

// daysBetween counts the days from one to another, both included.
func daysBetween(from, to news.Day) int {
	return int(to.Time().Sub(from.Time())/(24*time.Hour)) + 1
}
