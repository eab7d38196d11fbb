package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/page"
)

// Memento (RFC 7089): the original resources are the addresses that the archive's
// pages were got from, and the mementos are the raw pages of revisions.
const (
	timeGate = "/timegate/"
	timeMap  = "/timemap/link/"
)

// mementoRoutes are where the past of an address is asked for, which follows the
// pattern as it is.
func (s *Server) mementoRoutes() []route {
	return []route{
		{pattern: timeGate, answer: s.timeGate},
		{pattern: timeMap, answer: s.timeMap},
		{pattern: "/timemap/", answer: s.nothing}, // in no other form
	}
}

// originals answers for the addresses that hold another address. A mux would tidy
// that as if it were a path.
func (s *Server) originals(h http.Handler) http.Handler {
	routes := s.mementoRoutes()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, to := range routes {
			if strings.HasPrefix(r.URL.Path, to.pattern) {
				s.answering(to).ServeHTTP(w, r)
				return
			}
		}
		h.ServeHTTP(w, r)
	})
}

// maxOriginal bounds the addresses that are asked for, in bytes as they are written.
const maxOriginal = 2000

// parseOriginal reads the address of an original resource. Its scheme may be
// missing, or have lost a slash on the way through a server that tidies paths.
func parseOriginal(text string) (*url.URL, error) {
	scheme, rest, ok := strings.Cut(text, ":/")
	if !ok || strings.ContainsAny(scheme, "./?") {
		scheme, rest = "http", text
	}
	u, err := url.Parse(strings.ToLower(scheme) + "://" + strings.TrimPrefix(rest, "/"))
	if err != nil {
		return nil, err
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return nil, fmt.Errorf("%q is no address of the web", text)
	}
	u.Fragment, u.RawFragment = "", ""
	if n := len(u.String()); n > maxOriginal {
		return nil, fmt.Errorf("an address of %d bytes: want at most %d", n, maxOriginal)
	}
	return u, nil
}

// originalOf returns the address that follows a prefix in the request's own.
func originalOf(r *http.Request, prefix string) (*url.URL, error) {
	text := strings.TrimPrefix(r.URL.EscapedPath(), prefix)
	if r.URL.RawQuery != "" {
		text += "?" + r.URL.RawQuery
	}
	u, err := parseOriginal(text)
	if err != nil {
		return nil, bad(err)
	}
	return u, nil
}

// resource returns what two addresses of one resource have in common: http and
// https are one.
func resource(u *url.URL) string {
	path := (&url.URL{Path: u.Path}).EscapedPath()
	return page.HostOf(u) + "/" + strings.TrimPrefix(path, "/") + "?" + u.RawQuery
}

// mementos are the captures of one original resource, the first first.
type mementos struct {
	base     string // of the server's own addresses
	original *url.URL
	list     []news.Revision
}

// mementosOf returns the captures of an address.
func (s *Server) mementosOf(r *http.Request, u *url.URL) (*mementos, error) {
	all, err := s.revisionsAt(r.Context(), u)
	if err != nil {
		return nil, err
	}
	m := newMementos(r, u, all)
	if len(m.list) == 0 {
		return nil, fmt.Errorf("no capture of %s: %w", u, archive.ErrNoPost)
	}
	return m, nil
}

// newMementos takes the captures of an address out of a post's revisions, in order
// of their times.
func newMementos(r *http.Request, u *url.URL, all []news.Revision) *mementos {
	m := &mementos{base: baseOf(r), original: u}
	for _, rev := range all {
		at, err := url.Parse(rev.URL)
		if err == nil && !rev.Lost && resource(at) == resource(u) {
			m.list = append(m.list, rev)
		}
	}
	slices.SortStableFunc(m.list, func(a, b news.Revision) int { return a.Fetched.Compare(b.Fetched) })
	return m
}

// revisionsAt returns the revisions of the post to which an address leads.
func (s *Server) revisionsAt(ctx context.Context, u *url.URL) ([]news.Revision, error) {
	there, err := page.NewSite("there", u.Scheme+"://"+u.Host+"/", "", "")
	if err != nil {
		return nil, bad(err)
	}
	for _, site := range append(slices.Clone(s.sites), there) {
		id := site.PostAt(u)
		if id == "" {
			continue
		}
		all, err := s.Store.Revisions(ctx, id)
		if !errors.Is(err, archive.ErrNoPost) {
			return all, err
		}
	}
	return nil, fmt.Errorf("%s: %w", u, archive.ErrNoPost)
}

// at returns the place of the memento of a moment: the last that was captured by
// then, or the first of all.
func (m *mementos) at(moment time.Time) int {
	for i, rev := range slices.Backward(m.list) {
		if !rev.Fetched.Truncate(time.Second).After(moment) {
			return i
		}
	}
	return 0
}

// address returns the address of a memento.
func (m *mementos) address(i int) string { return m.base + rawHref(&m.list[i]) }

func rawHref(rev *news.Revision) string {
	return postHref(rev.ID) + "/raw?revision=" + strconv.Itoa(rev.Number)
}

// links returns the links that an answer about the mementos carries: of the
// mementos, those that are given, each with its place beside the one at hand; -1
// where none is.
func (m *mementos) links(at int, places []int) []string {
	original := linkTarget(m.original.String())
	links := []string{
		"<" + original + `>; rel="original"`,
		"<" + m.base + timeGate + original + `>; rel="timegate"`,
	}
	for _, i := range places {
		links = append(links, fmt.Sprintf(`<%s>; rel="%s"; datetime="%s"`, m.address(i), m.relations(i, at), httpTime(m.list[i].Fetched)))
	}
	return links
}

// mapLink returns the link to the list of all mementos.
func (m *mementos) mapLink(rel string) string {
	return fmt.Sprintf(`<%s%s%s>; rel="%s"; type="application/link-format"; from="%s"; until="%s"`, m.base, timeMap,
		linkTarget(m.original.String()), rel, httpTime(m.list[0].Fetched), httpTime(m.list[len(m.list)-1].Fetched))
}

// relations returns what memento i is beside the one at hand.
func (m *mementos) relations(i, at int) string {
	rel := ""
	for _, of := range []struct {
		name string
		is   bool
	}{
		{"first ", i == 0}, {"last ", i == len(m.list)-1},
		{"prev ", at >= 0 && i == at-1}, {"next ", at >= 0 && i == at+1},
	} {
		if of.is {
			rel += of.name
		}
	}
	return rel + "memento"
}

// around returns the places of the mementos that an answer about one of them names.
func (m *mementos) around(at int) []int {
	places := []int{0, at - 1, at, at + 1, len(m.list) - 1}
	places = slices.DeleteFunc(places, func(i int) bool { return i < 0 || i >= len(m.list) })
	slices.Sort(places)
	return slices.Compact(places)
}

// header returns the Link header of an answer about one of the mementos.
func (m *mementos) header(at int) string {
	return strings.Join(append(m.links(at, m.around(at)), m.mapLink("timemap")), ", ")
}

// linkTarget writes an address so that it cannot end the link that it stands in
// (RFC 8288, 3).
func linkTarget(address string) string {
	var out strings.Builder
	for _, c := range []byte(address) {
		if c <= ' ' || c >= 0x7F || strings.IndexByte(`<>"\^{}|`+"`", c) >= 0 {
			fmt.Fprintf(&out, "%%%02X", c)
			continue
		}
		out.WriteByte(c)
	}
	return out.String()
}

func httpTime(t time.Time) string { return t.UTC().Format(http.TimeFormat) }

// parseAcceptDatetime reads the time that is asked for (RFC 7089, 2.1.1); without
// one, it is now.
func parseAcceptDatetime(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return now, nil
	}
	t, err := time.Parse(http.TimeFormat, text)
	if err != nil {
		return t, fmt.Errorf("Accept-Datetime: %q is no date, as %s", text, httpTime(now))
	}
	return t, nil
}

// timeGate leads to an address as it was at the time that is asked for.
func (s *Server) timeGate(w http.ResponseWriter, r *http.Request) error {
	u, err := originalOf(r, timeGate)
	if err != nil {
		return err
	}
	moment, err := parseAcceptDatetime(r.Header.Get("Accept-Datetime"), s.Now())
	if err != nil {
		return bad(err)
	}
	m, err := s.mementosOf(r, u)
	if err != nil {
		return err
	}
	at := m.at(moment)
	h := w.Header()
	h.Set("Vary", "accept-datetime")
	h.Set("Link", m.header(at))
	h.Set("Location", m.address(at))
	h.Set("Cache-Control", "private, no-cache")
	w.WriteHeader(http.StatusFound)
	return nil
}

// timeMap lists the mementos of an address (RFC 7089, 5; RFC 6690).
func (s *Server) timeMap(w http.ResponseWriter, r *http.Request) error {
	u, err := originalOf(r, timeMap)
	if err != nil {
		return err
	}
	m, err := s.mementosOf(r, u)
	if err != nil {
		return err
	}
	all := make([]int, len(m.list))
	for i := range all {
		all[i] = i
	}
	links := slices.Insert(m.links(-1, all), 1, m.mapLink("self"))
	made, err := s.pack([]byte(strings.Join(links, ",\n")+"\n"), "application/link-format", "Accept-Encoding")
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "private, no-cache")
	return made.send(w, r, http.StatusOK)
}

// markMemento says of a raw page what it is a memento of, if its address names the
// revision and so stays what it is.
func markMemento(w http.ResponseWriter, r *http.Request, all []news.Revision, rev *news.Revision) {
	u, err := url.Parse(rev.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || r.URL.Query().Get("revision") == "" {
		return
	}
	m := newMementos(r, u, all)
	at := slices.IndexFunc(m.list, func(of news.Revision) bool { return of.Seq == rev.Seq })
	if at < 0 {
		return
	}
	w.Header().Set("Memento-Datetime", httpTime(rev.Fetched))
	w.Header().Set("Link", m.header(at))
}
