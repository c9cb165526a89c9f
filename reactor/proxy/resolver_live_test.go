package proxy

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/names"
)

// partly is a Resolver that is silent for all below silent.example until hold
// is closed.
type partly struct {
	hold chan struct{}
}

func (p partly) Lookup(ctx context.Context, q names.Query) (names.Answer, error) {
	if strings.HasSuffix(q.Host, ".silent.example") {
		<-p.hold
		return names.Answer{}, ctx.Err()
	}
	return targets(q, netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), q.Port)), nil
}

// One client sends requests to a thousand names of which nobody hears anything.
// It gets an answer to each, most of them at once; to others, names and all, it
// is as if it was not there.
func TestSilentNamesHoldUpNobody(t *testing.T) {
	const n = 1000
	known := partly{hold: make(chan struct{})}
	l := runWith(t, funcs{request: func(c *Context) {
		c.SetSIPDomain("localhost")
		_ = c.Forward(nil)
	}}, Config{Resolver: known, LookupTimeout: time.Hour}, func(c *reactor.Config) {
		c.Workers, c.TLS.MaxPostponed, c.QueueDelay = 2, n, 0 // what a busy machine refuses for its load is no part of this
	})
	release := sync.OnceFunc(func() { close(known.hold) })
	t.Cleanup(release)
	far := l.serve()
	uri := strings.Replace(far.uri(), "127.0.0.1", "known.example", 1)

	// Of another address, and so another source.
	d := tls.Dialer{NetDialer: &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}},
		Config: &tls.Config{RootCAs: l.ca, ServerName: "localhost"}}
	c, err := d.Dial("tcp", l.at(reactor.TLS))
	if err != nil {
		t.Fatal(err)
	}
	noisy := newPeer(t, c)
	for i := range n {
		noisy.say(request("OPTIONS", fmt.Sprintf("sip:h%d.silent.example;transport=tls", i), fmt.Sprintf("Call-ID: noisy%d", i)))
	}
	for range n - names.MaxWaitingForSource {
		noisy.expect("SIP/2.0 503 ")
	}
	l.counted(LookupsRefused, n-names.MaxWaitingForSource)
	calm := l.dial()
	var p *peer
	for i := range 50 {
		calm.say(request("OPTIONS", uri, fmt.Sprintf("Call-ID: calm%d", i)))
		if p == nil {
			p = far.accept()
		}
		_, rest, _ := strings.Cut(p.expect("OPTIONS "), "\r\n")
		p.say("SIP/2.0 200 OK\r\n" + rest)
		calm.expect("SIP/2.0 200 ")
	}
	release()
	for range names.MaxWaitingForSource {
		noisy.expect("SIP/2.0 503 ")
	}
}
