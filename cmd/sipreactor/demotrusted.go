package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"sipreactor/reactor"
)

// trustedDomains is the scenario of the example of that name.
const trustedDomains = "trusted-domains"

// The participants of a call from one domain to another.
const (
	colCaller column = iota
	colHomeA
	colHomeB
	colCallee
)

// trustedCall is a call of the scenario.
type trustedCall struct {
	title    string
	from, to *phone
	home     column // of the caller
	want     string // Alert-Info
	why      string
}

// trustedDomains shows three domains: who is trusted by whom, and how the callee's phone rings.
func (d *demo) trustedDomains(ctx context.Context, log io.Writer) (clean bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, 3*demoPatience)
	defer cancel()
	hs, err := startHomeServers(log,
		home{domain: "a.example", trusts: []string{"b.example"}, users: []string{"alice"}},
		home{domain: "b.example", trusts: []string{"a.example"}, users: []string{"bob", "bea"}},
		home{domain: "c.example", users: []string{"carol"}})
	if err != nil {
		return false, err
	}
	defer hs.close()
	fmt.Fprint(d.out, "Three home servers in one process, TLS everywhere. a.example and b.example trust each other, c.example is a stranger.\n"+
		"Each has the configuration that `sipreactor example trusted-domains` prints.\n\n")
	var phones []*phone
	defer func() {
		for _, p := range phones {
			p.close()
		}
	}()
	connect := func(user, domain, server, agent string, registers bool) (*phone, error) {
		p := &phone{user: user, domain: domain, password: user, agent: agent}
		if err := p.connect(ctx, hs.servers[server].addr, hs.clientConfig(server, nil)); err != nil {
			return nil, err
		}
		phones = append(phones, p)
		if !registers {
			return p, nil
		}
		r, err := p.register(ctx, 600)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(d.out, "%s@%s registers at home with %s: %d\n", user, domain, agent, r.StatusCode())
		return p, nil
	}
	var calls []trustedCall
	alice, err := connect("alice", "a.example", "a.example", "softphone", true)
	if err != nil {
		return false, err
	}
	bob, err := connect("bob", "b.example", "b.example", "Cisco ATA 186 v3.2", true)
	if err != nil {
		return false, err
	}
	bea, err := connect("bea", "b.example", "b.example", "snom360/8.7", true)
	if err != nil {
		return false, err
	}
	carol, err := connect("carol", "c.example", "c.example", "softphone", true)
	if err != nil {
		return false, err
	}
	around, err := connect("alice", "a.example", "b.example", "softphone", false)
	if err != nil {
		return false, err
	}
	calls = []trustedCall{
		{"alice@a.example calls bob@b.example", alice, bob, colHomeA, "Bellcore-dr2",
			"a.example knows alice by her password, b.example knows a.example by its certificate: bob's Cisco ATA rings as trusted."},
		{"alice calls bea@b.example, who has another phone", alice, bea, colHomeA, "<http://www.b.example/trusted>", "SNOM's phones take a URI."},
		{"carol@c.example calls bob", carol, bob, colHomeA, "", "c.example's certificate is good, but b.example does not trust it: bob's phone rings as usual."},
		{"alice calls bob around her home server", around, bob, colHomeB, "", "Nobody has asked who she is: it could be anybody."},
	}
	clean = true
	for i := range calls {
		ok, err := d.trustedCall(ctx, hs, &calls[i])
		if err != nil {
			return false, err
		}
		clean = clean && ok
	}
	return clean, nil
}

// trustedCall draws one call.
func (d *demo) trustedCall(ctx context.Context, hs *homeServers, c *trustedCall) (bool, error) {
	domain := c.from.domain
	l := &ladder{names: []string{c.from.user, domain, c.to.domain, c.to.user}}
	if c.home == colHomeB {
		l.names = []string{c.from.user + " (elsewhere)", domain + " (not asked)", c.to.domain, c.to.user}
	}
	trace := func(who, server column) func(bool, string) {
		return func(sent bool, text string) {
			if sent {
				l.message(who, server, text)
			} else {
				l.message(server, who, text)
			}
		}
	}
	c.from.trace, c.to.trace = trace(colCaller, colHomeA), trace(colCallee, colHomeB)
	if c.home == colHomeB {
		c.from.trace = trace(colHomeA, colHomeB) // its messages pass its home server by
	}
	defer func() { c.from.trace, c.to.trace = nil, nil }()

	phones := []string{c.from.conn.LocalAddr().String(), c.to.conn.LocalAddr().String()}
	between := func(from, to column) func(f *reactor.Frame) {
		return func(f *reactor.Frame) {
			if slices.Contains(phones, f.Src.Remote.String()) {
				return // which the phone's end tells
			}

			l.message(from, to, what(f.Data))
		}
	}
	hs.servers[domain].watch(between(colHomeB, colHomeA))
	hs.servers[c.to.domain].watch(between(colHomeA, colHomeB))
	defer hs.servers[domain].watch(nil)
	defer hs.servers[c.to.domain].watch(nil)

	fmt.Fprintf(d.out, "\n%s\n\n", c.title)
	k := &call{uri: "sip:" + c.to.user + "@" + c.to.domain}
	r, err := c.from.invite(ctx, k)
	if err == nil && r.StatusCode() == 200 {
		k.method = "BYE"
		r, err = c.from.request(ctx, k)
	}
	if err != nil {
		return false, err
	}
	l.finish()
	l.draw(d.out)
	rang := alertInfo(c.to)
	fmt.Fprintf(d.out, "\nIt ended with %d. Alert-Info at %s's phone: %s. %s\n", r.StatusCode(), c.to.user, orNone(rang), c.why)
	return r.StatusCode() == 200 && rang == c.want, nil
}

// what a message is, in a word.
func what(b []byte) string {
	first, _, _ := strings.Cut(string(b[:min(len(b), 64)]), "\r")
	words := strings.Fields(first)
	if len(words) > 1 && words[0] == "SIP/2.0" {
		return words[1]
	}
	return words[0]
}

// alertInfo is how the last call of a phone had it ring.
func alertInfo(p *phone) string {
	calls := p.requests("INVITE")
	if len(calls) == 0 {
		return ""
	}
	m := calls[len(calls)-1]
	var all []string
	for i := m.FindName([]byte("Alert-Info")); i >= 0; i = m.FindNameNext([]byte("Alert-Info"), i) {
		all = append(all, string(m.Bytes(m.Header(i).Value)))
	}
	return strings.Join(all, " and ")
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
