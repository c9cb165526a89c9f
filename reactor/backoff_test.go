package reactor

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"
)

var refusedConnect = because(ConnectFailed, "connection refused")

// table is a back-off table with a clock of its own.
type backoffTable struct {
	*testing.T
	backoff
	now int64
}

func newBackoff(t *testing.T) *backoffTable {
	return &backoffTable{T: t, backoff: backoff{limit: 30 * time.Second}, now: 1}
}

func destination(port uint16) *Target {
	return &Target{Proto: TLS, Addr: netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), port), Name: "good.example"}
}

func (b *backoffTable) key(t *Target) backoffKey { return t.backoffKey(t.Addr, "out", t.Name) }

func (b *backoffTable) fail(t *Target, ofName bool) bool {
	return b.failed(b.now, b.key(t), ofName, t, refusedConnect)
}

func (b *backoffTable) ask(t *Target) *Error { return b.refuses(b.now, b.key(t), t) }

func (b *backoffTable) after(d time.Duration) []Target {
	b.now += int64(d)
	return b.due(b.now)
}

// The step begins with a second and doubles with each probe that fails, to 30
// seconds, while nobody asks; a message never dials meanwhile.
func TestBackoffSteps(t *testing.T) {
	b, to := newBackoff(t), destination(5061)
	if b.ask(to) != nil {
		t.Fatal("a destination that never failed is refused")
	}
	if !b.fail(to, false) {
		t.Error("the first failure is not told as one")
	}
	for _, want := range []time.Duration{1, 2, 4, 8, 16, 30, 30} {
		want *= time.Second
		if list := b.after(want - 1); len(list) != 0 {
			t.Fatalf("a probe before %v are over", want)
		}
		list := b.after(1)
		if len(list) != 1 || list[0].Addr != to.Addr || list[0].Name != to.Name {
			t.Fatalf("after %v: %+v", want, list)
		}
		if again := b.after(time.Hour); len(again) != 0 {
			t.Fatal("two probes at once")
		}
		b.now -= int64(time.Hour)
		if e := b.refuses(b.now, b.key(to), &Target{Proto: TLS, Addr: to.Addr, Name: to.Name, Set: &AddrSet{[]EndPoint{{TLS, to.Addr}, {TLS, destination(1).Addr}}}}); e == nil || e.Reason != ConnectFailed || !strings.Contains(e.Error(), "refused") || !strings.Contains(e.Error(), "tcp_backoff") {
			t.Fatalf("a message that comes with the probe: %v", e)
		}
		if b.fail(to, false) {
			t.Error("a probe's failure is told as the first")
		}
	}
	if !b.succeeded(b.key(to)) || b.ask(to) != nil || b.count.Load() != 0 || len(b.ends) != 0 {
		t.Error("success does not end it")
	}
}

// Probes keep no pace: with a peer that is away for a moment of each second they
// would meet that moment every time.
func TestBackoffKeepsNoPace(t *testing.T) {
	r := start(t, &script{}, nil)
	b, to := newBackoff(t), destination(5061)
	b.random = r.backoff.random
	for _, longest := range []time.Duration{1, 2, 4, 8, 16, 30} {
		longest *= time.Second
		var least, most time.Duration
		for range 100 {
			d := time.Duration(b.stepEnd(b.now, longest) - b.now)
			if d > longest || d < longest*3/4 {
				t.Fatalf("a step of %v is over after %v", longest, d)
			}
			if least == 0 {
				least = d
			}
			least, most = min(least, d), max(most, d)
		}
		if most-least < longest/16 {
			t.Errorf("a hundred steps of %v were over after %v to %v", longest, least, most)
		}
	}
	var early bool // a probe takes part in it
	for range 100 {
		b.fail(to, false)
		early = early || len(b.after(firstStep*31/32)) == 1
		b.succeeded(b.key(to))
	}
	if !early {
		t.Error("of a hundred probes none came early")
	}
}

// While messages ask and nothing else of their set is up, a probe goes out every
// two seconds at least.
func TestBackoffIsShortWhereNothingElseIsUp(t *testing.T) {
	for name, tt := range map[string]struct {
		set   *AddrSet
		dead  bool // the other one, too
		short bool
	}{
		"alone":               {nil, false, true},
		"a set of one":        {&AddrSet{[]EndPoint{{TLS, destination(5061).Addr}}}, false, true},
		"another that is up":  {&AddrSet{[]EndPoint{{TLS, destination(5061).Addr}, {TLS, destination(5062).Addr}}}, false, false},
		"another that is not": {&AddrSet{[]EndPoint{{TLS, destination(5061).Addr}, {TLS, destination(5062).Addr}}}, true, true},
	} {
		b, to := newBackoff(t), destination(5061)
		to.Set = tt.set
		b.fail(to, false)
		if tt.dead {
			b.fail(destination(5062), false)
		}
		var longest time.Duration
		since := b.now
		for range 600 { // a minute of ten messages a second
			if b.ask(to) == nil {
				t.Fatalf("%s: a message was let through", name)
			}
			for _, p := range b.after(100 * time.Millisecond) {
				if p.Addr == to.Addr {
					longest = max(longest, time.Duration(b.now-since))
					since = b.now
				}
				b.fail(&p, false)
			}
		}
		if short := longest <= pressStep+100*time.Millisecond; short != tt.short {
			t.Errorf("%s: up to %v between probes", name, longest)
		}
	}
}

// The first message behind a long step brings the probe forward.
func TestBackoffPressedShortensTheStepUnderWay(t *testing.T) {
	b, to := newBackoff(t), destination(5061)
	b.fail(to, false)
	for range 5 {
		b.after(time.Minute)
		b.fail(to, false)
	}
	b.ask(to)
	if len(b.after(pressStep)) != 1 {
		t.Error("no probe two seconds after a message asked")
	}
}

// A refused certificate or name counts for its SIP domain only, and shows that
// the address is alive; other keys have nothing to do with one another either.
func TestBackoffKeys(t *testing.T) {
	b, to := newBackoff(t), destination(5061)
	b.fail(to, false)
	b.fail(to, true)
	other := *to
	other.Name = "other.example"
	if b.ask(to) == nil || b.ask(&other) != nil {
		t.Error("a refused name counts for another, or not for itself")
	}
	b.fail(&other, false)
	if b.ask(to) == nil || b.ask(&other) == nil {
		t.Error("an address that is dead is dead for all names")
	}
	for name, key := range map[string]backoffKey{
		"domain":   to.backoffKey(to.Addr, "in", ""),
		"address":  destination(5062).backoffKey(destination(5062).Addr, "out", ""),
		"protocol": (&Target{Proto: TCP}).backoffKey(to.Addr, "out", ""),
		"socket":   (&Target{Proto: TLS, Socket: &Socket{}}).backoffKey(to.Addr, "out", ""),
	} {
		if b.refuses(b.now, key, to) != nil {
			t.Errorf("another %s is refused", name)
		}
	}
	if !b.answered(keyOf(TLS, to.Addr)) || b.ask(&other) != nil || b.ask(to) == nil {
		t.Error("an answer ends what counts for the address, not for the name")
	}
}

// A probe that is made for a name and does not come that far is tried again.
func TestBackoffProbeOfANameFindsNobody(t *testing.T) {
	b, to := newBackoff(t), destination(5061)
	b.fail(to, true)
	if len(b.after(time.Second)) != 1 {
		t.Fatal("no probe")
	}
	b.fail(to, false)
	if n := len(b.after(time.Minute)); n != 2 {
		t.Errorf("%d probes, want one of the address and one of the name", n)
	}
}

// What is not the destination's fault leaves the step as it is.
func TestBackoffDeferred(t *testing.T) {
	b, to := newBackoff(t), destination(5061)
	b.fail(to, false)
	for range 3 {
		if len(b.after(time.Second)) != 1 {
			t.Fatal("no probe after a second")
		}
		b.deferred(b.now, b.key(to))
	}
}

// Nobody's destination is forgotten; the table keeps its bound; 0 turns it off.
func TestBackoffBounds(t *testing.T) {
	b := newBackoff(t)
	for i := range uint16(maxBackoff + 10) {
		b.now++
		b.fail(destination(1000+i), false)
	}
	if len(b.all) != maxBackoff || b.ask(destination(1000)) != nil || b.ask(destination(1000+maxBackoff)) == nil {
		t.Errorf("%d destinations; the oldest should have made room", len(b.all))
	}
	b.after(forgetTime + time.Minute)
	if len(b.all) != 0 || len(b.ends) != 0 {
		t.Errorf("%d destinations that nobody asks for", len(b.all))
	}
	off := &backoffTable{T: t, now: 1}
	if off.fail(destination(5061), false) || off.ask(destination(5061)) != nil {
		t.Error("it is off and refuses")
	}
}

// Whatever happens in whatever order: a message is refused exactly while its
// destination is in the table; there is one probe at a time for each entry; a
// step is between a second and the limit, and every entry has a probe ahead.
func TestBackoffProperties(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 7))
		b := newBackoff(t)
		under := map[string]Target{} // probes under way
		id := func(t *Target) string { return fmt.Sprint(t.Addr, t.Name) }
		pick := func() *Target {
			to := destination(uint16(5060 + rng.IntN(4)))
			to.Name = []string{"good.example", "other.example"}[rng.IntN(2)]
			if rng.IntN(2) == 0 {
				to.Set = &AddrSet{[]EndPoint{{TLS, destination(5060).Addr}, {TLS, destination(5061).Addr}}}
			}
			return to
		}
		for range 300 {
			to := pick()
			switch rng.IntN(6) {
			case 0:
				if b.ask(to) == nil { // it dials itself
					b.fail(to, rng.IntN(2) == 0)
				}
			case 1:
				b.ask(to)
			case 2:
				b.succeeded(b.key(to))
				if b.ask(to) != nil {
					t.Fatalf("seed %d: refused behind a success", seed)
				}
			case 3:
				b.answered(keyOf(TLS, to.Addr))
			default:
				for _, p := range b.after(time.Duration(rng.IntN(int(3 * time.Second)))) {
					under[id(&p)] = p
				}
			}
			for k, p := range under {
				if rng.IntN(3) > 0 {
					continue
				}
				switch rng.IntN(3) {
				case 0:
					b.fail(&p, rng.IntN(2) == 0)
				case 1:
					b.succeeded(b.key(&p))
				default:
					b.deferred(b.now, b.key(&p))
				}
				delete(under, k)
			}
			ends := map[peerKey]int{}
			for key, d := range b.all {
				ends[key.peer]++
				if d.step < firstStep || d.step > b.limit {
					t.Fatalf("seed %d: a step of %v", seed, d.step)
				}
				if !d.probing && (d.due <= d.failed || d.due > b.now+int64(b.limit)) {
					t.Fatalf("seed %d: due %v from now", seed, time.Duration(d.due-b.now))
				}
				if d.why == nil || key.name != "" && key.name != "good.example" && key.name != "other.example" {
					t.Fatalf("seed %d: %+v", seed, d)
				}
			}
			if fmt.Sprint(ends) != fmt.Sprint(b.ends) && len(ends)+len(b.ends) > 0 || int(b.count.Load()) != len(b.all) {
				t.Fatalf("seed %d: %v end points, counted %v; %d of %d", seed, ends, b.ends, b.count.Load(), len(b.all))
			}
		}
	}
}
