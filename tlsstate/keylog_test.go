package tlsstate_test

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sipreactor/tlsstate"
	"sipreactor/tlsstate/tlstest"
)

func TestKeyLog(t *testing.T) {
	w := tlstest.NewWorld(t)
	file := filepath.Join(t.TempDir(), "keys.log")
	log, err := tlsstate.OpenKeyLog(file)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	lines := func() []string {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Split(strings.TrimSpace(string(text)), "\n")
	}
	var logged netip.Addr
	set := buildConfig(t, tlsstate.Config{
		Domains:      []tlsstate.DomainConfig{w.ServerDomain(), w.ClientDomain()},
		KeyLog:       log,
		KeyLogFilter: func(peer netip.AddrPort) bool { return peer.Addr() == logged },
	})
	connected(t, set, "sip.example.com", tlstest.Whole)
	if got := lines(); len(got) != 1 || got[0] != "" {
		t.Fatalf("logged of others: %q", got)
	}
	logged = tlstest.Caller.Addr() // the server's peer
	connected(t, set, "sip.example.com", tlstest.Whole)
	got := lines()
	form := regexp.MustCompile(`^(CLIENT|SERVER)_(HANDSHAKE_TRAFFIC_SECRET|TRAFFIC_SECRET_0) [0-9a-f]{64} [0-9a-f]{64}$`)
	for _, line := range got {
		if !form.MatchString(line) {
			t.Errorf("%q", line)
		}
	}
	if len(got) != 4 {
		t.Errorf("%d lines", len(got))
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info.Mode(), err)
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

// A key log that cannot be written does not keep anybody from calling.
func TestKeyLogFails(t *testing.T) {
	w := tlstest.NewWorld(t)
	set := buildConfig(t, tlsstate.Config{
		Domains: []tlsstate.DomainConfig{w.ServerDomain(), w.ClientDomain()}, KeyLog: fullDisk{},
	})
	connected(t, set, "sip.example.com", tlstest.Whole)
}

// A machine keeps its own secrets when that was asked for as it began, once,
// and whatever the key log gets.
func TestSecrets(t *testing.T) {
	w := tlstest.NewWorld(t)
	for _, version := range []string{"TLSv1_2", "TLSv1_3"} {
		var log lines
		var kept, asked bool
		d := w.ServerDomain()
		d.Method = version
		cfg := tlsstate.Config{
			Domains: []tlsstate.DomainConfig{d, w.ClientDomain()},
			KeyLog:  &log,
			Secrets: func() bool { asked = true; return kept },
		}
		server, client := connected(t, buildConfig(t, cfg), "sip.example.com", tlstest.Whole)
		if got := server.Secrets() + client.Secrets(); got != "" || !asked {
			t.Errorf("%s: kept unasked: %q", version, got)
		}
		kept, log = true, ""
		set := buildConfig(t, cfg)
		server, client = connected(t, set, "sip.example.com", tlstest.Whole)
		ours, theirs := server.Secrets(), client.Secrets()
		want := map[string]int{"TLSv1_2": 1, "TLSv1_3": 4}[version]
		if n := strings.Count(ours, "\n"); n != want || !sameLines(ours, theirs) || !sameLines(ours+theirs, string(log)) {
			t.Errorf("%s: the server keeps %q, the client %q; logged %q", version, ours, theirs, log)
		}
		if again := server.Secrets() + client.Secrets(); again != "" {
			t.Errorf("%s: kept twice: %q", version, again)
		}
		// Resumed, a connection has secrets of its own with TLS 1.3 only:
		// crypto/tls tells none with TLS 1.2.
		tlstest.Goodbye(t, client, server)
		server, client = connected(t, set, "sip.example.com", tlstest.Whole)
		if !client.State().Resumed {
			t.Fatalf("%s: not resumed", version)
		}
		if version == "TLSv1_2" {
			want = 0
		}
		if n := strings.Count(server.Secrets(), "\n"); n != want {
			t.Errorf("%s: resumed, %d lines", version, n)
		}
	}
}

// lines is a key log in memory, of one goroutine.
type lines string

func (l *lines) Write(p []byte) (int, error) {
	*l += lines(p)
	return len(p), nil
}

// sameLines tells whether two texts have the same lines, in any order.
func sameLines(a, b string) bool {
	x, y := slices.Sorted(strings.Lines(a)), slices.Sorted(strings.Lines(b))
	return slices.Equal(x, y)
}
