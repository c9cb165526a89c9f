package peers

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"testing"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/proxy"
	"sipreactor/sipframe"
)

var errDead = errors.New("connect failed: connection refused")

func end(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

func target(addr, name string) *reactor.Target {
	return &reactor.Target{Proto: reactor.TLS, Addr: end(addr), Name: name}
}

// dialled is the source of what comes by a connection of ours, accepted of one that
// the peer has opened.
func dialled(addr string) *reactor.Source {
	return &reactor.Source{Proto: reactor.TLS, Remote: end(addr), Outbound: true}
}
func accepted(addr string) *reactor.Source {
	return &reactor.Source{Proto: reactor.TLS, Remote: end(addr)}
}

// rows gives the table by name.
func rows(t *Table) map[string]Info {
	all := make(map[string]Info)
	for _, i := range t.Peers() {
		all[i.Name] = i
	}
	return all
}

// TestOneRowIsOneTrunk: what is sent to the addresses of a domain and what comes
// from there is in one row, whoever has opened the connection.
func TestOneRowIsOneTrunk(t *testing.T) {
	table := New(nil)
	table.Received(accepted("192.0.2.1:40000"))
	table.Forwarded(target("192.0.2.1:5061", "Trunk.example"))
	table.Forwarded(target("192.0.2.2:5061", "trunk.example"))
	table.Received(accepted("192.0.2.1:40001"))
	table.Received(accepted("192.0.2.2:40001"))
	table.Answered(&proxy.Answer{From: dialled("192.0.2.1:5061"), Method: sipframe.OPTIONS, Code: 200, After: 30 * time.Millisecond})
	table.Answered(&proxy.Answer{From: accepted("192.0.2.2:41000"), Method: sipframe.INVITE, Code: 100, After: 40 * time.Millisecond})
	table.Answered(&proxy.Answer{From: dialled("192.0.2.2:5061"), Method: sipframe.INVITE, Code: 200, After: 20 * time.Second})
	table.Answered(&proxy.Answer{From: accepted("198.51.100.1:5061"), Method: sipframe.INVITE, Code: 200})
	all := rows(table)
	one := all["trunk.example"]
	if len(all) != 1 || one.RequestsIn != 3 || one.RequestsOut != 2 || one.Answers != [6]uint64{1, 2} || len(one.Ends) != 2 {
		t.Errorf("%+v", all)
	}
	if r := one.RoundTrip; r.Count != 2 || r.P50 < 30*time.Millisecond || r.P99 < 40*time.Millisecond || r.P99 > 50*time.Millisecond {
		t.Errorf("%+v", r)
	}

	// Two trunks behind one address are two rows, by their ports.
	table = New(nil)
	table.Forwarded(target("192.0.2.1:5061", "192.0.2.1"))
	table.Forwarded(target("192.0.2.1:5062", ""))
	table.Received(accepted("192.0.2.1:40000"))
	if all := rows(table); len(all) != 3 || all["192.0.2.1:5061"].RequestsOut != 1 || all["192.0.2.1:5062"].RequestsOut != 1 || all["192.0.2.1"].RequestsIn != 1 {
		t.Errorf("%+v", all)
	}
}

func TestConfiguredPeers(t *testing.T) {
	table := New([]string{"Trunk.example", "192.0.2.1", "192.0.2.2:5063", "192.0.2.1", "[2001:db8::1]", "2001:db8::1", ""})
	table.Forwarded(target("192.0.2.9:5061", "trunk.example"))
	table.Forwarded(target("192.0.2.1:5061", ""))
	table.Forwarded(target("192.0.2.1:5070", ""))
	table.Forwarded(target("192.0.2.2:5063", ""))
	table.Forwarded(target("[2001:db8::1]:5061", "2001:db8::1"))
	all := rows(table)
	for name, want := range map[string]uint64{"trunk.example": 1, "192.0.2.1": 2, "192.0.2.2:5063": 1, "2001:db8::1": 1} {
		if i := all[name]; !i.Configured || i.RequestsOut != want {
			t.Errorf("%s: %+v", name, i)
		}
	}
	if len(all) != 4 {
		t.Errorf("%+v", all)
	}
}

// TestDownAndBack: a peer is down from its first failure until it answers or a
// connection to it is up.
func TestDownAndBack(t *testing.T) {
	table := New(nil)
	table.Forwarded(target("192.0.2.1:5061", ""))
	table.Failed(reactor.TLS, end("192.0.2.1:5061"), "", errDead)
	table.Refused(end("192.0.2.1:5061"), "")
	table.Failed(reactor.TLS, netip.AddrPort{}, "gone.example", errors.New("no such host"))
	table.Refused(netip.AddrPort{}, "gone.example")
	table.Refused(netip.AddrPort{}, "")
	all := rows(table)
	if i := all["192.0.2.1:5061"]; i.Down.IsZero() || i.Failed != 1 || i.Refused != 1 || i.LastError != errDead.Error() || i.LastErrorAt.IsZero() {
		t.Errorf("%+v", i)
	}
	if i := all["gone.example"]; i.Down.IsZero() || i.Refused != 1 || len(all) != 2 {
		t.Errorf("%+v", all)
	}
	table.Observe(&reactor.Event{Kind: reactor.ConnEstablished, Src: dialled("192.0.2.1:5061")})
	if i := rows(table)["192.0.2.1:5061"]; !i.Down.IsZero() || i.LastError == "" {
		t.Errorf("established: %+v", i)
	}
	why := &reactor.Error{Reason: reactor.SendTimeout, Blame: reactor.BlamePeer}
	table.Observe(&reactor.Event{Kind: reactor.ConnClosed, Src: dialled("192.0.2.1:5061"), Err: why, Time: time.Now()})
	if i := rows(table)["192.0.2.1:5061"]; i.Down.IsZero() || i.LastError != why.Error() {
		t.Errorf("closed: %+v", i)
	}
	table.Answered(&proxy.Answer{From: dialled("192.0.2.1:5061"), Method: sipframe.OPTIONS, Code: 503})
	if i := rows(table)["192.0.2.1:5061"]; !i.Down.IsZero() || i.Answers[4] != 1 {
		t.Errorf("answered: %+v", i)
	}
	// Who only hits on us makes no row, and is not down.
	table.Observe(&reactor.Event{Kind: reactor.ConnClosed, Src: accepted("198.51.100.1:4000"), Err: why})
	table.Observe(&reactor.Event{Kind: reactor.ConnClosed, Src: accepted("192.0.2.1:4000"), Err: why})
	if all := rows(table); len(all) != 2 || !all["192.0.2.1:5061"].Down.IsZero() {
		t.Errorf("%+v", all)
	}
}

// TestTableIsBounded: peers beyond the bound share a row; a configured one has its
// own; rows in which nothing happens make room.
func TestTableIsBounded(t *testing.T) {
	table := New([]string{"trunk.example"})
	many := func(from, to int) {
		for i := from; i < to; i++ {
			table.Received(&reactor.Source{Remote: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 1)})
		}
	}
	table.mu.Lock()
	table.swept = time.Now().Add(time.Hour) // not before all are there, however long a busy machine takes
	table.mu.Unlock()
	many(0, 100_000)
	table.Forwarded(target("192.0.2.1:5061", "trunk.example"))
	all := rows(table)
	if len(all) != maxRows+1 || all[Others].RequestsIn+maxRows-1 != 100_000 || all["trunk.example"].RequestsOut != 1 {
		t.Errorf("%d rows, %+v, %+v", len(all), all[Others], all["trunk.example"])
	}
	if table.index.entries > maxEntries {
		t.Errorf("%d entries", table.index.entries)
	}
	for range 2 { // the first sweep, at most, has seen no row before
		table.mu.Lock()
		table.swept = time.Time{}
		table.mu.Unlock()
		many(200_000, 200_001)
	}
	all = rows(table)
	if one := all["10.3.13.64"]; len(all) > 100 || one.RequestsIn == 0 || all["trunk.example"].RequestsOut != 1 {
		t.Errorf("%d rows when the others are still, %+v", len(all), one)
	}
}

func TestTroubleOrder(t *testing.T) {
	table := New(nil)
	for i, n := range []int{3, 1, 2} {
		to := target(fmt.Sprintf("192.0.2.%d:5061", i), "")
		for range n {
			table.Forwarded(to)
		}
	}
	table.Failed(reactor.TLS, end("192.0.2.1:5061"), "", errDead)
	list := table.Peers()
	best := 0
	for i := range list {
		if Trouble(&list[i], &list[best]) < 0 {
			best = i
		}
	}
	if list[best].Name != "192.0.2.1:5061" || Trouble(&list[0], &list[2]) >= 0 || Trouble(&list[0], &list[0]) != 0 {
		t.Errorf("%+v comes first", list[best])
	}
}

func TestRoundTrips(t *testing.T) {
	last := time.Duration(0)
	for i := range tripBuckets {
		if b := bound(i); b <= last || bucket(b-time.Microsecond) != i || i+1 < tripBuckets && bucket(b) != i+1 {
			t.Errorf("bucket %d ends at %v: %d, %d", i, b, bucket(b-time.Microsecond), bucket(b))
		} else {
			last = b
		}
	}
	if bucket(-1) != 0 || bucket(time.Hour) != tripBuckets-1 || last < 2*time.Minute {
		t.Errorf("the ends: %d, %d, %v", bucket(-1), bucket(time.Hour), last)
	}
	var r roundTrips
	if r.times() != (Times{}) {
		t.Errorf("of nothing: %+v", r.times())
	}
	for i := range 100 {
		r.add(time.Duration(i+1) * 10 * time.Millisecond)
	}
	if x := r.times(); x.P50 < 500*time.Millisecond || x.P50 > 625*time.Millisecond || x.P99 < 990*time.Millisecond || x.P99 > 1240*time.Millisecond || x.Sum != 50500*time.Millisecond {
		t.Errorf("%+v", x)
	}
	r.turn()
	if x := r.times(); x.P50 == 0 {
		t.Errorf("the window before is gone: %+v", x)
	}
	r.turn()
	if x := r.times(); x.P50 != 0 || x.Count != 100 {
		t.Errorf("the window before the last is there: %+v", x)
	}
}

// TestNoAllocation: a message of a known peer costs no allocation.
func TestNoAllocation(t *testing.T) {
	table := New(nil)
	to, from := target("192.0.2.1:5061", "trunk.example"), accepted("192.0.2.1:40000")
	answer := &proxy.Answer{From: dialled("192.0.2.1:5061"), Method: sipframe.OPTIONS, Code: 200, After: time.Millisecond}
	message := func() { table.Received(from); table.Forwarded(to); table.Answered(answer) }
	message()
	if n := testing.AllocsPerRun(100, message); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestTableConcurrently is for the race detector: all that can happen at once.
func TestTableConcurrently(t *testing.T) {
	table := New([]string{"trunk.example"})
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 5000 {
				n := rand.IntN(3 * maxRows)
				addr := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(n >> 8), byte(n)}), 5061)
				table.Forwarded(&reactor.Target{Addr: addr})
				table.Received(&reactor.Source{Remote: addr})
				table.Answered(&proxy.Answer{From: &reactor.Source{Remote: addr, Outbound: true}, Code: 200, After: time.Second})
				table.Failed(reactor.TLS, addr, "", errDead)
				if n%500 == 0 {
					table.Peers()
				}
			}
		})
	}
	all.Wait()
}

func BenchmarkTransaction(b *testing.B) {
	table := New(nil)
	to, from := target("192.0.2.1:5061", "trunk.example"), accepted("192.0.2.1:40000")
	answer := &proxy.Answer{From: dialled("192.0.2.1:5061"), Method: sipframe.OPTIONS, Code: 200, After: time.Millisecond}
	b.ReportAllocs()
	for b.Loop() {
		table.Received(from)
		table.Forwarded(to)
		table.Answered(answer)
	}
}

// TestAnswerComesFirst: another worker may have the answer before the one that has
// sent the request gets on.
func TestAnswerComesFirst(t *testing.T) {
	table := New(nil)
	table.Answered(&proxy.Answer{From: dialled("192.0.2.1:5061"), Method: sipframe.OPTIONS, Code: 200})
	table.Forwarded(target("192.0.2.1:5061", "192.0.2.1"))
	if all := rows(table); len(all) != 1 || all["192.0.2.1:5061"].RequestsOut != 1 || all["192.0.2.1:5061"].Answers[1] != 1 {
		t.Errorf("%+v", all)
	}
}

// TestPhonesAreNoPeers: what goes by the connection that a phone registered over has no address.
func TestPhonesAreNoPeers(t *testing.T) {
	p := New(nil)
	p.Forwarded(&reactor.Target{Proto: reactor.TLS, Conn: 7})
	if n := len(p.Peers()); n != 0 {
		t.Errorf("%d peers", n)
	}
}
