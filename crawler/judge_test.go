package crawler

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/finarc/finarc/config"
)

// slowed returns a host whose pace was halved long ago, from 8 requests a second.
func slowed() *host {
	l := config.Default().Limits
	l.Rate = 8
	h := newHost("m.example", l, time.Second)
	h.pace.overloaded(time.Now().Add(-time.Hour))
	return h
}

// TestOnlyPagesSpeedUp: a whole page lets the pace recover. What is quick to say,
// errors and 304s, does not.
func TestOnlyPagesSpeedUp(t *testing.T) {
	for status, want := range map[int]float64{
		200: 4 * paceGain,
		204: 4, 206: 4, 301: 4, 304: 4, 400: 4, 404: 4, 410: 4, 500: 4, 502: 4,
		401: 2, 403: 2, 408: 2, 429: 2, 451: 2, 503: 2,
	} {
		h := slowed()
		h.judge(status, time.Millisecond)
		if got := float64(h.pace.limiter.Limit()); got != want {
			t.Errorf("after a %d the pace is %v, want %v", status, got, want)
		}
	}
	h := slowed()
	if h.turnedAway(); h.pace.limiter.Limit() != 2 {
		t.Errorf("after a block page the pace is %v, want 2", h.pace.limiter.Limit())
	}
}

// answering answers every request with a status and a body.
type answering struct {
	status int
	body   func() io.Reader
}

func (a *answering) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: a.status, ProtoMajor: 1, Header: http.Header{}, Body: io.NopCloser(a.body()), ContentLength: -1, Request: req}, nil
}

// cutReader breaks off.
type cutReader struct{}

func (cutReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// TestCutPagesSpeedNothingUp: a page is whole when its body has come.
func TestCutPagesSpeedNothingUp(t *testing.T) {
	for name, c := range map[string]struct {
		body func() io.Reader
		want float64
	}{
		"whole": {func() io.Reader { return strings.NewReader("page") }, 4 * paceGain},
		"cut":   {func() io.Reader { return io.MultiReader(strings.NewReader("pa"), cutReader{}) }, 4},
		"long":  {func() io.Reader { return strings.NewReader(strings.Repeat("page", 1000)) }, 4},
	} {
		o := &Options{Mirrors: []config.Mirror{{Name: "m", Site: "http://m.example/"}}, Limits: config.Default().Limits}
		o.Limits.MaxBody = 1000
		o.Transport = &answering{http.StatusOK, c.body}
		o.fillDefaults()
		sites, err := newSites(o.Mirrors)
		if err != nil {
			t.Fatal(err)
		}
		r := newRun(o, sites)
		r.memory = newMemory(nil)
		tr := newTransport(t.Context(), r, func() {})
		h := slowed()
		tr.hosts["m.example"] = h
		req, err := http.NewRequestWithContext(context.WithValue(t.Context(), answerKey{}, new(answer)), http.MethodGet, "http://m.example/", nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tr.RoundTrip(req); (err == nil) != (name == "whole") || name == "cut" && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: %v", name, err)
		}
		if got := float64(h.pace.limiter.Limit()); got != c.want {
			t.Errorf("%s: the pace is %v, want %v", name, got, c.want)
		}
	}
}
