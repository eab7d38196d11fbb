package crawler

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/finarc/finarc/config"
	"github.com/finarc/finarc/news"
)

// gate lets connections through to the addresses of the open web, judged when
// they are made: a name, be it in a redirect, can be made to lead into the
// network that the crawler stands in. Hosts that are configured as such an
// address, or as private, may have one, and so may proxies.
type gate struct {
	resolver *net.Resolver // of names; nil: the system's

	mu      sync.Mutex
	trusted map[string]bool // host:port
}

// newGate returns a gate that trusts the given addresses of the web.
func newGate(trusted []*url.URL) *gate {
	g := &gate{trusted: make(map[string]bool)}
	for _, u := range trusted {
		g.trust(u)
	}
	return g
}

// trustedOf returns the addresses that mirrors may have anywhere.
func trustedOf(mirrors []config.Mirror, sites []*site) []*url.URL {
	var trusted []*url.URL
	for i, s := range sites {
		for _, address := range []string{s.Home(), s.Share(anyCode), s.Text(anyCode)} {
			u, err := url.Parse(address)
			if err == nil && u.Host != "" && (mirrors[i].Private || isLiteral(u.Hostname())) {
				trusted = append(trusted, u)
			}
		}
	}
	return trusted
}

// anyCode fills the templates of addresses of which only the host counts.
const anyCode = news.InfoCode("NW200001010000000000")

// isLiteral reports whether a host is written as an address, or as the one name
// that is always this machine's (RFC 6761, 6.3).
func isLiteral(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil || strings.EqualFold(host, "localhost")
}

func (g *gate) trust(u *url.URL) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.trusted[canonical(dialed(u))] = true
}

// dialed returns host:port as a transport dials it.
func dialed(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}[u.Scheme]
	}
	return net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

// canonical returns the one spelling of host:port.
func canonical(address string) string {
	if at, err := netip.ParseAddrPort(address); err == nil {
		return netip.AddrPortFrom(at.Addr().Unmap(), at.Port()).String()
	}
	return strings.ToLower(address)
}

// dial connects to an address.
func (g *gate) dial(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second, Resolver: g.resolver}
	g.mu.Lock()
	trusted := g.trusted[canonical(address)]
	g.mu.Unlock()
	if !trusted {
		d.ControlContext = onlyPublic
	}
	return d.DialContext(ctx, network, address)
}

// dialTimeout bounds one attempt to connect; the whole request has a bound of
// its own.
const dialTimeout = 15 * time.Second

// proxied wraps a choice of proxies so that those are trusted.
func (g *gate) proxied(choose func(*http.Request) (*url.URL, error)) func(*http.Request) (*url.URL, error) {
	return func(req *http.Request) (*url.URL, error) {
		u, err := choose(req)
		if u != nil {
			g.trust(u)
		}
		return u, err
	}
}

// onlyPublic refuses to connect to what is not an address of the open web. It
// runs after the name was resolved, for each address that is tried.
func onlyPublic(_ context.Context, _, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %q", errAddress, address)
	}
	if !public(at.Addr()) {
		return fmt.Errorf("%w: %s", errAddress, at.Addr())
	}
	return nil
}

// public reports whether an address can be a host's on the open web: whether
// the registries of special-purpose addresses (RFC 6890) say nothing else.
func public(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if translated := netip.MustParsePrefix("64:ff9b::/96"); translated.Contains(a) { // IPv4 behind NAT64 (RFC 6052)
		b := a.As16()
		a = netip.AddrFrom4([4]byte(b[12:]))
	}
	if !a.IsGlobalUnicast() || a.IsPrivate() {
		return false // unspecified, loopback, multicast, link-local, RFC 1918, RFC 4193
	}
	if a.Is6() && !netip.MustParsePrefix("2000::/3").Contains(a) {
		return false // what is not handed out as global unicast (RFC 4291, 2.4)
	}
	for _, p := range specialPurpose() {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

// specialPurpose returns the blocks that [netip.Addr] has no method for.
func specialPurpose() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("0.0.0.0/8"),       // this network
		netip.MustParsePrefix("100.64.0.0/10"),   // carriers' NAT (RFC 6598)
		netip.MustParsePrefix("192.0.0.0/24"),    // protocol assignments
		netip.MustParsePrefix("192.0.2.0/24"),    // documentation (RFC 5737)
		netip.MustParsePrefix("192.88.99.0/24"),  // 6to4 relays, of old (RFC 7526)
		netip.MustParsePrefix("198.18.0.0/15"),   // benchmarks (RFC 2544)
		netip.MustParsePrefix("198.51.100.0/24"), // documentation
		netip.MustParsePrefix("203.0.113.0/24"),  // documentation
		netip.MustParsePrefix("240.0.0.0/4"),     // reserved, broadcast
		netip.MustParsePrefix("2001::/23"),       // protocol assignments, Teredo
		netip.MustParsePrefix("2001:db8::/32"),   // documentation (RFC 3849)
		netip.MustParsePrefix("3fff::/20"),       // documentation (RFC 9637)
		netip.MustParsePrefix("2002::/16"),       // 6to4 (RFC 3056): may be any of the above
	}
}
