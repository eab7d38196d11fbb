package web

import (
	"context"
	"net/http"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/securities"
)

// mentions is what the newest posts that mark a security tell of it.
type mentions struct {
	Names  []counted // what they call it, the most often first
	With   []counted // what else they name
	Posts  int       // how many were looked at
	Whole  bool      // there are no others
	last   news.Day
	days   map[news.Day]int
	market news.Security        // as the newest of them has it
	taught securities.Gazetteer // what they teach of names
}

// What is looked at, and for how long it is as good as new.
const (
	mentionsPosts = 1000
	mentionsFresh = time.Minute
	mentionsShown = 15
)

// Name is what most of the posts call the security; empty where none tells.
func (m *mentions) Name() string {
	if len(m.Names) == 0 {
		return ""
	}
	return m.Names[0].Name
}

// mentions goes through the newest posts that mark a security.
func (s *Server) mentions(ctx context.Context, security string) (*mentions, error) {
	return part(s, "security "+security, mentionsFresh, func() (*mentions, int64, error) {
		m, err := mentionsOf(ctx, s.Store, security)
		if err != nil {
			return nil, 0, err
		}
		return m, int64(256 + 128*len(m.With) + 64*len(m.Names) + 16*len(m.days) + 512*len(m.taught.Known())), nil
	})
}

func mentionsOf(ctx context.Context, posts Posts, security string) (*mentions, error) {
	m := &mentions{days: make(map[news.Day]int), Whole: true}
	names, with := make(counts), make(counts)
	for rev, err := range posts.Select(ctx, archive.Selection{Security: security, Limit: mentionsPosts + 1}) {
		if err != nil {
			return nil, err
		}
		if m.Posts == mentionsPosts {
			m.Whole = false
			break
		}
		m.Posts++
		d := rev.PlaceDay()
		m.days[d]++
		m.last = max(m.last, d)
		m.taught.Learn(&rev)
		for _, of := range append(rev.Securities, rev.Boards...) {
			switch {
			case of.Code != security && of.Security.String() != security:
				with.add(counted{Key: of.Security.String(), Security: of.Security, Name: of.Name})
			default:
				if m.market.Code == "" {
					m.market = of.Security
				}
				if of.Name != "" {
					names.add(counted{Key: of.Name, Name: of.Name})
				}
			}
		}
	}
	m.Names, m.With = names.sorted(), firstOf(with.sorted(), mentionsShown)
	return m, nil
}

// securityPage is the posts that name a security, by marks or by text.
type securityPage struct {
	*mentions
	Security news.Security
	ByText   *byText
	List     *postList
	Chart    *chart
}

func (s *Server) security(r *request) (*document, error) {
	code := r.PathValue("code")
	m, err := s.mentions(r.Context(), code)
	if err != nil {
		return nil, err
	}
	if m.Posts == 0 {
		return nil, &failure{status: http.StatusNotFound, about: msgNoSecurity}
	}
	p := &securityPage{mentions: m, Security: m.market}
	if p.ByText, err = s.byText(r.Context(), m); err != nil {
		return nil, err
	}
	if p.List, err = s.list(r, archive.Selection{Security: code}); err != nil {
		return nil, err
	}
	p.Chart = newChart(r.say(msgMentionsByDay), dayBars(m.days, m.last))
	return &document{template: "security", title: p.Name() + " " + m.market.Code, data: p}, nil
}

// Quotes is where the exchange's prices of it are told; empty of a board.
func (p *securityPage) Quotes() string {
	return "https://quote.eastmoney.com/unify/r/" + p.Security.String()
}
