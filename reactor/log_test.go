package reactor

import (
	"log/slog"
	"math"
	"net"
	"strings"
	"testing"
	"time"
)

func TestGate(t *testing.T) {
	var g gate
	const second = int64(time.Second)
	at := 100 * second
	if held, ok := g.open(at); !ok || held != 0 {
		t.Errorf("the first line: %d, %v", held, ok)
	}
	for range 3 {
		if _, ok := g.open(at + second/2); ok {
			t.Error("a line passed within a second")
		}
	}
	if n := g.rest(at + 9*second); n != 0 {
		t.Errorf("%d lines are told after nine seconds", n)
	}
	if n := g.rest(at + 10*second); n != 3 {
		t.Errorf("%d lines are told after ten seconds, want 3", n)
	}
	if n := g.rest(at + 20*second); n != 0 {
		t.Errorf("%d lines are told twice", n)
	}
	if held, ok := g.open(at + 21*second); !ok || held != 0 {
		t.Errorf("the next line: %d, %v", held, ok)
	}
	g.open(at + 21*second)
	if held, ok := g.open(at + 23*second); !ok || held != 1 {
		t.Errorf("the line behind a held one: %d, %v", held, ok)
	}
}

// What a flood held back is told when it is over; lines name the TLS domain.
func TestFloodIsToldInFull(t *testing.T) {
	said := &lines{}
	r := start(t, &script{message: echo}, func(c *Config) { c.Logger = slog.New(slog.NewTextHandler(said, nil)) })
	c := r.dial(TLS)
	r.established(c)
	c.Close()
	r.eventually("it is told", func() bool {
		return strings.Contains(said.String(), `msg="connection closed"`) && strings.Contains(said.String(), "domain=in")
	})
	const flood = 50
	for range flood {
		c, err := net.Dial("tcp", r.addr(TLS).String())
		if err != nil {
			t.Fatal(err)
		}
		_, _ = c.Write([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"))
		c.Close()
	}
	r.eventually("all are closed", func() bool { return len(r.seen.of(ConnClosed)) == flood+1 })
	r.eventually("the last one is told or held back", func() bool { return !r.alive() })
	r.logRests(math.MaxInt64)
	told := 0
	for line := range strings.Lines(said.String()) {
		if !strings.Contains(line, "handshake failed") {
			continue
		}
		if strings.Contains(line, `msg="connection closed"`) {
			told++
		}
		if _, more, ok := strings.Cut(line, " more="); ok {
			n := 0
			for _, d := range more {
				if d < '0' || d > '9' {
					break
				}
				n = 10*n + int(d-'0')
			}
			told += n
		}
	}
	if told != flood {
		t.Errorf("%d ends are told of %d: %s", told, flood, said)
	}
}
