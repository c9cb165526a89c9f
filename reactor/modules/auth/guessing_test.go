package auth_test

import (
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/modules/moduletest"
)

// TestGuessing refuses who guesses, and nobody else.
func TestGuessing(t *testing.T) {
	p := users(t, "modparam(\"auth\", \"guess_limit\", 3)\n", routes)
	_, ch := p.send()
	p.password = "wrong"
	for i := range 3 {
		if code, _ := p.send(p.answer(ch[1], uint32(i+1), "sip:example.org")); code != "401" {
			t.Fatalf("guess %d: %s", i, code)
		}
	}
	p.password = "secret"
	if code, _ := p.send(p.answer(ch[1], 9, "sip:example.org")); code != "403" {
		t.Errorf("behind three guesses even the right one is refused there: %s", code)
	}
	if log := strings.Join(p.Lines(), "\n"); strings.Count(log, "credentials are not looked at") == 0 {
		t.Errorf("the log: %s", log)
	}
	elsewhere := *p.Source
	p.Source = &elsewhere
	elsewhere.Remote = moduletest.Sockets[0].Addr
	if code, _ := p.send(p.answer(ch[1], 10, "sip:example.org")); code != "403" {
		t.Errorf("with the nonce of who guessed: %s", code)
	}
	_, ch = p.send()
	if code, _ := p.send(p.answer(ch[1], 1, "sip:example.org")); code != "200" {
		t.Errorf("the user elsewhere: %s %v", code, p.Log)
	}
}

// TestGuessingForged: who fetches nonces and answers them from an address that is not his locks nobody out there.
func TestGuessingForged(t *testing.T) {
	p := users(t, "modparam(\"auth\", \"guess_limit\", 3)\nmodparam(\"auth\", \"guess_source_limit\", 3)\n", routes)
	here, victim := p.Source, *p.Source
	victim.Remote = moduletest.Sockets[0].Addr
	p.password = "wrong"
	for n := range 10 {
		p.Source = here
		_, ch := p.send()
		p.Source = &victim
		want := "401"
		if n >= 3 {
			want = "403"
		}
		if code, _ := p.send(p.answer(ch[1], 1, "sip:example.org")); code != want {
			t.Errorf("forged guess %d: %s, want %s", n, code, want)
		}
	}
	p.password = "secret"
	_, ch := p.send()
	if code, _ := p.send(p.answer(ch[1], 1, "sip:example.org")); code != "200" {
		t.Errorf("the victim: %s", code)
	}
}

// TestGuessingNobody: who guesses at a user that there is not is answered as by one that there is.
func TestGuessingNobody(t *testing.T) {
	var answers [2]string
	for i, user := range []string{"alice", "nobody"} {
		p := users(t, "modparam(\"auth\", \"guess_limit\", 3)\nmodparam(\"auth\", \"guess_slow\", 0)\n", routes)
		_, ch := p.send()
		p.user, p.password = user, "wrong"
		for n := range 5 {
			code, _ := p.send(p.answer(ch[1], uint32(n+1), "sip:example.org"))
			answers[i] += code + " "
		}
	}
	if answers[0] != "401 401 401 403 403 " || answers[1] != answers[0] {
		t.Errorf("a user is answered %s, nobody %s", answers[0], answers[1])
	}
}

// TestSlowed has who guesses wait between tries, and nobody else.
func TestSlowed(t *testing.T) {
	p := users(t, "modparam(\"auth\", \"guess_slow\", 1)\n", routes)
	_, ch := p.send()
	p.password = "wrong"
	p.send(p.answer(ch[1], 1, "sip:example.org"))
	p.password = "secret"
	code, _ := p.send(p.answer(ch[1], 2, "sip:example.org"))
	if code != "403" || p.Sent[0].Header("Retry-After") != "1" {
		t.Fatalf("at once: %s %+v", code, p.Sent)
	}
	elsewhere := *p.Source
	elsewhere.Remote = moduletest.Sockets[0].Addr
	here := p.Source
	p.Source = &elsewhere
	_, there := p.send()
	if code, _ := p.send(p.answer(there[1], 1, "sip:example.org")); code != "200" {
		t.Errorf("the user elsewhere: %s %v", code, p.Log)
	}
	p.Source = here
	for n, end := uint32(4), time.Now().Add(20*time.Second); ; n++ {
		if code, _ = p.send(p.answer(ch[1], n, "sip:example.org")); code != "403" || time.Now().After(end) {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if code != "200" {
		t.Errorf("later: %s %v", code, p.Log)
	}
}
