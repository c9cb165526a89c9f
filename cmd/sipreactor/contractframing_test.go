package main

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// In the inputs "|" parts two reads, and "+" is a message in the same read.
func TestContractCRLF(t *testing.T) {
	t.Parallel()
	inputs := []string{"\r\n\r\n", "\r\n", "\r\n|\r\n", "\r\n\r\n\r\n", "\r\n|\r\n|\r\n", "\r\n+", "\r\n\r\n+", "\r\n|\r\n+"}
	for _, tt := range []struct {
		pingpong, drop int
		pongs          [8]int
	}{
		{1, 0, [8]int{1, 0, 1, 1, 1, 0, 1, 1}},
		{1, 1, [8]int{1, 0, 0, 1, 0, 0, 1, 0}},
		{0, 0, [8]int{}},
		{0, 1, [8]int{}},
	} {
		t.Run(fmt.Sprintf("pingpong %d drop %d", tt.pingpong, tt.drop), func(t *testing.T) {
			both(t, func(t *testing.T, transport string) {
				c := start(t, set(transport, "crlf_pingpong", tt.pingpong), set(transport, "crlf_drop", tt.drop))
				for i, input := range inputs {
					p := c.greet(transport)
					for part := range strings.SplitSeq(input, "|") {
						c.chunk(p, strings.Replace(part, "+", p.request(here, "", ""), 1))
					}
					if !strings.HasSuffix(input, "+") {
						p.ask(here)
					}
					first, pongs := p.read() // the answer comes behind any pong
					if !strings.HasPrefix(first, "SIP/2.0 200") || pongs != tt.pongs[i] {
						t.Errorf("%q: %d pongs, want %d, then %q", input, pongs, tt.pongs[i], first)
					}
				}
			})
		})
	}
}

func TestContractMaxMessageChunks(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		limit, chunks int
		whole         bool
	}{{3, 3, true}, {3, 4, false}, {5, 4, true}, {1, 1, true}, {1, 2, false}, {0, 40, true}} {
		t.Run(fmt.Sprintf("%d chunks of %d", tt.chunks, tt.limit), func(t *testing.T) {
			both(t, func(t *testing.T, transport string) {
				c := start(t, set(transport, "max_msg_chunks", tt.limit))
				p := c.greet(transport)
				text := p.request(here, "", strings.Repeat("x", 1000))
				for i := range tt.chunks - 1 {
					if tt.limit > 0 && i == tt.limit {
						break // it was too many before this one
					}
					part := len(text) / (tt.chunks - i)
					c.chunk(p, text[:part])
					text = text[part:]
				}
				if !tt.whole {
					p.expect(0)
					return
				}
				p.send(text)
				p.expect(200)
			})
		})
	}
}

// Records that come together are one chunk, but for tiny ones, which are a chunk
// each however they come: a peer may size its records, not shred its messages.
func TestContractChunksOfRecords(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		limit, record int
		whole         bool
	}{{4, 300, true}, {4, 100, false}, {40, 100, true}, {0, 1, true}} {
		t.Run(fmt.Sprintf("records of %d, limit %d", tt.record, tt.limit), func(t *testing.T) {
			t.Parallel()
			c := start(t, set("tls", "max_msg_chunks", tt.limit))
			raw := &corked{}
			p := c.greetThrough("tls", raw)
			text := p.request(here, "", strings.Repeat("x", 2500))
			raw.cork()
			for len(text) > 0 {
				n := min(tt.record, len(text))
				p.send(text[:n])
				text = text[n:]
			}
			raw.release(t)
			if tt.whole {
				p.expect(200)
			} else {
				p.expect(0)
			}
		})
	}
}

func TestContractMaxMessageTime(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, transport string) {
		strict := start(t, core("tcp_max_msg_time", 1))
		patient := start(t, core("tcp_max_msg_time", 60))
		cut, kept, idle := strict.dial(transport), patient.dial(transport), strict.dial(transport)
		text := kept.request(here, "", "body")
		cut.send(cut.request(here, "", "body")[:100])
		kept.send(text[:100])
		cut.expect(0)
		kept.send(text[100:])
		kept.expect(200)
		idle.ask(here) // an idle connection never ran the clock
		idle.expect(200)
	})
}

func TestContractMaxMessageSize(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, transport string) {
		small, large := start(t, core("tcp_max_msg_size", 2048)), start(t, core("tcp_max_msg_size", 8192))
		for _, size := range []int{1000, 4000} {
			p := small.dial(transport)
			p.send(p.request(here, "", strings.Repeat("x", size)))
			if size == 1000 {
				p.expect(200)
			} else if first, _ := p.read(); first != "SIP/2.0 400 Message Too Large" {
				t.Errorf("%d bytes of 2048: %q", size, first)
			} else {
				p.expect(0)
			}
			p = large.dial(transport)
			p.send(p.request(here, "", strings.Repeat("x", size)))
			p.expect(200)
		}
	})
}

// lifetime is tcp_connection_lifetime in seconds.
func lifetime(n int) string { return core("tcp_connection_lifetime", n) }

func TestContractConnectionLifetime(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, transport string) {
		// The brief one is more than a busy machine needs for a request.
		brief, lasting := start(t, lifetime(3)), start(t, lifetime(60))
		ended, kept := brief.greet(transport), lasting.dial(transport)

		// The connections that the nodes open end, or stay, with them.
		servers := map[*contract]int64{brief: 2, lasting: 1}
		for c, conns := range servers {
			s := c.callee(transport, "127.0.0.1:0")
			first := c.dial(transport)
			first.ask(s.URI())
			first.expect(200)
			c.eventually("idle for its lifetime", func() bool {
				return c == lasting || c.engine.Stats().Connections == 0
			})
			second := c.dial(transport)
			second.ask(s.URI())
			second.expect(200)
			if n := s.Stats().Connections; n != conns {
				t.Errorf("%d connections to the destination, want %d", n, conns)
			}
		}
		ended.expect(0)
		kept.ask(here)
		kept.expect(200)
	})
}

func TestContractTimesAreDistinct(t *testing.T) {
	if fast*2 > quietTime || quietTime*10 > long || patience > long || long > time.Minute {
		t.Error("a test could take one value for the other")
	}
}
