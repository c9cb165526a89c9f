package reactor

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"sipreactor/reactor/internal/connection"
	"sipreactor/reactor/internal/reason"
)

// two starts an engine to send from and one that receives.
func two(t *testing.T, change func(*Config)) (from, to *rig, inbox *script) {
	inbox = &script{}
	to = start(t, inbox, nil)
	from = start(t, &script{}, change)
	return from, to, inbox
}

func (r *rig) target(p Proto, to *rig) *Target {
	return &Target{Proto: p, Addr: to.addr(p), Name: "localhost"}
}

// One dial serves many senders; what they sent arrives once each.
func TestManySendersOneDial(t *testing.T) {
	bothProtos(t, func(t *testing.T, p Proto) {
		from, to, inbox := two(t, nil)
		const n = 30
		var wg sync.WaitGroup
		for i := range n {
			wg.Go(func() {
				if _, err := from.Send(from.target(p, to), Bytes(request("MESSAGE", fmt.Sprint(i), 1, "hello"))); err != nil {
					t.Errorf("message %d: %v", i, err)
				}
			})
		}
		wg.Wait()
		from.eventually("all arrive", func() bool { return len(inbox.got()) == n })
		seen := map[string]bool{}
		for _, m := range inbox.got() {
			seen[m] = true
		}
		if len(seen) != n {
			t.Errorf("%d different messages of %d", len(seen), n)
		}
		if s := from.Stats(); s.Dials != 1 || s.Connections != 1 {
			t.Errorf("%d dials, %d connections", s.Dials, s.Connections)
		}
	})
}

// A failure within the budget is the sender's, typed, at once, and nobody
// hears of it twice.
func TestFailureWithinBudget(t *testing.T) {
	tests := []struct {
		name   string
		proto  Proto
		peer   func(*testing.T) netip.AddrPort
		reason Reason
	}{
		{"refused", TLS, refusing, ConnectFailed},
		{"refused", TCP, refusing, ConnectFailed},
		{"reset in the handshake", TLS, resetting, HandshakeFailed},
		{"closed in the handshake", TLS, hangingUp, HandshakeFailed},
		{"plain text", TLS, plainText, HandshakeFailed},
		{"a certificate that nobody vouches for", TLS, untrusted, HandshakeFailed},
	}
	for _, tt := range tests {
		t.Run(tt.proto.String()+" "+tt.name, func(t *testing.T) {
			s := &script{}
			r := start(t, s, nil)
			_, err := r.Send(&Target{Proto: tt.proto, Addr: tt.peer(t), Name: "localhost"}, Bytes("x"))
			var e *Error
			if !errors.As(err, &e) || e.Reason != tt.reason || e.Blame != BlamePeer {
				t.Errorf("got %v, want %v of the peer", err, tt.reason)
			}
			r.eventually("the connection is gone", func() bool { return r.conns.Table.Len() == 0 })
			if lost, _ := s.lost(); len(lost) != 0 {
				t.Errorf("the Handler was told too: %q", lost)
			}
		})
	}
}

// What is not done within the budget is parked; its failure comes back through
// the Handler, once for each message.
func TestFailureAfterBudget(t *testing.T) {
	tests := []struct {
		name   string
		proto  Proto
		peer   func(*testing.T) netip.AddrPort
		reason Reason
	}{
		{"black hole", TLS, blackHole, ConnectTimeout},
		{"black hole", TCP, blackHole, ConnectTimeout},
		{"silent", TLS, silent, HandshakeTimeout},
	}
	for _, tt := range tests {
		t.Run(tt.proto.String()+" "+tt.name, func(t *testing.T) {
			t.Parallel()
			const timeout = 3 * time.Second // all are sent by then, on a busy machine too
			s := &script{}
			r := start(t, s, func(c *Config) {
				for _, sc := range []*StreamConfig{&c.TLS, &c.TCP} {
					sc.LocalConnectTimeout, sc.LocalHandshakeTimeout = 20*time.Millisecond, 20*time.Millisecond
					sc.HandshakeTimeout = timeout
				}
				c.ParkedTimeout = timeout
			})
			to := &Target{Proto: tt.proto, Addr: tt.peer(t), Name: "localhost"}
			var want []string
			for i := range 3 {
				m := request("MESSAGE", fmt.Sprint(i), 1, "")
				want = append(want, m)
				if o, err := r.Send(to, Bytes(m)); err != nil || o != Queued {
					t.Fatalf("message %d: %v, %v; want queued", i, o, err)
				}
			}
			r.eventually("all come back", func() bool { lost, _ := s.lost(); return len(lost) >= 3 })
			r.eventually("the connection is gone", func() bool { return r.conns.Table.Len() == 0 })
			lost, causes := s.lost()
			if strings.Join(sorted(lost), "") != strings.Join(want, "") {
				t.Errorf("came back: %q", lost)
			}
			for _, e := range causes {
				if e.Reason != tt.reason {
					t.Errorf("cause %v, want %v", e, tt.reason)
				}
			}
			if st := r.Stats(); st.Parked != 1 || st.Dials != 1 || st.Undelivered != 3 {
				t.Errorf("parked %d, dials %d, undelivered %d", st.Parked, st.Dials, st.Undelivered)
			}
		})
	}
}

func sorted(list []string) []string {
	out := append([]string(nil), list...)
	for i := range out {
		for j := i + 1; j < len(out); j++ {
			if out[j] < out[i] {
				out[i], out[j] = out[j], out[i]
			}
		}
	}
	return out
}

// While a connection is being opened 32 messages wait. The 33rd is refused to its
// sender and harms nobody; responses and the like have as much room again. All that
// waited come back when the connect fails.
func TestPostponedChunksToTheNumber(t *testing.T) {
	bothProtos(t, func(t *testing.T, p Proto) {
		s := &script{}
		r := start(t, s, func(c *Config) {
			for _, sc := range []*StreamConfig{&c.TLS, &c.TCP} {
				sc.LocalConnectTimeout, sc.LocalHandshakeTimeout = time.Millisecond, time.Millisecond
			}
			c.ParkedTimeout = patience
		})
		to := Target{Proto: p, Addr: blackHole(t), Name: "localhost"}
		for i, tt := range []struct {
			class Class
			room  int
		}{{Unclassed, 32}, {NewRequest, 0}, {LaterRequest, 32}, {Final, 0}} {
			to.Class = tt.class
			for n := range tt.room {
				if o, err := r.Send(&to, Bytes(request("MESSAGE", fmt.Sprint(i, "-", n), 1, ""))); err != nil || o != Queued {
					t.Fatalf("class %d, message %d: %v, %v", tt.class, n, o, err)
				}
			}
			_, err := r.Send(&to, Bytes("one too many"))
			var e *Error
			if !errors.As(err, &e) || e.Reason != QueueFull || e.Blame != BlameOverload {
				t.Fatalf("class %d, one too many: %v", tt.class, err)
			}
		}
		if len(r.seen.closes()) != 0 {
			t.Fatalf("closed with %v", r.seen.closes())
		}
		r.Close(r.only())
		r.eventually("all 64 come back", func() bool { lost, _ := s.lost(); return len(lost) == 64 })
		if got := r.Stats(); got.QueueFull != 4 || got.Dials != 1 {
			t.Errorf("%d refused, %d dials", got.QueueFull, got.Dials)
		}
	})
}

// A handle that is gone is no way to anybody, and a new connection is not
// opened where it is forbidden.
func TestSendNowhere(t *testing.T) {
	r := start(t, &script{}, nil)
	for name, target := range map[string]*Target{
		"a late handle":  {Conn: 1<<32 | 1},
		"no new one":     {Proto: TCP, Addr: r.addr(TCP), NoNew: true},
		"no transport":   {Addr: r.addr(TCP)},
		"no udp socket":  {Proto: UDP, Addr: r.addr(TCP)},
		"unknown domain": {Proto: TLS, Addr: r.addr(TLS), Domain: "nobody"},
	} {
		if o, err := r.Send(target, Bytes("x")); err == nil {
			t.Errorf("%s: %v", name, o)
		}
	}
	if s := r.Stats(); s.Dials != 0 {
		t.Errorf("%d dials", s.Dials)
	}
}

// What cannot be a peer, or cannot be reached by a choice of ours, is no fault of a
// peer: it says so, and nothing is left alone for it.
func TestSendNowhereIsNoPeersFault(t *testing.T) {
	s := &script{}
	r := start(t, s, nil)
	outside := netip.MustParseAddrPort("192.0.2.1:5061")
	for name, target := range map[string]*Target{
		"port 0":                   {Proto: TCP, Addr: netip.AddrPortFrom(r.addr(TCP).Addr(), 0)},
		"no address, TLS":          {Proto: TLS, Addr: netip.AddrPortFrom(netip.IPv4Unspecified(), r.addr(TLS).Port()), Name: "localhost"},
		"no address, IPv6":         {Proto: TCP, Addr: netip.AddrPortFrom(netip.IPv6Unspecified(), r.addr(TCP).Port())},
		"no address, mapped":       {Proto: TCP, Addr: netip.AddrPortFrom(netip.MustParseAddr("::ffff:0.0.0.0"), r.addr(TCP).Port())},
		"no address, UDP":          {Proto: UDP, Addr: netip.MustParseAddrPort("0.0.0.0:5060")},
		"port 0, UDP":              {Proto: UDP, Addr: netip.MustParseAddrPort("127.0.0.1:0")},
		"multicast":                {Proto: TCP, Addr: netip.MustParseAddrPort("224.0.1.75:5060")},
		"multicast, IPv6":          {Proto: TCP, Addr: netip.MustParseAddrPort("[ff02::1]:5060")},
		"broadcast":                {Proto: TCP, Addr: netip.MustParseAddrPort("255.255.255.255:5060")},
		"broadcast of a network":   {Proto: TCP, Addr: netip.MustParseAddrPort("127.255.255.255:5060")},
		"beyond a loopback socket": {Proto: TCP, Addr: outside, Socket: r.loops.Sockets[0]},
	} {
		_, err := r.Send(target, Bytes("x"))
		var e *Error
		if !errors.As(err, &e) || e.Reason != ConnectFailed || e.Blame != BlameConfig || !strings.Contains(e.Detail, target.Addr.Addr().Unmap().String()) {
			t.Errorf("%s: %v, %+v", name, err, e)
		}
	}
	if list := r.Backoff(); len(list) != 0 {
		t.Errorf("left alone: %+v", list)
	}
	r.eventually("no connection is left", func() bool { return r.conns.Table.Len() == 0 })
}

// While one message waits out its budget the others of its shard go on, and a
// message behind it for the same destination joins the same queue.
func TestFollowerTakesOver(t *testing.T) {
	hole := blackHole(t)
	var passed sync.WaitGroup
	passed.Add(5)
	waitingNow := make(chan struct{})
	s := &script{}
	s.message = func(w *Worker, f *Frame) {
		switch {
		case strings.HasPrefix(string(f.Data), "INVITE"):
			close(waitingNow)
			_, _ = w.Send(&Target{Proto: TCP, Addr: hole}, Bytes(f.Data))
		case strings.HasPrefix(string(f.Data), "CANCEL"):
			if o, err := w.Send(&Target{Proto: TCP, Addr: hole}, Bytes(f.Data)); o != Queued || err != nil {
				t.Errorf("CANCEL: %v, %v", o, err)
			}
			passed.Done()
		default:
			passed.Done()
		}
	}
	r := start(t, s, func(c *Config) {
		c.Workers = 1
		c.ParkedTimeout = patience
		c.TCP.LocalConnectTimeout = patience
	})
	c := r.dial(TCP)
	_, _ = c.Write([]byte(request("INVITE", "a", 1, "")))
	<-waitingNow
	for i := range 4 {
		_, _ = c.Write([]byte(request("MESSAGE", fmt.Sprint(i), 1, "")))
	}
	_, _ = c.Write([]byte(request("CANCEL", "a", 1, "")))
	passed.Wait() // the INVITE still waits: only its budget would end this otherwise
	if s := r.Stats(); s.Takeovers == 0 {
		t.Error("no follower took over")
	}
	r.conns.Table.Each(func(c *connection.Conn) {
		if c.Src.Outbound {
			why := reason.Because(ClosedByManagement, "")
			b, _, _ := c.TakeWaiting()
			var order []string
			for i, e := range b.Ends {
				order = append(order, string(b.Message(i)[:6]))
				if e.Wait != nil {
					e.Wait.Settle(why)
				}
			}
			if strings.Join(order, " ") != "INVITE CANCEL" {
				t.Errorf("the queue is %q", order)
			}
			c.AskClose(why)
		}
	})
}
