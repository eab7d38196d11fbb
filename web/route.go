package web

import (
	"net/http"
	"slices"
)

// answer writes what a request is answered with, or returns why it cannot; then it
// has written nothing.
type answer func(w http.ResponseWriter, r *http.Request) error

// teller tells a failure.
type teller func(w http.ResponseWriter, r *http.Request, f *failure)

// route is an address of the server, and what answers there.
type route struct {
	pattern string // of [http.ServeMux], without a method: GET and HEAD are all there are
	answer  answer
	tell    teller // how failures are told; nil: as a page
}

// routes is the one table of addresses.
func (s *Server) routes() []route {
	return slices.Concat(s.pageRoutes(), s.apiRoutes(), s.feedRoutes(), s.mirrorRoutes(), s.healthRoutes())
}

// pageRoutes are the pages for people, and what belongs to them.
func (s *Server) pageRoutes() []route {
	return []route{
		{pattern: "/{$}", answer: s.html(s.today)},
		{pattern: "/day", answer: s.toDay},
		{pattern: "/day/{day}", answer: s.html(s.day)},
		{pattern: "/categories", answer: s.html(s.categories)},
		{pattern: "/category/{name}", answer: s.categoryOrList},
		{pattern: "/security/{code}", answer: s.html(s.security)},
		{pattern: "/post/{id}", answer: s.html(s.post)},
		{pattern: "/post/{id}/diff", answer: s.html(s.difference)},
		{pattern: "/post/{id}/original", answer: s.html(s.original)},
		{pattern: "/post/{id}/raw", answer: s.raw},
		{pattern: "/search", answer: s.html(s.search)},
		{pattern: "/coverage", answer: s.html(s.coverage)},
		{pattern: "/runs", answer: s.html(s.runs)},
		{pattern: "/runs/{number}", answer: s.html(s.run)},
		{pattern: "/assets/{name}", answer: s.asset},
		{pattern: "/favicon.ico", answer: s.favicon},
		{pattern: "/", answer: s.mirrored},
	}
}

func (s *Server) mux() http.Handler {
	mux := http.NewServeMux()
	for _, r := range s.routes() {
		mux.Handle(r.pattern, s.answering(r))
	}
	return s.originals(mux)
}

// answering returns a route's handler, which tells what the route cannot answer.
func (s *Server) answering(to route) http.Handler {
	tell := to.tell
	if tell == nil {
		tell = s.tellPage
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		nameRoute(r, to.pattern)
		err := to.answer(w, r)
		if err == nil {
			return
		}
		f := failureOf(err)
		s.logFailure(r, f, err)
		tell(w, r, f)
	})
}

// nothing answers where there is no page.
func (s *Server) nothing(http.ResponseWriter, *http.Request) error {
	return &failure{status: http.StatusNotFound, about: msgNoPage}
}
