package reactor

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sipreactor/tlsstate"
)

// Handshakes are counted by direction, version and result, and each that
// succeeds stands in the histogram.
func TestHandshakesAreCounted(t *testing.T) {
	from, to, inbox := two(t, nil)
	r := to
	session := tls.NewLRUClientSessionCache(1)
	dial := func(c *tls.Config) {
		t.Helper()
		c.RootCAs, c.ServerName = r.ca, "localhost"
		tc := tls.Client(r.raw(TLS), c)
		m := request("MESSAGE", "x", 1, "")
		if _, err := tc.Write([]byte(m)); err != nil {
			t.Fatal(err)
		}
		if c.ClientSessionCache != nil { // the ticket comes behind the handshake
			if _, err := tc.Write([]byte("\r\n\r\n")); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(tc, make([]byte, 2)); err != nil {
				t.Fatal(err)
			}
		}
	}
	dial(&tls.Config{MaxVersion: tls.VersionTLS12})
	dial(&tls.Config{ClientSessionCache: session})
	dial(&tls.Config{ClientSessionCache: session})
	if _, err := from.Send(from.target(TLS, to), Bytes(request("MESSAGE", "y", 1, ""))); err != nil {
		t.Fatal(err)
	}
	r.eventually("all messages are here", func() bool { return len(inbox.got()) == 4 })

	_, _ = r.raw(TLS).Write([]byte("OPTIONS sip:a SIP/2.0\r\n\r\n"))
	gone := r.raw(TLS)
	_, _ = gone.Write([]byte{0x16, 3, 1})
	gone.Close()
	r.eventually("the failures are counted", func() bool { return r.Stats().HandshakesFailed == 2 })

	s := r.Stats()
	in := s.HandshakesIn
	if in.Done["TLSv1.2"] != 1 || in.Done["TLSv1.3"] != 3 || in.Done["TLSv1.1"] != 0 || len(in.Done) != 4 || in.Resumed != 1 {
		t.Errorf("done %v, resumed %d", in.Done, in.Resumed)
	}
	if in.Failed[HandshakeFailed] != 2 || len(in.Failed) != 1 || s.HandshakeDefects[tlsstate.ReasonPlainText] != 1 {
		t.Errorf("failed %v, %v", in.Failed, s.HandshakeDefects)
	}
	if s.Handshakes != 4 || s.Resumed != 1 || total(in.Took) != 4 || in.Took.Sum <= 0 || len(in.Took.Counts) != len(in.Took.Bounds)+1 {
		t.Errorf("%d handshakes, %d resumed, took %+v", s.Handshakes, s.Resumed, in.Took)
	}
	if n := s.HandshakesOut; n.Done["TLSv1.3"] != 0 || total(n.Took) != 0 || len(n.Failed) != 0 {
		t.Errorf("nobody was dialled, but %+v", n)
	}
	if s := from.Stats(); s.HandshakesOut.Done["TLSv1.3"] != 1 || total(s.HandshakesOut.Took) != 1 || s.Dials != 1 || s.Dialed != 1 || len(s.DialsFailed) != 0 {
		t.Errorf("who dialled: %+v", s)
	}
	for _, e := range r.seen.of(ConnEstablished) {
		if e.Took <= 0 || e.Took > e.Age {
			t.Errorf("a handshake of %v on a connection of %v", e.Took, e.Age)
		}
	}
	to.Conns(func(i *ConnInfo) bool {
		if i.Handshake <= 0 || i.CipherBits == 0 {
			t.Errorf("%+v", i)
		}
		return true
	})
}

func total(h Histogram) (n uint64) {
	for _, c := range h.Counts {
		n += c
	}
	return n
}

// A dial has one result, whatever becomes of it.
func TestDialsAreCountedByResult(t *testing.T) {
	r := start(t, &script{}, func(c *Config) {
		hurried(c)
		c.Backoff = 0                                                          // no probes
		c.ParkedTimeout, c.TLS.HandshakeTimeout = 3*time.Second, 3*time.Second // the sender has left long before
	})
	_, _ = r.Send(&Target{Proto: TCP, Addr: refusing(t)}, Bytes("x"))
	r.dialTo(TCP, blackHole(t))
	r.dialTo(TLS, silent(t))
	r.eventually("all are over", func() bool { return r.Stats().Connections == 0 && len(r.seen.closes()) == 3 })
	s := r.Stats()
	if s.Dials != 3 || s.Dialed != 1 || s.DialsFailed[ConnectFailed] != 1 || s.DialsFailed[ConnectTimeout] != 1 || len(s.DialsFailed) != 2 {
		t.Errorf("%d dials, %d done, failed %v", s.Dials, s.Dialed, s.DialsFailed)
	}
	if s.HandshakesOut.Failed[HandshakeTimeout] != 1 || s.HandshakesFailed != 1 || len(s.HandshakeDefects) != 0 {
		t.Errorf("failed handshakes %v, %v", s.HandshakesOut.Failed, s.HandshakeDefects)
	}
	if s.ParkedConnects == 0 || s.Postponed == 0 {
		t.Errorf("%+v", s)
	}
	r = start(t, &script{}, nil)
	_, _ = r.Send(&Target{Proto: TLS, Addr: untrusted(t), Name: "localhost"}, Bytes(request("MESSAGE", "x", 1, "")))
	r.eventually("it is over", func() bool { return r.Stats().Connections == 0 && len(r.seen.closes()) == 1 })
	s = r.Stats()
	if s.Dialed != 1 || s.HandshakesOut.Failed[HandshakeFailed] != 1 ||
		s.HandshakeDefects[tlsstate.ReasonSelfSigned]+s.HandshakeDefects[tlsstate.ReasonAuthority] != 1 {
		t.Errorf("%d done, failed handshakes %v, %v", s.Dialed, s.HandshakesOut.Failed, s.HandshakeDefects)
	}
}

// What is parked and comes up after all is counted as resumed.
func TestParkedAndResumed(t *testing.T) {
	t.Run("connect", func(t *testing.T) {
		r := start(t, &script{}, hurried)
		fd, addr := fullListener(t, [4]byte{127, 0, 0, 1})
		r.dialTo(TCP, addr)
		if s := r.Stats(); s.ParkedConnects != 1 || s.Parked != 1 || s.ResumedConnects != 0 || s.Postponed != 1 || s.Parking != 1 {
			t.Errorf("%+v", s)
		}
		accepted := make(chan struct{})
		go func() {
			defer close(accepted)
			for {
				c, _, err := unix.Accept(fd)
				if err != nil {
					return
				}
				defer unix.Close(c)
			}
		}()
		r.eventually("it is up", func() bool { s := r.Stats(); return s.MessagesOut == 1 && s.ResumedConnects == 1 })
		if s := r.Stats(); s.ResumedConnects != 1 || s.ResumedHandshakes != 0 || s.Dialed != 1 {
			t.Errorf("%+v", s)
		}
		_ = unix.Shutdown(fd, unix.SHUT_RDWR)
		<-accepted
	})
	t.Run("handshake", func(t *testing.T) {
		pair, err := identity()
		if err != nil {
			t.Fatal(err)
		}
		cert, err := tls.X509KeyPair(pair[0], pair[1])
		if err != nil {
			t.Fatal(err)
		}
		begin := make(chan struct{})
		addr := accepting(t, func(c net.Conn) {
			<-begin
			_, _ = io.Copy(io.Discard, tls.Server(c, &tls.Config{Certificates: []tls.Certificate{cert}}))
		})
		r := start(t, &script{}, func(c *Config) { hurried(c); c.TLS.LocalConnectTimeout = patience })
		r.dialTo(TLS, addr)
		if s := r.Stats(); s.ParkedHandshakes != 1 || s.ParkedConnects != 0 || s.ResumedHandshakes != 0 {
			t.Errorf("%+v", s)
		}
		close(begin)
		r.eventually("it is up", func() bool { s := r.Stats(); return s.Established == 1 && s.ResumedHandshakes == 1 })
		if s := r.Stats(); s.ResumedHandshakes != 1 || s.ResumedConnects != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// Bytes and messages stand with their protocol and with their connection.
func TestTrafficIsCounted(t *testing.T) {
	r := start(t, &script{message: echo}, func(c *Config) {
		c.Sockets = append(c.Sockets, SocketConfig{Proto: UDP, Addr: netip.MustParseAddrPort("127.0.0.1:0")})
	})
	m := request("MESSAGE", "x", 1, "")
	tcp := r.dial(TCP)
	for range 2 {
		if _, err := tcp.Write([]byte(m)); err != nil {
			t.Fatal(err)
		}
		if _, err := readMessage(bufio.NewReader(tcp)); err != nil {
			t.Fatal(err)
		}
	}
	secure := r.dial(TLS)
	if _, err := secure.Write([]byte(m)); err != nil {
		t.Fatal(err)
	}
	if _, err := readMessage(bufio.NewReader(secure)); err != nil {
		t.Fatal(err)
	}
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	to := udp.LocalAddr().(*net.UDPAddr).AddrPort()
	if _, err := r.Send(&Target{Proto: UDP, Addr: to}, Bytes(m)); err != nil {
		t.Fatal(err)
	}
	if _, err := udp.WriteTo([]byte(m), net.UDPAddrFromAddrPort(r.addr(UDP))); err != nil {
		t.Fatal(err)
	}

	size := uint64(len(m))
	want := Traffic{MessagesIn: 2, MessagesOut: 2, BytesIn: 2 * size, BytesOut: 2 * size}
	r.eventually("TCP is counted", func() bool { return r.Stats().Carried[TCP] == want })
	r.eventually("UDP is counted", func() bool {
		s := r.Stats()
		return s.Carried[UDP] == Traffic{MessagesIn: 1, MessagesOut: 1, BytesIn: size, BytesOut: size} && s.DatagramsOut == 1
	})
	r.eventually("TLS is counted", func() bool {
		c := r.Stats().Carried[TLS]
		return c.MessagesIn == 1 && c.MessagesOut == 1 && c.BytesIn > size && c.BytesOut > size
	})
	s := r.Stats()
	if s.MessagesIn != 4 || s.MessagesOut != 4 || s.BytesIn != s.Carried[UDP].BytesIn+s.Carried[TCP].BytesIn+s.Carried[TLS].BytesIn {
		t.Errorf("%+v", s)
	}
	r.eventually("each connection has carried what its protocol has", func() bool {
		same := true
		s := r.Stats()
		r.Conns(func(i *ConnInfo) bool {
			same = same && i.Carried == s.Carried[i.Proto]
			return true
		})
		return same
	})
}

// A refused connection has one cause, a stream without framing one defect.
func TestRefusalsAndDefectsAreCounted(t *testing.T) {
	r := start(t, &script{}, func(c *Config) { c.MaxConnections = 1 })
	c := r.raw(TCP)
	r.eventually("it is up", func() bool { return r.Stats().Established == 1 })
	r.raw(TCP)
	r.eventually("the second is refused", func() bool { return r.Stats().Refused == 1 })
	_, _ = c.Write([]byte("GET / HTTP/1.1\r\n\r\n"))
	r.eventually("the first ends", func() bool { return r.Stats().Closed[MalformedMessage] == 1 })
	s := r.Stats()
	if s.RefusedFor[RefusedLimit] != 1 || len(s.RefusedFor) != 1 || s.Accepted != 1 {
		t.Errorf("%+v", s)
	}
	if s.Defects["HTTP on a SIP Stream"] != 1 || len(s.Defects) != 1 || s.Malformed != 1 {
		t.Errorf("defects %v, malformed %d", s.Defects, s.Malformed)
	}
}
