package crawler

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"testing"

	"github.com/finarc/finarc/config"
)

// TestPublic: what the registries of special-purpose addresses name is not the
// open web.
func TestPublic(t *testing.T) {
	for address, want := range map[string]bool{
		"1.1.1.1": true, "93.184.216.34": true, "2606:4700::1111": true, "64:ff9b::101:101": true,
		"127.0.0.1": false, "127.8.9.10": false, "::1": false, "::": false, "0.0.0.0": false, "0.1.2.3": false,
		"10.0.0.1": false, "172.16.0.1": false, "172.31.255.255": false, "172.32.0.1": true, "192.168.1.1": false,
		"169.254.169.254": false, "fe80::1": false, "fd00::1": false, "fec0::1": false, "100.64.0.1": false, "100.128.0.1": true,
		"224.0.0.1": false, "ff02::1": false, "255.255.255.255": false, "240.0.0.1": false, "192.0.2.1": false,
		"198.18.0.1": false, "198.51.100.7": false, "203.0.113.9": false, "2001:db8::1": false, "2002:7f00:1::1": false,
		"::ffff:127.0.0.1": false, "::ffff:169.254.169.254": false, "::ffff:1.1.1.1": true,
		"64:ff9b::7f00:1": false, "64:ff9b::a9fe:a9fe": false, "64:ff9b:1::1": false, "::ffff:0:a9fe:a9fe": false, "3fff::1": false, "5f00::1": false, "192.88.99.1": false, "4000::1": false, "::127.0.0.1": false,
	} {
		if got := public(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: public is %v", address, got)
		}
	}
}

// TestGate: a name that leads to this machine is not connected to, unless the
// mirror is configured as private; one that is written as its address is.
func TestGate(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	u, _ := url.Parse(s.URL)
	named := "localhost.localdomain:" + u.Port() // a name, though it leads here
	if _, err := net.DefaultResolver.LookupHost(t.Context(), "localhost.localdomain"); err != nil {
		named = "" // this machine does not know it
	}
	for _, c := range []struct {
		name, dial string
		mirror     config.Mirror
		connects   bool
	}{
		{"literal", u.Host, config.Mirror{Name: "m", Site: s.URL + "/"}, true},
		{"literal, another mirror", u.Host, config.Mirror{Name: "m", Site: "http://m.example/"}, false},
		{"literal, another port", u.Host, config.Mirror{Name: "m", Site: "http://127.0.0.1:1/"}, false},
		{"localhost", "localhost:" + u.Port(), config.Mirror{Name: "m", Site: "http://localhost:" + u.Port() + "/"}, true},
		{"name", named, config.Mirror{Name: "m", Site: "http://" + named + "/"}, false},
		{"name, private", named, config.Mirror{Name: "m", Site: "http://" + named + "/", Private: true}, true},
		{"share host, private", u.Host, config.Mirror{Name: "m", Site: "http://m.example/", Share: s.URL + "/{infoCode}", Private: true}, true},
	} {
		if c.dial == "" {
			continue
		}
		sites, err := newSites([]config.Mirror{c.mirror})
		if err != nil {
			t.Fatal(err)
		}
		conn, err := newGate(trustedOf([]config.Mirror{c.mirror}, sites)).dial(context.Background(), "tcp", c.dial)
		if err == nil {
			conn.Close()
		}
		if (err == nil) != c.connects || err != nil && !errors.Is(err, errAddress) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
