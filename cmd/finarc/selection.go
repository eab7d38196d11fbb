package main

import (
	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/news"
	"github.com/spf13/cobra"
)

// selection is the flags by which posts are chosen, the same everywhere.
type selection struct {
	from, to, category, tag, security, mirror string
	limit                                     int
	asOf                                      asOf
}

func (s *selection) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&s.from, "from", "", "first `DAY` of publication, as 2021-12-22, in Shanghai time")
	f.StringVar(&s.to, "to", "", "last `DAY` of publication")
	f.StringVar(&s.category, "category", "", "posts of a `CATEGORY`, as 21caijing")
	f.StringVar(&s.tag, "tag", "", "posts with a `TAG`, as 21财经新闻")
	f.StringVar(&s.security, "security", "", "posts that mention a `SECURITY`, as 1.600160 or 600160")
	f.StringVar(&s.mirror, "mirror", "", "posts from the mirror called `NAME`")
	s.asOf.register(cmd, "posts as they were known")
	f.IntVar(&s.limit, "limit", 0, "at most `N` posts (0: all)")
	for _, flag := range []string{"from", "to", "category", "tag", "security", "mirror", "limit"} {
		completeFlag(cmd, flag, noValues)
	}
}

// selection returns what the flags say, or a usage error.
func (s *selection) selection() (archive.Selection, error) {
	sel := archive.Selection{
		Category: s.category, Tag: s.tag, Security: s.security, Mirror: s.mirror, Limit: s.limit,
	}
	var err error
	if sel.From, err = day("--from", s.from); err != nil {
		return sel, err
	}
	if sel.To, err = day("--to", s.to); err != nil {
		return sel, err
	}
	if sel.From != 0 && sel.To != 0 && sel.From > sel.To {
		return sel, usagef("--from %s is after --to %s", sel.From, sel.To)
	}
	if sel.AsOf, err = s.asOf.moment(); err != nil {
		return sel, err
	}
	if sel.Limit < 0 {
		return sel, usagef("--limit %d: want 0 (all) or more", sel.Limit)
	}
	return sel, nil
}

func day(flag, text string) (news.Day, error) {
	if text == "" {
		return 0, nil
	}
	d, err := news.ParseDay(text)
	if err != nil {
		return 0, usagef("%s: %w", flag, err)
	}
	return d, nil
}
