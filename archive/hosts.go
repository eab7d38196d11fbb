package archive

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/finarc/finarc/news"
)

// host is a news.Host as stored, in a frame, under its origin.
type host struct {
	Origin  string `cbor:"1,keyasint"` // the key once more: no checksum guards that
	Status  int    `cbor:"2,keyasint,omitempty"`
	Body    []byte `cbor:"3,keyasint,omitempty"`
	Fetched int64  `cbor:"4,keyasint,omitempty"` // milliseconds since 1970, as the next
	Paused  int64  `cbor:"5,keyasint,omitempty"`
}

// Bounds on what is remembered of hosts.
const (
	maxRobots = 500 << 10           // bytes of a robots.txt; what is beyond is no part of it (RFC 9309, 2.5)
	hostsKept = 90 * 24 * time.Hour // for so long a host is remembered that nobody asks
)

// last returns when the host was asked last, or will want to be.
func (h *host) last() int64 { return max(h.Fetched, h.Paused) }

// commitHosts records what is to be remembered of hosts, each in place of what
// was; but robots.txt that was never had leaves the one that is known. Hosts are
// forgotten whose robots.txt was had, and whose pause ended, 90 days before the
// newest robots.txt of the batch.
func (t *tx) commitHosts(hosts []news.Host) error {
	now := int64(0)
	for i := range hosts {
		h := hostOf(&hosts[i])
		now = max(now, h.Fetched)
		if err := t.commitHost(h); err != nil {
			return fmt.Errorf("remember host %s: %w", h.Origin, err)
		}
	}
	if now == 0 {
		return nil
	}
	return t.forgetHosts(now - hostsKept.Milliseconds())
}

func hostOf(h *news.Host) *host {
	body := h.Robots.Body
	return &host{
		Origin: h.Origin, Status: h.Robots.Status, Body: body[:min(len(body), maxRobots)],
		Fetched: millis(h.Robots.Fetched), Paused: millis(h.Paused),
	}
}

func (h *host) host() news.Host {
	return news.Host{
		Origin: h.Origin, Paused: fromMillis(h.Paused),
		Robots: news.Robots{Status: h.Status, Body: h.Body, Fetched: fromMillis(h.Fetched)},
	}
}

func (t *tx) commitHost(h *host) error {
	if h.Fetched == 0 {
		known, err := t.host([]byte(h.Origin))
		if err != nil {
			return err
		}
		if known != nil {
			h.Status, h.Body, h.Fetched = known.Status, known.Body, known.Fetched
		}
	}
	return t.putHost(h)
}

func (t *tx) putHost(h *host) error {
	plain, err := t.a.codec.encode(h)
	if err != nil {
		return err
	}
	with, err := t.packer()
	if err != nil {
		return err
	}
	return t.put(bucketHosts, []byte(h.Origin), pack(with, plain))
}

// host returns what is known of a host, or nil.
func (t *tx) host(origin []byte) (*host, error) {
	frame, err := t.get(bucketHosts, origin)
	if frame == nil || err != nil {
		return nil, err
	}
	return t.unpackHost(origin, frame)
}

func (t *tx) unpackHost(origin, frame []byte) (*host, error) {
	plain, err := t.unpack(frame)
	if err != nil {
		return nil, err
	}
	return t.a.codec.decodeHost(origin, plain)
}

// decodeHost reads the plain form of a host that is kept under an origin.
func (c *codec) decodeHost(origin, plain []byte) (*host, error) {
	h := new(host)
	if err := c.decode(plain, h); err != nil {
		return nil, err
	}
	if h.Origin != string(origin) {
		return nil, fmt.Errorf("%w: it is host %.80s", ErrCorrupt, h.Origin)
	}
	return h, nil
}

// forgetHosts forgets the hosts that were asked last before a time, in
// milliseconds since 1970.
func (t *tx) forgetHosts(before int64) error {
	var old [][]byte
	err := t.each(bucketHosts, func(k, frame []byte) error {
		h, err := t.unpackHost(k, frame)
		if err == nil && h.last() < before {
			old = append(old, bytes.Clone(k))
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("forget hosts: %w", err)
	}
	for _, k := range old {
		if err := t.delete(bucketHosts, k); err != nil {
			return err
		}
	}
	return nil
}

// Hosts returns what is remembered of hosts, in order of origin.
func (a *Archive) Hosts(ctx context.Context) ([]news.Host, error) {
	var hosts []news.Host
	err := a.view(ctx, func(t *tx) error {
		hosts = nil
		if !t.hasBucket(bucketHosts) {
			return nil
		}
		return t.each(bucketHosts, func(k, frame []byte) error {
			h, err := t.unpackHost(k, frame)
			if err != nil {
				return fmt.Errorf("host %s: %w", k, err)
			}
			hosts = append(hosts, h.host())
			return nil
		})
	})
	return hosts, err
}

// mergeHost takes in what is known of a host: the robots.txt that was had last,
// and the pause that lasts longest, so that a host which one archive's crawl was
// asked to leave alone is left alone by that of the other.
func (t *tx) mergeHost(e pair) error {
	known, err := t.host(e.key)
	if err != nil {
		return err
	}
	both := *e.host
	if known != nil {
		if order := cmp.Or(cmp.Compare(known.Fetched, both.Fetched), cmp.Compare(known.Status, both.Status), bytes.Compare(known.Body, both.Body)); order > 0 {
			both.Status, both.Body, both.Fetched = known.Status, known.Body, known.Fetched
		}
		both.Paused = max(both.Paused, known.Paused)
		if both.Fetched == known.Fetched && both.Status == known.Status && bytes.Equal(both.Body, known.Body) && both.Paused == known.Paused {
			return nil
		}
	}
	return t.putHost(&both)
}

// checkHost checks a host that is kept under an origin.
func (t *tx) checkHost(origin, frame []byte) error {
	_, err := t.unpackHost(origin, frame)
	return err
}

// repackedHost returns what a damaged file tells of a host, packed anew.
func (s *salvage) repackedHost(t *tx, origin, frame []byte) ([]byte, error) {
	plain, err := s.codec.unpack(frame, s.dict)
	if err != nil {
		return nil, err
	}
	if _, err := s.codec.decodeHost(origin, plain); err != nil {
		return nil, err
	}
	with, err := t.packer()
	if err != nil {
		return nil, err
	}
	return pack(with, plain), nil
}
