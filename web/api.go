package web

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// apiRoot is where the addresses of the API begin.
const apiRoot = "/api/"

// openAPI describes the API (OpenAPI 3.1). The tests hold it against the routes and
// the answers.
//
//go:embed openapi.json
var openAPI []byte

// apiRoutes are what programs ask for in JSON.
func (s *Server) apiRoutes() []route {
	routes := []route{
		{pattern: "posts", answer: s.json(s.apiPosts)},
		{pattern: "posts/{id}", answer: s.json(s.apiPost)},
		{pattern: "posts/{id}/revisions", answer: s.json(s.apiRevisions)},
		{pattern: "posts/{id}/diff", answer: s.json(s.apiDifference)},
		{pattern: "posts/{id}/story", answer: s.json(s.apiStory)},
		{pattern: "days/{day}", answer: s.json(s.apiDay)},
		{pattern: "categories", answer: s.json(s.apiCategories)},
		{pattern: "categories/{name}", answer: s.json(s.apiCategory)},
		{pattern: "securities", answer: s.json(s.apiSecurities)},
		{pattern: "securities/{code}", answer: s.json(s.apiSecurity)},
		{pattern: "search", answer: s.json(s.apiSearch)},
		{pattern: "coverage", answer: s.json(s.apiCoverage)},
		{pattern: "runs", answer: s.json(s.apiRuns)},
		{pattern: "runs/{number}", answer: s.json(s.apiRun)},
		{pattern: "stats", answer: s.json(s.apiStats)},
		{pattern: "openapi.json", answer: s.kept(mediaJSON, func(*http.Request) ([]byte, error) { return openAPI, nil })},
		{pattern: "", answer: s.nothing},
	}
	for i := range routes {
		routes[i].pattern = apiRoot + routes[i].pattern
		routes[i].tell = s.tellProblem
	}
	return routes
}

// apiRequest is a request to the API.
type apiRequest struct {
	*http.Request
	*params
}

// json returns what answers with a value in JSON. compose reads all parameters that
// there are, and asks for their end, before it does anything.
func (s *Server) json(compose func(*apiRequest) (any, error)) answer {
	return s.kept(mediaJSON, func(r *http.Request) ([]byte, error) {
		p, err := paramsOf(r.URL)
		if err != nil {
			return nil, err
		}
		value, err := compose(&apiRequest{r, p})
		if err != nil {
			return nil, err
		}
		return encodeJSON(value)
	})
}

// encodeJSON writes a value as one line.
func encodeJSON(value any) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		return nil, fmt.Errorf("write JSON: %w", err)
	}
	return out.Bytes(), nil
}

// ofAPI reports whether a request is one to the API.
func ofAPI(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, apiRoot) }

// problem is what a program is told of a failure (RFC 9457).
type problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
}

// tellProblem tells a program of a failure.
func (s *Server) tellProblem(w http.ResponseWriter, _ *http.Request, f *failure) {
	body, err := encodeJSON(problem{Title: english.say(f.about), Status: f.status, Detail: f.details})
	if err != nil {
		s.Log.Error("a failure could not be told", "err", err)
	}
	f.head(w)
	w.Header().Set("Content-Type", mediaProblem)
	w.WriteHeader(f.status)
	_ = ignoreGone(w.Write(body))
}
