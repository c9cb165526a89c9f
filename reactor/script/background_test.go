package script

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor"
	"sipreactor/tlsstate/tlstest"
)

// wait gives the lines once there are n of them.
func (j *journal) wait(t *testing.T, n int) []string {
	t.Helper()
	var all []string
	for end := time.Now().Add(patience); len(all) < n; time.Sleep(time.Millisecond) {
		if all = append(all, j.take()...); time.Now().After(end) {
			t.Fatalf("%d lines of %d: %v", len(all), n, all)
		}
	}
	return all
}

// backdrop is the background of some routes.
func backdrop(t *testing.T, routes string) (*Background, *journal) {
	t.Helper()
	cfg, err := compile("cfg", []byte(plainHead+routes))
	if err != nil {
		t.Fatal(err)
	}
	log := new(journal)
	cfg.Program.SetLogger(slog.New(log))
	return NewBackground(cfg.Program), log
}

const allEvents = `
event_route[E_CORE_TCP_DISCONNECT] { xlog("end of $param(src_ip):$param(src_port) at $param(dst_port) $param(proto) $param(reason)"); }
event_route[E_TCP_CONNECT_FAILED] { xlog("no way to $param(src_ip) from $param(dst_ip) $param(reason)"); }
event_route[E_TLS_HANDSHAKE_FAILED] { xlog("no handshake with $param(src_ip) $param(reason)"); }
`

// happen tells of the events of one connection.
func (b *Background) happen(h reactor.Handle, local string, reason reactor.Reason, kinds ...reactor.EventKind) {
	src := &reactor.Source{Conn: h, Proto: reactor.TLS, Remote: netip.MustParseAddrPort(fmt.Sprintf("192.0.2.%d:40000", h))}
	if local != "" {
		src.Local = netip.MustParseAddrPort(local)
	}
	was := reactor.PhaseHandshaking
	for _, k := range kinds {
		e := &reactor.Event{Kind: k, Src: src}
		if k == reactor.ConnEstablished {
			was = reactor.PhaseEstablished
		}
		if k == reactor.ConnClosed {
			e.Err, e.Was = &reactor.Error{Reason: reason}, was
		}
		b.Observe(e)
	}
	*src = reactor.Source{} // it is the engine's: who kept it sees nothing
}

func TestBackgroundEvents(t *testing.T) {
	b, log := backdrop(t, allEvents)
	const up, shut = reactor.ConnEstablished, reactor.ConnClosed
	b.happen(1, "192.0.2.100:5061", reactor.IdleTimeout, reactor.ConnAccepted, reactor.HandshakeStarted, up, shut)
	b.happen(2, "", reactor.ConnectFailed, reactor.ConnectStarted, shut)
	b.happen(3, "192.0.2.100:5061", reactor.HandshakeTimeout, reactor.ConnAccepted, reactor.HandshakeStarted, shut)
	b.happen(4, "192.0.2.100:5061", reactor.PeerClosed, reactor.ConnAccepted, shut) // before it was in use
	b.happen(5, "192.0.2.100:5061", reactor.ConnectionLimit, reactor.ConnRefused)
	b.happen(1, "[2001:db8::1]:5061", reactor.HandshakeFailed, shut) // the handle's next connection
	b.happen(6, "192.0.2.100:5061", reactor.ConnectTimeout, up, shut)
	b.Start()
	defer b.Close()
	want := []string{
		"end of 192.0.2.1:40000 at 5061 tls idle timeout",
		"no way to 192.0.2.2 from <null> connect failed",
		"no handshake with 192.0.2.3 handshake timeout",
		"no handshake with 192.0.2.1 handshake failed",
		"end of 192.0.2.6:40000 at 5061 tls connect timeout",
	}
	if got := log.wait(t, len(want)); !slices.Equal(got, want) {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
}

// Without a route for an event, nothing is kept or counted.
func TestBackgroundWithoutEvents(t *testing.T) {
	b, log := backdrop(t, `startup_route { xlog("up"); }`)
	b.happen(1, "", reactor.PeerClosed, reactor.ConnEstablished, reactor.ConnClosed)
	b.Start()
	b.happen(1, "", reactor.PeerClosed, reactor.ConnEstablished, reactor.ConnClosed)
	b.Close()
	if got := strings.Join(log.take(), "|"); got != "up" || b.Dropped() != 0 {
		t.Error(got, b.Dropped())
	}
	b, _ = backdrop(t, allEvents)
	b.Close() // never started
}

// A flood is dropped and counted; it does not hold up who tells of it.
func TestBackgroundFlood(t *testing.T) {
	b, log := backdrop(t, `event_route[E_TCP_CONNECT_FAILED] { xlog("failed"); }`)
	const more = 100
	for range eventQueue + more {
		b.happen(7, "", reactor.ConnectFailed, reactor.ConnClosed)
	}
	if b.Dropped() != more {
		t.Errorf("%d dropped", b.Dropped())
	}
	if lines := log.take(); len(lines) != 1 || !strings.Contains(lines[0], "an event found no room") {
		t.Errorf("the log tells %q", lines)
	}
	b.Start()
	log.wait(t, eventQueue)
	b.Close()
}

// The clock is given, so that no test waits for it.
func TestBackgroundTimers(t *testing.T) {
	b, log := backdrop(t, `
timer_route[a, 2] { xlog("a"); }
timer_route[b, 5] { xlog("b"); }
`)
	t0 := time.Unix(1000, 0)
	due, timers := schedule{t0.Add(2 * time.Second), t0.Add(5 * time.Second)}, b.watch.Load().timers
	for _, tt := range []struct {
		at   time.Duration // behind t0
		runs string
		next time.Duration
	}{
		{0, "", 2 * time.Second},
		{1999 * time.Millisecond, "", time.Millisecond},
		{2 * time.Second, "a", 2 * time.Second},
		{4100 * time.Millisecond, "a", 900 * time.Millisecond},
		{5 * time.Second, "b", time.Second},
		{30 * time.Second, "a b", 2 * time.Second}, // late: once
		{32 * time.Second, "a", 2 * time.Second},
	} {
		now := t0.Add(tt.at)
		due.tick(now, timers)
		if got := strings.Join(log.take(), " "); got != tt.runs {
			t.Errorf("at %v: %q, want %q", tt.at, got, tt.runs)
		}
		if got := due.wait(now); got != tt.next {
			t.Errorf("at %v: %v to the next, want %v", tt.at, got, tt.next)
		}
	}
}

func TestBackgroundRunsTimers(t *testing.T) {
	b, log := backdrop(t, `startup_route { xlog("up"); } timer_route[a, 1] { xlog("a"); }`)
	b.Start()
	log.wait(t, 3)
	b.Close()
	log.take()
}

// TestBackgroundOnEngine has an engine tell of real connections.
func TestBackgroundOnEngine(t *testing.T) {
	w := newPKI(t, `modparam("tls_mgm", "require_cert", "[edge]0")`)
	l := start(t, w.domain+allEvents+`route { sl_send_reply(200, "OK"); }`)
	for _, proto := range []reactor.Proto{reactor.TCP, reactor.TLS} {
		c := l.dial(proto, nil)
		l.ask(c)
		port := c.LocalAddr().(*net.TCPAddr).Port
		c.Close()
		want := fmt.Sprintf("end of 127.0.0.1:%d at %d %v peer closed", port, l.socket(proto).Addr.Port(), proto)
		if got := l.log.wait(t, 1)[0]; !strings.HasPrefix(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}

	c, err := net.Dial("tcp", l.socket(reactor.TLS).Addr.String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "this is no handshake\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if got := l.log.wait(t, 1)[0]; !strings.HasPrefix(got, "no handshake with 127.0.0.1 handshake failed") {
		t.Error(got)
	}

	_, _ = l.engine.Send(&reactor.Target{Proto: reactor.TCP, Addr: tlstest.Refusing(t)}, reactor.Bytes(invite)) // the event tells how it went
	if got := l.log.wait(t, 1)[0]; !strings.HasPrefix(got, "no way to 127.0.0.1 ") {
		t.Error(got)
	}
}
