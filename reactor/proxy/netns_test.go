package proxy

import (
	"fmt"
	"net"
	"testing"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/internal/netnstest"
)

// The first address of a name drops every SYN, the second one answers: no call is
// lost, over TLS or TCP, and once the first is known to be dead none waits for it.
func TestDroppedSYNsBeforeAServer(t *testing.T) {
	if !netnstest.In(t) {
		return
	}
	for _, proto := range []reactor.Proto{reactor.TLS, reactor.TCP} {
		t.Run(proto.String(), func(t *testing.T) {
			uas, err := net.Listen("tcp", "127.0.0.3:0")
			if err != nil {
				t.Fatal(err)
			}
			defer uas.Close()
			alive := uas.Addr().(*net.TCPAddr).AddrPort()
			gone := addresses(fmt.Sprintf("127.0.0.2:%d", alive.Port()))[0]
			netnstest.Sh(t, "nft", fmt.Sprintf("add table inet gone; add chain inet gone in { type filter hook input priority 0; }; "+
				"add rule inet gone in ip daddr %s tcp dport %d drop", gone.Addr(), gone.Port()))
			defer netnstest.ComeBack(t)
			l := runWith(t, funcs{}, Config{Resolver: several{gone, alive}}, func(c *reactor.Config) {
				c.ParkedTimeout = time.Second
				c.TLS.LocalConnectTimeout, c.TCP.LocalConnectTimeout = 100*time.Millisecond, 100*time.Millisecond
			})
			go func() {
				for {
					c, err := uas.Accept()
					if err != nil {
						return
					}
					if proto == reactor.TLS {
						c = l.serverSide(c)
					}
					go answerAll(c)
				}
			}()
			call := func(n int) time.Duration {
				p := l.dial()
				defer p.Close()
				began := time.Now()
				p.say(request("OPTIONS", "sip:bob@localhost;transport="+proto.String(), from(p, fmt.Sprintf("z9hG4bKc%d", n)), fmt.Sprintf("Call-ID: call%d", n)))
				p.expect("SIP/2.0 200 ")
				return time.Since(began)
			}
			if took := call(0); took < 900*time.Millisecond {
				t.Errorf("the first call took %v: it was not parked", took)
			}
			if n := l.proxy.Count(RequestsMoved); n != 1 {
				t.Errorf("%d requests moved to the second address", n)
			}
			if n := l.engine.Stats().BackedOff; n != 1 {
				t.Errorf("%d destinations are left alone", n)
			}
			parked := l.engine.Stats().ParkedConnects
			for n := range 20 {
				call(n + 1)
			}
			if n := l.proxy.Count(RequestsMoved); n != 1 {
				t.Errorf("%d requests moved, though the first address is left alone", n)
			}
			if n := l.engine.Stats().ParkedConnects; n != parked {
				t.Errorf("%d connects more were waited for", n-parked)
			}
			if n := l.proxy.OwnResponses(503); n != 0 {
				t.Errorf("%d were answered 503", n)
			}
		})
	}
}
