package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/page"
	"github.com/finarc/finarc/search"
	"github.com/spf13/cobra"
)

// searchFlags are the flags of a search.
type searchFlags struct {
	days    dayRange
	query   search.Query
	sort    string
	rebuild bool
}

func (a *app) searchCommand() *cobra.Command {
	fl := &searchFlags{}
	cmd := reports(&cobra.Command{
		Use:   "search WORDS",
		Short: "Find posts by the words in them",
		Long: `Find posts that have all of the words in title or text. Whatever stands there is
found, be it a part of a word or of a number. Simplified and traditional Chinese,
full and half width, upper and lower case are one, and white space does not count;
nothing is found that begins in one paragraph and ends in another.

  上海机场 期货       both, anywhere
  "Wall Street"       a phrase, in quotation marks as it stands
  -期货               without it
  title:茅台          in the title
  category:21caijing, tag:21财经新闻, security:1.600160 or security:600160, mirror:finews
  from:2021-12-20 to:2021-12-22

What begins with a minus stands in one argument with the rest, or after --. The
flags are conditions too.

By relevance, posts come first that have all words in the title, then those that
have all of them three times, then the rest; the newest first of each. Of a story
that several posts run (see finarc stories), --fold shows the first one alone.

The index is kept in the folder *.search beside the archive. The first search makes
it; from then on crawls and backfills end with bringing it up to date, for at most
10 seconds, and so does a search begin. What it still lacks is told. It can be
deleted, or made anew with --rebuild: all of it comes from the archive.

With --json, one object; marks are [from, to) in characters of the text.`,
		Example: `  finarc search 阿里云
  finarc search '原油 -期货' --from -7d --sort time
  finarc search title:茅台 --fold --limit 50
  finarc search Log4j2 --json | jq -r '.hits[].title.text'
  finarc search --rebuild`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 && !fl.rebuild {
				return usagef("want words to look for")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return a.search(cmd.Context(), fl, args) },
	})
	cmd.ValidArgsFunction = cobra.NoFileCompletions
	fl.register(cmd)
	return cmd
}

func (fl *searchFlags) register(cmd *cobra.Command) {
	fl.days.register(cmd, "of publication")
	f := cmd.Flags()
	f.StringVar(&fl.query.Category, "category", "", "posts of a `CATEGORY`, as 21caijing")
	f.StringVar(&fl.query.Tag, "tag", "", "posts with a `TAG`, as 21财经新闻")
	f.StringVar(&fl.query.Security, "security", "", "posts that mention a `SECURITY`, as 1.600160 or 600160")
	f.StringVar(&fl.query.Mirror, "mirror", "", "posts from the mirror called `NAME`")
	f.IntVar(&fl.query.Limit, "limit", search.DefaultLimit, "at most `N` posts (0: all)")
	f.StringVar(&fl.sort, "sort", string(search.ByRelevance), "`ORDER` of the posts: relevance or time, the newest first")
	f.BoolVar(&fl.query.Fold, "fold", false, "one post of a story: the first")
	f.StringVar(&fl.query.After, "after", "", "go on at a `CURSOR` that an earlier search told")
	f.BoolVar(&fl.rebuild, "rebuild", false, "make the index anew first")
	for _, name := range []string{"category", "tag", "security", "mirror", "limit", "after"} {
		completeFlag(cmd, name, noValues)
	}
	completeFlag(cmd, "sort", func() []string { return []string{string(search.ByRelevance), string(search.ByTime)} })
}

// wanted returns the query that flags and arguments make.
func (fl *searchFlags) wanted(args []string, today news.Day) (q search.Query, err error) {
	q = fl.query
	q.Text, q.Sort = strings.Join(args, " "), search.Sort(fl.sort)
	switch {
	case q.Sort != search.ByRelevance && q.Sort != search.ByTime:
		return q, usagef("--sort %q: want relevance or time", fl.sort)
	case q.Limit < 0:
		return q, usagef("--limit %d: want 0 (all) or more", q.Limit)
	}
	q.From, q.To, err = fl.days.days(today)
	return q, err
}

func (a *app) search(ctx context.Context, fl *searchFlags, args []string) (err error) {
	q, err := fl.wanted(args, a.today())
	if err != nil {
		return err
	}
	arc, err := a.openArchive(ctx)
	if err != nil {
		return err
	}
	x := searchIndex(arc)
	defer func() { err = errors.Join(err, x.Close()) }()
	if len(args) > 0 {
		if err := x.Check(q); err != nil {
			return queryError(err)
		}
	}
	u, err := a.catchUp(ctx, x, arc, fl.rebuild)
	if err != nil {
		return err
	}
	if len(args) == 0 {
		return a.tellIndex(x, u)
	}
	return a.tellHits(ctx, x, arc, q, u.Behind)
}

// searchIndex returns the search index of an archive.
func searchIndex(arc *archive.Archive) *search.Index {
	return search.Open(arc.Path()+".search", page.Text)
}

// queryError makes an error of a query one of usage.
func queryError(err error) error {
	if as[*search.QueryError](err) || errors.Is(err, search.ErrCursor) {
		return usageError{err}
	}
	return err
}

// indexTime is for how long an index that there is is brought up to date, at the
// end of a crawl and before a search.
const indexTime = 10 * time.Second

// catchUp brings the index up to date, or makes it anew where there is none that can
// be used. It says what it cannot do.
func (a *app) catchUp(ctx context.Context, x *search.Index, arc *archive.Archive, rebuild bool) (u search.Updated, err error) {
	if !rebuild {
		within, done := context.WithTimeout(ctx, indexTime)
		defer done()
		u, err = x.Update(within, arc, search.Options{NoRebuild: true})
		unusable := errors.Is(err, search.ErrNoIndex) || errors.Is(err, search.ErrStale) || errors.Is(err, search.ErrDamaged)
		switch {
		case err == nil || ctx.Err() != nil:
			return u, err
		case !unusable:
			if within.Err() == nil {
				fmt.Fprintf(a.err, "finarc: warning: the search index was not brought up to date: %s\n", printable(err.Error()))
			}
			u.Behind, err = x.Behind(ctx, arc)
			return u, err
		}
		fmt.Fprintf(a.err, "finarc: making the search index: %s\n", printable(err.Error()))
	}
	return x.Update(ctx, arc, search.Options{Rebuild: true})
}

// keepIndex brings the search index up to date after a crawl, where there is one.
// That it cannot be is no failure of the crawl.
func (a *app) keepIndex(ctx context.Context, path string) {
	within, done := context.WithTimeout(ctx, indexTime)
	defer done()
	arc, err := archive.Open(within, path, a.archiveOptions()...)
	if err == nil {
		x := searchIndex(arc)
		if _, err = x.Update(within, arc, search.Options{NoRebuild: true}); errors.Is(err, search.ErrNoIndex) {
			err = nil
		}
		err = errors.Join(err, x.Close())
	}
	if err != nil && within.Err() == nil {
		fmt.Fprintf(a.err, "finarc: warning: the search index was not brought up to date: %s\n", printable(err.Error()))
	}
}

// tellIndex says what an index holds that was made anew.
func (a *app) tellIndex(x *search.Index, u search.Updated) error {
	bytes, err := x.Size()
	if err != nil {
		return err
	}
	if a.json {
		return a.writeJSON(struct {
			search.Updated
			Bytes int64 `json:"bytes"`
		}{u, bytes})
	}
	_, err = fmt.Fprintf(a.out, "%s indexed, %s\n", plural(u.Posts, "post"), size(bytes))
	return err
}

// hitJSON is a hit as search prints it.
type hitJSON struct {
	ID        news.ID        `json:"id"`
	InfoCode  news.InfoCode  `json:"info_code,omitempty"`
	Published time.Time      `json:"published,omitzero"`
	Category  string         `json:"category,omitempty"`
	Outlet    string         `json:"outlet,omitempty"`
	Title     search.Passage `json:"title"`
	Passage   search.Passage `json:"passage"`
	Story     string         `json:"story_id,omitempty"`
	Others    int            `json:"others"` // other posts of the story; with --fold
	Mirror    string         `json:"mirror,omitempty"`
	URL       string         `json:"url"`
}

// searchJSON is what search prints.
type searchJSON struct {
	Query  string      `json:"query"`
	Sort   search.Sort `json:"sort"`
	Hits   []hitJSON   `json:"hits"`
	Next   string      `json:"next,omitempty"` // the cursor to go on at
	Behind uint64      `json:"behind"`         // changes of the archive that the index lacks
}

// tellHits writes what a query finds.
func (a *app) tellHits(ctx context.Context, x *search.Index, arc *archive.Archive, q search.Query, behind uint64) error {
	if behind > 0 {
		fmt.Fprintf(a.err, "finarc: the search index lacks the last %s of the archive; the next search goes on\n", plural(int64(behind), "change"))
	}
	out := bufio.NewWriter(a.out)
	told := searchJSON{Query: q.Text, Sort: q.Sort, Hits: []hitJSON{}, Behind: behind}
	write := a.hitLister(out)
	if a.json {
		write = func(h *search.Hit) error {
			told.Hits = append(told.Hits, newHitJSON(h))
			return nil
		}
	}
	next, err := eachHit(ctx, x, arc, q, write)
	if err != nil {
		return errors.Join(out.Flush(), queryError(err))
	}
	if told.Next = next; a.json {
		return a.writeJSON(told)
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if next != "" {
		fmt.Fprintf(a.err, "finarc: there may be more: --after %s\n", next)
	}
	return nil
}

// maxShort is how many pages may end early, as of the texts that the index names few
// are hits, before a query is gone on with only when told so. Each takes some 20 ms.
const maxShort = 2

// eachHit hands on as many hits as are wanted, from as many pages as that takes, or
// all that there are. It can end with fewer, and tell where to go on.
func eachHit(ctx context.Context, x *search.Index, arc *archive.Archive, q search.Query, to func(*search.Hit) error) (next string, err error) {
	left, short := q.Limit, 0
	for {
		if q.Limit = search.MaxLimit; left > 0 {
			q.Limit = min(left, search.MaxLimit)
		}
		p, err := x.Search(ctx, arc, q)
		if err != nil {
			return "", err
		}
		for i := range p.Hits {
			if err := to(&p.Hits[i]); err != nil {
				return "", err
			}
		}
		if left > 0 {
			if len(p.Hits) < q.Limit {
				short++
			}
			if left -= len(p.Hits); left == 0 || short == maxShort {
				return p.Next, nil
			}
		}
		if q.After = p.Next; p.Next == "" {
			return "", nil
		}
	}
}

func newHitJSON(h *search.Hit) hitJSON {
	p := &h.Post
	return hitJSON{
		ID: p.ID, InfoCode: p.InfoCode, Published: p.Published, Category: p.Category, Outlet: p.Outlet,
		Title: h.Title, Passage: h.Passage, Story: p.Story, Others: h.Others, Mirror: p.Mirror, URL: p.URL,
	}
}

// hitLister returns what writes a hit for people: a line as of the list, and below
// it the passage.
func (a *app) hitLister(out io.Writer) func(*search.Hit) error {
	open, shut := "«", "»"
	if a.coloured() {
		open, shut = "\x1b[1;31m", "\x1b[0m"
	}
	return func(h *search.Hit) error {
		rev := h.Post
		rev.Title = ""
		line := listLine(&rev, true) + marked(h.Title, open, shut)
		if rev.Outlet != "" {
			line += "  (" + printable(rev.Outlet) + ")"
		}
		if h.Others > 0 {
			line += "  +" + plural(h.Others, "reprint")
		}
		if h.Passage.Text != "" {
			line += "\n    …" + marked(h.Passage, open, shut) + "…"
		}
		_, err := fmt.Fprintln(out, line)
		return err
	}
}

// marked writes a passage with its words marked.
func marked(p search.Passage, open, shut string) string {
	var b strings.Builder
	runes, at := []rune(p.Text), 0
	for _, m := range p.Marks {
		b.WriteString(printable(string(runes[at:m[0]])) + open + printable(string(runes[m[0]:m[1]])) + shut)
		at = m[1]
	}
	b.WriteString(printable(string(runes[at:])))
	return b.String()
}
