package main

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// A destination that fails while forward() still waits shows as 480, one that
// fails later as 503: see contractRoute.

// parked has the node wait for nothing: what is not done at once is parked.
func parked(transport string) string {
	text := set(transport, "async_local_connect_timeout", 0)
	if transport == "tls" {
		// The connect to a peer that accepts is waited for, the handshake not.
		text = set("tls", "async_handshake_timeout", 0)
	}
	return text
}

// unansweredFor is how long an unanswering destination is waited for, in both
// modes.
func unansweredFor(transport string, d time.Duration) string {
	if transport == "tls" {
		return set("tls", "handshake_timeout", ms(d))
	}
	return core("tcp_connect_timeout", ms(d)) + core("tcp_async_connect_timeout", ms(d))
}

func TestContractAsync(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, transport string) {
		for async, status := range []int{480, 503} {
			hasty := start(t, set(transport, "async", async), parked(transport), unansweredFor(transport, slow))
			p := hasty.dial("tcp") // a caller that has no handshake of its own
			p.ask(uri("x", transport, unanswering(t, transport)))
			p.expect(status)

			// One that answers gets the message in both modes.
			patient := start(t, set(transport, "async", async), parked(transport))
			p = patient.dial(transport)
			p.ask(patient.callee(transport, "127.0.0.1:0").URI())
			p.expect(200)
		}
	})
}

// inTurn asks two nodes for a black hole at the same time. The hasty one gives it
// up, with a status; the other still waits then, and for a while.
func inTurn(t *testing.T, transport string, hasty, patient *contract, status int) {
	t.Helper()
	to := uri("x", transport, blackHole(t))
	first, second := hasty.dial(transport), patient.dial(transport)
	first.ask(to)
	second.ask(to)
	first.expect(status)
	second.silent()
}

// Without async the caller waits as long as the parameter says.
func TestContractConnectTimeout(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, transport string) {
		with := func(d time.Duration) *contract {
			return start(t, set(transport, "async", 0), core("tcp_connect_timeout", ms(d)))
		}
		inTurn(t, transport, with(fast), with(long), 480)
	})
}

// With async a parked connect ends by the parameter.
func TestContractAsyncConnectTimeout(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, transport string) {
		with := func(d time.Duration) *contract {
			return start(t, set(transport, "async_local_connect_timeout", 0), core("tcp_async_connect_timeout", ms(d)))
		}
		inTurn(t, transport, with(slow), with(long), 503)
	})
}

// A black hole within the budget is the caller's failure, outside it the
// queue's.
func TestContractLocalConnectTimeout(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, transport string) {
		for _, tt := range []struct {
			budget time.Duration
			status int
		}{{long, 480}, {time.Millisecond, 503}} {
			c := start(t, set(transport, "async_local_connect_timeout", ms(tt.budget)), core("tcp_async_connect_timeout", ms(slow)))
			p := c.dial(transport)
			p.ask(uri("x", transport, blackHole(t)))
			p.expect(tt.status)
		}
	})
}

// The same with a peer that is silent in the handshake.
func TestContractAsyncHandshakeTimeout(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		budget time.Duration
		status int
	}{{long, 480}, {time.Millisecond, 503}} {
		c := start(t, set("tls", "async_handshake_timeout", ms(tt.budget)), set("tls", "handshake_timeout", ms(slow)))
		p := c.dial("tcp") // a caller that has no handshake of its own
		p.ask(uri("x", "tls", silentPeer(t)))
		p.expect(tt.status)
	}
}

func TestContractHandshakeTimeout(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		timeout time.Duration
		ends    bool
	}{{slow, true}, {long, false}} {
		c := start(t, set("tls", "handshake_timeout", ms(tt.timeout)), set("tls", "async_handshake_timeout", 0))
		client, p := c.knock("tls"), c.dial("tcp")
		p.ask(uri("x", "tls", silentPeer(t)))
		if !tt.ends {
			client.silent()
			p.silent()
			continue
		}
		client.expect(0)
		p.expect(503)
		c.log.wait(t, "tls_handshake_timeout") // the parameter to raise
	}
}

func TestContractPostponedChunks(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ limit, messages, at480, at503 int }{
		{3, 3, 0, 0},
		{3, 4, 1, 0}, // the one too many is its caller's failure, and harms nobody else
		{5, 4, 0, 0},
		{0, 1, 1, 0},
	} {
		t.Run(fmt.Sprintf("%d messages of %d", tt.messages, tt.limit), func(t *testing.T) {
			both(t, func(t *testing.T, transport string) {
				c := start(t, set(transport, "async_max_postponed_chunks", tt.limit), parked(transport))
				p := c.dial(transport)
				to := uri("x", transport, unanswering(t, transport))
				for i := range tt.messages {
					p.ask(to)
					if i == 0 && tt.limit > 0 { // else its caller could still be there when it breaks
						c.eventually("the first waits", func() bool { return c.engine.Stats().Parked == 1 })
					}
				}
				got := map[string]int{}
				for range tt.at480 + tt.at503 {
					first, _ := p.read()
					got[first[:min(len(first), len("SIP/2.0 xxx"))]]++
				}
				if got["SIP/2.0 480"] != tt.at480 || got["SIP/2.0 503"] != tt.at503 {
					t.Errorf("got %v", got)
				}
				if len(got) == 0 {
					p.silent()
				}
			})
		})
	}
}

// A destination that reads nothing loses its connection, and who sent what
// waited for it hears of it.
func TestContractSendTimeout(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, transport string) {
		for _, async := range []int{1, 0} {
			for _, tt := range []struct {
				timeout time.Duration
				ends    bool
			}{{fast, true}, {long, false}} {
				c := start(t, set(transport, "send_timeout", ms(tt.timeout)), set(transport, "async", async),
					set(transport, "async_max_postponed_chunks", 10000), core("overload_queue_delay", 0)) // a busy machine refuses none for load
				to := uri("x", transport, slowReader(t, transport, c.serverConfig()))
				p := c.dial("tcp")
				body := strings.Repeat("x", 60000)
				go func() {
					// More than the sockets between hold, and less than may wait.
					for range 30 {
						if _, err := p.Write([]byte(p.request(to, "", body))); err != nil {
							return
						}
					}
				}()
				switch {
				case !tt.ends:
					p.silent()
				case async == 1:
					p.expect(503)
				default:
					// What was written and not acknowledged comes back, too: 503.
					first, _ := p.read()
					for strings.HasPrefix(first, "SIP/2.0 503") {
						first, _ = p.read()
					}
					if !strings.HasPrefix(first, "SIP/2.0 480") {
						t.Errorf("got %q, want status 480", first)
					}
				}
			}
		}
	})
}
