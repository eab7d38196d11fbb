package main

import (
	"context"
	"fmt"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/diff"
	"github.com/finarc/finarc/jsonform"
	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/page"
)

// diffContext is how many characters without changes are shown on each side of
// a change.
const diffContext = 40

// showDifference shows what differs between two revisions of a post: those with
// the numbers, or the last two.
func (a *app) showDifference(ctx context.Context, arc *archive.Archive, id news.ID, numbers []int) error {
	list, err := arc.Revisions(ctx, id)
	if err != nil {
		return err
	}
	if len(numbers) == 0 && len(list) == 1 {
		return a.showOnlyRevision(&list[0])
	}
	if len(numbers) == 0 {
		numbers = []int{len(list) - 1, len(list)}
	}
	old, err := numbered(list, numbers[0])
	if err != nil {
		return err
	}
	new, err := numbered(list, numbers[1])
	if err != nil {
		return err
	}
	for _, rev := range []*news.Revision{&old, &new} {
		if rev.Lost {
			return fmt.Errorf("revision %d of %s cannot be compared: %s", rev.Number, rev.ID, lost(rev))
		}
	}
	if a.json {
		return a.writeJSON(jsonform.NewDifference(&old, &new, len(list)))
	}
	return a.writeDifference(&old, &new)
}

// showOnlyRevision says that there is nothing to compare.
func (a *app) showOnlyRevision(rev *news.Revision) error {
	if a.json {
		return a.writeJSON(jsonform.Alone(rev))
	}
	_, err := fmt.Fprintf(a.out, "%s has one revision, fetched %s: there is nothing to compare it with\n", rev.Name(), clock(rev.Fetched))
	return err
}

func (a *app) writeDifference(old, new *news.Revision) error {
	marks := a.marks()
	inLine := func(was, is string) string { return diff.Format(diff.Texts(printable(was), printable(is)), marks) }
	err := table(a.out, [][2]string{
		{"info_code", new.Name()},
		{"from", revisionOfTime(old)},
		{"to", revisionOfTime(new)},
		{"title", inLine(old.Title, new.Title)},
		{"published", inLine(clock(old.Published), clock(new.Published))},
	})
	if err != nil {
		return err
	}
	text := "The text is the same."
	list := diff.Texts(printableText(page.Text(old.Body)), printableText(page.Text(new.Body)))
	if diff.Changed(list) {
		text = diff.Format(diff.Shorten(list, diffContext), marks)
	}
	_, err = fmt.Fprintf(a.out, "\n%s\n", text)
	return err
}

func revisionOfTime(rev *news.Revision) string {
	return fmt.Sprintf("revision %d, fetched %s", rev.Number, clock(rev.Fetched))
}

// marks returns how changes are marked: by colours for people who want them.
func (a *app) marks() diff.Marks {
	if a.coloured() {
		return diff.Colors
	}
	return diff.Brackets
}

// coloured reports whether people read the output who want colours.
func (a *app) coloured() bool {
	_, live := terminal(a.out)
	return live && environment(a.environ, "NO_COLOR") == "" && environment(a.environ, "TERM") != "dumb"
}
