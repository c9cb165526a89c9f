package conformance

import (
	"fmt"
	"testing"

	"sipreactor/tlsstate"
	"sipreactor/tlsstate/tlstest"
)

// long gives a pair a chain of so many bytes.
func long(p *tlstest.Pair, more *tlstest.Pair, size int) *tlstest.Pair {
	l := *p
	for n := len(p.Cert.Raw); n < size; n += len(more.Cert.Raw) {
		l.Chain = append(l.Chain, more.Cert)
	}
	return &l
}

// A client whose chain has no room in a ticket gets none: its handshakes are full
// ones, and good ones. Below that they are resumed.
func longChains(t *testing.T, libs Libraries) {
	w := tlstest.NewWorld(t)
	libs.eachPairing(t, func(t *testing.T, p tlstest.Pairing) {
		for _, method := range []string{"TLSv1_2", "TLSv1_3"} {
			for size, resumed := range map[int]bool{1 << 10: true, 15 << 10: true, 18 << 10: false, 63 << 10: false, 66 << 10: false, 96 << 10: false} {
				pair := long(w.Client, w.Server, size)
				l := p.Link(t, w, func(s, c *tlsstate.DomainConfig) {
					s.Method, c.Certificates = method, []tlsstate.KeyPair{pair.KeyPair()}
				})
				for n := range 3 {
					server, client := l.Connect(t, "sip.example.com", tlstest.Whole)
					tlstest.Exchange(t, server, client, tlstest.Whole, tlstest.Text(2000))
					if got := client.State().Resumed; got != (resumed && n > 0) || server.State().Resumed != got {
						t.Errorf("%s, %d kB, connection %d: resumed %v", method, size>>10, n, got)
					}
					if s := server.State(); !s.Verified || len(s.Peer) == 0 {
						t.Errorf("%s, %d kB: the client is not verified", method, size>>10)
					}
				}
			}
		}
	})
}

// What a client remembers of servers with long chains is bounded by its size.
func sessionsHaveABound(t *testing.T, libs Libraries) {
	w := tlstest.NewWorld(t)
	const size = 90 << 10
	pair := long(w.Server, w.Client, size)
	libs.each(t, func(t *testing.T, lib tlsstate.Library) {
		l := tlstest.Pairing{Server: lib, Client: lib}.Link(t, w, func(s, c *tlsstate.DomainConfig) {
			s.Certificates, c.VerifyDomain = []tlsstate.KeyPair{pair.KeyPair()}, tlstest.No()
		})
		meet := func(n int) bool {
			_, client := l.Connect(t, fmt.Sprintf("sip%d.example.com", n), tlstest.Whole)
			resumed := client.State().Resumed
			client.Stop()
			return resumed
		}
		const some = tlsstate.SessionBytesKept / size / 4 // a session takes up to so many times its chain
		for n := range 6 * some {
			meet(n)
		}
		kept := 0
		for n := 6*some - 1; n >= 0; n-- { // the last first: each may push an old one out
			if !meet(n) {
				break
			}
			kept++
		}
		if kept < some || kept > 4*some {
			t.Errorf("%d sessions of %d kB are kept within %d kB", kept, size>>10, tlsstate.SessionBytesKept>>10)
		}
	})
}
