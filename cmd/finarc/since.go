package main

import (
	"context"
	"fmt"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/spf13/cobra"
)

// since is the flags by which an export is of what came in since the last one of
// the same name.
type since struct {
	name      string
	fromStart bool
}

func (s *since) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&s.name, "since-last", "", "only what came in since the last export of this `NAME`")
	f.BoolVar(&s.fromStart, "from-start", false, "with --since-last: all posts once more")
	completeFlag(cmd, "since-last", noValues)
}

// wanted reports whether the flag was given.
func (s *since) wanted(cmd *cobra.Command) bool { return cmd.Flags().Changed("since-last") }

// check refuses flags that cannot be meant together.
func (s *since) check(cmd *cobra.Command, sel *selection) error {
	changes := s.wanted(cmd)
	switch {
	case changes && s.name == "":
		return usagef("--since-last: want a name")
	case s.fromStart && !changes:
		return usagef("--from-start is for --since-last NAME")
	case changes && sel.limit > 0:
		return usagef("--since-last and --limit exclude each other: what is left out would be lost to the name")
	case changes && sel.asOf != "":
		return usagef("--since-last and --as-of exclude each other")
	}
	return nil
}

// bookmark is where an export begins that was asked for by [since], and where it
// ends.
type bookmark struct {
	*since
	archive   *archive.Archive
	was       archive.Exported
	selection string
	after     uint64 // places in the change sequence: after the one,
	upTo      uint64 // up to the other
}

// begin returns where an export of a selection begins and ends, and narrows the
// selection to that. Without a name it is of all that there is at this moment.
func (s *since) begin(ctx context.Context, arc *archive.Archive, sel *archive.Selection) (bookmark, error) {
	b := bookmark{since: s, archive: arc, selection: selected(*sel)}
	var err error
	if b.was, b.upTo, err = arc.Exported(ctx, s.name); err != nil {
		return b, err
	}
	if b.was.Seq > 0 && b.was.Selection != b.selection && !s.fromStart {
		return b, usagef("--since-last %s: its last export, of %s, selected %s, and this one selects %s; use another name, or --from-start",
			s.name, clock(b.was.Time()), b.was.Selection, b.selection)
	}
	if !s.fromStart {
		b.after = b.was.Seq
	}
	sel.After, sel.UpTo = b.after, b.upTo
	return b, nil
}

// move moves the bookmark, if there is one, after out was written.
func (b *bookmark) move(ctx context.Context, out string, now time.Time) error {
	if b.name == "" {
		return nil
	}
	to := archive.Exported{Seq: b.upTo, Selection: b.selection, At: now.Unix()}
	// An interruption now would only let the next export repeat this one.
	if err := b.archive.SetExported(context.WithoutCancel(ctx), b.name, b.was, to); err != nil {
		return fmt.Errorf("%s is written, and the next export of that name repeats it: %w", out, err)
	}
	return nil
}

// told says since when the export is, for the end of a line.
func (b *bookmark) told() string {
	if b.name == "" || b.was.Seq == 0 || b.fromStart {
		return ""
	}
	return ": what came in since " + clock(b.was.Time())
}
