package reactor

import (
	"crypto/tls"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A reader that has stopped costs itself its connection, after the send timeout,
// and each message that it did not acknowledge is told.
func TestSendTimeout(t *testing.T) {
	bothProtos(t, func(t *testing.T, p Proto) {
		s := &script{}
		r := start(t, s, func(c *Config) {
			for _, sc := range []*StreamConfig{&c.TLS, &c.TCP} {
				sc.SendTimeout, sc.MaxPostponed = 200*time.Millisecond, 1<<20
			}
		})
		r.dial(p) // and reads no more
		h := r.only()
		if err := r.clog(h, 60<<10, 3); err != nil {
			t.Fatal(err)
		}
		if reason := r.firstClose(); reason != SendTimeout {
			t.Errorf("closed with %v", reason)
		}
		r.eventually("what waited is given back", func() bool { lost, _ := s.lost(); return len(lost) > 0 })
	})
}

// clog sends until so many messages in a row have to wait, or one is refused,
// whose error it gives. One that need not wait is waited for: of a loop that is
// late more would wait than may, and it would end the connection.
func (r *rig) clog(h Handle, size, row int) error {
	r.Helper()
	big := Bytes(make([]byte, size))
	before := r.Stats()
	for sent, waiting := uint64(0), 0; waiting < row; {
		blocked := r.Stats().Blocked
		o, err := r.Send(&Target{Conn: h}, big)
		if err != nil {
			return err
		}
		sent++
		if waiting++; o == Sent {
			waiting = 0
			r.eventually("it is written, or blocked", func() bool {
				s := r.Stats()
				return s.Blocked > blocked || s.MessagesOut == before.MessagesOut+sent
			})
		}
	}
	return nil
}

// dialNarrow is dial with a peer whose kernel takes little that is not read.
func (r *rig) dialNarrow(p Proto) net.Conn {
	r.Helper()
	d := net.Dialer{Control: func(_, _ string, raw syscall.RawConn) error {
		return raw.Control(func(fd uintptr) { _ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, 16<<10) })
	}}
	c, err := d.Dial("tcp", r.addr(p).String())
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	if p != TLS {
		return c
	}
	tc := tls.Client(c, &tls.Config{RootCAs: r.ca, ServerName: "localhost", DynamicRecordSizingDisabled: true})
	if err := tc.Handshake(); err != nil {
		r.Fatalf("handshake: %v", err)
	}
	return tc
}

// 32 messages wait for a peer that does not read. The next one is refused, and
// as many again have room that are no new requests. A reader that goes on reading
// gets all of it; one that has stopped for the send timeout loses its connection.
func TestSlowReaderToTheNumber(t *testing.T) {
	bothProtos(t, func(t *testing.T, p Proto) {
		t.Parallel()
		for _, stopped := range []bool{false, true} {
			s := &script{}
			r := start(t, s, func(c *Config) {
				if stopped { // not before a busy machine has found out that nothing more is taken
					c.TLS.SendTimeout, c.TCP.SendTimeout = 5*time.Second, 5*time.Second
				}
			})
			peer := r.dialNarrow(p)
			h := r.only()
			const size = 20 << 10
			// The kernels on both sides take a little more now and then.
			for still := 0; still < 20; still++ {
				written := r.Stats().MessagesOut
				if err := r.clog(h, size, 1000); err == nil || err.(*Error).Reason != QueueFull || err.(*Error).Blame != BlameOverload {
					t.Fatalf("one too many: %v", err)
				}
				time.Sleep(5 * time.Millisecond)
				if r.Stats().MessagesOut != written {
					still = 0
				}
			}
			if !r.Alive(h) {
				t.Fatal("the message that was refused ended the connection")
			}
			info, _ := r.Conn(h)
			more := 0
			for ; more < 1000; more++ {
				if _, err := r.Send(&Target{Conn: h, Class: Final}, Bytes(make([]byte, size))); err != nil {
					break
				}
			}
			if info.Queue != 32 || more != 32 {
				t.Errorf("%d wait, and %d urgent ones", info.Queue, more)
			}
			if stopped {
				if reason := r.firstClose(); reason != QueueFull {
					t.Errorf("closed with %v", reason)
				}
				r.eventually("64 come back, and what the peer had no room for", func() bool {
					lost, _ := s.lost()
					st := r.Stats()
					return len(lost) == 64+int(st.Returned) && st.Undelivered == uint64(len(lost))
				})
				continue
			}
			out := r.Stats().MessagesOut + 64
			n, err := io.CopyN(io.Discard, peer, int64(out)*size)
			if err != nil {
				t.Errorf("got %d of %d bytes: %v", n, out*size, err)
			}
			if lost, _ := s.lost(); len(lost) != 0 || !r.Alive(h) {
				t.Errorf("%d came back, closed %v", len(lost), r.seen.closes())
			}
		}
	})
}
