package main

import (
	"regexp"
	"strings"
	"testing"
)

// A machine that stands still for T1 of RFC 3261, 500 ms, has the callee say its 200 again, and that is told: such a
// run shows nothing, unless a call came to nothing in it.
var (
	resent     = regexp.MustCompile(`[1-9]\d* retransmitted|duplicated [1-9]`)
	unanswered = regexp.MustCompile(`[1-9]\d* (failed|lost)|(failed|lost) [1-9]`)
)

func TestDemo(t *testing.T) {
	for _, args := range [][]string{
		{"demo", "--calls", "200", "--duration", "30s"},
		{"demo", "--rate", "100", "--duration", "300ms", "--cert", "rsa"},
	} {
		code, out, errs := command(t, args...)
		for n := 0; n < 5 && resent.MatchString(out) && !unanswered.MatchString(out); n++ {
			code, out, errs = command(t, args...)
		}
		if code != exitOK {
			t.Errorf("%v: exit code %d\n%s%s", args, code, out, errs)
		}
		for _, want := range []string{
			"-- INVITE -", "- 180 --|", "- 200 --|", "-- ACK -", "-- BYE -", // messages
			": connect", "handshake parked", "resumed", "established TLSv1.3", // states
			"calls/s", "p99", "CPU", "0 failed, 0 lost, 0 duplicated, 0 retransmitted", // load
		} {
			if !strings.Contains(out, want) {
				t.Errorf("%v: no %q in\n%s", args, want, out)
			}
		}
		if strings.ContainsAny(out, "\r\x1b") {
			t.Errorf("%v: control characters though it is no terminal: %q", args, out)
		}
		if errs != "" {
			t.Errorf("%v: %s", args, errs)
		}
	}
}
