package backoff

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"sipreactor/reactor/internal/endpoint"
)

const refusedConnect = reason("connection refused")

type reason string

// dest is a destination of the tests.
type dest struct {
	Proto  uint8
	Addr   netip.AddrPort
	Name   string
	Set    []netip.AddrPort
	Socket int
}

const (
	tcp uint8 = iota + 2
	tls
)

// backoffTable is a table with a clock of its own.
type backoffTable struct {
	*testing.T
	Table[int, uint8, reason]
	now int64
}

func newBackoff(t *testing.T) *backoffTable {
	return &backoffTable{T: t, Table: Table[int, uint8, reason]{Limit: 30 * time.Second}, now: 1}
}

func destination(port uint16) *dest {
	return &dest{Proto: tls, Addr: netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), port), Name: "good.example"}
}

func (d *dest) key(addr netip.AddrPort, domain, name string) Key[int] {
	return Key[int]{Socket: d.Socket, Peer: endpoint.Of(d.Proto, addr), Domain: domain, Name: name}
}

func (b *backoffTable) key(t *dest) Key[int] { return t.key(t.Addr, "out", t.Name) }

func (b *backoffTable) fail(t *dest, ofName bool) bool {
	return b.Failed(b.now, b.key(t), ofName, Target[uint8]{Addr: t.Addr, Name: t.Name, What: t.Proto}, refusedConnect)
}

// ask returns "" when the destination is not refused.
func (b *backoffTable) ask(t *dest) reason { return b.askFor(b.key(t), t) }

func (b *backoffTable) askFor(key Key[int], t *dest) reason {
	why, refused := b.Refuses(b.now, key, t.Name, func(yield func(endpoint.Key) bool) {
		for _, a := range t.Set {
			if !yield(endpoint.Of(t.Proto, a)) {
				return
			}
		}
	})
	if refused != (why != "") {
		b.Fatalf("refused %v for %q", refused, why)
	}
	return why
}

func (b *backoffTable) after(d time.Duration) (list []dest) {
	b.now += int64(d)
	for _, t := range b.Due(b.now) {
		list = append(list, dest{Proto: t.What, Addr: t.Addr, Name: t.Name})
	}
	return list
}

// The step begins with a second and doubles with each probe that fails, to 30
// seconds, while nobody asks; a message never dials meanwhile. A connection without
// TLS has no name.
func TestSteps(t *testing.T) {
	for _, name := range []string{"good.example", ""} {
		t.Run("name "+name, func(t *testing.T) { testSteps(t, name) })
	}
}

func testSteps(t *testing.T, name string) {
	b, to := newBackoff(t), destination(5061)
	to.Name = name
	if b.ask(to) != "" {
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
		with := *to
		with.Set = []netip.AddrPort{to.Addr, destination(1).Addr}
		if b.ask(&with) != refusedConnect {
			t.Fatal("a message that comes with the probe is not refused")
		}
		if b.fail(to, false) {
			t.Error("a probe's failure is told as the first")
		}
		if d := b.Snapshot(b.now)[0]; d.Since != 0 {
			t.Errorf("it last failed %v ago", d.Since)
		}
	}
	if !b.Succeeded(b.key(to)) || b.ask(to) != "" || b.count.Load() != 0 || len(b.ends) != 0 {
		t.Error("success does not end it")
	}
}

// Probes keep no pace: with a peer that is away for a moment of each second they
// would meet that moment every time.
func TestKeepsNoPace(t *testing.T) {
	b, to := newBackoff(t), destination(5061)
	b.Random = rand.Int64N
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
		b.Succeeded(b.key(to))
	}
	if !early {
		t.Error("of a hundred probes none came early")
	}
}

// While messages ask and nothing else of their set is up, a probe goes out every
// two seconds at least.
func TestIsShortWhereNothingElseIsUp(t *testing.T) {
	for name, tt := range map[string]struct {
		set   []netip.AddrPort
		dead  bool // the other one, too
		short bool
	}{
		"alone":               {nil, false, true},
		"a set of one":        {[]netip.AddrPort{destination(5061).Addr}, false, true},
		"another that is up":  {[]netip.AddrPort{destination(5061).Addr, destination(5062).Addr}, false, false},
		"another that is not": {[]netip.AddrPort{destination(5061).Addr, destination(5062).Addr}, true, true},
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
			if b.ask(to) == "" {
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
func TestPressedShortensTheStepUnderWay(t *testing.T) {
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
func TestKeys(t *testing.T) {
	b, to := newBackoff(t), destination(5061)
	b.fail(to, false)
	b.fail(to, true)
	other := *to
	other.Name = "other.example"
	if b.ask(to) == "" || b.ask(&other) != "" {
		t.Error("a refused name counts for another, or not for itself")
	}
	b.fail(&other, false)
	if b.ask(to) == "" || b.ask(&other) == "" {
		t.Error("an address that is dead is dead for all names")
	}
	for name, key := range map[string]Key[int]{
		"domain":   to.key(to.Addr, "in", ""),
		"address":  to.key(destination(5062).Addr, "out", ""),
		"protocol": (&dest{Proto: tcp}).key(to.Addr, "out", ""),
		"socket":   (&dest{Proto: tls, Socket: 7}).key(to.Addr, "out", ""),
	} {
		if b.askFor(key, to) != "" {
			t.Errorf("another %s is refused", name)
		}
	}
	if !b.Answered(endpoint.Of(tls, to.Addr)) || b.ask(&other) != "" || b.ask(to) == "" {
		t.Error("an answer ends what counts for the address, not for the name")
	}
}

// A probe that is made for a name and does not come that far is tried again.
func TestProbeOfANameFindsNobody(t *testing.T) {
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
func TestDeferred(t *testing.T) {
	b, to := newBackoff(t), destination(5061)
	b.fail(to, false)
	for range 3 {
		if len(b.after(time.Second)) != 1 {
			t.Fatal("no probe after a second")
		}
		b.Deferred(b.now, b.key(to))
		if len(b.after(0)) != 0 {
			t.Fatal("a probe at once")
		}
	}
}

// A probe is made in the name of the latest message that asked.
func TestProbeHasTheLatestName(t *testing.T) {
	b, to := newBackoff(t), destination(5061)
	b.fail(to, false)
	other := *to
	other.Name = "other.example"
	b.ask(&other)
	if list := b.after(time.Second); len(list) != 1 || list[0].Name != other.Name {
		t.Errorf("probes: %+v", list)
	}
}

// A message that found nothing else counts for a moment: when none asks any more, the steps
// grow as ever.
func TestPressedIsOver(t *testing.T) {
	b, to := newBackoff(t), destination(5061)
	b.fail(to, false)
	b.ask(to)
	for range 3 {
		b.after(time.Minute)
		b.fail(to, false)
	}
	if step := b.Snapshot(b.now)[0].Step; step <= pressStep {
		t.Errorf("it is left alone for %v, minutes after the last message", step)
	}
}

// What fails while a destination is left alone was under way before: the step goes on.
func TestFailsWhileLeftAlone(t *testing.T) {
	b, to := newBackoff(t), destination(5061)
	b.fail(to, false)
	b.now += int64(time.Second / 2)
	if b.fail(to, false) {
		t.Error("it is told as the first failure")
	}
	if len(b.after(time.Second/2)) != 1 {
		t.Error("no probe a second after the first failure")
	}
}

// The next probe is the one that is due first, of those that are not under way.
func TestNext(t *testing.T) {
	b := newBackoff(t)
	if at := b.Next(); at != 0 {
		t.Errorf("a probe of nothing at %d", at)
	}
	for range 8 { // in any order of a map
		b.fail(destination(uint16(5061+len(b.all))), false)
		b.now += int64(time.Millisecond)
	}
	first := int64(1) + int64(time.Second)
	if at := b.Next(); at != first {
		t.Errorf("the next probe is due at %d, want %d", at, first)
	}
	b.Due(first)
	if at := b.Next(); at != first+int64(time.Millisecond) {
		t.Errorf("with one under way the next is due at %d", at)
	}
}

// Nobody's destination is forgotten; the table keeps its bound; 0 turns it off.
func TestBounds(t *testing.T) {
	b := newBackoff(t)
	for i := range uint16(maxEntries + 10) {
		b.now++
		b.fail(destination(1000+i), false)
	}
	if len(b.all) != maxEntries || b.ask(destination(1000)) != "" || b.ask(destination(1000+maxEntries)) == "" {
		t.Errorf("%d destinations; the oldest should have made room", len(b.all))
	}
	b.after(forgetTime + time.Minute)
	if len(b.all) != 0 || len(b.ends) != 0 {
		t.Errorf("%d destinations that nobody asks for", len(b.all))
	}
	off := &backoffTable{T: t, now: 1}
	if off.fail(destination(5061), false) || off.ask(destination(5061)) != "" {
		t.Error("it is off and refuses")
	}
}
