package conformance

import (
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sipreactor/tlsstate"
	"sipreactor/tlsstate/tlstest"
)

// talk makes a connection, lets the tickets arrive, closes it, and tells
// whether it was resumed.
func talk(t *testing.T, l tlstest.Link) bool {
	t.Helper()
	server, client := tlstest.NewServer(t, l.Server), tlstest.NewClient(t, l.Client, "sip.example.com")
	tlstest.Wire(client, server, tlstest.Whole)
	if server.Err != nil || client.Err != nil {
		t.Fatal(server.Err, client.Err)
	}
	tlstest.Exchange(t, server, client, tlstest.Whole, tlstest.Text(10))
	tlstest.Goodbye(t, client, server)
	s, c := server.State(), client.State()
	if s.Resumed != c.Resumed || !s.Verified || !c.Verified || len(s.Peer) == 0 || len(c.Peer) == 0 || s.Own == nil {
		t.Fatalf("%+v, %+v", s, c)
	}
	return c.Resumed
}

func resumption(t *testing.T, libs Libraries) {
	w := tlstest.NewWorld(t)
	inter := w.CA.Intermediate(t, "intermediate")
	w.Client = inter.Leaf(t, tlstest.Leaf{CN: "client"})
	libs.eachPairing(t, func(t *testing.T, p tlstest.Pairing) {
		for _, version := range []string{"TLSv1_2", "TLSv1_3"} {
			l := p.Link(t, w, tlstest.Method(version))
			for i, want := range []bool{false, true, true} {
				if got := talk(t, l); got != want {
					t.Errorf("%s, connection %d: resumed %v", version, i, got)
				}
			}
			// The chain of a resumed session is whole.
			server, client := l.Connect(t, "sip.example.com", tlstest.OneByte)
			if s := server.State(); !s.Resumed || len(s.Peer) != 2 || s.Peer[1].Subject.CommonName != "intermediate" {
				t.Errorf("%s: %+v", version, s)
			}
			tlstest.Exchange(t, server, client, tlstest.RandomCuts(3), tlstest.Text(5000))
		}
	})
}

func ticketsOff(t *testing.T, libs Libraries) {
	w := tlstest.NewWorld(t)
	libs.eachPairing(t, func(t *testing.T, p tlstest.Pairing) {
		for _, off := range []tlstest.Change{
			func(s, c *tlsstate.DomainConfig) { s.SessionTickets = tlstest.No() },
			func(s, c *tlsstate.DomainConfig) { c.SessionTickets = tlstest.No() },
			func(s, c *tlsstate.DomainConfig) { s.SessionTickets, s.Method = tlstest.No(), "TLSv1_2" },
		} {
			l := p.Link(t, w, off)
			if talk(t, l) || talk(t, l) {
				t.Error("resumed")
			}
		}
	})
}

// Tickets pass from one set to the next with the keys, unless the domain
// demands something else by then.
func ticketsAcrossReload(t *testing.T, libs Libraries) {
	w := tlstest.NewWorld(t)
	keys := tlsstate.NewTicketKeys()
	libs.each(t, func(t *testing.T, lib tlsstate.Library) {
		server := func(keys *tlsstate.TicketKeys, change func(*tlsstate.DomainConfig)) tlsstate.Domains {
			d := w.ServerDomain()
			if change != nil {
				change(&d)
			}
			return tlstest.BuildConfig(t, lib, tlsstate.Config{Domains: []tlsstate.DomainConfig{d}, TicketKeys: keys})
		}
		old := server(keys, nil)
		for _, c := range []struct {
			name string
			next tlsstate.Domains
			want bool
		}{
			{"same", server(keys, nil), true},
			{"another certificate of ours", server(keys, func(d *tlsstate.DomainConfig) {
				d.Certificates = []tlsstate.KeyPair{w.CA.Leaf(t, tlstest.Leaf{DNS: []string{"sip.example.com"}}).KeyPair()}
			}), true},
			{"keys of its own", server(nil, nil), false},
			{"other usages", server(keys, tlstest.EKU("clientAuth")), false},
			{"another authority beside", server(keys, func(d *tlsstate.DomainConfig) {
				d.CAPEM = append(tlstest.NewCA(t, "another").CertPEM(), d.CAPEM...)
			}), false},
			{"identity demanded", server(keys, func(d *tlsstate.DomainConfig) { d.VerifyDomain = tlstest.Yes() }), false},
			{"another domain", server(keys, func(d *tlsstate.DomainConfig) { d.Name = "other" }), false},
		} {
			for _, caller := range libs {
				client := tlstest.Build(t, caller, w.ClientDomain())
				if talk(t, tlstest.Join(old, client)) {
					t.Fatal("resumed out of nothing")
				}
				if got := talk(t, tlstest.Join(c.next, client)); got != c.want {
					t.Errorf("%s: resumed %v", c.name, got)
				}
			}
		}
	})
}

// A session is verified again before it is resumed, by the lists of today.
func resumptionIsVerified(t *testing.T, libs Libraries) {
	w := tlstest.NewWorld(t)
	later := time.Now().Add(time.Hour)
	keys := tlsstate.NewTicketKeys()
	libs.eachPairing(t, func(t *testing.T, p tlstest.Pairing) {
		server := func(dir string) tlsstate.Domains {
			d := w.ServerDomain()
			d.CRLDir = dir
			return tlstest.BuildConfig(t, p.Server, tlsstate.Config{Domains: []tlsstate.DomainConfig{d}, TicketKeys: keys})
		}
		client := tlstest.Build(t, p.Client, w.ClientDomain())
		talk(t, tlstest.Join(server(crlDir(t, w.CA.CRL(t, later))), client))
		fresh := server(crlDir(t, w.CA.CRL(t, later, w.Client)))
		s, _ := tlstest.Join(fresh, client).Meet(t, "sip.example.com", tlstest.Whole)
		tlstest.WantError(t, s.Err, tlsstate.BlamePeer, tlsstate.ReasonRevoked)
		if s.State().Verified {
			t.Errorf("%+v", s.State())
		}
	})
}

func ticketKeysRotate(t *testing.T, libs Libraries) {
	w := tlstest.NewWorld(t)
	libs.each(t, func(t *testing.T, lib tlsstate.Library) {
		now := time.Now()
		clock := func() time.Time { return now }
		server := tlstest.BuildConfig(t, lib, tlsstate.Config{Domains: []tlsstate.DomainConfig{w.ServerDomain()}, Time: clock})
		l := tlstest.Join(server, tlstest.Build(t, lib, w.ClientDomain()))
		talk(t, l)
		now = now.Add(13 * time.Hour) // the key before still opens
		if !talk(t, l) || !talk(t, l) {
			t.Error("the ticket of an older key was refused")
		}
	})
}

// Nodes with one file of keys resume each other's sessions, whichever of the
// keys sealed the ticket, and with more keys than anybody has.
func ticketKeysFile(t *testing.T, libs Libraries) {
	w := tlstest.NewWorld(t)
	file := filepath.Join(t.TempDir(), "keys")
	var keys []string
	for i := range 40 {
		sum := sha256.Sum256([]byte{byte(i)})
		keys = append(keys, hex.EncodeToString(sum[:]))
	}
	libs.eachPairing(t, func(t *testing.T, p tlstest.Pairing) {
		node := func(lines ...string) tlsstate.Domains {
			tlstest.Write(t, file, []byte(strings.Join(lines, "\n")+"\n"), 0o600)
			read, err := tlsstate.ReadTicketKeys(file)
			if err != nil {
				t.Fatal(err)
			}
			return tlstest.BuildConfig(t, p.Server, tlsstate.Config{Domains: []tlsstate.DomainConfig{w.ServerDomain()}, TicketKeys: read})
		}
		client := tlstest.Build(t, p.Client, w.ClientDomain())
		resumes := func(server tlsstate.Domains) bool { return talk(t, tlstest.Join(server, client)) }
		if resumes(node(keys[0])) || !resumes(node(keys[0])) {
			t.Error("two nodes with one key do not resume each other's sessions")
		}
		if !resumes(node(keys[1], keys[0])) {
			t.Error("the older key does not open")
		}
		if resumes(node(keys[2])) {
			t.Error("another key opens")
		}
		if all := slices.Clone(keys); !resumes(node(append(all[3:], keys[2])...)) {
			t.Error("the last of many keys does not open")
		}
	})
}

// A ticket of one library is a full handshake to the other, and no failure.
func ticketOfTheOtherLibrary(t *testing.T, libs Libraries) {
	if len(libs) < 2 {
		t.Skip("there is one library only")
	}
	w := tlstest.NewWorld(t)
	keys := tlsstate.NewTicketKeys()
	nodes := make([]tlsstate.Domains, len(libs))
	for i, lib := range libs {
		nodes[i] = tlstest.BuildConfig(t, lib, tlsstate.Config{Domains: []tlsstate.DomainConfig{w.ServerDomain()}, TicketKeys: keys})
	}
	for _, caller := range libs {
		client := tlstest.Build(t, caller, w.ClientDomain())
		for _, server := range append(slices.Clone(nodes), nodes[0]) {
			if talk(t, tlstest.Join(server, client)) {
				t.Errorf("%s resumed what another library had sealed", caller.Name)
			}
		}
	}
}

// A failed handshake forgets the session, and a session is for the name and the
// address it was made with.
func sessionsAreApart(t *testing.T, libs Libraries) {
	w := tlstest.NewWorld(t)
	w.Server = w.CA.Leaf(t, tlstest.Leaf{DNS: []string{"a.example.com", "b.example.com"}})
	libs.eachPairing(t, func(t *testing.T, p tlstest.Pairing) {
		l := p.Link(t, w, nil)
		resumed := func(host string) bool {
			server, client := l.Connect(t, host, tlstest.Whole)
			tlstest.Exchange(t, server, client, tlstest.Whole, tlstest.Text(10))
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
