package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// TestTrunkRevives: a PBX calls by carriers whose first gateway breaks under load, each in a way of its own, and comes
// back. All calls are answered, once, by a gateway that can; the broken ones are out, are found when they are back,
// and get calls again.
func TestTrunkRevives(t *testing.T) {
	t.Parallel()
	ca, err := authority()
	if err != nil {
		t.Fatal(err)
	}
	moods := []mood{gone, frozen, overloaded, trying, resetting, expired}
	other := newFickle(t, ca)
	gateways, carriers, rules := "gwid,type,address,strip,pri_prefix,attrs,probe_mode\n", "carrierid,gwlist,sort_alg,attrs\n", "groupid,prefix,timerec,priority,gwlist,attrs\n"
	gateways += fmt.Sprintf("other,1,sip:%s;transport=tls,0,,,2\n", other.addr)
	carriers += "last,other,N,\n"
	var first []*fickle
	for i, m := range moods {
		first = append(first, newFickle(t, ca))
		gateways += fmt.Sprintf("%s,1,sip:%s;transport=tls,0,,,2\n", m, first[i].addr)
		carriers += fmt.Sprintf("A%d,%s,N,\n", i, m)
		rules += fmt.Sprintf("0,%d,,0,\"#A%d,#last\",\n", 100+i, i)
	}
	dir := t.TempDir()
	pairs := []string{`"drouting", "probing_interval", 10`, `"drouting", "probing_interval", 1`, `"fr_timeout", 4`, `"fr_timeout", 1`, `"fr_inv_timeout", 120`, `"fr_inv_timeout", 3`}
	for name, text := range map[string]string{"gateways.csv": gateways, "carriers.csv": carriers, "rules.csv": rules} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		pairs = append(pairs, `"/etc/sipreactor/`+name+`"`, `"`+path+`"`)
	}
	c := try(t, "trunk-edge", pairs...)
	p := dialPBX(t, c.tls)
	n := 0
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	calls := func(many int) {
		for range many {
			<-tick.C
			p.call(strconv.Itoa(100+n%len(moods)), n)
			n++
		}
	}
	all := func(what string, active bool) {
		t.Helper()
		c.eventually(what, func() bool {
			seen := c.destinations()
			for _, m := range moods {
				if (seen[string(m)].State == "Active") != active {
					return false
				}
			}
			return seen["other"].State == "Active"
		})
	}
	calls(60)
	c.eventually("all calls are answered", func() bool { return p.answered() == n })
	if got := other.calls(); got > 0 {
		t.Errorf("%d calls went to the last carrier though all others live", got)
	}
	for round := range 2 {
		for i, m := range moods {
			first[i].turn(m)
		}
		calls(300)
		c.eventually("all calls are answered", func() bool { return p.answered() == n })
		all("all that are broken are out", false)
		was := make([]int, len(moods))
		for i, f := range first {
			f.turn(sound)
			was[i] = f.calls()
		}
		all("all are back", true)
		calls(60)
		c.eventually("all calls are answered", func() bool { return p.answered() == n })
		for i, m := range moods {
			if first[i].calls() == was[i] {
				t.Errorf("round %d: the one that was %s gets no calls", round, m)
			}
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, code := range p.final {
		if code != 486 || p.finals[id] != 1 {
			t.Errorf("call %s: %d, %d finals, after %v", id, code, p.finals[id], p.took[id])
		}
	}
	seen := c.destinations()
	for _, m := range append(moods, "other") {
		if d := seen[string(m)]; d.Running != 0 || d.Calls == 0 {
			t.Errorf("%s: %d calls of which %d run", m, d.Calls, d.Running)
		}
	}
}

// seenDestination is what the command destinations tells of one.
type seenDestination struct {
	Name, State            string
	Calls, Running, Silent int
}

// destinations gives them by name.
func (c *trial) destinations() map[string]seenDestination {
	c.Helper()
	var list struct{ Destinations []seenDestination }
	if err := json.Unmarshal([]byte(c.mi("--json", "destinations")), &list); err != nil {
		c.Fatal(err)
	}
	all := map[string]seenDestination{}
	for _, d := range list.Destinations {
		all[d.Name] = d
	}
	return all
}

// TestSilenceIsCountedAtOnce: a call goes on to another gateway because the first one is silent: that is counted when
// it happens, and not when the call's transaction is forgotten.
func TestSilenceIsCountedAtOnce(t *testing.T) {
	t.Parallel()
	ca, err := authority()
	if err != nil {
		t.Fatal(err)
	}
	mute, other := newFickle(t, ca), newFickle(t, ca)
	c := try(t, "trunk-edge", "192.0.2.11:5061", mute.addr, "192.0.2.12:5061", "127.0.0.1:"+freePort(t), "192.0.2.21:5061", other.addr, `"a1=60,a2=40"`, "a1", `"fr_timeout", 4`, `"fr_timeout", 1`)
	p := dialPBX(t, c.tls)
	p.call("331", 0)
	c.eventually("the call is answered", func() bool { return p.answered() == 1 })
	mute.turn(frozen)
	p.call("331", 1)
	c.eventually("the call is answered", func() bool { return p.answered() == 2 })
	if d := c.destinations()["a1"]; d.Calls != 2 || d.Silent != 1 || d.Running != 0 {
		t.Errorf("%+v", d)
	}
}

// TestBackoffIsKnownBeforeTheCall: the engine knows from another call that nobody is at a gateway's address. Calls
// take no step towards it: they go to the next one as if it was the first.
func TestBackoffIsKnownBeforeTheCall(t *testing.T) {
	ca, err := authority()
	if err != nil {
		t.Fatal(err)
	}
	other, dir := newFickle(t, ca), t.TempDir()
	dead := "127.0.0.1:" + freePort(t)
	pairs := []string{}
	for name, text := range map[string]string{
		"gateways.csv": fmt.Sprintf("gwid,type,address,strip,pri_prefix,attrs,probe_mode\ntwin,1,sip:%[1]s;transport=tls,0,,,0\ndead,1,sip:%[1]s;transport=tls,0,,,0\nother,1,sip:%[2]s;transport=tls,0,,,0\n", dead, other.addr),
		"carriers.csv": "carrierid,gwlist,sort_alg,attrs\nA,dead,N,\nB,other,N,\nT,twin,N,\n",
		"rules.csv":    "groupid,prefix,timerec,priority,gwlist,attrs\n0,,,0,\"#A,#B\",\n0,9,,0,\"#T,#B\",\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		pairs = append(pairs, `"/etc/sipreactor/`+name+`"`, `"`+path+`"`)
	}
	c := try(t, "trunk-edge", pairs...)
	p := dialPBX(t, c.tls)
	p.call("9331", 0)
	c.eventually("the call is answered", func() bool { return p.answered() == 1 })
	c.eventually("it shows", func() bool { return c.destinations()["dead"].State == "Unreachable" })
	failovers := c.mi("get_statistics", "drouting:failovers")
	for n := 1; n <= 20; n++ {
		p.call("331", n)
	}
	c.eventually("all calls are answered", func() bool { return p.answered() == 21 })
	if now := c.mi("get_statistics", "drouting:failovers"); now != failovers || c.destinations()["dead"].Calls != 0 || other.calls() != 21 {
		t.Errorf("%s, was %s; %+v", now, failovers, c.destinations())
	}
}

// TestNoRouteWithinDialog: who ignores Record-Route and asks the edge itself is told so, by each example that relays for
// its own side; the request goes round in no loop.
func TestNoRouteWithinDialog(t *testing.T) {
	box := listenTLS(t, "127.0.0.2:0")
	for name, trusted := range map[string]struct{ transport, from string }{"trunk-edge": {"UDP", ""}, "direct-routing": {"UDP", ""}, "load-balancer": {"TLS", "127.0.0.2"}} {
		t.Run(name, func(t *testing.T) {
			c := try(t, name, "192.0.2.11:5061", box.at, "192.0.2.12:5061", box.at, "192.0.2.21:5061", box.at,
				"sip.pstnhub.microsoft.com:5061", box.at, "sip2.pstnhub.microsoft.com:5061", box.at, "sip3.pstnhub.microsoft.com:5061", box.at)
			from, at := c.pbx, c.udp
			if trusted.from != "" {
				from, at = c.dial(trusted.from), c.tls
			}
			from.send(fmt.Sprintf("%[1]s BYE sip:331@%[1]s SIP/2.0\r\nVia: SIP/2.0/%[2]s %[3]s;branch=z9hG4bKbye\r\nMax-Forwards: 70\r\nFrom: <sip:a@example.com>;tag=1\r\n"+
				"To: <sip:331@example.com>;tag=2\r\nCall-ID: bye\r\nCSeq: 2 BYE\r\nContent-Length: 0\r\n\r\n", at, trusted.transport, from.at))
			c.eventually("it is answered", func() bool { return from.final("bye") != "" })
			if code := from.final("bye"); code != "404" {
				t.Errorf("answered %s", code)
			}
		})
	}
}
