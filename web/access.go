package web

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Access says who may read. The zero Access is everybody.
type Access struct {
	Token string // who sends it as a bearer token (RFC 6750)
	Basic string // who sends this user and password, as user:password (RFC 7617)
	// Hosts are the names under which the server may be asked where neither is
	// set. A page of the open web can have its own name lead to this machine, and
	// so read what only this machine should (DNS rebinding); it cannot have another
	// host's name. None: any.
	Hosts []string
}

// Restricted reports whether who reads must prove something.
func (a *Access) Restricted() bool { return a.Token != "" || a.Basic != "" }

// allows reports whether a request proves what is asked for.
func (a *Access) allows(r *http.Request) bool {
	if a.Basic != "" {
		user, password, ok := r.BasicAuth()
		if ok && same(user+":"+password, a.Basic) {
			return true
		}
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return a.Token != "" && strings.EqualFold(scheme, "Bearer") && same(token, a.Token)
}

// same compares secrets, in a time that tells nothing of them.
func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// onlyAllowed lets through who may read, and who asks for the server's health, as
// those who watch over it have no secrets.
func (s *Server) onlyAllowed(h http.Handler) http.Handler {
	if !s.Access.Restricted() {
		return h
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == healthPath {
			h.ServeHTTP(w, r)
			return
		}
		if f := s.refusal(r); f != nil {
			if f.status == http.StatusUnauthorized {
				s.Access.challenge(w.Header())
			}
			s.tellPlainly(w, r, f)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// refusal returns why a request is not let through; nil: it is.
func (s *Server) refusal(r *http.Request) *failure {
	if r.Header.Get("Authorization") == "" { // as browsers ask at first: this is no guess
		return &failure{status: http.StatusUnauthorized, about: msgWho}
	}
	allowed := s.Access.allows(r)
	from := clientOf(r)
	if pause := s.guesses.judge(from, allowed); pause > 0 {
		return tooManyGuesses(pause)
	}
	if allowed {
		return nil
	}
	s.Log.Warn("wrong token or password", "from", from)
	return &failure{status: http.StatusUnauthorized, about: msgWho}
}

// challenge says how to prove who one is.
func (a *Access) challenge(h http.Header) {
	if a.Basic != "" {
		h.Add("WWW-Authenticate", `Basic realm="finarc", charset="UTF-8"`)
	}
	if a.Token != "" {
		h.Add("WWW-Authenticate", `Bearer realm="finarc"`)
	}
}

// onlyKnownHosts lets through requests under a name that is the server's.
func (s *Server) onlyKnownHosts(h http.Handler) http.Handler {
	if s.Access.Restricted() || len(s.Access.Hosts) == 0 {
		return h
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.Access.knows(r.Host) {
			s.tellPlainly(w, r, &failure{status: http.StatusMisdirectedRequest, about: msgHost})
			return
		}
		h.ServeHTTP(w, r)
	})
}

// knows reports whether a Host header is one of the server's names, or an address
// of loopback, which no page of the open web can have.
func (a *Access) knows(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	if addr, err := netip.ParseAddr(host); err == nil && addr.IsLoopback() {
		return true
	}
	for _, name := range a.Hosts {
		if strings.EqualFold(host, name) {
			return true
		}
	}
	return false
}
