package tlsstate_test

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sipreactor/tlsstate"
	"sipreactor/tlsstate/tlstest"
)

// talk makes a connection, lets the tickets arrive, closes it, and tells
// whether it was resumed.
func talk(t *testing.T, serverSet, clientSet *tlsstate.Set) bool {
	t.Helper()
	server := &end{Machine: newServer(t, serverSet)}
	client := &end{Machine: newClient(t, clientSet, "sip.example.com")}
	wire(client, server, whole)
	if server.err != nil || client.err != nil {
		t.Fatal(server.err, client.err)
	}
	exchange(t, server, client, whole, text(10))
	goodbye(t, client, server)
	if s, c := server.State(), client.State(); s.Resumed != c.Resumed || !s.Verified || !c.Verified || len(s.Peer) == 0 || s.Own == nil {
		t.Fatalf("%+v, %+v", s, c)
	}
	return client.State().Resumed
}

func TestResumption(t *testing.T) {
	w := newWorld(t)
	for _, version := range []string{"TLSv1_2", "TLSv1_3"} {
		set := w.set(t, method(version))
		for i, want := range []bool{false, true, true} {
			if got := talk(t, set, set); got != want {
				t.Errorf("%s, connection %d: resumed %v", version, i, got)
			}
		}
	}
}

// Tickets that come alone are no plaintext, and good for the next connection.
func TestTicketsAlone(t *testing.T) {
	w := newWorld(t)
	set := w.set(t, nil)
	server, client := &end{Machine: newServer(t, set)}, &end{Machine: newClient(t, set, "sip.example.com")}
	client.step(nil)
	carry(client, server, whole)
	carry(server, client, whole)
	carry(client, server, whole)
	tickets := server.Output()
	if server.Phase() != tlsstate.Established || client.Phase() != tlsstate.Established || len(tickets) == 0 {
		t.Fatalf("%v (%v), %v (%v), %d bytes of tickets", server.Phase(), server.err, client.Phase(), client.err, len(tickets))
	}
	p := make([]byte, 16384)
	for i := range tickets {
		client.Feed(tickets[i : i+1])
		if n, err := client.Read(p); n != 0 || !errors.Is(err, tlsstate.ErrWantRead) {
			t.Fatalf("%d bytes, %v", n, err)
		}
	}
	if len(client.Output()) > 0 {
		t.Error("tickets were answered")
	}
	if _, again := connected(t, set, "sip.example.com", oneByte); !again.State().Resumed {
		t.Error("the ticket is not used")
	}
}

func TestTicketsOff(t *testing.T) {
	w := newWorld(t)
	for _, off := range []func(s, c *tlsstate.DomainConfig){
		func(s, c *tlsstate.DomainConfig) { s.SessionTickets = no() },
		func(s, c *tlsstate.DomainConfig) { c.SessionTickets = no() },
	} {
		set := w.set(t, off)
		if talk(t, set, set) || talk(t, set, set) {
			t.Error("resumed")
		}
	}
}

// Tickets pass from one set to the next with the keys, unless the domain
// demands something else by then.
func TestTicketsAcrossReload(t *testing.T) {
	w := newWorld(t)
	keys := tlsstate.NewTicketKeys()
	set := func(keys *tlsstate.TicketKeys, change func(*tlsstate.DomainConfig)) *tlsstate.Set {
		d := w.serverDomain()
		if change != nil {
			change(&d)
		}
		return buildConfig(t, tlsstate.Config{Domains: []tlsstate.DomainConfig{d}, TicketKeys: keys})
	}
	old := set(keys, nil)
	for _, c := range []struct {
		name string
		next *tlsstate.Set
		want bool
	}{
		{"same", set(keys, nil), true},
		{"another certificate of ours", set(keys, func(d *tlsstate.DomainConfig) {
			d.Certificates = []tlsstate.KeyPair{keyPair(w.ca.Leaf(t, tlstest.Leaf{DNS: []string{"sip.example.com"}}))}
		}), true},
		{"keys of its own", set(nil, nil), false},
		{"other usages", set(keys, eku("clientAuth")), false},
		{"another authority beside", set(keys, func(d *tlsstate.DomainConfig) {
			d.CAPEM = append(tlstest.NewCA(t, "another").CertPEM(), d.CAPEM...)
		}), false},
		{"identity demanded", set(keys, func(d *tlsstate.DomainConfig) { d.VerifyDomain = yes() }), false},
		{"another domain", set(keys, func(d *tlsstate.DomainConfig) { d.Name = "other" }), false},
	} {
		client := build(t, w.clientDomain())
		if talk(t, old, client) {
			t.Fatal("resumed out of nothing")
		}
		if got := talk(t, c.next, client); got != c.want {
			t.Errorf("%s: resumed %v", c.name, got)
		}
	}
}

// A resumed session is verified again, by the authorities and lists of today.
func TestResumptionIsVerified(t *testing.T) {
	w := newWorld(t)
	now := time.Now()
	keys := tlsstate.NewTicketKeys()
	d := w.serverDomain()
	d.CRLDir = crlDir(t, w.ca.CRL(t, now.Add(time.Hour)))
	old := buildConfig(t, tlsstate.Config{Domains: []tlsstate.DomainConfig{d}, TicketKeys: keys})
	client := build(t, w.clientDomain())
	talk(t, old, client)
	d.CRLDir = crlDir(t, w.ca.CRL(t, now.Add(time.Hour), w.client))
	fresh := buildConfig(t, tlsstate.Config{Domains: []tlsstate.DomainConfig{d}, TicketKeys: keys})
	server, peer := &end{Machine: newServer(t, fresh)}, &end{Machine: newClient(t, client, "sip.example.com")}
	wire(peer, server, whole)
	wantError(t, server.err, tlsstate.BlamePeer, tlsstate.ReasonRevoked)
	if !server.State().Resumed || server.State().Verified {
		t.Errorf("%+v", server.State())
	}
}

func TestTicketKeysRotate(t *testing.T) {
	w := newWorld(t)
	now := time.Now()
	s, c := w.serverDomain(), w.clientDomain()
	s.CAPEM, c.CAPEM = w.ca.CertPEM(), w.ca.CertPEM()
	clock := func() time.Time { return now }
	server := buildConfig(t, tlsstate.Config{Domains: []tlsstate.DomainConfig{s}, Time: clock})
	client := buildConfig(t, tlsstate.Config{Domains: []tlsstate.DomainConfig{c}, Time: clock})
	talk(t, server, client)
	now = now.Add(13 * time.Hour) // the key before still opens
	if !talk(t, server, client) {
		t.Error("the ticket of an older key was refused")
	}
	if !talk(t, server, client) {
		t.Error("the new ticket was refused")
	}
}

func TestTicketKeysFile(t *testing.T) {
	w := newWorld(t)
	file := filepath.Join(t.TempDir(), "keys")
	one, two := text(32), text(64)[32:]
	write := func(lines ...string) {
		tlstest.Write(t, file, []byte(strings.Join(lines, "\n")+"\n"), 0o600)
	}
	node := func() *tlsstate.Set {
		keys, err := tlsstate.ReadTicketKeys(file)
		if err != nil {
			t.Fatal(err)
		}
		return buildConfig(t, tlsstate.Config{Domains: []tlsstate.DomainConfig{w.serverDomain()}, TicketKeys: keys})
	}
	write("# keys of the cluster", hex.EncodeToString(one))
	a, b := node(), node()
	client := build(t, w.clientDomain())
	if talk(t, a, client) || !talk(t, b, client) {
		t.Error("two nodes with one key do not resume each other's sessions")
	}
	write(base64.StdEncoding.EncodeToString(two), hex.EncodeToString(one))
	if !talk(t, node(), client) {
		t.Error("the older key does not open")
	}
	write(hex.EncodeToString(one[:16]))
	for _, bad := range []string{"", "# nothing", "zz", hex.EncodeToString(one[:31])} {
		write(bad)
		_, err := tlsstate.ReadTicketKeys(file)
		if err == nil || !strings.Contains(err.Error(), file) || len(bad) > 10 && strings.Contains(err.Error(), bad) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if _, err := tlsstate.ReadTicketKeys(file + "x"); err == nil {
		t.Error("no error for no file")
	}
}

// A session is for the name and the address it was made with.
func TestSessionsAreApart(t *testing.T) {
	w := newWorld(t)
	w.server = w.ca.Leaf(t, tlstest.Leaf{DNS: []string{"a.example.com", "b.example.com"}})
	set := w.set(t, nil)
	resumed := func(host string) bool {
		server, client := connected(t, set, host, whole)
		exchange(t, server, client, whole, text(10))
		return client.State().Resumed
	}
	if resumed("a.example.com") || resumed("b.example.com") {
		t.Error("the session of another name was offered")
	}
	if !resumed("A.example.com") || !resumed("b.example.com") {
		t.Error("the session was forgotten")
	}
}
