package proxy

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"

	"sipreactor/reactor"
)

func TestLossOf(t *testing.T) {
	peer := netip.MustParseAddrPort("10.0.0.1:5060")
	timeout := &reactor.Error{Reason: reactor.ConnectTimeout}
	a := lossOf("response", peer, timeout)
	if b := lossOf("response", netip.AddrPortFrom(peer.Addr(), 1), fmt.Errorf("it: %w", timeout)); a != b {
		t.Errorf("%v and %v", a, b)
	}
	for name, k := range map[string]loss{
		"another peer":    lossOf("response", netip.MustParseAddrPort("10.0.0.2:5060"), timeout),
		"another reason":  lossOf("response", peer, &reactor.Error{Reason: reactor.SendTimeout}),
		"another message": lossOf("ACK", peer, timeout),
		"no reason":       lossOf("response", peer, errors.New("another")),
	} {
		if a == k {
			t.Errorf("%s is told as one with it", name)
		}
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
