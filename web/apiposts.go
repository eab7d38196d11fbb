package web

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/jsonform"
	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/page"
)

// How much one answer lists at most. Hits take longer to find than posts to list.
const (
	apiMost     = 200
	apiMostHits = 50
)

// apiList is a page of posts.
type apiList struct {
	Posts []jsonform.Revision `json:"posts"`
	Next  string              `json:"next,omitempty"` // the cursor of the next page; absent: this is the last
}

func (s *Server) apiPosts(r *apiRequest) (any, error) {
	sel := r.selection()
	sel.Beyond = r.position()
	limit := r.number("limit", s.Limits.Page, apiMost)
	if err := r.end(); err != nil {
		return nil, err
	}
	sel.Limit = limit + 1
	list := apiList{Posts: []jsonform.Revision{}}
	var last archive.Position
	for rev, err := range s.Store.Select(r.Context(), sel) {
		if err != nil {
			return nil, err
		}
		if len(list.Posts) == limit {
			list.Next = sealPosition(last)
			break
		}
		last = archive.PositionOf(&rev)
		list.Posts = append(list.Posts, s.revisionForm(rev))
	}
	return list, nil
}

func (s *Server) revisionForm(rev news.Revision) jsonform.Revision {
	form, _ := jsonform.NewRevision(rev, s.Calendar)
	return form
}

// apiWholePost is a post, with what of its article is asked for.
type apiWholePost struct {
	jsonform.Revision
	Newest bool       `json:"newest"` // there is no later revision
	Places []apiPlace `json:"places"`
	Text   *string    `json:"text,omitempty"` // plain
	HTML   *string    `json:"html,omitempty"` // what of the body passes the allow list of the pages
}

// apiPlace is an address of a post on its mirror.
type apiPlace struct {
	Kind string `json:"kind"` // fetched, share or text
	URL  string `json:"url"`
}

// What of an article is asked for.
const (
	includeBody = "body" // as the mirror sent it, and the foot
	includeText = "text"
	includeHTML = "html"
)

func (s *Server) apiPost(r *apiRequest) (any, error) {
	include := r.some("include", includeBody, includeText, includeHTML)
	r.text("revision")
	if err := r.end(); err != nil {
		return nil, err
	}
	all, rev, err := s.revision(r.Request)
	if err != nil {
		return nil, err
	}
	p := &apiWholePost{Revision: s.revisionForm(*rev), Newest: rev.Number == len(all), Places: s.apiPlaces(rev)}
	p.Lacks = rev.Lacks()
	if slices.Contains(include, includeText) {
		text := page.Text(rev.Body)
		p.Text = &text
	}
	if slices.Contains(include, includeHTML) {
		body, _ := s.reader.read(&rev.Post)
		html := string(body)
		p.HTML = &html
	}
	if !slices.Contains(include, includeBody) {
		p.Body, p.Foot = "", ""
	}
	return p, nil
}

// apiPlaces returns where a post is on its mirror.
func (s *Server) apiPlaces(rev *news.Revision) []apiPlace {
	kinds := map[message]string{msgFetchedFrom: "fetched", msgSharePage: "share", msgTextPage: "text"}
	list := []apiPlace{}
	for _, p := range s.places(rev) {
		list = append(list, apiPlace{kinds[p.About], p.Href})
	}
	return list
}

// apiRevisionList is the revisions of a post.
type apiRevisionList struct {
	Revisions []jsonform.Listed `json:"revisions"`
}

func (s *Server) apiRevisions(r *apiRequest) (any, error) {
	if err := r.end(); err != nil {
		return nil, err
	}
	all, _, err := s.revision(r.Request)
	if err != nil {
		return nil, err
	}
	var list apiRevisionList
	for _, rev := range all {
		form, _ := jsonform.NewListed(rev, s.Calendar)
		list.Revisions = append(list.Revisions, form)
	}
	return list, nil
}

func (s *Server) apiDifference(r *apiRequest) (any, error) {
	a, b := r.text("a"), r.text("b")
	if err := r.end(); err != nil {
		return nil, err
	}
	all, _, err := s.revision(r.Request)
	if err != nil {
		return nil, err
	}
	if len(all) == 1 && a == "" && b == "" {
		return jsonform.Alone(&all[0]), nil
	}
	sides := [2]*news.Revision{&all[max(0, len(all)-2)], &all[len(all)-1]}
	for i, text := range []string{a, b} {
		if text == "" {
			continue
		}
		n, err := revisionNumber(text, all)
		if err != nil {
			return nil, err
		}
		sides[i] = &all[n-1]
	}
	for _, side := range sides {
		if side.Lost {
			return nil, fmt.Errorf("compare revision %d of %s: %w", side.Number, side.ID, archive.ErrLost)
		}
	}
	return jsonform.NewDifference(sides[0], sides[1], len(all)), nil
}

func (s *Server) apiStory(r *apiRequest) (any, error) {
	if err := r.end(); err != nil {
		return nil, err
	}
	id, err := news.ParseID(r.PathValue("id"))
	if err != nil {
		return nil, bad(err)
	}
	posts, err := s.Store.Story(r.Context(), id)
	if err != nil {
		return nil, err
	}
	return jsonform.NewStory(posts), nil
}

// apiHits is a page of what was found. It can be empty and yet not be the last.
type apiHits struct {
	Hits   []apiHit `json:"hits"`
	Behind uint64   `json:"behind"`         // revisions that are not in the index yet
	Next   string   `json:"next,omitempty"` // the cursor of the next page; absent: this is the last
}

// apiHit is a post that was found.
type apiHit struct {
	jsonform.Revision
	MarkedTitle []apiPassage `json:"marked_title"`
	Passage     []apiPassage `json:"passage"` // of the text, where the words stand; may be empty
}

// apiPassage is a stretch of a text.
type apiPassage struct {
	Text   string `json:"text"`
	Marked bool   `json:"marked"` // it is what was searched for
}

func (s *Server) apiSearch(r *apiRequest) (any, error) {
	q := Query{
		Words: strings.TrimSpace(r.text("q")), ByTime: r.oneOf("sort", "best", "time") == "time",
		After: r.text("cursor"), Limit: r.number("limit", maxHits, apiMostHits),
	}
	if err := r.end(); err != nil {
		return nil, err
	}
	found, err := s.lookFor(r.Context(), q)
	if err != nil {
		return nil, err
	}
	list := apiHits{Hits: []apiHit{}, Behind: found.Behind, Next: found.Next}
	for _, h := range found.Hits {
		list.Hits = append(list.Hits, apiHit{s.revisionForm(h.Post), passageForms(h.Title), passageForms(h.Passage)})
	}
	return list, nil
}

func passageForms(passages []Passage) []apiPassage {
	forms := []apiPassage{}
	for _, p := range passages {
		forms = append(forms, apiPassage(p))
	}
	return forms
}

// lookFor searches, for words that can be meant so.
func (s *Server) lookFor(ctx context.Context, q Query) (Hits, error) {
	if n := utf8.RuneCountInString(q.Words); n == 0 || n > maxWords {
		return Hits{}, bad(fmt.Errorf("q=%q: want 1 to %d characters", q.Words, maxWords))
	}
	if s.Search == nil {
		return Hits{}, ErrNoIndex
	}
	return s.find(ctx, q)
}
