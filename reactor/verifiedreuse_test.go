package reactor

import (
	"bufio"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"sipreactor/reactor/internal/connection"
	"sipreactor/tlsstate"
	"sipreactor/tlsstate/tlstest"
)

// lenient is domains that verify nobody.
func lenient(t *testing.T) tlsstate.Domains {
	t.Helper()
	pair, err := identity()
	if err != nil {
		t.Fatal(err)
	}
	own := []tlsstate.KeyPair{{CertificatePEM: pair[0], PrivateKeyPEM: pair[1]}}
	return buildDomains(t,
		tlsstate.DomainConfig{Name: "in", Role: tlsstate.Server, Certificates: own, VerifyCert: tlstest.No(), RequireCert: tlstest.No()},
		tlsstate.DomainConfig{Name: "out", Role: tlsstate.Client, Certificates: own, VerifyCert: tlstest.No()})
}

// strict is domains of one authority: the server asks for a certificate and
// does not insist, the client verifies.
func strict(t *testing.T, ca *tlstest.CA, names ...string) tlsstate.Domains {
	t.Helper()
	own := ca.Leaf(t, tlstest.Leaf{DNS: names}).KeyPair()
	return buildDomains(t,
		tlsstate.DomainConfig{Name: "in", Role: tlsstate.Server, Certificates: []tlsstate.KeyPair{own}, CAPEM: ca.CertPEM(), RequireCert: tlstest.No()},
		tlsstate.DomainConfig{Name: "out", Role: tlsstate.Client, Certificates: []tlsstate.KeyPair{own}, CAPEM: ca.CertPEM()},
		tlsstate.DomainConfig{Name: "lax", Role: tlsstate.Client, MatchSIPDomains: []string{"lax.example"},
			Certificates: []tlsstate.KeyPair{own}, VerifyCert: tlstest.No()})
}

// A peer that called us gets what needs verification only if it showed a
// verified certificate for the destination, by its own address as by an alias,
// and whatever cert_check_on_conn_reusage says.
func TestAcceptedConnectionMustBeVerified(t *testing.T) {
	ca := tlstest.NewCA(t, "ca")
	shows := func(names ...string) []tls.Certificate {
		return []tls.Certificate{ca.Leaf(t, tlstest.Leaf{DNS: names}).TLS(t)}
	}
	for _, check := range []bool{false, true} {
		r := start(t, &script{}, func(c *Config) {
			c.Domains = strict(t, ca, "sip.us.example")
			c.TLS.CertCheckOnReuse = check
		})
		for i, tt := range []struct {
			name  string
			shows []tls.Certificate
			asks  string
			ok    bool
		}{
			{"nothing", nil, "good.example", false},
			{"nothing, where nobody asks", nil, "lax.example", true},
			{"the name", shows("good.example"), "good.example", true},
			{"the name, in capitals", shows("good.example"), "GOOD.example.", true},
			{"another", shows("evil.example"), "good.example", false},
			{"both, one", shows("good.example", "evil.example"), "good.example", true},
			{"both, two", shows("good.example", "evil.example"), "evil.example", true},
		} {
			known := r.Stats().Established
			c, err := tls.Dial("tcp", r.addr(TLS).String(), &tls.Config{InsecureSkipVerify: true, Certificates: tt.shows})
			if err != nil {
				t.Fatal(err)
			}
			_ = c.SetDeadline(time.Now().Add(patience))
			r.eventually("it is up", func() bool { return r.Stats().Established == known+1 })
			from := c.LocalAddr().(*net.TCPAddr).AddrPort()
			var h Handle
			r.conns.Table.Each(func(c *connection.Conn) {
				if c.Src.Remote == from {
					h = c.ID
				}
			})
			alias := netip.AddrPortFrom(from.Addr(), uint16(5900+i))
			if err := r.AddAlias(h, alias.Port()); err != nil {
				t.Fatal(err)
			}
			in := bufio.NewReader(c)
			for _, to := range []netip.AddrPort{from, alias} {
				m := request("MESSAGE", "x", i, "")
				_, err := r.Send(&Target{Proto: TLS, Addr: to, Name: tt.asks, NoNew: true}, Bytes(m))
				if (err == nil) != tt.ok {
					t.Errorf("check %v, it showed %s, %s by %v: %v", check, tt.name, tt.asks, to, err)
				}
				if tt.ok && err == nil {
					if got, err := readMessage(in); got != m {
						t.Errorf("%s: got %q, %v", tt.name, got, err)
					}
				}
			}
			c.Close()
		}
	}
}

// A connection that was verified for one SIP domain carries another's requests
// only if the same leaf names that, too.
func TestReuseKeepsToTheVerifiedName(t *testing.T) {
	ca := tlstest.NewCA(t, "ca")
	for _, check := range []bool{false, true} {
		for _, both := range []bool{false, true} {
			names := []string{"good.example"}
			if both {
				names = append(names, "evil.example")
			}
			inbox := &script{}
			to := start(t, inbox, func(c *Config) { c.Domains = strict(t, ca, names...) })
			from := start(t, &script{}, func(c *Config) {
				c.Domains = strict(t, ca, "sip.us.example")
				c.TLS.CertCheckOnReuse = check
			})
			target := func(name string) *Target { return &Target{Proto: TLS, Addr: to.addr(TLS), Name: name} }
			if _, err := from.Send(target("good.example"), Bytes(request("MESSAGE", "good", 1, ""))); err != nil {
				t.Fatal(err)
			}
			_, err := from.Send(target("evil.example"), Bytes(request("MESSAGE", "evil", 1, "")))
			var e *Error
			if both != (err == nil) || !both && (!errors.As(err, &e) || e.Reason != HandshakeFailed) {
				t.Errorf("check %v, it names %v: evil.example: %v", check, names, err)
			}
			if _, err := from.Send(target("good.example"), Bytes(request("MESSAGE", "good", 2, ""))); err != nil {
				t.Errorf("the first domain again: %v", err)
			}
			arrive, dials := 2, uint64(2)
			if both {
				arrive, dials = 3, 1
			}
			from.eventually("they arrive", func() bool { return len(inbox.got()) == arrive })
			if n := from.Stats().Dials; n != dials {
				t.Errorf("check %v, it names %v: %d dials, want %d", check, names, n, dials)
			}
		}
	}
}

// A connection made by a client domain that verifies nobody carries nothing of
// one that does; the other way it does.
func TestUnverifiedConnectionIsNotTrusted(t *testing.T) {
	ca := tlstest.NewCA(t, "ca")
	inbox := &script{}
	to := start(t, inbox, func(c *Config) { c.Domains = strict(t, ca, "good.example", "lax.example") })
	from := start(t, &script{}, func(c *Config) { c.Domains = strict(t, ca, "sip.us.example") })
	for i, tt := range []struct {
		name  string
		dials uint64
	}{{"lax.example", 1}, {"good.example", 2}, {"lax.example", 2}, {"good.example", 2}} {
		if _, err := from.Send(&Target{Proto: TLS, Addr: to.addr(TLS), Name: tt.name}, Bytes(request("MESSAGE", "x", i, ""))); err != nil {
			t.Fatal(err)
		}
		if n := from.Stats().Dials; n != tt.dials {
			t.Errorf("message %d to %s: %d dials, want %d", i, tt.name, n, tt.dials)
		}
	}
	from.eventually("they arrive", func() bool { return len(inbox.got()) == 4 })
}

// What joins a connection that is still shaking hands means the same SIP domain.
func TestHandshakeUnderWayIsForItsName(t *testing.T) {
	ca := tlstest.NewCA(t, "ca")
	s := &script{}
	r := start(t, s, func(c *Config) {
		c.Domains = strict(t, ca, "sip.us.example")
		hurried(c)
	})
	peer := silent(t)
	for i, tt := range []struct {
		name  string
		dials uint64
	}{{"good.example", 1}, {"good.example", 1}, {"evil.example", 2}, {"evil.example", 2}, {"good.example", 2}} {
		o, err := r.Send(&Target{Proto: TLS, Addr: peer, Name: tt.name}, Bytes(request("MESSAGE", "x", i, "")))
		if n := r.Stats().Dials; o != Queued || n != tt.dials {
			t.Errorf("message %d to %s: %v, %v, %d dials, want %d", i, tt.name, o, err, n, tt.dials)
		}
	}
}
