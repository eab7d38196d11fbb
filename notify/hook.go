package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// Hook is where messages are posted to.
type Hook struct {
	URL   string // an absolute http or https address; its path and query may hold a key
	Agent string // the User-Agent
	// Proxy is the address of the proxy that is used; empty: the one that the
	// environment names, if it does.
	Proxy string

	// Transport sends the requests; nil: one of its own.
	Transport http.RoundTripper
	// Backoff is the pause before the second attempt; that before the third is
	// twice as long. 0: a second.
	Backoff time.Duration
	// Patience is how long one attempt may take, and how long all of them may
	// still take once the context is cancelled; 0: ten seconds.
	Patience time.Duration
}

// attempts is how often a message is sent where it may help.
const attempts = 3

// Send posts m, again where what failed may pass: no answer, or 408, 429 or 5xx.
// Only 2xx is success. A redirect is followed where it leads to the same host and
// keeps the POST (307, 308). ctx being cancelled does not end it at once: the
// hook is to hear of a run that was interrupted too.
//
// Its errors name the hook by scheme and host alone, since the rest of the
// address may be a secret.
func (h *Hook) Send(ctx context.Context, m *Message) error {
	body, err := m.encode()
	if err != nil {
		return err
	}
	patience := h.Patience
	if patience == 0 {
		patience = 10 * time.Second
	}
	pause := h.Backoff
	if pause == 0 {
		pause = time.Second
	}
	client, closeIdle, err := h.client(patience)
	if err != nil {
		return h.named(err)
	}
	defer closeIdle()
	ctx, cancel := graceful(ctx, patience)
	defer cancel()
	for n := 1; ; n++ {
		again, err := h.post(ctx, client, body)
		if err == nil {
			return nil
		}
		if !again || n == attempts || !wait(ctx, pause) {
			return h.named(err)
		}
		pause *= 2
	}
}

// post makes one attempt, and reports whether another one may help.
func (h *Hook) post(ctx context.Context, client *http.Client, body []byte) (again bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL, bytes.NewReader(body))
	if err != nil {
		return false, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", h.Agent)
	res, err := client.Do(req)
	if err != nil {
		return ctx.Err() == nil && !errors.Is(err, errRedirect), err
	}
	// What it says does not matter; read, it lets the connection be used again.
	_, _ = io.CopyN(io.Discard, res.Body, 16<<10)
	_ = res.Body.Close()
	switch code := res.StatusCode; {
	case code >= 200 && code <= 299:
		return false, nil
	case code >= 500, code == http.StatusRequestTimeout, code == http.StatusTooManyRequests:
		return true, fmt.Errorf("it answers %d", code)
	default:
		return false, fmt.Errorf("it answers %d", code)
	}
}

// errRedirect: following it would give the report to somebody else.
var errRedirect = errors.New("it redirects to another host or too often")

// client returns what sends the requests, and what ends its connections.
func (h *Hook) client(patience time.Duration) (_ *http.Client, closeIdle func(), err error) {
	c := &http.Client{Transport: h.Transport, Timeout: patience, CheckRedirect: sameHost}
	if c.Transport == nil {
		proxy := http.ProxyFromEnvironment
		if h.Proxy != "" {
			u, err := url.Parse(h.Proxy)
			if err != nil {
				return nil, nil, err
			}
			proxy = http.ProxyURL(u)
		}
		c.Transport = &http.Transport{Proxy: proxy, ForceAttemptHTTP2: true, MaxResponseHeaderBytes: 64 << 10}
	}
	return c, c.CloseIdleConnections, nil
}

// sameHost is a policy for redirects: those that stay with scheme and host are
// followed. One that makes a GET of the POST would lose the message, and counts
// as the answer.
func sameHost(req *http.Request, via []*http.Request) error {
	first := via[0].URL
	switch {
	case req.Method != http.MethodPost:
		return http.ErrUseLastResponse
	case req.URL.Scheme != first.Scheme || req.URL.Host != first.Host || len(via) > 3:
		return errRedirect
	}
	return nil
}

// named says which hook an error is of, without what may be secret: the errors
// of net/http and net/url begin with the whole address.
func (h *Hook) named(err error) error {
	if whole := new(url.Error); errors.As(err, &whole) {
		err = whole.Err
	}
	name := "notify.url"
	if u, bad := url.Parse(h.URL); bad == nil {
		name = u.Scheme + "://" + u.Host
	}
	return fmt.Errorf("notify %s: %w", name, err)
}

// graceful returns a context that ends a while after ctx does.
func graceful(ctx context.Context, while time.Duration) (context.Context, context.CancelFunc) {
	late, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		wait(late, while)
		cancel()
	})
	return late, func() { stop(); cancel() }
}

// wait waits, and reports whether ctx lasted so long.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
