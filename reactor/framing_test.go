package reactor

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/internal/deadlines"
	"sipreactor/reactor/internal/kernel"
	"sipreactor/reactor/internal/loops"
)

// The CRLF table of the transport contract, cell by cell: what comes back, how
// many pings are counted, and that a message behind it all arrives whole. `|`
// parts two reads.
func TestCRLFTable(t *testing.T) {
	const msg = "MSG"
	type cell struct{ pongs int }
	table := []struct {
		input string
		cells [4]cell // pingpong,drop: 1,0  1,1  0,0  0,1
	}{
		{"\r\n\r\n", [4]cell{{1}, {1}, {0}, {0}}},
		{"\r\n", [4]cell{{0}, {0}, {0}, {0}}},
		{"\r\n|\r\n", [4]cell{{1}, {0}, {0}, {0}}},
		{"\r\n\r\n\r\n", [4]cell{{1}, {1}, {0}, {0}}},
		{"\r\n\r\n\r\n\r\n", [4]cell{{2}, {2}, {0}, {0}}},
		{"\r\n" + msg, [4]cell{{0}, {0}, {0}, {0}}},
		{"\r\n\r\n" + msg, [4]cell{{1}, {1}, {0}, {0}}},
	}
	settings := [4][2]bool{{true, false}, {true, true}, {false, false}, {false, true}}
	bothProtos(t, func(t *testing.T, p Proto) {
		for i, set := range settings {
			s := &script{message: echo}
			r := start(t, s, func(c *Config) {
				sc := c.stream(p)
				sc.CRLFPingPong, sc.CRLFDrop = set[0], set[1]
				sc.MaxChunks = 1 // kept white space is no chunk
				c.MaxMessageTime = 50 * time.Millisecond
			})
			for _, row := range table {
				c := r.dial(p)
				r.established(c)
				m := request("MESSAGE", "x", 1, "")
				before := r.Stats()
				for _, part := range strings.Split(row.input, "|") {
					part = strings.Replace(part, msg, m, 1)
					in := r.Stats().BytesIn
					_, _ = c.Write([]byte(part))
					r.eventually("the part is read", func() bool { return r.Stats().BytesIn >= in+uint64(len(part)) })
				}
				time.Sleep(60 * time.Millisecond) // longer than a message may take: no clock runs
				if !strings.Contains(row.input, msg) {
					_, _ = c.Write([]byte(m))
				}
				want := strings.Repeat("\r\n", row.cells[i].pongs) + m
				got := make([]byte, len(want))
				if _, err := io.ReadFull(c, got); err != nil || string(got) != want {
					t.Errorf("pingpong %v, drop %v, %q: got %q, %v", set[0], set[1], row.input, got, err)
				}
				if n := int(r.Stats().Pings - before.Pings); n != row.cells[i].pongs {
					t.Errorf("pingpong %v, drop %v, %q: %d pings are counted", set[0], set[1], row.input, n)
				}
				c.Close()
				r.eventually("its last bytes are counted", func() bool { return !r.alive() })
			}
		}
	})
}

// A message may be complete with chunk number tls_max_msg_chunks; when that
// chunk leaves it incomplete the connection goes.
func TestChunksExactly(t *testing.T) {
	m := request("MESSAGE", "x", 1, strings.Repeat("b", 4000))
	chunk := len(m) / 5
	tests := []struct {
		limit, chunks int
		ok            bool
	}{
		{1, 1, true}, {1, 2, false}, {4, 4, true}, {4, 5, false}, {0, 5, true},
	}
	bothProtos(t, func(t *testing.T, p Proto) {
		for _, tt := range tests {
			s := &script{message: echo}
			r := start(t, s, func(c *Config) { c.stream(p).MaxChunks = tt.limit })
			c := r.dial(p)
			r.established(c)
			for n := range tt.chunks {
				part := m[n*chunk:]
				if n < tt.chunks-1 {
					part = part[:chunk]
				}
				before := r.Stats().BytesIn
				if _, err := c.Write([]byte(part)); err != nil {
					break
				}
				r.eventually("the chunk is read", func() bool { return r.Stats().BytesIn >= before+uint64(len(part)) || !r.alive() })
			}
			got, _ := readMessage(bufio.NewReader(c))
			if (got == m) != tt.ok {
				t.Errorf("limit %d, %d chunks: answered %v, want %v", tt.limit, tt.chunks, got == m, tt.ok)
			}
			if !tt.ok {
				r.eventually("it is closed", func() bool { return !r.alive() })
				if reason := r.firstClose(); reason != TooManyChunks {
					t.Errorf("limit %d: closed with %v", tt.limit, reason)
				}
			}
		}
	})
}

// established waits until the engine's end of a connection is: what a peer sends right behind its Finished may
// reach the engine with it, in one read.
func (r *rig) established(c net.Conn) {
	r.Helper()
	r.eventually("the connection is established", func() (is bool) {
		r.Conns(func(i *ConnInfo) bool {
			is = is || i.Remote.String() == c.LocalAddr().String() && i.Phase == PhaseEstablished
			return !is
		})
		return is
	})
}

// alive tells whether any connection is there.
func (r *rig) alive() bool { return r.conns.Table.Len() > 0 }

// Records of under 256 bytes that do not complete the message are a chunk each,
// though one read brings them all; larger ones in one read are one chunk.
func TestTinyRecordsAreChunks(t *testing.T) {
	tests := []struct {
		name   string
		record int
		ok     bool
	}{
		{"tiny", 100, false},
		{"dynamic sizing", 1200, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := start(t, &script{message: echo}, func(c *Config) { c.TLS.MaxChunks = 4 })
			raw := r.raw(TLS)
			held := &holdingConn{Conn: raw}
			c := r.tlsOver(held)
			m := request("MESSAGE", "x", 1, strings.Repeat("b", 7000))
			held.hold = true
			for rest := m; rest != ""; {
				n := min(tt.record, len(rest))
				_, _ = c.Write([]byte(rest[:n]))
				rest = rest[n:]
			}
			_, _ = raw.Write(held.held.Bytes()) // all records in one piece
			got, _ := readMessage(bufio.NewReader(c))
			if (got == m) != tt.ok {
				t.Errorf("answered %v, want %v", got == m, tt.ok)
			}
		})
	}
}

// holdingConn keeps what is written when it is told to.
type holdingConn struct {
	net.Conn
	hold bool
	held bytes.Buffer
}

func (h *holdingConn) Write(p []byte) (int, error) {
	if h.hold {
		return h.held.Write(p)
	}
	return h.Conn.Write(p)
}

// tcp_max_msg_time runs from a message's first byte to its last.
func TestMessageTime(t *testing.T) {
	bothProtos(t, func(t *testing.T, p Proto) {
		r := start(t, &script{message: echo}, func(c *Config) {
			c.MaxMessageTime = 200 * time.Millisecond
			c.TLS.MaxChunks, c.TCP.MaxChunks = 0, 0
		})
		c := r.dial(p)
		r.only()
		m := request("MESSAGE", "x", 1, "")
		time.Sleep(300 * time.Millisecond) // an idle connection runs no clock
		_, _ = c.Write([]byte(m))
		if got, err := readMessage(bufio.NewReader(c)); got != m {
			t.Fatalf("got %q, %v", got, err)
		}
		for i := range len(m) { // a trickle does not put the end off
			if _, err := c.Write([]byte(m[i : i+1])); err != nil || !r.alive() {
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
		r.eventually("it is closed", func() bool { return !r.alive() })
		if reason := r.firstClose(); reason != MessageTimeout {
			t.Errorf("closed with %v", reason)
		}
	})
}

func TestMessageTooLarge(t *testing.T) {
	bothProtos(t, func(t *testing.T, p Proto) {
		s := &script{}
		r := start(t, s, func(c *Config) { c.MaxMessageSize = 3000 })
		c := r.dial(p)
		_, _ = c.Write([]byte(request("MESSAGE", "x", 1, strings.Repeat("b", 2500)))) // fits
		r.eventually("it arrives", func() bool { return len(s.got()) == 1 })
		_, _ = c.Write([]byte(request("MESSAGE", "x", 1, strings.Repeat("b", 3000))))
		got, _ := readMessage(bufio.NewReader(c))
		if !strings.HasPrefix(got, "SIP/2.0 400") {
			t.Errorf("got %q", got)
		}
		r.eventually("it is closed", func() bool { return !r.alive() })
		if reason := r.firstClose(); reason != MessageTooLarge {
			t.Errorf("closed with %v", reason)
		}
	})
}

// A large message passes both ways whole, through many records.
func TestLargeMessage(t *testing.T) {
	bothProtos(t, func(t *testing.T, p Proto) {
		r := start(t, &script{message: echo}, func(c *Config) {
			c.TLS.MaxChunks, c.TCP.MaxChunks = 0, 0
		})
		c := r.dial(p)
		m := request("MESSAGE", "x", 1, strings.Repeat("0123456789", 6500))
		go func() { _, _ = c.Write([]byte(m)) }()
		if got, err := readMessage(bufio.NewReader(c)); got != m {
			t.Errorf("got %d bytes of %d, %v", len(got), len(m), err)
		}
	})
}

// A loop that is late itself does not count that against a message: its rest is in the kernel when the time is over.
func TestMessageTimeWhenWeAreLate(t *testing.T) {
	r := start(t, &script{message: echo}, nil)
	p := r.dial(TCP)
	c := r.conns.Table.Get(r.only())
	m := request("MESSAGE", "x", 1, "")
	_, _ = p.Write([]byte(m[:10]))
	r.eventually("the clock runs", func() bool { return r.Stats().BytesIn == 10 })
	held, late := make(chan struct{}), make(chan struct{})
	c.Loop.(*loops.Loop).Poll.Post(func() {
		close(held)
		<-late
		for end := time.Now().Add(patience); kernel.Unread(c.Own.Sock.Fd()) == 0 && time.Now().Before(end); {
			time.Sleep(time.Millisecond)
		}
		c.Own.Waits.PutOff(deadlines.Message, 1) // the time is over, while nobody has read
		c.Loop.(*loops.Loop).Overdue(c)
	})
	<-held
	_, _ = p.Write([]byte(m[10:]))
	close(late)
	if got, err := readMessage(bufio.NewReader(p)); got != m {
		t.Errorf("got %q, %v; closed with %v", got, err, r.seen.closes())
	}
}
