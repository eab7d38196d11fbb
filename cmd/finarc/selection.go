package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/news"
	"github.com/spf13/cobra"
)

// selection is the flags by which posts are chosen, the same everywhere.
type selection struct {
	days                            dayRange
	category, tag, security, mirror string
	limit                           int
	asOf                            asOf
}

func (s *selection) register(cmd *cobra.Command) { s.registerLimited(cmd, 0) }

// registerLimited is register where so many posts are the most that are meant
// unless told otherwise; 0: all are.
func (s *selection) registerLimited(cmd *cobra.Command, limit int) {
	f := cmd.Flags()
	s.days.register(cmd, "of publication")
	f.StringVar(&s.category, "category", "", "posts of a `CATEGORY`, as 21caijing")
	f.StringVar(&s.tag, "tag", "", "posts with a `TAG`, as 21财经新闻")
	f.StringVar(&s.security, "security", "", "posts that mention a `SECURITY`, as 1.600160 or 600160")
	f.StringVar(&s.mirror, "mirror", "", "posts from the mirror called `NAME`")
	s.asOf.register(cmd, "posts as they were known")
	f.IntVar(&s.limit, "limit", limit, "at most `N` posts (0: all)")
	for _, flag := range []string{"category", "tag", "security", "mirror", "limit"} {
		completeFlag(cmd, flag, noValues)
	}
}

// selection returns what the flags say, or a usage error.
func (s *selection) selection(today news.Day) (archive.Selection, error) {
	sel := archive.Selection{
		Category: s.category, Tag: s.tag, Security: s.security, Mirror: s.mirror, Limit: s.limit,
	}
	var err error
	if sel.From, sel.To, err = s.days.days(today); err != nil {
		return sel, err
	}
	if sel.AsOf, err = s.asOf.moment(today); err != nil {
		return sel, err
	}
	if sel.Limit < 0 {
		return sel, usagef("--limit %d: want 0 (all) or more", sel.Limit)
	}
	return sel, nil
}

// selected tells a selection in words, the same for the same one: the flags, with
// days as they were meant.
func selected(sel archive.Selection) string {
	var words []string
	add := func(flag, value string) {
		if value != "" {
			words = append(words, fmt.Sprintf("--%s %q", flag, value))
		}
	}
	add("from", sel.From.String())
	add("to", sel.To.String())
	add("category", sel.Category)
	add("tag", sel.Tag)
	add("security", sel.Security)
	add("mirror", sel.Mirror)
	if !sel.AsOf.IsZero() {
		add("as-of", sel.AsOf.In(news.Shanghai).Format(time.RFC3339Nano))
	}
	if sel.Limit > 0 {
		add("limit", fmt.Sprint(sel.Limit))
	}
	if len(words) == 0 {
		return "all posts"
	}
	return strings.Join(words, " ")
}
