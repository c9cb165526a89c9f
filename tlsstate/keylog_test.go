package tlsstate_test

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sipreactor/tlsstate"
)

func TestKeyLog(t *testing.T) {
	w := newWorld(t)
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
		Domains:      []tlsstate.DomainConfig{w.serverDomain(), w.clientDomain()},
		KeyLog:       log,
		KeyLogFilter: func(peer netip.AddrPort) bool { return peer.Addr() == logged },
	})
	connected(t, set, "sip.example.com", whole)
	if got := lines(); len(got) != 1 || got[0] != "" {
		t.Fatalf("logged of others: %q", got)
	}
	logged = caller.Addr() // the server's peer
	connected(t, set, "sip.example.com", whole)
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
	w := newWorld(t)
	set := buildConfig(t, tlsstate.Config{
		Domains: []tlsstate.DomainConfig{w.serverDomain(), w.clientDomain()}, KeyLog: fullDisk{},
	})
	connected(t, set, "sip.example.com", whole)
}
