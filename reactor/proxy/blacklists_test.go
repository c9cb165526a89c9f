package proxy

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/blacklist"
	"sipreactor/reactor/names"
)

func listed(t testing.TB, defs ...string) *blacklist.Set {
	t.Helper()
	s := new(blacklist.Set)
	for _, def := range defs {
		l, err := blacklist.Parse(def, "core")
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Add(l); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// A message goes to none of the targets that the lists it uses have; with none
// left, the Router is told why.
func TestBlacklists(t *testing.T) {
	lists := listed(t, "gw/default:203.0.113.1", "carrier:203.0.113.2", `words:{(any,203.0.113.0/24,0,"MESSAGE*\r\nX-Bad: *")}`)
	for _, tc := range []struct {
		name, method string
		do           func(c *Context)
		want         string // "" none
	}{
		{"default", "OPTIONS", func(*Context) {}, "203.0.113.2:5061"},
		{"not the default one", "OPTIONS", func(c *Context) { c.UnuseBlacklist([]byte("gw")) }, "203.0.113.1:5061"},
		{"another one, too", "OPTIONS", func(c *Context) { c.UseBlacklist([]byte("carrier")) }, "203.0.113.3:5061"},
		{"a pattern that is in it", "MESSAGE", func(c *Context) {
			c.UseBlacklist([]byte("words"))
			if err := c.AppendHeader([]byte("X-Bad: word\r\n")); err != nil {
				t.Error(err)
			}
		}, ""},
		{"a pattern that is not in it", "OPTIONS", func(c *Context) {
			c.UseBlacklist([]byte("words"))
			if err := c.AppendHeader([]byte("X-Bad: word\r\n")); err != nil {
				t.Error(err)
			}
		}, "203.0.113.2:5061"},
		{"a list that is not there", "OPTIONS", func(c *Context) {
			if c.UseBlacklist([]byte("none")) || c.UnuseBlacklist([]byte("none")) {
				t.Error("there is a list none")
			}
		}, "203.0.113.2:5061"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var failure error
			b := newBed(t, funcs{request: func(c *Context) {
				tc.do(c)
				failure = c.Forward(nil)
			}}, func(c *Config) {
				c.Resolver = addresses("203.0.113.1:5061", "203.0.113.2:5061", "203.0.113.3:5061")
				c.Blacklists = lists
			})
			s := b.one(request(tc.method, calleeURI), overTLS)
			switch {
			case tc.want == "":
				if !errors.Is(failure, ErrFiltered) || firstLine(s.text) != "SIP/2.0 503 Service Unavailable" {
					t.Errorf("%v, %s", failure, firstLine(s.text))
				}
				if b.proxy.Count(RequestsFiltered) != 3 {
					t.Errorf("%d counted", b.proxy.Count(RequestsFiltered))
				}
			case s.to.Addr.String() != tc.want:
				t.Errorf("sent to %v, want %s", s.to.Addr, tc.want)
			}
		})
	}
}

// What comes back goes to no target that a list of its own has.
func TestBlacklistsOfWhatComesBack(t *testing.T) {
	b := newBed(t, funcs{request: func(c *Context) {
		c.UseBlacklist([]byte("carrier"))
		_ = c.Forward(nil)
	}}, func(c *Config) {
		c.Resolver = addresses("203.0.113.1:5061", "203.0.113.2:5061", "203.0.113.3:5061")
		c.Blacklists = listed(t, "carrier:203.0.113.2")
	})
	s := b.one(request("OPTIONS", calleeURI), overTLS)
	if out := b.failLate(s); len(out) != 1 || out[0].to.Addr.String() != "203.0.113.3:5061" {
		t.Errorf("%+v", out)
	}
}

// Send keeps to the lists as well.
func TestBlacklistsOfSend(t *testing.T) {
	var err error
	b := newBed(t, funcs{request: func(c *Context) { err = c.Send([]byte("tls:203.0.113.1"), nil) }}, func(c *Config) {
		c.Blacklists = listed(t, "gw/default:203.0.113.1")
	})
	b.pass(request("OPTIONS", calleeURI), overTLS)
	if !errors.Is(err, ErrFiltered) {
		t.Error(err)
	}
}

// With disable_dns_blacklist off a target that failed is left out by all who come
// later; one that had no room, or that was the last, is not.
func TestDeadTargets(t *testing.T) {
	dead, err := blacklist.NewList("dns", "core", blacklist.Expire|blacklist.Default, nil)
	if err != nil {
		t.Fatal(err)
	}
	set := new(blacklist.Set)
	if err := set.Add(dead); err != nil {
		t.Fatal(err)
	}
	b := newBed(t, funcs{}, func(c *Config) {
		c.Resolver = addresses("203.0.113.1:5061", "203.0.113.2:5061", "203.0.113.3:5061")
		c.Blacklists, c.DeadTargets = set, dead
	})
	failing := map[string]reactor.Blame{"203.0.113.1:5061": reactor.BlameOverload, "203.0.113.2:5061": reactor.BlamePeer}
	b.refuse = func(to *reactor.Target) error {
		if blame, ok := failing[to.Addr.String()]; ok {
			return &reactor.Error{Reason: reactor.ConnectFailed, Blame: blame}
		}
		return nil
	}
	s := b.one(request("OPTIONS", calleeURI), overTLS)
	if s.to.Addr.String() != "203.0.113.3:5061" {
		t.Fatalf("%v", s.to.Addr)
	}
	if got := dead.Entries(time.Now()); len(got) != 1 || got[0].Net.String() != "203.0.113.2/32" || got[0].Port != 5061 || got[0].Proto != reactor.TLS {
		t.Fatalf("%v", got)
	}
	clear(failing)
	s = b.one(request("OPTIONS", calleeURI, "Call-ID: second"), overTLS)
	if s.to.Addr.String() != "203.0.113.1:5061" {
		t.Fatalf("%v", s.to.Addr)
	}
	if out := b.failLate(s); len(out) != 1 || out[0].to.Addr.String() != "203.0.113.3:5061" {
		t.Fatalf("%+v", out)
	}
	if got := dead.Entries(time.Now().Add(deadFor)); len(got) != 0 {
		t.Errorf("for ever: %v", got)
	}
}

// A transaction that goes on to the next target says that the one before is dead.
func TestDeadTargetsOfTransactions(t *testing.T) {
	dead, _ := blacklist.NewList("dns", "core", blacklist.Expire|blacklist.Default, nil)
	set := new(blacklist.Set)
	_ = set.Add(dead)
	var w Way
	var text []byte
	answer := offers{TTL: time.Minute}
	for _, a := range []string{"203.0.113.1:5060", "203.0.113.2:5060"} {
		answer.Targets = append(answer.Targets, names.Target{EndPoint: reactor.EndPoint{Proto: reactor.UDP, Addr: netip.MustParseAddrPort(a)}})
	}
	b := newBed(t, funcs{request: func(c *Context) {
		if err := errors.Join(c.Aim(nil, &w), c.SendBranch(1, 0, &w, &text)); err != nil || len(dead.Entries(time.Now())) != 0 {
			t.Error(err, dead.Entries(time.Now()))
		}
		if err := c.SendBranch(1, 0, &w, &text); err != nil || w.More() { // the first was silent
			t.Error(err)
		}
	}}, func(c *Config) { c.Resolver, c.Blacklists, c.DeadTargets = answer, set, dead })
	b.pass(request("OPTIONS", "sip:bob@example.org"), overTLS)
	if got := dead.Entries(time.Now()); len(got) != 1 || got[0].Net.String() != "203.0.113.1/32" || got[0].Proto != reactor.UDP {
		t.Errorf("%v", got)
	}
}
