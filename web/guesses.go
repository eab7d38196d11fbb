package web

import (
	"container/list"
	"math"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// Of wrong tokens and passwords an address has some free, as people mistype. After
// that each one is followed by a pause twice as long as the one before, in which
// nothing is let through from there.
const (
	freeGuesses    = 10
	firstPause     = time.Second
	longestPause   = 15 * time.Minute
	guessesForgot  = time.Hour // after the last wrong one
	guessAddresses = 4096      // that are remembered: those that guessed last
)

// guesses counts the wrong tokens and passwords of each address.
type guesses struct {
	now func() time.Time

	mu     sync.Mutex
	byFrom map[netip.Prefix]*list.Element
	used   *list.List // of *guesser, the one that guessed last first
}

// guesser is an address that was wrong.
type guesser struct {
	from  netip.Prefix
	wrong int
	last  time.Time
	until time.Time // the end of its pause
}

func newGuesses(now func() time.Time) *guesses {
	return &guesses{now: now, byFrom: make(map[netip.Prefix]*list.Element), used: list.New()}
}

// judge takes note of a guess, and returns how long the address still has to pause;
// 0: the guess counts. Whether it is right plays no part in a pause, which would
// otherwise only hide the wrong ones.
func (g *guesses) judge(from netip.Prefix, right bool) (pause time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	known := g.byFrom[from]
	if known != nil {
		if one := known.Value.(*guesser); now.Sub(one.last) > guessesForgot {
			g.remove(known)
			known = nil
		} else if pause := one.until.Sub(now); pause > 0 {
			return pause
		}
	}
	if right {
		return 0
	}
	if known == nil {
		known = g.add(from)
	}
	g.used.MoveToFront(known)
	known.Value.(*guesser).miss(now)
	return 0
}

// miss counts a wrong guess.
func (one *guesser) miss(now time.Time) {
	one.wrong++
	one.last = now
	if over := one.wrong - freeGuesses; over > 0 {
		one.until = now.Add(min(longestPause, firstPause<<min(over-1, 20)))
	}
}

// add remembers an address, and forgets the one that has not guessed for longest
// where there are too many.
func (g *guesses) add(from netip.Prefix) *list.Element {
	if g.used.Len() >= guessAddresses {
		g.remove(g.used.Back())
	}
	g.byFrom[from] = g.used.PushFront(&guesser{from: from})
	return g.byFrom[from]
}

func (g *guesses) remove(e *list.Element) {
	delete(g.byFrom, g.used.Remove(e).(*guesser).from)
}

// network is the bits of an address that tell clients apart: one customer of a
// provider has as many addresses of IPv6 as there are behind them.
const (
	network4 = 32
	network6 = 64
)

// clientOf returns the address of a request's client, or the network that it is in.
// A proxy in front of the server is the client of all requests: what it says of them
// anybody could say.
func clientOf(r *http.Request) netip.Prefix {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Prefix{} // of no network: they are one
	}
	addr := at.Addr().Unmap().WithZone("")
	bits := network6
	if addr.Is4() {
		bits = network4
	}
	network, err := addr.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return network
}

// tooManyGuesses returns the failure of who has to pause.
func tooManyGuesses(pause time.Duration) *failure {
	return &failure{status: http.StatusTooManyRequests, about: msgGuesses, retry: int(math.Ceil(pause.Seconds()))}
}
