package web

import (
	"context"
	"net/http"
)

// Media types of what is no page.
const (
	mediaJSON    = "application/json"
	mediaProblem = "application/problem+json"
	mediaXML     = "application/xml; charset=utf-8"
	mediaHTML    = "text/html; charset=utf-8"
	mediaPlain   = "text/plain; charset=utf-8"
)

// kept returns what answers with what compose writes, which is kept for a moment
// as pages are. It is the same in all languages.
func (s *Server) kept(media string, compose func(r *http.Request) ([]byte, error)) answer {
	return func(w http.ResponseWriter, r *http.Request) error {
		key := media + " " + baseOf(r) + r.URL.Path + "?" + r.URL.RawQuery
		p, err := s.pages.get(key, pageFresh, func() (*rendered, int64, error) {
			ctx, done := context.WithTimeout(context.WithoutCancel(r.Context()), s.Limits.Time)
			defer done()
			body, err := compose(r.WithContext(ctx))
			if err != nil {
				return nil, 0, err
			}
			made, err := s.pack(body, media, "Accept-Encoding")
			if err != nil {
				return nil, 0, err
			}
			return made, int64(len(made.packed)), nil
		})
		if err != nil {
			return err
		}
		w.Header().Set("Cache-Control", "private, no-cache")
		return p.send(w, r, http.StatusOK)
	}
}

// baseOf returns the address of the server as the request has it, without a slash
// at its end. A server in front of it that speaks TLS says so.
func baseOf(r *http.Request) string {
	if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}
