package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/page"
	"github.com/finarc/finarc/securities"
	"github.com/spf13/cobra"
)

// usualDays are the days before a selection with which it is compared.
const usualDays = 28

// securitiesFlags are what the command line asks for.
type securitiesFlags struct {
	selection
	fresh, rising, boards, marked bool
	top                           int
}

func (a *app) securitiesCommand() *cobra.Command {
	var fl securitiesFlags
	cmd := reports(&cobra.Command{
		Use:   "securities",
		Short: "Say which securities or boards posts name",
		Long: `Say which securities the selected posts name: how many posts, and in how many places.
Those count that the mirror marks, pictures included, and those that stand in title
or text without a mark: a name that the archive knows by other marks, as it was at
the time, or a code (600160.SH, SH600160, 03301.HK, NYSE:BABA, or a known one alone
in brackets). Words such as 机器人 count where a code or a mark shows that the company
is meant, brokers that are quoted do not.

The name is that of the last day selected, aliases are all others; see --json for
when each was used.

--new tells those that no post before the selection marks. --rising tells those that
far more posts name than the 28 days before let expect: at least twice as many, and
by chance less than once in 10,000 times.`,
		Example: `  finarc securities --from today
  finarc securities --from -7d --rising
  finarc securities --from -7d --new --top 0
  finarc securities --security 1.600160             what it is named together with
  finarc securities --from 2021-12-22 --to 2021-12-22 --boards --json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			sel, err := fl.check(cmd, a.today())
			if err != nil {
				return err
			}
			arc, err := a.openArchive(cmd.Context())
			if err != nil {
				return err
			}
			return a.securities(cmd.Context(), arc, sel, &fl)
		},
	})
	fl.register(cmd)
	f := cmd.Flags()
	f.BoolVar(&fl.fresh, "new", false, "tell those that no post before --from marks")
	f.BoolVar(&fl.rising, "rising", false, "tell those that are named far more often than in the 28 days before --from")
	f.BoolVar(&fl.boards, "boards", false, "tell of sector and concept boards in place of companies")
	f.BoolVar(&fl.marked, "marked", false, "count marked places alone, which is quicker")
	f.IntVar(&fl.top, "top", 50, "show the first `N` (0: all); JSON has all")
	completeFlag(cmd, "top", noValues)
	return cmd
}

// check returns what is selected, or a usage error.
func (fl *securitiesFlags) check(cmd *cobra.Command, today news.Day) (archive.Selection, error) {
	if err := exclusive(cmd, "new", "rising"); err != nil {
		return archive.Selection{}, err
	}
	if fl.top < 0 {
		return archive.Selection{}, usagef("--top %d: want 0 (all) or more", fl.top)
	}
	sel, err := fl.selection.selection(today)
	switch {
	case err != nil:
		return sel, err
	case sel.From == 0 && fl.fresh:
		return sel, usagef("--new wants --from: those that no post before that day marks")
	case sel.From == 0 && fl.rising:
		return sel, usagef("--rising wants --from: the %d days before it tell what is usual", usualDays)
	}
	return sel, nil
}

// securityJSON is a line of securities --json.
type securityJSON struct {
	Rank int    `json:"rank"`
	Name string `json:"name,omitempty"` // on the last day selected
	securities.Count
	First   news.Day          `json:"first,omitempty"` // of the first post that marks it
	Aliases []securities.Name `json:"aliases"`         // all other names
	*risen
}

// risen is what securities --rising tells besides.
type risen struct {
	Before   int     `json:"before"`
	Expected float64 `json:"expected"`
	Chance   float64 `json:"chance"`
}

func (a *app) securities(ctx context.Context, arc *archive.Archive, sel archive.Selection, fl *securitiesFlags) error {
	g, err := learned(ctx, arc, sel.AsOf)
	if err != nil {
		return err
	}
	s := surveyor{arc: arc}
	if !fl.marked {
		s.find = g.Finder().In(page.ReadArticle)
	}
	survey, err := s.survey(ctx, sel)
	if err != nil {
		return err
	}
	day := lastDay(sel, a.today())
	var list []securityJSON
	if fl.rising {
		rises, err := a.rises(ctx, s, survey, sel, fl.boards)
		if err != nil {
			return err
		}
		for i, r := range rises {
			list = append(list, securityOf(g, r.Count, i+1, day, &risen{r.Before, r.Expected, r.Chance}))
		}
		return a.writeSecurities(list, fl)
	}
	for _, c := range survey.Counts(fl.boards) {
		if !fl.fresh || within(g.First(c.Security), sel) {
			list = append(list, securityOf(g, c, len(list)+1, day, nil))
		}
	}
	return a.writeSecurities(list, fl)
}

// rises returns what the surveyed posts name far more often than those before.
func (a *app) rises(ctx context.Context, s surveyor, now *securities.Survey, sel archive.Selection, boards bool) ([]securities.Rise, error) {
	sel.From, sel.To, sel.Limit = sel.From.Add(-usualDays), sel.From.Add(-1), 0
	usual, err := s.survey(ctx, sel)
	if err != nil {
		return nil, err
	}
	if usual.Posts == 0 {
		fmt.Fprintf(a.err, "finarc: there are no posts of the %d days before %s to compare with\n", usualDays, sel.To.Add(1))
	}
	return securities.Rising(now, usual, boards), nil
}

// learned returns what all posts teach of names, as of a moment.
func learned(ctx context.Context, arc *archive.Archive, asOf time.Time) (*securities.Gazetteer, error) {
	g := new(securities.Gazetteer)
	return g, g.LearnAll(arc.Select(ctx, archive.Selection{AsOf: asOf}))
}

// surveyor counts what selected posts name.
type surveyor struct {
	arc  *archive.Archive
	find func(*news.Revision) []news.Place // nil: marks alone count
}

func (s surveyor) survey(ctx context.Context, sel archive.Selection) (*securities.Survey, error) {
	sel.Body = s.find != nil
	return securities.Read(ctx, s.arc.Select(ctx, sel), s.find)
}

// within reports whether a day is one of the selection's.
func within(d news.Day, sel archive.Selection) bool {
	return d != 0 && d >= sel.From && (sel.To == 0 || d <= sel.To)
}

// lastDay returns the last day of a selection that there can be posts of.
func lastDay(sel archive.Selection, today news.Day) news.Day {
	last := today
	if !sel.AsOf.IsZero() {
		last = min(last, news.DayOf(sel.AsOf))
	}
	if sel.To != 0 {
		last = min(last, sel.To)
	}
	return last
}

func securityOf(g *securities.Gazetteer, c securities.Count, rank int, day news.Day, r *risen) securityJSON {
	j := securityJSON{Rank: rank, Name: g.NameAt(c.Security, day), Count: c, First: g.First(c.Security), Aliases: []securities.Name{}, risen: r}
	for _, n := range g.Names(c.Security) {
		if n.Name != j.Name {
			j.Aliases = append(j.Aliases, n)
		}
	}
	return j
}

func (a *app) writeSecurities(list []securityJSON, fl *securitiesFlags) error {
	if a.json {
		for i := range list {
			if err := a.writeJSON(list[i]); err != nil {
				return err
			}
		}
		return nil
	}
	if len(list) == 0 {
		_, err := fmt.Fprintln(a.out, "there are none")
		return err
	}
	shown := list
	if fl.top > 0 {
		shown = list[:min(fl.top, len(list))]
	}
	head := []string{"", "code", "market", "name", "posts", "mentions", "by text"}
	if fl.rising {
		head = append(head, "expected")
	}
	rows := [][]string{append(head, "aliases")}
	for i := range shown {
		rows = append(rows, securityRow(&shown[i]))
	}
	if err := a.grid(rows); err != nil {
		return err
	}
	if n := len(list) - len(shown); n > 0 {
		_, err := fmt.Fprintf(a.out, "… and %s more: --top 0 shows all\n", grouped(n))
		return err
	}
	return nil
}

func securityRow(s *securityJSON) []string {
	row := []string{
		fmt.Sprint(s.Rank), printable(s.Code), marketName(s.Security), dash(printable(s.Name)),
		grouped(s.Posts), grouped(s.Mentions), grouped(s.Found),
	}
	if s.risen != nil {
		row = append(row, fmt.Sprintf("%.1f", s.Expected))
	}
	var aliases []string
	for _, n := range s.Aliases {
		aliases = append(aliases, printable(n.Name))
	}
	return append(row, strings.Join(aliases, ", "))
}

// marketName returns what the market of a security is called.
func marketName(s news.Security) string {
	switch s.Market {
	case news.MarketShenzhen:
		if strings.HasPrefix(s.Code, "4") || strings.HasPrefix(s.Code, "8") || strings.HasPrefix(s.Code, "92") {
			return "Beijing"
		}
		return "Shenzhen"
	case news.MarketShanghai:
		return "Shanghai"
	case news.MarketHongKong:
		return "Hong Kong"
	case news.MarketNASDAQ:
		return "NASDAQ"
	case news.MarketNYSE:
		return "NYSE"
	case news.MarketAmerican:
		return "NYSE American"
	case news.MarketBoards:
		return "board"
	}
	return fmt.Sprint(s.Market)
}

// placesJSON is a post as show --securities --json prints it.
type placesJSON struct {
	ID       news.ID       `json:"id"`
	InfoCode news.InfoCode `json:"info_code,omitempty"`
	Revision int           `json:"revision"`
	Places   []news.Place  `json:"places"`
}

// showSecurities shows where a revision of a post names securities and boards.
func (a *app) showSecurities(ctx context.Context, arc *archive.Archive, id news.ID, f form) error {
	rev, err := revision(ctx, arc, id, f)
	if err != nil {
		return err
	}
	g, err := learned(ctx, arc, f.asOf)
	if err != nil {
		return err
	}
	article := page.ReadArticle(rev.Body)
	places := g.Finder().Places(&rev, article)
	if a.json {
		return a.writeJSON(placesJSON{rev.ID, rev.InfoCode, rev.Number, append([]news.Place{}, places...)})
	}
	if len(places) == 0 {
		_, err := fmt.Fprintf(a.out, "%s: names no security that is marked or known\n", rev.Name())
		return err
	}
	rows := [][]string{{"security", "name", "by", "in", "start", "end", "as it stands"}}
	for _, p := range places {
		rows = append(rows, []string{
			printable(p.Security.String()), dash(printable(p.Name)), string(p.By), string(p.In), fmt.Sprint(p.From), fmt.Sprint(p.To), printable(p.Text),
		})
	}
	return a.grid(rows)
}
