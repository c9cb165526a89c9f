package reactor

import (
	"bufio"
	"crypto/tls"
	"net"
	"net/netip"
	"testing"
	"time"

	"sipreactor/tlsstate"
)

// cert_check_on_conn_reusage=1: a connection of ours serves a send only if it
// was made with the certificate that the send's client domain has now, the same
// leaf after a reload, too. 0: any connection to the address does.
func TestCertCheckOnReuse(t *testing.T) {
	other, _ := tlsstatePair(t)
	for _, check := range []bool{false, true} {
		inbox := &script{}
		to := start(t, inbox, func(c *Config) { c.Domains = trusting(t) })
		from := start(t, &script{}, func(c *Config) { c.TLS.CertCheckOnReuse = check })
		sent := 0
		send := func() {
			t.Helper()
			if _, err := from.Send(from.target(TLS, to), Bytes(request("MESSAGE", "x", sent, ""))); err != nil {
				t.Fatal(err)
			}
			sent++
			from.eventually("it arrives", func() bool { return len(inbox.got()) == sent })
		}
		dials := func(want uint64, when string) {
			t.Helper()
			if got := from.Stats().Dials; got != want {
				t.Errorf("check %v, %s: %d dials, want %d", check, when, got, want)
			}
		}
		send()
		send()
		dials(1, "two sends")
		pair, err := identity()
		if err != nil {
			t.Fatal(err)
		}
		from.SetDomains(testDomains(t, pair[0], pair[1]))
		send()
		dials(1, "a reload of the same files")
		from.SetDomains(clientDomains(t, other, pair[0]))
		send()
		want := uint64(1)
		if check {
			want = 2
		}
		dials(want, "a reload with another certificate")
		from.SetDomains(testDomains(t, pair[0], pair[1]))
		send()
		dials(want, "the first certificate again")
	}
}

// Two client domains never share a connection under cert_check_on_conn_reusage,
// though they show the same certificate, or none.
func TestDomainsKeepApart(t *testing.T) {
	pair, err := identity()
	if err != nil {
		t.Fatal(err)
	}
	domain := func(name string, certs ...tlsstate.KeyPair) tlsstate.DomainConfig {
		return tlsstate.DomainConfig{Name: name, Role: tlsstate.Client, Certificates: certs, CAPEM: pair[0]}
	}
	own := tlsstate.KeyPair{CertificatePEM: pair[0], PrivateKeyPEM: pair[1]}
	for _, check := range []bool{false, true} {
		inbox := &script{}
		to := start(t, inbox, func(c *Config) { c.Domains = trusting(t) })
		from := start(t, &script{}, func(c *Config) {
			c.TLS.CertCheckOnReuse = check
			c.Domains = buildDomains(t, domain("one", own), domain("two", own), domain("three"), domain("four"),
				tlsstate.DomainConfig{Name: "in", Role: tlsstate.Server, Certificates: []tlsstate.KeyPair{own}})
		})
		names := []string{"one", "two", "three", "four", "one", "four"}
		for i, name := range names {
			target := from.target(TLS, to)
			target.Domain = name
			if _, err := from.Send(target, Bytes(request("MESSAGE", name, i, ""))); err != nil {
				t.Fatal(err)
			}
			from.eventually("it arrives", func() bool { return len(inbox.got()) == i+1 })
		}
		want := uint64(1)
		if check {
			want = 4
		}
		if got := from.Stats().Dials; got != want {
			t.Errorf("check %v: %d dials for four domains, want %d", check, got, want)
		}
	}
}

// trusting is a server domain that asks nobody for a certificate.
func trusting(t *testing.T) tlsstate.Domains {
	t.Helper()
	pair, err := identity()
	if err != nil {
		t.Fatal(err)
	}
	no := false
	return buildDomains(t, tlsstate.DomainConfig{Name: "in", Role: tlsstate.Server,
		Certificates: []tlsstate.KeyPair{{CertificatePEM: pair[0], PrivateKeyPEM: pair[1]}}, VerifyCert: &no})
}

// In TLS 1.3 a peer refuses our certificate after our handshake is over: what
// was written by then comes back all the same.
func TestOurCertificateIsRefused(t *testing.T) {
	stranger, _ := tlsstatePair(t)
	pair, err := identity()
	if err != nil {
		t.Fatal(err)
	}
	inbox := &script{}
	to := start(t, inbox, nil)
	s := &script{}
	from := start(t, s, func(c *Config) { c.Domains = clientDomains(t, stranger, pair[0]) })
	const n = 3
	for i := range n {
		_, err := from.Send(from.target(TLS, to), Bytes(request("MESSAGE", "x", i, "")))
		if err != nil { // the alert was there already
			s.mu.Lock()
			s.undelivered = append(s.undelivered, err.Error())
			s.mu.Unlock()
		}
	}
	from.eventually("all come back", func() bool { lost, _ := s.lost(); return len(lost) == n })
	from.eventually("the connections are gone", func() bool { return !from.alive() })
	if got, st := inbox.got(), from.Stats(); len(got) != 0 || st.MessagesOut != st.Returned {
		t.Errorf("arrived %q, written %d, returned %d", got, st.MessagesOut, st.Returned)
	}
}

// tlsstatePair makes a certificate of its own.
func tlsstatePair(t *testing.T) (tlsstate.KeyPair, []byte) {
	t.Helper()
	cert, key, err := tlsstate.Ephemeral([]string{"localhost"}, false)
	if err != nil {
		t.Fatal(err)
	}
	return tlsstate.KeyPair{CertificatePEM: cert, PrivateKeyPEM: key}, cert
}

// clientDomains is a client domain with a certificate that trusts ca.
func clientDomains(t *testing.T, own tlsstate.KeyPair, ca []byte) tlsstate.Domains {
	t.Helper()
	return buildDomains(t,
		tlsstate.DomainConfig{Name: "out", Role: tlsstate.Client, Certificates: []tlsstate.KeyPair{own}, CAPEM: ca},
		tlsstate.DomainConfig{Name: "in", Role: tlsstate.Server, Certificates: []tlsstate.KeyPair{own}})
}

// A peer that called us is answered on its connection when a send names the
// port that it stands for.
func TestSendToAnAlias(t *testing.T) {
	bothProtos(t, func(t *testing.T, p Proto) {
		r := start(t, &script{}, func(c *Config) { c.Domains = lenient(t) })
		c := r.dial(p)
		h := r.only()
		listening := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), 5999)
		if _, err := r.Send(&Target{Proto: p, Addr: listening, NoNew: true}, Bytes("x")); err == nil {
			t.Fatal("sent without an alias")
		}
		if err := r.AddAlias(h, 5999); err != nil {
			t.Fatal(err)
		}
		m := request("MESSAGE", "x", 1, "")
		if _, err := r.Send(&Target{Proto: p, Addr: listening, NoNew: true}, Bytes(m)); err != nil {
			t.Fatal(err)
		}
		if got, err := readMessage(bufio.NewReader(c)); got != m {
			t.Errorf("got %q, %v", got, err)
		}
		c.Close()
		r.eventually("it is gone", func() bool { return !r.Alive(h) })
		if err := r.AddAlias(h, 5999); err == nil {
			t.Error("a connection that is gone got an alias")
		}
	})
}

// A connection on which only session tickets arrived is idle: no message clock
// runs, and it lives.
func TestSessionTicketsAreNoMessage(t *testing.T) {
	pair, err := identity()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := tls.X509KeyPair(pair[0], pair[1])
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan string, 2)
	addr := accepting(t, func(c net.Conn) {
		tc := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{cert}})
		in := bufio.NewReader(tc)
		for {
			m, err := readMessage(in)
			if err != nil {
				return
			}
			got <- m
		}
	})
	r := start(t, &script{}, func(c *Config) {
		c.MaxMessageTime = 100 * time.Millisecond
		c.TLS.MaxChunks = 1
	})
	to := &Target{Proto: TLS, Addr: addr, Name: "localhost"}
	for i := range 2 {
		m := request("MESSAGE", "x", i, "")
		if _, err := r.Send(to, Bytes(m)); err != nil {
			t.Fatal(err)
		}
		if g := <-got; g != m {
			t.Errorf("got %q", g)
		}
		time.Sleep(300 * time.Millisecond)
	}
	if s := r.Stats(); s.Dials != 1 || len(s.Closed) != 0 {
		t.Errorf("%d dials, closed %v", s.Dials, s.Closed)
	}
}

// Peers that do not finish the handshake that we began: each message comes back
// with the reason when the peer's time is over.
func TestHandshakeTimeoutOutbound(t *testing.T) {
	half := []byte{0x16, 3, 3, 0, 100, 2, 0, 0, 96, 3, 3} // the beginning of a ServerHello
	peers := map[string]func(c net.Conn){
		"half way": func(c net.Conn) { _, _ = c.Write(half) },
		"trickle": func(c net.Conn) {
			for _, b := range append(half, make([]byte, 80)...) {
				if _, err := c.Write([]byte{b}); err != nil {
					return
				}
				time.Sleep(40 * time.Millisecond)
			}
		},
	}
	for name, misbehave := range peers {
		t.Run(name, func(t *testing.T) {
			s := &script{}
			r := start(t, s, func(c *Config) {
				hurried(c)
				c.TLS.HandshakeTimeout = 3 * time.Second // the sender has left long before, on a busy machine too
			})
			to := &Target{Proto: TLS, Addr: accepting(t, misbehave), Name: "localhost"}
			if o, err := r.Send(to, Bytes(request("MESSAGE", "x", 1, ""))); o != Queued {
				t.Fatalf("%v, %v", o, err)
			}
			r.eventually("it comes back", func() bool { lost, _ := s.lost(); return len(lost) == 1 })
			if _, causes := s.lost(); causes[0].Reason != HandshakeTimeout {
				t.Errorf("cause %v", causes[0])
			}
			r.eventually("the log names peer, domain, time and parameter", func() bool {
				return r.log.Count(`msg="connection closed"`, to.Addr.String(), "handshake timeout: no answer after ", "(tls_handshake_timeout 3s)", "domain=out") == 1
			})
		})
	}
}

// The path's round-trip time is added for each flight, up to two seconds in
// all: distance costs nobody a handshake.
func TestRoundTripIsGranted(t *testing.T) {
	const far = 300 * time.Millisecond
	slow := func(t *testing.T, rtt time.Duration) Reason {
		r := start(t, &script{}, func(c *Config) {
			c.TLS.HandshakeTimeout = 100 * time.Millisecond
			c.roundTrip = func(int) time.Duration { return rtt }
		})
		c := r.raw(TLS)
		time.Sleep(50 * time.Millisecond) // the clock of a connection that says nothing runs
		late := &lateConn{Conn: c, by: far}
		tc := tls.Client(late, &tls.Config{RootCAs: r.ca, ServerName: "localhost"})
		if tc.Handshake() == nil {
			_, _ = tc.Write([]byte("\r\n\r\n"))
			if _, err := tc.Read(make([]byte, 2)); err == nil {
				return NoReason
			}
		}
		return r.firstClose()
	}
	got := HandshakeTimeout
	for n := 0; got == HandshakeTimeout && n < 5; n++ { // a busy machine may be slower than the path
		got = slow(t, 3*far)
	}
	if got != NoReason {
		t.Errorf("a distant peer: %v", got)
	}
	if got := slow(t, 0); got != HandshakeTimeout {
		t.Errorf("a late peer: %v", got)
	}
}

// lateConn sends everything late.
type lateConn struct {
	net.Conn
	by time.Duration
}

func (l *lateConn) Write(p []byte) (int, error) {
	time.Sleep(l.by)
	return l.Conn.Write(p)
}

// Every orderly end is a close_notify: the peer's TLS sees the end of the
// stream and not of the connection.
func TestCloseNotifyOnOrderlyEnds(t *testing.T) {
	ends := map[string]func(r *rig, c net.Conn){
		"management": func(r *rig, _ net.Conn) { r.Close(r.only()) },
		"malformed":  func(_ *rig, c net.Conn) { _, _ = c.Write([]byte("\x01\x02\x03\r\n\r\n")) },
		"too many chunks": func(_ *rig, c net.Conn) {
			for range 9 {
				_, _ = c.Write([]byte("INVITE"))
				time.Sleep(5 * time.Millisecond)
			}
		},
		"message timeout": func(_ *rig, c net.Conn) { _, _ = c.Write([]byte("INVITE sip:x SIP/2.0\r\n")) },
		"idle":            func(*rig, net.Conn) {},
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			r := start(t, &script{}, func(c *Config) {
				switch name {
				case "message timeout":
					c.MaxMessageTime = 150 * time.Millisecond
				case "idle":
					c.Lifetime = 3 * time.Second // that it is up is seen before, on a busy machine too
				}
			})
			c := r.dial(TLS)
			r.eventually("it is up here, too", func() bool { return r.Stats().Established == 1 })
			end(r, c)
			n, err := c.Read(make([]byte, 100))
			if n != 0 || err == nil || err.Error() != "EOF" {
				t.Errorf("read %d bytes, %v; want a close_notify", n, err)
			}
		})
	}
}
