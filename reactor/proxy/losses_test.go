package proxy

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor"
)

func TestLosses(t *testing.T) {
	var l losses
	at := time.Unix(5000, 0)
	peer := func(i int) netip.AddrPort {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), uint16(i))
	}
	timeout := &reactor.Error{Reason: reactor.ConnectTimeout}
	a := lossOf("response", peer(1), timeout)
	for i, want := range []bool{true, false, false} {
		if _, ok := l.open(at.Add(time.Duration(i)*time.Millisecond), a); ok != want {
			t.Errorf("line %d: %v", i, ok)
		}
	}
	for name, k := range map[string]loss{
		"another peer":    lossOf("response", peer(2), timeout),
		"another reason":  lossOf("response", peer(1), fmt.Errorf("it: %w", &reactor.Error{Reason: reactor.SendTimeout})),
		"another message": lossOf("ACK", peer(1), timeout),
		"no reason":       lossOf("response", peer(1), errors.New("another")),
	} {
		if held, ok := l.open(at, k); !ok || held != 0 {
			t.Errorf("%s is hidden: %v, %d", name, ok, held)
		}
	}
	if held, ok := l.open(at.Add(time.Second), a); !ok || held != 2 {
		t.Errorf("a second later: %v, %d held", ok, held)
	}
	for i := range 2 * lossBound {
		l.open(at.Add(time.Second), lossOf("ACK", peer(i), timeout))
	}
	if len(l.rows) != lossBound || l.untold == 0 {
		t.Errorf("%d rows, %d untold", len(l.rows), l.untold)
	}
	untold := l.untold
	if held, ok := l.open(at.Add(time.Minute), lossOf("ACK", peer(1<<15), timeout)); !ok || held < untold || len(l.rows) != 1 {
		t.Errorf("a minute later: %v, %d held, %d rows", ok, held, len(l.rows))
	}
}

// One peer's lost responses do not hide those of another.
func TestUndeliveredIsToldOfEachPeer(t *testing.T) {
	var log bytes.Buffer
	b := newBed(t, funcs{}, func(c *Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	c := b.ctx
	for i := range 100 {
		c.lost("response", netip.MustParseAddrPort("192.0.2.1:5061"), 1, &reactor.Error{Reason: reactor.ConnectTimeout})
		if i == 50 {
			c.lost("response", netip.MustParseAddrPort("192.0.2.2:5061"), 1, &reactor.Error{Reason: reactor.ConnectTimeout})
		}
	}
	if text := log.String(); strings.Count(text, "peer=192.0.2.2:5061") != 1 || !strings.Contains(text, "peer=192.0.2.1:5061") {
		t.Errorf("log: %s", text)
	}
}
