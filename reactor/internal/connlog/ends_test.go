package connlog

import (
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/internal/logtest"
	"sipreactor/reactor/internal/phase"
	"sipreactor/reactor/internal/reason"
	"sipreactor/reactor/internal/transport"
	"sipreactor/tlsstate"
)

// logs returns a Log at a level, and what it writes.
func logs(level slog.Level) (*Log, *logtest.Log) {
	text := new(logtest.Log)
	return New(slog.New(slog.NewTextHandler(text, &slog.HandlerOptions{Level: level}))), text
}

func from(addr string, outbound bool) *Conn {
	return &Conn{ID: 1, Proto: transport.TLS, Peer: netip.MustParseAddrPort(addr), Outbound: outbound}
}

// A caller is one however often it calls, from whatever port; each destination of an address is its own,
// and so is each cause of a handshake that failed.
func TestWhatIsToldAsOne(t *testing.T) {
	l, text := logs(slog.LevelInfo)
	now := int64(time.Minute)
	failed := func(cause string) *reason.Error {
		return reason.OfHandshake(&tlsstate.Error{Blame: tlsstate.BlamePeer, Reason: cause})
	}
	for _, c := range []*Conn{from("192.0.2.1:1001", false), from("192.0.2.1:1002", false), from("192.0.2.1:1004", false), from("192.0.2.1:5061", true), from("192.0.2.1:5062", true)} {
		l.Closed(now, c, phase.Handshaking, failed("one"), "")
	}
	l.Closed(now, from("192.0.2.1:1003", false), phase.Handshaking, failed("another"), "")
	if n := text.Count("connection closed"); n != 4 {
		t.Errorf("%d lines: %s", n, text)
	}
}

// An end in order is no warning; one by the peer's fault, or ours, is.
func TestLevels(t *testing.T) {
	l, text := logs(slog.LevelInfo)
	for i, r := range []reason.Reason{reason.IdleTimeout, reason.HandshakeTimeout} {
		why := reason.Because(r, "")
		l.Closed(int64(time.Minute), from(fmt.Sprintf("192.0.2.%d:1", i+1), false), phase.Established, why, "")
		level := "level=INFO"
		if why.Blame != reason.BlameNone {
			level = "level=WARN"
		}
		if lines := strings.Split(text.String(), "\n"); !strings.Contains(lines[i], level) {
			t.Errorf("%v: %q", why, lines[i])
		}
	}
}

// At level debug each end is told, in a flood as well.
func TestEachEndAtDebug(t *testing.T) {
	for level, want := range map[slog.Level]int{slog.LevelInfo: 1, slog.LevelDebug: 5} {
		l, text := logs(level)
		for range 5 {
			l.Closed(int64(time.Minute), from("192.0.2.1:1", false), phase.Handshaking, reason.Because(reason.HandshakeTimeout, ""), "")
		}
		if n := text.Count("connection closed"); n != want {
			t.Errorf("%v: %d lines, want %d", level, n, want)
		}
	}
}
