package main

import (
	"regexp"
	"strings"
	"testing"
)

var (
	resent     = regexp.MustCompile(`[1-9]\d* retransmitted|duplicated [1-9]`)
	unanswered = regexp.MustCompile(`[1-9]\d* (failed|lost)|(failed|lost) [1-9]`)
)

// stoodStill tells of a run that may show nothing because the machine stood still: for T1 of RFC 3261, 500 ms, and the
// callee said its 200 again, or over the callee's slow handshake, and nobody had to be parked. A call that came to
// nothing is none of that.
func stoodStill(out string) bool {
	return !unanswered.MatchString(out) && (resent.MatchString(out) || !strings.Contains(out, "handshake parked"))
}

func TestDemo(t *testing.T) {
	for _, args := range [][]string{
		{"demo", "--calls", "200", "--duration", "30s"},
		{"demo", "--rate", "100", "--duration", "300ms", "--cert", "rsa"},
	} {
		code, out, errs := command(t, args...)
		for n := 0; n < 5 && stoodStill(out); n++ {
			code, out, errs = command(t, args...)
		}
		if code != exitOK {
			t.Errorf("%v: exit code %d\n%s%s", args, code, out, errs)
		}
		for _, want := range []string{
			"-- INVITE -", "- 180 --|", "- 200 --|", "-- ACK -", "-- BYE -", // messages
			"1: connect", "1: closed", "- 100 --|", "-- CANCEL -", "- 487 --|", // by transactions
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
