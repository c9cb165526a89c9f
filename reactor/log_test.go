package reactor

import (
	"fmt"
	"log/slog"
	"math"
	"net"
	"strconv"
	"strings"
	"testing"

	"sipreactor/reactor/internal/logtest"
)

// TestTrunkBesideScanners: a trunk whose handshakes fail is named, whatever many
// others fail beside it, and all its failures are told in the end.
func TestTrunkBesideScanners(t *testing.T) {
	said := &logtest.Log{}
	r := start(t, &script{message: echo}, func(c *Config) { c.Logger = slog.New(slog.NewTextHandler(said, nil)) })
	hit := func(from string) {
		t.Helper()
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
		c, err := d.Dial("tcp", r.addr(TLS).String())
		if err != nil {
			t.Fatal(err)
		}
		_, _ = c.Write([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"))
		c.Close()
	}
	const scanners, failures, trunk = 60, 20, "127.0.9.9"
	for i := range scanners {
		hit(fmt.Sprintf("127.0.8.%d", i+1))
		if i%3 == 2 {
			hit(trunk)
		}
	}
	r.eventually("all are closed", func() bool { return len(r.seen.of(ConnClosed)) == scanners+failures && !r.alive() })
	named := func(peer string) (told int) {
		for line := range strings.Lines(said.String()) {
			if !strings.Contains(line, "peer="+peer) || !strings.Contains(line, "handshake failed") {
				continue
			}
			if strings.Contains(line, `msg="connection closed"`) {
				told++
			}
			if _, more, ok := strings.Cut(line, " more="); ok {
				n, _, _ := strings.Cut(more, " ")
				k, err := strconv.Atoi(strings.TrimSpace(n))
				if err != nil {
					t.Error(line)
				}
				told += k
			}
		}
		return told
	}
	if named(trunk) == 0 {
		t.Errorf("no line names the trunk: %s", said)
	}
	for i := range scanners {
		if name := fmt.Sprintf("127.0.8.%d:", i+1); named(name) != 1 {
			t.Errorf("%s is named in %d lines", name, named(name))
		}
	}
	r.conns.Log.Rests(math.MaxInt64)
	if n := named(trunk); n != failures {
		t.Errorf("%d failures of the trunk are told of %d: %s", n, failures, said)
	}
}

// What a flood held back is told when it is over; lines name the TLS domain.
func TestFloodIsToldInFull(t *testing.T) {
	said := &logtest.Log{}
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
	r.conns.Log.Rests(math.MaxInt64)
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
