//go:build openssl

package openssl_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"sipreactor/tlsstate"
	"sipreactor/tlsstate/tlstest"
)

// talk makes a connection, lets the tickets arrive, closes it, and tells
// whether it was resumed.
func (l link) talk(t *testing.T) bool {
	t.Helper()
	server, client := newServer(t, l.server), newClient(t, l.client, "sip.example.com")
	wire(client, server, whole)
	if server.err != nil || client.err != nil {
		t.Fatal(server.err, client.err)
	}
	exchange(t, server, client, whole, text(10))
	goodbye(t, client, server)
	s, c := server.State(), client.State()
	if s.Resumed != c.Resumed || !s.Verified || !c.Verified || len(s.Peer) == 0 || len(c.Peer) == 0 || s.Own == nil {
		t.Fatalf("%+v, %+v", s, c)
	}
	return c.Resumed
}

func TestResumption(t *testing.T) {
	w := newWorld(t)
	inter := w.ca.Intermediate(t, "intermediate")
	w.client = inter.Leaf(t, tlstest.Leaf{CN: "client"})
	eachPairing(t, func(t *testing.T, p pairing) {
		for _, version := range []string{"TLSv1_2", "TLSv1_3"} {
			l := w.link(t, p, method(version))
			for i, want := range []bool{false, true, true} {
				if got := l.talk(t); got != want {
					t.Errorf("%s, connection %d: resumed %v", version, i, got)
				}
			}
			// The chain of a resumed session is whole.
			server, client := l.connect(t, "sip.example.com", oneByte)
			if s := server.State(); !s.Resumed || len(s.Peer) != 2 || s.Peer[1].Subject.CommonName != "intermediate" {
				t.Errorf("%s: %+v", version, s)
			}
			exchange(t, server, client, randomCuts(3), text(5000))
		}
	})
}

func TestTicketsOff(t *testing.T) {
	w := newWorld(t)
	eachPairing(t, func(t *testing.T, p pairing) {
		for _, off := range []change{
			func(s, c *tlsstate.DomainConfig) { s.SessionTickets = no() },
			func(s, c *tlsstate.DomainConfig) { c.SessionTickets = no() },
			func(s, c *tlsstate.DomainConfig) { s.SessionTickets, s.Method = no(), "TLSv1_2" },
		} {
			l := w.link(t, p, off)
			if l.talk(t) || l.talk(t) {
				t.Error("resumed")
			}
		}
	})
}

// Tickets pass from one set to the next with the keys, unless the domain
// demands something else by then.
func TestTicketsAcrossReload(t *testing.T) {
	w := newWorld(t)
	keys := tlsstate.NewTicketKeys()
	eachLibrary(t, func(t *testing.T, lib library) {
		server := func(keys *tlsstate.TicketKeys, change func(*tlsstate.DomainConfig)) set {
			d := w.serverDomain()
			if change != nil {
				change(&d)
			}
			return buildConfig(t, lib, tlsstate.Config{Domains: []tlsstate.DomainConfig{d}, TicketKeys: keys})
		}
		old := server(keys, nil)
		for _, c := range []struct {
			name string
			next set
			want bool
		}{
			{"same", server(keys, nil), true},
			{"another certificate of ours", server(keys, func(d *tlsstate.DomainConfig) {
				d.Certificates = []tlsstate.KeyPair{keyPair(w.ca.Leaf(t, tlstest.Leaf{DNS: []string{"sip.example.com"}}))}
			}), true},
			{"keys of its own", server(nil, nil), false},
			{"other usages", server(keys, eku("clientAuth")), false},
			{"another authority beside", server(keys, func(d *tlsstate.DomainConfig) {
				d.CAPEM = append(tlstest.NewCA(t, "another").CertPEM(), d.CAPEM...)
			}), false},
			{"identity demanded", server(keys, func(d *tlsstate.DomainConfig) { d.VerifyDomain = yes() }), false},
			{"another domain", server(keys, func(d *tlsstate.DomainConfig) { d.Name = "other" }), false},
		} {
			for _, caller := range libraries {
				client := build(t, caller, w.clientDomain())
				if (link{old, client}).talk(t) {
					t.Fatal("resumed out of nothing")
				}
				if got := (link{c.next, client}).talk(t); got != c.want {
					t.Errorf("%s: resumed %v", c.name, got)
				}
			}
		}
	})
}

// A session is verified again before it is resumed, by the lists of today.
func TestResumptionIsVerified(t *testing.T) {
	w := newWorld(t)
	later := time.Now().Add(time.Hour)
	keys := tlsstate.NewTicketKeys()
	eachPairing(t, func(t *testing.T, p pairing) {
		server := func(dir string) set {
			d := w.serverDomain()
			d.CRLDir = dir
			return buildConfig(t, p.server, tlsstate.Config{Domains: []tlsstate.DomainConfig{d}, TicketKeys: keys})
		}
		client := build(t, p.client, w.clientDomain())
		link{server(crlDir(t, w.ca.CRL(t, later))), client}.talk(t)
		fresh := server(crlDir(t, w.ca.CRL(t, later, w.client)))
		s, _ := link{fresh, client}.meet(t, "sip.example.com", whole)
		wantError(t, s.err, tlsstate.BlamePeer, tlsstate.ReasonRevoked)
		if s.State().Verified {
			t.Errorf("%+v", s.State())
		}
	})
}

func TestTicketKeysRotate(t *testing.T) {
	w := newWorld(t)
	now := time.Now()
	clock := func() time.Time { return now }
	server := buildConfig(t, libssl, tlsstate.Config{Domains: []tlsstate.DomainConfig{w.serverDomain()}, Time: clock})
	l := link{server, build(t, libssl, w.clientDomain())}
	l.talk(t)
	now = now.Add(13 * time.Hour) // the key before still opens
	if !l.talk(t) || !l.talk(t) {
		t.Error("the ticket of an older key was refused")
	}
}

// Nodes with one file of keys resume each other's sessions, whichever of the
// keys sealed the ticket, and with more keys than anybody has.
func TestTicketKeysFile(t *testing.T) {
	w := newWorld(t)
	file := filepath.Join(t.TempDir(), "keys")
	var keys []string
	for i := range 40 {
		sum := sha256.Sum256([]byte{byte(i)})
		keys = append(keys, hex.EncodeToString(sum[:]))
	}
	eachPairing(t, func(t *testing.T, p pairing) {
		node := func(lines ...string) set {
			tlstest.Write(t, file, []byte(strings.Join(lines, "\n")+"\n"), 0o600)
			read, err := tlsstate.ReadTicketKeys(file)
			if err != nil {
				t.Fatal(err)
			}
			return buildConfig(t, p.server, tlsstate.Config{Domains: []tlsstate.DomainConfig{w.serverDomain()}, TicketKeys: read})
		}
		client := build(t, p.client, w.clientDomain())
		talk := func(server set) bool { return link{server, client}.talk(t) }
		if talk(node(keys[0])) || !talk(node(keys[0])) {
			t.Error("two nodes with one key do not resume each other's sessions")
		}
		if !talk(node(keys[1], keys[0])) {
			t.Error("the older key does not open")
		}
		if talk(node(keys[2])) {
			t.Error("another key opens")
		}
		if all := slices.Clone(keys); !talk(node(append(all[3:], keys[2])...)) {
			t.Error("the last of many keys does not open")
		}
	})
}

// A ticket of one library is a full handshake to the other, and no failure.
func TestTicketOfTheOtherLibrary(t *testing.T) {
	w := newWorld(t)
	keys := tlsstate.NewTicketKeys()
	nodes := make([]set, len(libraries))
	for i, lib := range libraries {
		nodes[i] = buildConfig(t, lib, tlsstate.Config{Domains: []tlsstate.DomainConfig{w.serverDomain()}, TicketKeys: keys})
	}
	for _, caller := range libraries {
		client := build(t, caller, w.clientDomain())
		for _, server := range []set{nodes[0], nodes[1], nodes[0]} {
			if (link{server, client}).talk(t) {
				t.Errorf("%s resumed what another library had sealed", caller.name)
			}
		}
	}
}

// A failed handshake forgets the session, and a session is for the name and the
// address it was made with.
func TestSessionsAreApart(t *testing.T) {
	w := newWorld(t)
	w.server = w.ca.Leaf(t, tlstest.Leaf{DNS: []string{"a.example.com", "b.example.com"}})
	eachPairing(t, func(t *testing.T, p pairing) {
		l := w.link(t, p, nil)
		resumed := func(host string) bool {
			server, client := l.connect(t, host, whole)
			exchange(t, server, client, whole, text(10))
			return client.State().Resumed
		}
		if resumed("a.example.com") || resumed("b.example.com") {
			t.Error("the session of another name was offered")
		}
		if !resumed("A.example.com") || !resumed("b.example.com") {
			t.Error("the session was forgotten")
		}
	})
}

// lines collects a key log.
type lines struct{ list []string }

func (l *lines) Write(p []byte) (int, error) {
	l.list = append(l.list, string(p))
	return len(p), nil
}

func TestKeyLog(t *testing.T) {
	w := newWorld(t)
	form := regexp.MustCompile(`^(CLIENT_RANDOM [0-9a-f]{64} [0-9a-f]{96}|(EXPORTER_SECRET|(CLIENT|SERVER)_(HANDSHAKE_TRAFFIC_SECRET|TRAFFIC_SECRET_0)) [0-9a-f]{64} [0-9a-f]{64})\n$`)
	eachLibrary(t, func(t *testing.T, lib library) {
		for version, least := range map[string]int{"TLSv1_2": 1, "TLSv1_3": 4} {
			log := new(lines)
			var logged netip.Addr
			d := w.serverDomain()
			d.Method, d.SessionTickets = version, no() // crypto/tls logs nothing of a resumed session of TLS 1.2
			server := buildConfig(t, lib, tlsstate.Config{Domains: []tlsstate.DomainConfig{d}, KeyLog: log,
				KeyLogFilter: func(peer netip.AddrPort) bool { return peer.Addr() == logged }})
			l := link{server, build(t, goLibrary, w.clientDomain())}
			l.connect(t, "sip.example.com", whole)
			if len(log.list) > 0 {
				t.Fatalf("logged of others: %q", log.list)
			}
			logged = caller.Addr()
			l.connect(t, "sip.example.com", whole)
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
	// Both libraries log the same secrets of one connection.
	there, here := new(bytes.Buffer), new(bytes.Buffer)
	l := link{
		buildConfig(t, goLibrary, tlsstate.Config{Domains: []tlsstate.DomainConfig{w.serverDomain()}, KeyLog: there}),
		buildConfig(t, libssl, tlsstate.Config{Domains: []tlsstate.DomainConfig{w.clientDomain()}, KeyLog: here}),
	}
	l.connect(t, "sip.example.com", whole)
	for line := range strings.Lines(there.String()) {
		if !strings.Contains(here.String(), line) {
			t.Errorf("only one has %q", line)
		}
	}
}

// Both machines keep their secrets for whoever asks.
func TestSecrets(t *testing.T) {
	w := newWorld(t)
	eachLibrary(t, func(t *testing.T, lib library) {
		for version, least := range map[string]int{"TLSv1_2": 1, "TLSv1_3": 4} {
			kept := false
			d := w.serverDomain()
			d.Method = version
			server := buildConfig(t, lib, tlsstate.Config{Domains: []tlsstate.DomainConfig{d}, Secrets: func() bool { return kept }})
			a, b := link{server, build(t, goLibrary, w.clientDomain())}.connect(t, "sip.example.com", whole)
			if got := a.Secrets() + b.Secrets(); got != "" {
				t.Errorf("%s: kept unasked: %q", version, got)
			}
			kept = true
			a, b = link{server, build(t, goLibrary, w.clientDomain())}.connect(t, "sip.example.com", whole)
			if n := strings.Count(a.Secrets()+b.Secrets(), "\n"); n < least {
				t.Errorf("%s: %d lines", version, n)
			}
			if again := a.Secrets() + b.Secrets(); again != "" {
				t.Errorf("%s: kept twice: %q", version, again)
			}
		}
	})
}
