package main

import (
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestMidThrottlesContacts registers for longer at the main registrar, and removes there what is over here.
func TestMidThrottlesContacts(t *testing.T) {
	t.Parallel()
	m := startMid(t, `modparam("mid_registrar", "mode", 1)
modparam("mid_registrar", "min_expires", 1)
modparam("mid_registrar", "outgoing_expires", 600)
modparam("mid_registrar", "contact_id_insertion", "ct-username")
`)
	p := m.phone()
	p.register("Contact: <" + p.uri() + ">;expires=100")
	request := m.asked()
	got := brief(t.Fatal, request)
	if !regexp.MustCompile(`\|Contact: <sip:[0-9a-f]+@` + regexp.QuoteMeta(m.udp) + `>;expires=600$`).MatchString(got) {
		t.Errorf("the main registrar gets\n%s", got)
	}
	ours := sentContact(got)
	m.says(request, "200 OK", "Contact: <"+ours+">;expires=400")
	p.want("200 OK|Contact: <" + p.uri() + ">;q=0;expires=100")
	for range 3 {
		p.register("Contact: <" + p.uri() + ">;expires=50")
		p.want("200 OK|Contact: <" + p.uri() + ">;q=0;expires=50")
	}
	m.message(ours)
	p.want("MESSAGE " + p.uri())
	p.register() // a query
	p.want("200 OK|Contact: <" + p.uri() + ">;q=0;expires=50")
	p.register("Contact: <" + p.uri() + ">;expires=500") // longer than it is registered there
	request = m.asked()
	m.says(request, "200 OK", "Contact: <"+ours+">", "Expires: 450")
	p.want("200 OK|Contact: <" + p.uri() + ">;q=0;expires=450")
	other := m.phone() // somebody says the same from elsewhere
	other.register("Contact: <" + p.uri() + ">;expires=50")
	m.says(m.asked(), "403 Forbidden")
	other.want("403 Forbidden")
	m.message(ours)
	p.want("MESSAGE " + p.uri())
	p.register("Contact: <" + p.uri() + ">;expires=0")
	request = m.asked()
	if got := brief(t.Fatal, request); !strings.HasSuffix(got, "|Contact: <"+ours+">;expires=0") {
		t.Errorf("a phone goes: the main registrar gets\n%s", got)
	}
	m.says(request, "200 OK")
	p.want("200 OK")
	p.register("Contact: <" + p.uri() + ">;expires=4") // and nothing is heard of it again
	request = m.asked()
	ours = sentContact(brief(t.Fatal, request))
	m.says(request, "200 OK", "Contact: <"+ours+">;expires=600")
	p.want("200 OK|Contact: <" + p.uri() + ">;q=0;expires=4")
	request = m.asked()
	if got := brief(t.Fatal, request); got != "REGISTER sip:"+m.main.LocalAddr().String()+"|Contact: <"+ours+">;expires=0" {
		t.Errorf("a phone is over: the main registrar gets\n%s", got)
	}
	if s := string(request); !strings.Contains(s, "\r\nTo: <sip:alice@example.org>\r\n") || !strings.Contains(s, "\r\nCall-ID: "+p.conn.LocalAddr().String()+"\r\n") {
		t.Errorf("as\n%s", s)
	}
	m.says(request, "200 OK")
}

// TestMidTimeBeginsWithTheAnswer: a phone is registered for what it asked for, however long the main registrar took.
func TestMidTimeBeginsWithTheAnswer(t *testing.T) {
	t.Parallel()
	m := startMid(t, `modparam("mid_registrar", "mode", 1)
modparam("mid_registrar", "min_expires", 1)
modparam("mid_registrar", "outgoing_expires", 600)
`)
	p := m.phone()
	p.register("Contact: <" + p.uri() + ">;expires=2")
	request := m.asked()
	ours := sentContact(brief(t.Fatal, request))
	time.Sleep(3 * time.Second) // the phone asked for 2, which count by the clock: its time is over, had it begun with the request
	m.says(request, "200 OK", "Contact: <"+ours+">;expires=600")
	p.want("200 OK|Contact: <" + p.uri() + ">;q=0;expires=2")
	got := brief(t.Fatal, request)
	for repeated := got; got == repeated; { // it was kept waiting
		request = m.asked()
		got = brief(t.Fatal, request)
	}
	if got != "REGISTER sip:"+m.main.LocalAddr().String()+"|Contact: <"+ours+">;expires=0" {
		t.Errorf("the phone is over: the main registrar gets\n%s", got)
	}
	m.says(request, "200 OK")
}

// TestMidThrottlesAORs has one Contact at the main registrar for all phones of a user.
func TestMidThrottlesAORs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, params, user string }{
		{"users", "", "alice"},
		{"with domains", "modparam(\"usrloc\", \"use_domain\", 1)\n", "alice%40example.org"},
		{"another @", "modparam(\"usrloc\", \"use_domain\", 1)\nmodparam(\"mid_registrar\", \"at_escape_str\", \"___\")\n", "alice___example.org"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := startMid(t, c.params+"modparam(\"mid_registrar\", \"mode\", 2)\n")
			desk, mobile := m.phone(), m.phone()
			desk.register("Contact: <" + desk.uri() + ">;expires=100;q=0.9")
			request := m.asked()
			ours := "sip:" + c.user + "@" + m.udp
			if got := brief(t.Fatal, request); !strings.HasSuffix(got, "|Contact: <"+ours+">;expires=3600") {
				t.Errorf("the main registrar gets\n%s", got)
			}
			m.says(request, "200 OK", "Contact: <"+ours+">;expires=3600")
			first := "<" + desk.uri() + ">;q=0.9;expires=100"
			desk.want("200 OK|Contact: " + first)
			mobile.register("Contact: <" + mobile.uri() + ">;expires=100;q=0.1")
			if got := mobile.read(); !regexp.MustCompile(`^200 OK\|Contact: <` + regexp.QuoteMeta(desk.uri()) + `>;q=0.9;expires=\d+, <` + regexp.QuoteMeta(mobile.uri()) + `>;q=0.1;expires=100$`).MatchString(got) {
				t.Errorf("the second phone gets %s", got)
			}
			m.message(ours)
			desk.want("MESSAGE " + desk.uri())
			mobile.want("MESSAGE " + mobile.uri())
			desk.register("Contact: <" + desk.uri() + ">;expires=0")
			if got := desk.read(); !strings.HasPrefix(got, "200 OK|Contact: <"+mobile.uri()) {
				t.Errorf("one phone goes: %s", got)
			}
			mobile.register("Contact: <" + mobile.uri() + ">;expires=0")
			request = m.asked()
			if got := brief(t.Fatal, request); !strings.HasSuffix(got, "|Contact: <"+ours+">;expires=0") {
				t.Errorf("the last phone goes: the main registrar gets\n%s", got)
			}
			m.says(request, "200 OK")
			mobile.want("200 OK")
		})
	}
}

// TestMidAsksAboutNewContacts: with absorb_new_contacts 0 the main registrar sees each phone once.
func TestMidAsksAboutNewContacts(t *testing.T) {
	t.Parallel()
	m := startMid(t, "modparam(\"mid_registrar\", \"mode\", 2)\nmodparam(\"mid_registrar\", \"absorb_new_contacts\", 0)\n")
	for range 2 {
		p := m.phone()
		p.register("Contact: <" + p.uri() + ">;expires=100")
		request := m.asked()
		m.says(request, "200 OK", "Contact: <"+sentContact(brief(t.Fatal, request))+">;expires=3600")
		if got := p.read(); !strings.Contains(got, p.uri()) {
			t.Errorf("it gets %s", got)
		}
		p.register("Contact: <" + p.uri() + ">;expires=90")
		if got := p.read(); !strings.Contains(got, "<"+p.uri()+">;q=0;expires=90") {
			t.Errorf("again it gets %s", got)
		}
	}
}
