package crawler

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/finarc/finarc/config"
)

// get asks for an address through the transport that a run has by default.
func get(t *testing.T, o *Options, address string, trust *x509.Certificate) (body, proto string) {
	t.Helper()
	o.fillDefaults()
	sites, err := newSites(o.Mirrors)
	if err != nil {
		t.Fatal(err)
	}
	base, err := newBase(o, sites)
	if err != nil {
		t.Fatal(err)
	}
	defer base.CloseIdleConnections()
	if trust != nil {
		roots := x509.NewCertPool()
		roots.AddCert(trust)
		base.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := base.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b), res.Proto
}

// TestHTTP2: a host that speaks it is spoken to so.
func TestHTTP2(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Proto) }))
	s.EnableHTTP2 = true
	s.StartTLS()
	defer s.Close()
	o := &Options{Mirrors: []config.Mirror{{Name: "m", Site: s.URL + "/"}}, Limits: config.Default().Limits}
	if body, proto := get(t, o, s.URL+"/", s.Certificate()); body != "HTTP/2.0" || proto != "HTTP/2.0" {
		t.Errorf("the server saw %s, the answer was %s", body, proto)
	}
}

// TestProxy: with a proxy, which may stand anywhere, no host is connected to.
func TestProxy(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "by proxy: ", r.RequestURI) }))
	defer s.Close()
	o := &Options{Mirrors: []config.Mirror{{Name: "m", Site: "http://m.invalid/"}}, Limits: config.Default().Limits, Proxy: s.URL}
	if body, _ := get(t, o, "http://m.invalid/x", nil); body != "by proxy: http://m.invalid/x" {
		t.Error(body)
	}
}
