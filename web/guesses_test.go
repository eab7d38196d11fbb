package web

import (
	"net/http"
	"net/netip"
	"testing"
	"time"
)

func TestClientOf(t *testing.T) {
	for remote, want := range map[string]string{
		"192.0.2.1:1234": "192.0.2.1/32", "[::ffff:192.0.2.1]:1": "192.0.2.1/32", "[2001:db8:1:2:3::4]:1": "2001:db8:1:2::/64",
		"[fe80::1%eth0]:1": "fe80::/64", "@": "invalid Prefix", "": "invalid Prefix",
	} {
		if got := clientOf(&http.Request{RemoteAddr: remote}); got.String() != want {
			t.Errorf("%s: got %s, want %s", remote, got, want)
		}
	}
}

// TestGuesses: after some that are free, each wrong one is followed by a pause twice
// as long, in which nothing counts; others are let through, and an hour later all is
// forgotten.
func TestGuesses(t *testing.T) {
	now := time.Unix(1640140635, 0)
	g := newGuesses(func() time.Time { return now })
	a, b := netip.MustParsePrefix("192.0.2.1/32"), netip.MustParsePrefix("192.0.2.2/32")
	wrong := func(want time.Duration) {
		t.Helper()
		if got := g.judge(a, false); got != want {
			t.Fatalf("a pause of %v, want %v", got, want)
		}
	}
	for range freeGuesses + 1 { // a pause follows the first that is not free
		wrong(0)
	}
	for pause := firstPause; ; pause *= 2 {
		pause = min(pause, longestPause)
		wrong(pause)
		wrong(pause) // guesses in a pause do not make it longer
		if got := g.judge(a, true); got != pause {
			t.Errorf("the right one in a pause of %v: %v", pause, got)
		}
		if got := g.judge(b, true); got != 0 {
			t.Errorf("another address has to pause %v", got)
		}
		now = now.Add(pause)
		if got := g.judge(a, true); got != 0 {
			t.Errorf("the right one after a pause: %v", got)
		}
		wrong(0)
		if pause == longestPause {
			break
		}
	}
	wrong(longestPause)
	now = now.Add(guessesForgot + time.Second)
	for range freeGuesses + 1 { // a pause follows the first that is not free
		wrong(0)
	}
	wrong(firstPause)
}

// TestGuessesBounded: of more addresses than are remembered, those that guessed
// longest ago are forgotten; right ones are not even noted.
func TestGuessesBounded(t *testing.T) {
	now := time.Unix(1640140635, 0)
	g := newGuesses(func() time.Time { return now })
	address := func(i int) netip.Prefix {
		return netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 32)
	}
	for i := range freeGuesses {
		g.judge(address(0), false)
		g.judge(address(1), false)
		g.judge(address(i), true)
	}
	for i := range guessAddresses + 9 {
		g.judge(address(2+i), false)
	}
	if len(g.byFrom) != guessAddresses || g.used.Len() != guessAddresses {
		t.Errorf("%d and %d addresses are remembered, want %d", len(g.byFrom), g.used.Len(), guessAddresses)
	}
	for i, want := range map[int]bool{0: false, 1: false, 2: false, 2 + guessAddresses: true} {
		if _, known := g.byFrom[address(i)]; known != want {
			t.Errorf("address %d is remembered: %v", i, known)
		}
	}
}
