package conformance

import (
	"bytes"
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"sipreactor/tlsstate"
	"sipreactor/tlsstate/tlstest"
)

// lines collects a key log.
type lines struct{ list []string }

func (l *lines) Write(p []byte) (int, error) {
	l.list = append(l.list, string(p))
	return len(p), nil
}

func keyLog(t *testing.T, libs Libraries) {
	w := tlstest.NewWorld(t)
	form := regexp.MustCompile(`^(CLIENT_RANDOM [0-9a-f]{64} [0-9a-f]{96}|(EXPORTER_SECRET|(CLIENT|SERVER)_(HANDSHAKE_TRAFFIC_SECRET|TRAFFIC_SECRET_0)) [0-9a-f]{64} [0-9a-f]{64})\n$`)
	libs.each(t, func(t *testing.T, lib tlsstate.Library) {
		for version, least := range map[string]int{"TLSv1_2": 1, "TLSv1_3": 4} {
			log := new(lines)
			var logged netip.Addr
			d := w.ServerDomain()
			d.Method, d.SessionTickets = version, tlstest.No() // crypto/tls logs nothing of a resumed session of TLS 1.2
			server := tlstest.BuildConfig(t, lib, tlsstate.Config{Domains: []tlsstate.DomainConfig{d}, KeyLog: log,
				KeyLogFilter: func(peer netip.AddrPort) bool { return peer.Addr() == logged }})
			l := tlstest.Join(server, tlstest.Build(t, tlstest.GoLibrary, w.ClientDomain()))
			l.Connect(t, "sip.example.com", tlstest.Whole)
			if len(log.list) > 0 {
				t.Fatalf("logged of others: %q", log.list)
			}
			logged = tlstest.Caller.Addr()
			l.Connect(t, "sip.example.com", tlstest.Whole)
			for _, line := range log.list {
				if !form.MatchString(line) {
					t.Errorf("%q", line)
				}
			}
			if len(log.list) < least {
				t.Errorf("%s: %d lines", version, len(log.list))
			}
		}
	})
}

// The ends of one connection log the same secrets, whatever their libraries.
func keyLogsAgree(t *testing.T, libs Libraries) {
	w := tlstest.NewWorld(t)
	libs.eachPairing(t, func(t *testing.T, p tlstest.Pairing) {
		there, here := new(bytes.Buffer), new(bytes.Buffer)
		tlstest.Join(
			tlstest.BuildConfig(t, p.Server, tlsstate.Config{Domains: []tlsstate.DomainConfig{w.ServerDomain()}, KeyLog: there}),
			tlstest.BuildConfig(t, p.Client, tlsstate.Config{Domains: []tlsstate.DomainConfig{w.ClientDomain()}, KeyLog: here}),
		).Connect(t, "sip.example.com", tlstest.Whole)
		both := 0
		for line := range strings.Lines(there.String()) {
			if strings.Contains(here.String(), line) {
				both++
			}
		}
		if both < 4 { // traffic secrets of the handshake and of the data, each way; libssl has an exporter's, too
			t.Errorf("%d lines are the same:\n%s\n%s", both, there, here)
		}
	})
}

// Both machines keep their secrets for whoever asks.
func secrets(t *testing.T, libs Libraries) {
	w := tlstest.NewWorld(t)
	libs.each(t, func(t *testing.T, lib tlsstate.Library) {
		for version, least := range map[string]int{"TLSv1_2": 1, "TLSv1_3": 4} {
			kept := false
			d := w.ServerDomain()
			d.Method = version
			server := tlstest.BuildConfig(t, lib, tlsstate.Config{Domains: []tlsstate.DomainConfig{d}, Secrets: func() bool { return kept }})
			a, b := tlstest.Join(server, tlstest.Build(t, tlstest.GoLibrary, w.ClientDomain())).Connect(t, "sip.example.com", tlstest.Whole)
			if got := a.Secrets() + b.Secrets(); got != "" {
				t.Errorf("%s: kept unasked: %q", version, got)
			}
			kept = true
			a, b = tlstest.Join(server, tlstest.Build(t, tlstest.GoLibrary, w.ClientDomain())).Connect(t, "sip.example.com", tlstest.Whole)
			if n := strings.Count(a.Secrets()+b.Secrets(), "\n"); n < least {
				t.Errorf("%s: %d lines", version, n)
			}
			if again := a.Secrets() + b.Secrets(); again != "" {
				t.Errorf("%s: kept twice: %q", version, again)
			}
		}
	})
}
