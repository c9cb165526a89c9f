package reactor

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/internal/connection"
	"sipreactor/reactor/internal/netnstest"
	"sipreactor/reactor/internal/peek"
)

// userTimeout is a configuration in which only tcp_user_timeout ends anything.
func userTimeout(d time.Duration) func(*Config) {
	return func(c *Config) { c.UserTimeout = d }
}

// callIDs gives the Call-IDs of messages, and complains of those that come twice.
func callIDs(t *testing.T, what string, messages []string) map[string]bool {
	t.Helper()
	ids := make(map[string]bool, len(messages))
	for _, m := range messages {
		id := string(peek.CallID([]byte(m)))
		if ids[id] {
			t.Errorf("%s twice: %s", what, id)
		}
		ids[id] = true
	}
	return ids
}

// A host that vanishes without a word: its connection ends as "no
// acknowledgement", every message that it did not acknowledge is given back once,
// and none of those arrives when the host is back.
func TestVanishedHost(t *testing.T) {
	if !netnstest.In(t) {
		return
	}
	bothProtos(t, func(t *testing.T, p Proto) {
		const n = 400
		inbox, s := &script{}, &script{}
		to, from := start(t, inbox, nil), start(t, s, func(c *Config) {
			c.UserTimeout = time.Second
			c.TLS.MaxPostponed, c.TCP.MaxPostponed = n/2, n/2 // what is sent before the host vanishes may wait a moment
		})
		target := from.target(p, to)
		send := func(i int) {
			if _, err := from.Send(target, Bytes(request("MESSAGE", fmt.Sprint(i), 1, strings.Repeat("x", 1000)))); err != nil {
				t.Fatalf("message %d: %v", i, err)
			}
		}
		for i := range n / 2 {
			send(i)
		}
		from.eventually("half of them arrive", func() bool { return len(inbox.got()) == n/2 })
		// In the middle of the stream, so that some arrive and some do not.
		gone := make(chan struct{})
		go func() { defer close(gone); netnstest.Vanish(t, to.addr(p).Port()) }()
		offered := n / 2
		for full := false; offered < 100*n && !full; {
			_, err := from.Send(target, Bytes(request("MESSAGE", fmt.Sprint(offered), 1, strings.Repeat("x", 1000))))
			if err == nil {
				offered++
				continue
			}
			select {
			case <-gone: // the queue is full: they wait here, not in the kernel
				full = true
			default: // it is the loop that is late
				time.Sleep(time.Millisecond)
			}
		}
		<-gone
		if reason := from.firstClose(); reason != NoAcknowledgement {
			t.Errorf("closed with %v", reason)
		}
		from.eventually("all that was not acknowledged came back", func() bool {
			lost, _ := s.lost()
			return len(lost)+len(inbox.got()) >= offered
		})
		lost, causes := s.lost()
		for _, e := range causes {
			if e.Reason != NoAcknowledgement {
				t.Errorf("given back because of %v", e)
			}
		}
		netnstest.ComeBack(t)
		time.Sleep(2 * time.Second) // in which TCP would send it again
		arrived, back := callIDs(t, "arrived", inbox.got()), callIDs(t, "given back", lost)
		for id := range back {
			if arrived[id] {
				t.Errorf("%s was given back and arrived", id)
			}
		}
		st := from.Stats()
		if len(arrived)+len(back) != offered || st.Returned == 0 || st.Aborted != 1 {
			t.Errorf("offered %d, arrived %d, given back %d; %d returned, %d aborted", offered, len(arrived), len(back), st.Returned, st.Aborted)
		}
		if st.MessagesOut-st.Returned != uint64(len(arrived)) {
			t.Errorf("written %d, returned %d, arrived %d", st.MessagesOut, st.Returned, len(arrived))
		}
	})
}

// A path that ends on this machine (a firewall, no route) is no closed window:
// nothing is ever in flight, and still tcp_user_timeout decides, with a little that
// waits and with more than the kernel takes.
func TestPathEndsHere(t *testing.T) {
	if !netnstest.In(t) {
		return
	}
	for name, n := range map[string]int{"little": 3, "much": 400} {
		t.Run(name, func(t *testing.T) {
			inbox, s := &script{}, &script{}
			to, from := start(t, inbox, nil), start(t, s, userTimeout(3*time.Second))
			target := from.target(TLS, to)
			if _, err := from.Send(target, Bytes(request("MESSAGE", "first", 1, ""))); err != nil {
				t.Fatal(err)
			}
			from.eventually("the first arrives", func() bool { return len(inbox.got()) == 1 })
			time.Sleep(300 * time.Millisecond) // longer than TCP delays an acknowledgement
			netnstest.Sh(t, "nft", fmt.Sprintf("add table inet gone; add chain inet gone out { type filter hook output priority 0; }; "+
				"add rule inet gone out tcp dport %d drop; add rule inet gone out tcp sport %[1]d drop", to.addr(TLS).Port()))
			taken := 0
			for ; taken < n; taken++ {
				if _, err := from.Send(target, Bytes(request("MESSAGE", fmt.Sprint(taken), 1, strings.Repeat("x", 1000)))); err != nil {
					break // as much waits as may
				}
			}
			if reason := from.firstClose(); reason != NoAcknowledgement {
				t.Errorf("closed with %v", reason)
			}
			netnstest.ComeBack(t)
			from.eventually("all came back", func() bool {
				lost, _ := s.lost()
				return len(lost) == taken
			})
			if got := len(inbox.got()); got != 1 {
				t.Errorf("%d arrived", got)
			}
		})
	}
}

// A client that vanishes while it has a response to get: the same where we accepted.
func TestVanishedClient(t *testing.T) {
	if !netnstest.In(t) {
		return
	}
	bothProtos(t, func(t *testing.T, p Proto) {
		s := &script{}
		r := start(t, s, userTimeout(time.Second))
		c := r.dial(p)
		h := r.only()
		port := netip.MustParseAddrPort(c.LocalAddr().String()).Port()
		netnstest.Vanish(t, port)
		const n = 5
		for i := range n {
			if o, err := r.Send(&Target{Conn: h}, Bytes(request("MESSAGE", fmt.Sprint(i), 1, ""))); o != Sent {
				t.Fatalf("%v, %v", o, err)
			}
		}
		if reason := r.firstClose(); reason != NoAcknowledgement {
			t.Errorf("closed with %v", reason)
		}
		r.eventually("all come back", func() bool { lost, _ := s.lost(); return len(lost) == n })
		netnstest.ComeBack(t)
	})
}

// An orderly end of a connection whose host is gone gives back what that has not
// acknowledged, when it has waited for it.
func TestVanishedHostAndManagement(t *testing.T) {
	if !netnstest.In(t) {
		return
	}
	s := &script{}
	r := start(t, s, nil)
	c := r.dial(TLS)
	h := r.only()
	netnstest.Vanish(t, netip.MustParseAddrPort(c.LocalAddr().String()).Port())
	if _, err := r.Send(&Target{Conn: h}, Bytes(request("MESSAGE", "x", 1, ""))); err != nil {
		t.Fatal(err)
	}
	r.eventually("it is written", func() bool { return r.Stats().MessagesOut == 1 })
	r.Close(h)
	r.eventually("it lingers", func() bool { return r.Stats().Lingering == 1 })
	r.eventually("the connection is not to be found", func() bool { return !r.Alive(h) })
	r.eventually("it is given back", func() bool { lost, _ := s.lost(); return len(lost) == 1 })
	if _, causes := s.lost(); causes[0].Reason != ClosedByManagement {
		t.Errorf("because of %v", causes[0])
	}
	if st := r.Stats(); st.Lingering != 0 || st.Aborted != 1 || st.Returned != 1 {
		t.Errorf("lingering %d, aborted %d, returned %d", st.Lingering, st.Aborted, st.Returned)
	}
	netnstest.ComeBack(t)
}

// A gap in the path is not the reader's fault: the send timeout leaves the
// connection alone while segments are under way, and everything arrives.
func TestGapInThePath(t *testing.T) {
	if !netnstest.In(t) {
		return
	}
	bothProtos(t, func(t *testing.T, p Proto) {
		s := &script{}
		const most = time.Second // the peer of a busy machine reads more often than that
		r := start(t, s, func(c *Config) { c.TLS.SendTimeout, c.TCP.SendTimeout = most, most })
		c := r.dial(p)
		h := r.only()
		netnstest.Vanish(t, netip.MustParseAddrPort(c.LocalAddr().String()).Port())
		const size = 10 << 10
		taken := 0
		for ; ; taken++ {
			if _, err := r.Send(&Target{Conn: h}, Bytes(make([]byte, size))); err != nil {
				break // as much waits as may
			}
		}
		time.Sleep(4 * most) // for which the path, and not the peer, is to blame
		if !r.Alive(h) {
			t.Fatalf("closed with %v", r.seen.closes())
		}
		netnstest.ComeBack(t)
		if n, err := io.CopyN(io.Discard, c, int64(taken)*size); err != nil {
			t.Errorf("got %d of %d bytes: %v", n, taken*size, err)
		}
		if st := r.Stats(); st.Undelivered != 0 || st.SendTimeouts != 0 {
			t.Errorf("%d undelivered, %d send timeouts", st.Undelivered, st.SendTimeouts)
		}
	})
}

// What is written to a host that has vanished does not make its connection live
// longer; what it acknowledges does.
func TestLifetimeCountsWhatIsAcknowledged(t *testing.T) {
	if !netnstest.In(t) {
		return
	}
	r := start(t, &script{}, func(c *Config) { c.Lifetime, c.UserTimeout = 8*time.Second, time.Hour }) // more than nft takes on a busy machine
	dead, good := r.raw(TCP), net.Conn(nil)
	h := r.only()
	port := netip.MustParseAddrPort(dead.LocalAddr().String()).Port()
	good = r.raw(TCP)
	var alive Handle
	r.eventually("both are there", func() bool {
		n := 0
		r.conns.Table.Each(func(c *connection.Conn) {
			n++
			if c.ID != h {
				alive = c.ID
			}
		})
		return n == 2
	})
	go func() { _, _ = io.Copy(io.Discard, good) }()
	netnstest.Vanish(t, port)
	for end := time.Now().Add(patience); r.Alive(h); time.Sleep(100 * time.Millisecond) {
		for _, id := range []Handle{h, alive} {
			_, _ = r.Send(&Target{Conn: id}, Bytes("\r\n"))
		}
		if time.Now().After(end) {
			t.Fatal("writes keep a dead connection alive")
		}
	}
	if reason := r.firstClose(); reason != IdleTimeout || !r.Alive(alive) {
		t.Errorf("closed with %v, the living one is there: %v", reason, r.Alive(alive))
	}
	netnstest.ComeBack(t)
}
