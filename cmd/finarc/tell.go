package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/config"
	"github.com/finarc/finarc/metrics"
	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/notify"
)

// What a crawl tells of itself once it has ended.

// crawlAndTell crawls, and tells of it: metrics, report and hook get to know of a
// run that failed too.
func (a *app) crawlAndTell(ctx context.Context, c config.Config, fl *crawlFlags) error {
	report, err := a.crawlInto(ctx, c, fl)
	if report != nil && fl.metricsFile != "" {
		if failed := metrics.WriteFile(fl.metricsFile, report); failed != nil {
			err = errors.Join(err, fmt.Errorf("%w: %w", errMetrics, failed))
		}
	}
	if report != nil && (!fl.quiet || err != nil) {
		err = errors.Join(err, a.showRun(report))
	}
	a.notify(ctx, c, report, err)
	if report != nil && ctx.Err() == nil {
		a.keepStories(ctx, c.Archive)
		a.keepIndex(ctx, c.Archive)
	}
	return err
}

// notify tells the configured hook of a run that ended with err. Where another
// run is at the mirror, that one tells. That a hook cannot be told is no failure
// of the run.
func (a *app) notify(ctx context.Context, c config.Config, r *news.Run, err error) {
	if r == nil && as[*archive.LockedError](err) {
		return
	}
	m := notify.New(c.Archive, r, exitCode(err), err)
	if !notify.Wanted(c.Notify, m) {
		return
	}
	hook := notify.Hook{URL: c.Notify.URL, Agent: userAgent(c.Contact), Proxy: c.Proxy}
	if err := hook.Send(ctx, m); err != nil {
		fmt.Fprintf(a.err, "finarc: warning: %s\n", printable(err.Error()))
	}
}

// verdict returns what is wrong after a run that came to its end, nil if nothing.
func verdict(r *news.Run) error {
	var faults []error
	if failedPosts(r) > 0 || r.Lists.Failed > 0 {
		faults = append(faults, fmt.Errorf("run %d: %w: %s", r.ID, errPagesFailed, failures(r)))
	}
	if len(r.Drift) > 0 {
		faults = append(faults, fmt.Errorf("run %d: %w: %s", r.ID, errDrift, strings.ReplaceAll(drift(r.Drift), "\n", "; ")))
	}
	if len(r.Gaps) > 0 {
		faults = append(faults, fmt.Errorf("run %d: %w: %s", r.ID, errGap, strings.ReplaceAll(gaps(r.Gaps), "\n", "; ")))
	}
	if r.Shortfall != nil {
		faults = append(faults, fmt.Errorf("run %d: %w: %s", r.ID, errShortfall, shortfall(r.Shortfall)))
	}
	return errors.Join(faults...)
}

// leftOver tells what a run has left to the next one, if that has to be said: it
// is no failure, and yet nothing to be silent about. wrong says that there is an
// error to be told of too.
func (a *app) leftOver(r *news.Run, fl *crawlFlags, wrong bool) string {
	left := r.Pending + r.Lists.Pending
	switch limited := r.Ending == news.EndingDuration || r.Ending == news.EndingRequests; {
	case limited && left > 0:
		return fmt.Sprintf("run %d ended by its %s; left: %s; go on with: %s",
			r.ID, r.Ending, postsAndLists(r.Pending, r.Lists.Pending), r.GoOn)
	case limited && !fl.quiet:
		return fmt.Sprintf("run %d ended by its %s; nothing is left", r.ID, r.Ending)
	case !limited && r.Pending > 0 && !wrong:
		return fmt.Sprintf("run %d could not get %s now; the next %s tries again (finarc runs --limit 1 tells why)",
			r.ID, plural(r.Pending, "post"), fl.command()[0])
	case !limited && r.Lists.Pending > 0 && !wrong && !fl.quiet:
		return fmt.Sprintf("run %d left %s unread%s", r.ID, plural(r.Lists.Pending, "list page"), resting(r))
	}
	return ""
}

// resting tells which hosts a run left alone because they want to be.
func resting(r *news.Run) string {
	var hosts []string
	for _, name := range slices.Sorted(maps.Keys(r.Hosts)) {
		if until := r.Hosts[name].Paused; !until.IsZero() {
			hosts = append(hosts, fmt.Sprintf("%s until %s", name, clock(until)))
		}
	}
	if len(hosts) == 0 {
		return ""
	}
	return "; wants to be left alone: " + strings.Join(hosts, ", ")
}

// again returns the command line of another run of the same.
func (a *app) again(fl *crawlFlags) string {
	line := append([]string{"finarc"}, fl.command()...)
	if a.configFile != "" {
		line = append(line, "--config", a.configFile)
	}
	if a.archiveFile != "" {
		line = append(line, "--archive", a.archiveFile)
	}
	for _, name := range fl.only {
		line = append(line, "--mirror", name)
	}
	for i, word := range line {
		if strings.ContainsFunc(word, func(r rune) bool {
			return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("-_./:@+,", r)
		}) {
			line[i] = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
		}
	}
	return strings.Join(line, " ")
}

// failures tells how many pages failed for good: 2 posts and 1 list page.
func failures(r *news.Run) string { return postsAndLists(failedPosts(r), r.Lists.Failed) }

// failedPosts counts the posts that failed for good. That nobody has a post any
// more that is known by its code alone is what a backfill finds out, and no
// failure of it.
func failedPosts(r *news.Run) int {
	if r.Backfill != nil {
		return r.FailedPosts() - r.Failed[news.FailedGone]
	}
	return r.FailedPosts()
}

func postsAndLists(posts, lists int) string {
	var parts []string
	if posts > 0 {
		parts = append(parts, plural(posts, "post"))
	}
	if lists > 0 {
		parts = append(parts, plural(lists, "list page"))
	}
	return strings.Join(parts, " and ")
}
