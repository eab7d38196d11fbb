package web

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/jsonform"
	"github.com/finarc/finarc/news"
)

// apiCategory is a category, and how many posts it has.
type apiCategory struct {
	Category string `json:"category"`
	Outlet   string `json:"outlet,omitempty"`
	Posts    int    `json:"posts"`
}

// apiSecurity is a security, and how many posts mark it.
type apiSecurity struct {
	news.Security
	Name  string `json:"name,omitempty"`
	Posts int    `json:"posts"`
}

func categoryForms(list []counted) []apiCategory {
	forms := []apiCategory{}
	for _, c := range list {
		forms = append(forms, apiCategory{c.Key, c.Name, c.Posts})
	}
	return forms
}

func securityForms(list []counted) []apiSecurity {
	forms := []apiSecurity{}
	for _, c := range list {
		forms = append(forms, apiSecurity{c.Security, c.Name, c.Posts})
	}
	return forms
}

// apiDayReport is what the posts of a day come to.
type apiDayReport struct {
	Day        news.Day      `json:"day"`
	Posts      int           `json:"posts"`
	Hours      [24]int       `json:"hours"`
	Trading    bool          `json:"trading"`
	Known      bool          `json:"trading_known"` // the calendar knows the day
	Holiday    string        `json:"holiday,omitempty"`
	Categories []apiCategory `json:"categories"` // those with most posts first
	Securities []apiSecurity `json:"securities"` // likewise
	Rising     apiRising     `json:"rising"`
}

// apiRising is what has more posts than the share that it had on the days before.
type apiRising struct {
	Categories []apiRisenCategory `json:"categories"`
	Securities []apiRisenSecurity `json:"securities"`
}

type apiRisenCategory struct {
	apiCategory
	Usual float64 `json:"usual"`
}

type apiRisenSecurity struct {
	apiSecurity
	Usual float64 `json:"usual"`
}

func (s *Server) apiDay(r *apiRequest) (any, error) {
	if err := r.end(); err != nil {
		return nil, err
	}
	d, err := parseDay(r.PathValue("day"))
	if err != nil {
		return nil, err
	}
	sums := make([]*summary, 1+risingDays) // the day, and those before
	for i := range sums {
		if sums[i], err = s.summary(r.Context(), d.Add(-i)); err != nil {
			return nil, err
		}
	}
	report := &apiDayReport{
		Day: d, Posts: sums[0].Posts, Hours: sums[0].Hours, Holiday: s.Calendar.Holiday(d),
		Categories: categoryForms(sums[0].Categories), Securities: securityForms(sums[0].Securities),
		Rising: apiRising{[]apiRisenCategory{}, []apiRisenSecurity{}},
	}
	report.Trading, report.Known = s.Calendar.Trading(d)
	for _, c := range rising(sums[0], sums[1:], ofCategories) {
		report.Rising.Categories = append(report.Rising.Categories, apiRisenCategory{apiCategory{c.Key, c.Name, c.Posts}, c.Usual})
	}
	for _, c := range rising(sums[0], sums[1:], ofSecurities) {
		report.Rising.Securities = append(report.Rising.Securities, apiRisenSecurity{apiSecurity{c.Security, c.Name, c.Posts}, c.Usual})
	}
	return report, nil
}

// apiOutlet is a category as the list of all of them has it.
type apiOutlet struct {
	apiCategory
	Last news.Day `json:"last_day"` // of its newest post
}

// apiCategoryList is a page of categories, in order of their names.
type apiCategoryList struct {
	Categories []apiOutlet `json:"categories"`
	Next       string      `json:"next,omitempty"` // the cursor of the next page; absent: this is the last
}

func (s *Server) apiCategories(r *apiRequest) (any, error) {
	words, after, limit := r.text("q"), r.category(), r.number("limit", s.Limits.Page, apiMost)
	if err := r.end(); err != nil {
		return nil, err
	}
	d, err := s.directory(r.Context())
	if err != nil {
		return nil, err
	}
	found := slices.Clone(d.find(words))
	slices.SortFunc(found, func(a, b *outlet) int { return strings.Compare(a.Category, b.Category) })
	list := apiCategoryList{Categories: []apiOutlet{}}
	for _, o := range found {
		if o.Category <= after {
			continue
		}
		if n := len(list.Categories); n == limit {
			list.Next = sealCursor(cursorCategories, list.Categories[n-1].Category)
			break
		}
		list.Categories = append(list.Categories, outletForm(o))
	}
	return list, nil
}

func outletForm(o *outlet) apiOutlet {
	return apiOutlet{apiCategory{o.Category, o.Name, o.Posts}, o.Last}
}

// apiDayCount is the posts of a day.
type apiDayCount struct {
	Day   news.Day `json:"day"`
	Posts int      `json:"posts"`
}

// dayCounts returns the days that have posts, in order; the last chartDays up to the
// last one.
func dayCounts(days map[news.Day]int, last news.Day) []apiDayCount {
	counts := []apiDayCount{}
	for _, d := range slices.Sorted(maps.Keys(days)) {
		if d > last.Add(-chartDays) {
			counts = append(counts, apiDayCount{d, days[d]})
		}
	}
	return counts
}

// apiOneOutlet is a category with its posts by day.
type apiOneOutlet struct {
	apiOutlet
	Days []apiDayCount `json:"days"`
}

func (s *Server) apiCategory(r *apiRequest) (any, error) {
	if err := r.end(); err != nil {
		return nil, err
	}
	d, err := s.directory(r.Context())
	if err != nil {
		return nil, err
	}
	o := d.byName[r.PathValue("name")]
	if o == nil {
		return nil, &failure{status: http.StatusNotFound, about: msgNoCategory}
	}
	return apiOneOutlet{outletForm(o), dayCounts(o.days, o.Last)}, nil
}

// apiSecurityList is the securities that the posts of some days mark most.
type apiSecurityList struct {
	From       news.Day      `json:"from"`
	To         news.Day      `json:"to"`
	Securities []apiSecurity `json:"securities"`
}

// securitiesDays bounds the days whose securities are counted: each takes a walk
// through its posts.
const securitiesDays = 31

func (s *Server) apiSecurities(r *apiRequest) (any, error) {
	from, to, limit := r.day("from"), r.day("to"), r.number("limit", s.Limits.Page, apiMost)
	r.inOrder(from, to)
	if err := r.end(); err != nil {
		return nil, err
	}
	from, to, err := s.apiDays(r.Context(), from, to, 1, securitiesDays)
	if err != nil {
		return nil, err
	}
	all := make(counts)
	for d := to; d >= from; d = d.Add(-1) {
		sum, err := s.summary(r.Context(), d)
		if err != nil {
			return nil, err
		}
		for _, c := range sum.Securities {
			all.addAll(c)
		}
	}
	return apiSecurityList{from, to, securityForms(firstOf(all.sorted(), limit))}, nil
}

// addAll adds what was counted elsewhere.
func (c counts) addAll(one counted) {
	if at := c[one.Key]; at != nil {
		at.Name = cmp.Or(at.Name, one.Name)
		at.Posts += one.Posts
		return
	}
	c[one.Key] = &one
}

// apiDays returns the days that are meant: up to that of the newest post, and as
// many as usual, where they are not named; at most so many.
func (s *Server) apiDays(ctx context.Context, from, to news.Day, usual, most int) (news.Day, news.Day, error) {
	if to == 0 && from != 0 {
		to = from.Add(most - 1)
	}
	newest, err := s.newestDay(ctx)
	if err != nil {
		return 0, 0, err
	}
	switch {
	case to == 0:
		to = newest
	case from != 0 && to > max(from, newest):
		to = max(from, newest)
	}
	if from == 0 {
		from = to.Add(1 - usual)
	}
	if from.Add(most-1) < to {
		return 0, 0, bad(fmt.Errorf("from %s to %s: want at most %d days", from, to, most))
	}
	return from, to, nil
}

// apiName is what a security is called, and by how many posts.
type apiName struct {
	Name  string `json:"name"`
	Posts int    `json:"posts"`
}

// apiMentions is what the newest posts that mark a security tell of it, and the
// newest of those that name it without.
type apiMentions struct {
	news.Security
	Names  []apiName     `json:"names"` // what most posts call it first
	With   []apiSecurity `json:"named_with"`
	Posts  int           `json:"posts"` // that were looked at
	Whole  bool          `json:"all"`   // there are no others
	Days   []apiDayCount `json:"days"`
	ByText apiByText     `json:"by_text"`
}

// apiByText is posts that name a security and do not mark it.
type apiByText struct {
	Posts    []apiInText `json:"posts"`    // the newest first
	Searched bool        `json:"searched"` // there is an index
	Whole    bool        `json:"all"`      // there are no others with its name or code
}

// apiInText is a post, and where it names the security.
type apiInText struct {
	jsonform.Revision
	Places []news.Place `json:"named_at"`
}

func (s *Server) byTextForm(b *byText) apiByText {
	form := apiByText{[]apiInText{}, b.Searched, b.Whole}
	for _, p := range b.Posts {
		form.Posts = append(form.Posts, apiInText{s.revisionForm(p.Revision), p.Places})
	}
	return form
}

func (s *Server) apiSecurity(r *apiRequest) (any, error) {
	if err := r.end(); err != nil {
		return nil, err
	}
	m, err := s.mentions(r.Context(), r.PathValue("code"))
	if err != nil {
		return nil, err
	}
	if m.Posts == 0 {
		return nil, &failure{status: http.StatusNotFound, about: msgNoSecurity}
	}
	text, err := s.byText(r.Context(), m)
	if err != nil {
		return nil, err
	}
	form := apiMentions{
		Security: m.market, Names: []apiName{}, With: securityForms(m.With),
		Posts: m.Posts, Whole: m.Whole, Days: dayCounts(m.days, m.last),
		ByText: s.byTextForm(text),
	}
	for _, n := range m.Names {
		form.Names = append(form.Names, apiName{n.Name, n.Posts})
	}
	return form, nil
}

// coverageMost bounds the days of one matrix.
const coverageMost = 92

func (s *Server) apiCoverage(r *apiRequest) (any, error) {
	by := r.oneOf("by", string(archive.ByCategory), string(archive.ByOutlet), string(archive.ByHour))
	from, to := r.day("from"), r.day("to")
	r.inOrder(from, to)
	if err := r.end(); err != nil {
		return nil, err
	}
	from, to, err := s.apiDays(r.Context(), from, to, heatDays, coverageMost)
	if err != nil {
		return nil, err
	}
	return s.matrix(r.Context(), archive.Part(by), from, to)
}

// apiRunList is a page of runs, the newest first.
type apiRunList struct {
	Runs []*news.Run `json:"runs"`
	Next string      `json:"next,omitempty"` // the cursor of the next page; absent: this is the last
}

func (s *Server) apiRuns(r *apiRequest) (any, error) {
	last, limit := r.runNumber()-1, r.number("limit", 10, apiMost) // without a cursor, from the greatest number
	if err := r.end(); err != nil {
		return nil, err
	}
	runs, err := s.Store.RunsUpTo(r.Context(), last, limit+1)
	if err != nil {
		return nil, err
	}
	list := apiRunList{Runs: []*news.Run{}}
	for i := range firstOf(runs, limit) {
		list.Runs = append(list.Runs, runs[i].Clone())
	}
	if len(runs) > limit {
		list.Next = sealCursor(cursorRuns, strconv.FormatUint(runs[limit-1].ID, 10))
	}
	return list, nil
}

func (s *Server) apiRun(r *apiRequest) (any, error) {
	if err := r.end(); err != nil {
		return nil, err
	}
	run, err := s.runNumbered(r.Context(), r.PathValue("number"))
	if err != nil {
		return nil, err
	}
	return run.Clone(), nil
}

// latencyFresh is for how long the latency is as good as new: it takes a look at
// many posts.
const latencyFresh = time.Minute

func (s *Server) apiStats(r *apiRequest) (any, error) {
	sel := archive.Selection{From: r.day("from"), To: r.day("to"), AsOf: r.moment("as_of")}
	r.inOrder(sel.From, sel.To)
	if err := r.end(); err != nil {
		return nil, err
	}
	if sel.From == 0 && sel.To == 0 {
		sel.Limit = jsonform.LatencyPosts
	}
	return part(s, fmt.Sprintf("stats %s %s %d", sel.From, sel.To, sel.AsOf.UnixNano()), latencyFresh, func() (*jsonform.Stats, int64, error) {
		stats, err := s.Store.Stats(r.Context(), sel.AsOf)
		if err != nil {
			return nil, 0, err
		}
		latency, err := s.Store.Latency(r.Context(), sel)
		return &jsonform.Stats{Stats: stats, Latency: latency}, 16 << 10, err
	})
}
