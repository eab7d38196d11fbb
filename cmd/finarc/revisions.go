package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/jsonform"
	"github.com/finarc/finarc/news"
)

// showRevisions lists the revisions of a post, oldest first.
func (a *app) showRevisions(ctx context.Context, arc *archive.Archive, id news.ID) error {
	list, err := arc.Revisions(ctx, id)
	if err != nil {
		return err
	}
	if a.json {
		return a.writeRevisions(list)
	}
	rows := [][]string{{"revision", "fetched", "last_seen", "mode", "mirror", "sha256", "text_sha256", "title"}}
	for i := range list {
		rows = append(rows, revisionRow(&list[i]))
	}
	return a.grid(rows)
}

func (a *app) writeRevisions(list []news.Revision) error {
	m, err := a.market()
	if err != nil {
		return err
	}
	for i := range list {
		if err := a.writeJSON(m.listed(list[i])); err != nil {
			return err
		}
	}
	a.noteUnknown(m)
	return nil
}

// shownDigest is how many hexadecimal digits of a digest a table shows.
const shownDigest = 12

func revisionRow(rev *news.Revision) []string {
	return []string{
		strconv.Itoa(rev.Number), clock(rev.Fetched), clock(rev.LastSeen), string(rev.Mode), dash(printable(rev.Mirror)),
		dash(short(rev.SHA256)), dash(short(jsonform.TextDigest(rev))), printable(rev.Title),
	}
}

func short(digest string) string { return digest[:min(len(digest), shownDigest)] }

// numbered returns the revision with a number, or a usage error that tells how
// many there are.
func numbered(list []news.Revision, number int) (news.Revision, error) {
	if number < 1 || number > len(list) {
		return news.Revision{}, usagef("no revision %d: %s has %s", number, list[0].ID, plural(len(list), "revision"))
	}
	return list[number-1], nil
}

// knownAt returns the newest revision that was captured at or before a moment,
// last seen as far as that moment could know, see [archive.Archive.Select].
func knownAt(list []news.Revision, at time.Time) (news.Revision, error) {
	for _, rev := range slices.Backward(list) {
		if rev.Fetched.After(at) {
			continue
		}
		rev.Story = "" // what was known of stories is not known
		if rev.LastSeen.After(at) {
			rev.LastSeen = rev.Fetched
		}
		return rev, nil
	}
	return news.Revision{}, fmt.Errorf("%s was not known as of %s; it was first seen %s", list[0].ID, clock(at), clock(list[0].FirstSeen))
}

// revisionNumbers reads the numbers of the revisions that --diff compares.
func revisionNumbers(args []string) ([]int, error) {
	var numbers []int
	for _, arg := range args {
		n, err := strconv.Atoi(arg)
		if err != nil {
			return nil, usagef("--diff: %q is no revision's number: want two, as in --diff 1 3", arg)
		}
		numbers = append(numbers, n)
	}
	if len(numbers) == 2 && numbers[0] == numbers[1] {
		return nil, usagef("--diff %d %d: a revision is not compared with itself", numbers[0], numbers[1])
	}
	return numbers, nil
}
