package crawler

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/finarc/finarc/config"
	"golang.org/x/net/dns/dnsmessage"
)

// TestPublic: what the registries of special-purpose addresses name is not the
// open web.
func TestPublic(t *testing.T) {
	for address, want := range map[string]bool{
		"100:0:0:1::1": false, "1000::1": false, "e000::1": false, "2d00::1": true,
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

// names is a name server on the loopback: what it answers to the n-th question,
// from 0, for the addresses of a name. A name that it lacks does not exist.
type names map[string]func(n int) []string

// always answers each question with the same addresses.
func always(addresses ...string) func(int) []string {
	return func(int) []string { return addresses }
}

// serve begins to answer, until the test ends, and returns a resolver that asks
// nobody else.
func (s names) serve(t *testing.T) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.answerAll(t, conn)
	}()
	t.Cleanup(func() { conn.Close(); <-ended })
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

// answerAll answers questions until the connection is closed.
func (s names) answerAll(t *testing.T, conn net.PacketConn) {
	asked := map[dnsmessage.Question]int{}
	buf := make([]byte, 1<<16)
	for {
		n, from, err := conn.ReadFrom(buf)
		if err != nil {
			return
		}
		var m dnsmessage.Message
		if err := m.Unpack(buf[:n]); err != nil || len(m.Questions) != 1 {
			t.Errorf("no question: %v", err)
			continue
		}
		q := m.Questions[0]
		answer, err := s.answer(&m, asked[q])
		asked[q]++
		if err == nil {
			_, err = conn.WriteTo(answer, from)
		}
		if err != nil {
			t.Errorf("answer to %v: %v", q, err)
		}
	}
}

// answer returns what is said to the n-th question of its kind.
func (s names) answer(m *dnsmessage.Message, n int) ([]byte, error) {
	q := m.Questions[0]
	m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
	addresses, known := s[strings.ToLower(strings.TrimSuffix(q.Name.String(), "."))]
	if !known {
		m.RCode = dnsmessage.RCodeNameError
		return m.Pack()
	}
	for _, address := range addresses(n) {
		at := netip.MustParseAddr(address)
		header := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class}
		switch {
		case q.Type == dnsmessage.TypeA && at.Is4():
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AResource{A: at.As4()}})
		case q.Type == dnsmessage.TypeAAAA && !at.Is4():
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AAAAResource{AAAA: at.As16()}})
		}
	}
	return m.Pack()
}

// dialAs connects to an address as a run of one mirror does.
func dialAs(t *testing.T, resolver *net.Resolver, m config.Mirror, address string) error {
	t.Helper()
	sites, err := newSites([]config.Mirror{m})
	if err != nil {
		t.Fatal(err)
	}
	g := newGate(trustedOf([]config.Mirror{m}, sites))
	g.resolver = resolver
	return dialThrough(t, g, address)
}

// dialThrough connects to an address, which may take a moment and no longer:
// behind the public addresses of these tests there is nobody.
func dialThrough(t *testing.T, g *gate, address string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	conn, err := g.dial(ctx, "tcp", address)
	if err == nil {
		conn.Close()
	}
	return err
}

// TestGate: a name that leads to this machine is not connected to, unless the
// mirror is configured as private; one that is written as its address is.
func TestGate(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	u, _ := url.Parse(s.URL)
	resolver := names{"m.test": always("127.0.0.1")}.serve(t)
	named := "m.test:" + u.Port()
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
		{"name in capitals, private", strings.ToUpper(named), config.Mirror{Name: "m", Site: "http://M.test:" + u.Port() + "/", Private: true}, true},
		{"name, another private", named, config.Mirror{Name: "m", Site: "http://n.test:" + u.Port() + "/", Private: true}, false},
		{"share host, private", u.Host, config.Mirror{Name: "m", Site: "http://m.example/", Share: s.URL + "/{infoCode}", Private: true}, true},
	} {
		err := dialAs(t, resolver, c.mirror, c.dial)
		if (err == nil) != c.connects || err != nil && !errors.Is(err, errAddress) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// nobody is an address that could be a host's on the open web, and is nobody's: no
// registry has been given any of its block.
const nobody = "2d00::1"

// listener is a port of this machine that counts who connects to it.
type listener struct {
	net.Listener
	port  string
	count atomic.Int64
}

// listen listens on the loopback until the test ends.
func listen(t *testing.T) *listener {
	t.Helper()
	l := new(listener)
	var err error
	if l.Listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	_, l.port, _ = net.SplitHostPort(l.Addr().String())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			l.count.Add(1)
			conn.Close()
		}
	}()
	t.Cleanup(func() { l.Close(); <-ended })
	return l
}

// checkUnmet checks that nobody connected. It connects itself: connections are
// accepted in the order in which they came.
func (l *listener) checkUnmet(t *testing.T) {
	t.Helper()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_, _ = conn.Read(make([]byte, 1)) // until it was accepted, and closed
	conn.Close()
	if n := l.count.Load(); n != 1 {
		t.Errorf("%d connections came about", n-1)
	}
}

// TestGateAndNames: a name leads nowhere but to the open web, whatever a name
// server says, and no connection comes about first to be closed again.
func TestGateAndNames(t *testing.T) {
	l := listen(t)
	leading := names{
		"loopback.test":    always("127.0.0.1"),
		"loopback6.test":   always("::1"),
		"private.test":     always("10.0.0.1"),
		"private6.test":    always("fd00:ec2::254"),
		"metadata.test":    always("169.254.169.254"),
		"unspecified.test": always("0.0.0.0"),
		"mapped.test":      always("::ffff:127.0.0.1"),
		"translated.test":  always("64:ff9b::7f00:1"),
		"several.test":     always("10.0.0.1", "127.0.0.1", "::1", "169.254.169.254"),
	}
	resolver := leading.serve(t)
	for name := range leading {
		host := net.JoinHostPort(name, l.port)
		if err := dialAs(t, resolver, config.Mirror{Name: "m", Site: "http://" + host + "/"}, host); !errors.Is(err, errAddress) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := dialAs(t, resolver, config.Mirror{Name: "m", Site: "http://unknown.test/"}, "unknown.test:80"); err == nil || errors.Is(err, errAddress) {
		t.Errorf("a name that does not exist: %v", err)
	}
	l.checkUnmet(t)
}

// TestGateAndMixedNames: of a name that leads to the open web and into the
// crawler's own network, at once or in turn, the one way stays open and the
// other one closed.
func TestGateAndMixedNames(t *testing.T) {
	l := listen(t)
	resolver := names{
		"public-first.test": always(nobody, "127.0.0.1"),
		"public-last.test":  always("127.0.0.1", nobody),
		"public-amid.test":  always("::1", nobody, "127.0.0.1", "::ffff:127.0.0.1"),
		"rebound.test": func(n int) []string {
			if n == 0 {
				return []string{nobody}
			}
			return []string{"127.0.0.1"}
		},
	}.serve(t)
	g := newGate(nil)
	g.resolver = resolver
	for _, name := range []string{"public-first.test", "public-last.test", "public-amid.test"} {
		if err := dialThrough(t, g, net.JoinHostPort(name, l.port)); err == nil {
			t.Errorf("%s: there is somebody", name)
		}
	}
	rebound := net.JoinHostPort("rebound.test", l.port)
	if err := dialThrough(t, g, rebound); err == nil || errors.Is(err, errAddress) {
		t.Errorf("while the name is public: %v", err)
	}
	if err := dialThrough(t, g, rebound); !errors.Is(err, errAddress) {
		t.Errorf("once it is not: %v", err)
	}
	l.checkUnmet(t)
}
