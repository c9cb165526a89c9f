package main

import (
	"context"
	"strings"
	"testing"

	"sipreactor/sipframe"
)

// domains are three servers over TLS: a.example and b.example trust each other, c.example is trusted by nobody, but trusts
// both. Their users' names are their passwords.
type domains struct {
	*testing.T
	*homeServers
	ctx context.Context
}

func startDomains(t *testing.T) *domains {
	t.Helper()
	log := newOutput()
	hs, err := startHomeServers(log,
		home{domain: "a.example", trusts: []string{"b.example"}, users: []string{"alice", "ada"}},
		home{domain: "b.example", trusts: []string{"a.example"}, users: []string{"bob", "ben", "bea", "bill"}},
		home{domain: "c.example", trusts: []string{"a.example", "b.example"}, users: []string{"carol"}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(func() {
		cancel()
		hs.close()
		if t.Failed() {
			t.Logf("log:\n%s", log)
		}
	})
	return &domains{T: t, homeServers: hs, ctx: ctx}
}

// phone connects a phone to a server, with a certificate of another one if as is given.
func (d *domains) phone(user, domain, server, agent, as string) *phone {
	d.Helper()
	p := &phone{user: user, domain: domain, password: user, agent: agent}
	if err := p.connect(d.ctx, d.servers[server].addr, d.clientConfig(server, d.servers[as])); err != nil {
		d.Fatal(err)
	}
	d.Cleanup(p.close)
	return p
}

// registered is a phone that has registered at home.
func (d *domains) registered(user, domain, agent string) *phone {
	d.Helper()
	p := d.phone(user, domain, domain, agent, "")
	if r, err := p.register(d.ctx, 600); err != nil || r.StatusCode() != 200 {
		d.Fatalf("%s registers: %v %v", user, code(r), err)
	}
	return p
}

func code(m *sipframe.Message) int {
	if m == nil {
		return 0
	}
	return m.StatusCode()
}

// rings calls and tells how the callee's phone rings.
func (d *domains) rings(from, to *phone, c call) string {
	d.Helper()
	if c.uri == "" {
		c.uri = "sip:" + to.user + "@" + to.domain
	}
	before := len(to.requests("INVITE"))
	r, err := from.invite(d.ctx, &c)
	if err != nil || r.StatusCode() != 200 {
		d.Fatalf("%s calls %s: %v %v", from.user, to.user, code(r), err)
	}
	if n := len(to.requests("INVITE")); n != before+1 {
		d.Fatalf("%d calls came to %s", n-before, to.user)
	}
	c.method = "BYE"
	if r, err := from.request(d.ctx, &c); err != nil || r.StatusCode() != 200 {
		d.Fatalf("%s hangs up: %v %v", from.user, code(r), err)
	}
	if acks, ends := len(to.requests("ACK")), len(to.requests("BYE")); acks != before+1 || ends == 0 {
		d.Fatalf("%s got %d ACKs of %d calls, and %d BYEs", to.user, acks, before+1, ends)
	}
	return alertInfo(to)
}

const (
	ata   = "Cisco ATA 186 v3.2"
	c7960 = "Cisco-CP7960G/8.0"
	snom  = "snom360/8.7"
	snomA = "<http://www.b.example/trusted>"
)

// TestTrustedDomains is the scenario: who is trusted rings in the form of the callee's phone, everybody else as usual.
func TestTrustedDomains(t *testing.T) {
	d := startDomains(t)
	alice, ada := d.registered("alice", "a.example", "softphone"), d.registered("ada", "a.example", snom)
	bob, ben := d.registered("bob", "b.example", ata), d.registered("ben", "b.example", c7960)
	bea, bill := d.registered("bea", "b.example", snom), d.registered("bill", "b.example", "softphone")
	carol := d.registered("carol", "c.example", "softphone")

	for _, c := range []struct {
		name     string
		from, to *phone
		call     call
		want     string
	}{
		{"a trusted domain, Cisco ATA", alice, bob, call{}, "Bellcore-dr2"},
		{"a trusted domain, Cisco 7960", alice, ben, call{}, "2"},
		{"a trusted domain, SNOM", alice, bea, call{}, snomA},
		{"a trusted domain, a phone that is not in the table", alice, bill, call{}, ""},
		{"the other way", bob, ada, call{}, "<http://www.a.example/trusted>"},
		{"within the domain", alice, ada, call{}, "<http://www.a.example/trusted>"},
		{"a stranger", carol, bob, call{}, ""},
		{"a stranger who tells how to ring", carol, bob, call{headers: "Alert-Info: Bellcore-dr2\n"}, ""},
		{"a trusted one who tells how to ring", alice, bob, call{headers: "Alert-Info: Bellcore-dr4\n"}, "Bellcore-dr2"},
		{"a phone that went around its home server", d.phone("alice", "a.example", "b.example", "softphone", ""), bob, call{}, ""},
		{"From of A over an unauthenticated connection", d.phone("mallory", "c.example", "b.example", "x", ""), bob, call{from: "alice@a.example"}, ""},
		{"From of A over C's connection", d.phone("carol", "c.example", "b.example", "x", "c.example"), bob, call{from: "alice@a.example"}, ""},
		{"From of C over A's connection", d.phone("x", "c.example", "b.example", "x", "a.example"), bob, call{from: "carol@c.example"}, ""},
		{"From of A over B's connection", d.phone("x", "b.example", "a.example", "x", "b.example"), ada, call{from: "alice@a.example"}, ""},
		{"From of A over A's connection", d.phone("x", "a.example", "b.example", "x", "a.example"), bob, call{from: "alice@a.example"}, "Bellcore-dr2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := (&domains{T: t, homeServers: d.homeServers, ctx: d.ctx}).rings(c.from, c.to, c.call); got != c.want {
				t.Errorf("Alert-Info %q, want %q", got, c.want)
			}
		})
	}
}

// TestTrustedDomainsRefuse has calls and registrations that come to nobody.
func TestTrustedDomainsRefuse(t *testing.T) {
	d := startDomains(t)
	bob := d.registered("bob", "b.example", ata)
	alice := d.registered("alice", "a.example", "softphone")
	try := func(what string, p *phone, c call, want int) {
		t.Helper()
		if r, err := p.request(d.ctx, &c); err != nil || r.StatusCode() != want {
			t.Errorf("%s: %v %v, want %d", what, code(r), err, want)
		}
	}
	wrong := d.phone("alice", "a.example", "a.example", "softphone", "")
	wrong.password = "guess"
	try("a wrong password registers", wrong, call{method: "REGISTER", uri: "sip:a.example", to: "<sip:alice@a.example>"}, 401)
	try("a wrong password calls", wrong, call{method: "INVITE", uri: "sip:bob@b.example"}, 407)
	try("somebody else's name registers", alice, call{method: "REGISTER", uri: "sip:a.example", to: "<sip:ada@a.example>"}, 403)
	try("somebody else's name calls", alice, call{method: "INVITE", uri: "sip:bob@b.example", from: "ada@a.example"}, 403)
	try("our own user's name, without credentials", d.phone("x", "x", "b.example", "x", ""), call{method: "INVITE", uri: "sip:bob@b.example", from: "bob@b.example"}, 407)
	try("a stranger relays", d.phone("x", "c.example", "b.example", "x", ""), call{method: "INVITE", uri: "sip:alice@a.example"}, 403)
	try("a trusted domain relays", d.phone("x", "a.example", "b.example", "x", "a.example"), call{method: "INVITE", uri: "sip:carol@c.example"}, 403)
	try("nobody is there", alice, call{method: "INVITE", uri: "sip:ben@b.example"}, 404)
	at, _, _ := bob.at()
	try("a call that nobody has begun", d.phone("x", "x", "b.example", "x", ""), call{method: "INVITE", uri: "sip:bob@" + at + ";transport=tls", from: "alice@a.example",
		to: "<sip:bob@b.example>;tag=made-up", headers: "Route: <sip:" + d.servers["b.example"].addr + ";transport=tls;lr>\n"}, 481)
	if n := len(bob.requests("INVITE")); n != 0 {
		t.Errorf("%d calls came to bob", n)
	}
	// A certificate of another authority ends the handshake, or the connection with it.
	other, err := startHomeServers(newOutput(), home{domain: "a.example"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(other.close)
	forged := &phone{user: "x", domain: "a.example", agent: "x"}
	cfg := d.clientConfig("b.example", other.servers["a.example"])
	if err := forged.connect(d.ctx, d.servers["b.example"].addr, cfg); err == nil {
		t.Cleanup(forged.close)
		if r, err := forged.request(d.ctx, &call{method: "INVITE", uri: "sip:bob@b.example", from: "alice@a.example"}); err == nil {
			t.Errorf("a forged certificate was answered %d", r.StatusCode())
		}
	}
}

// TestTrustedDomainsDemo runs the scenario as `sipreactor demo` shows it.
func TestTrustedDomainsDemo(t *testing.T) {
	code, out, errs := command(t, "demo", "--scenario", "trusted-domains")
	if code != exitOK {
		t.Fatalf("exit code %d: %s%s", code, out, errs)
	}
	for _, want := range []string{"alice", "a.example", "b.example", "bob", "-- INVITE ---", "--- 407 --", "Alert-Info at bob's phone: Bellcore-dr2",
		"Alert-Info at bea's phone: <http://www.b.example/trusted>", "Alert-Info at bob's phone: none"} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not show %q:\n%s", want, out)
		}
	}
	if code, _, errs := command(t, "demo", "--scenario", "x"); code != exitUsage || !strings.Contains(errs, "there is trusted-domains") {
		t.Errorf("exit code %d: %s", code, errs)
	}
}

// TestTrustedDomainsGone: a phone whose connection has ended is reached by no other.
func TestTrustedDomainsGone(t *testing.T) {
	d := startDomains(t)
	alice, bob := d.registered("alice", "a.example", "softphone"), d.registered("bob", "b.example", ata)
	bob.close()
	for {
		r, err := alice.request(d.ctx, &call{method: "INVITE", uri: "sip:bob@b.example"})
		if err != nil {
			t.Fatal(err)
		}
		if r.StatusCode() == 404 {
			return
		}
		if c := r.StatusCode(); c != 430 && c != 477 && c != 480 && c != 503 {
			t.Fatalf("answered %d", c)
		}
	}
}
