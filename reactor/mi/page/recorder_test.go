package page

import (
	"fmt"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"sipreactor/reactor"
	"sipreactor/reactor/internal/waittest"
	"sipreactor/tlsstate"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// happens makes an event, so many seconds after start.
func happens(kind reactor.EventKind, id reactor.Handle, seconds int) *reactor.Event {
	port := uint16(1024 + uint64(id)%60000)
	return &reactor.Event{Kind: kind, Time: start.Add(time.Duration(seconds) * time.Second),
		Src: &reactor.Source{Conn: id, Proto: reactor.TLS, Remote: netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, 1}), port)}}
}

// closing makes a close for a reason.
func closing(id reactor.Handle, seconds int, r reactor.Reason, detail string) *reactor.Event {
	e := happens(reactor.ConnClosed, id, seconds)
	e.Err = &reactor.Error{Reason: r, Blame: r.Blame(), Detail: detail}
	return e
}

// fed is a Recorder that has taken events.
func fed(t *testing.T, events ...*reactor.Event) *Recorder {
	t.Helper()
	r := NewRecorder()
	for _, e := range events {
		r.Observe(e)
	}
	r.lock()
	r.mu.Unlock()
	r.Close()
	r.Close()
	if r.Lost() != 0 {
		t.Errorf("%d events lost", r.Lost())
	}
	return r
}

func TestRecorderKeepsTrails(t *testing.T) {
	r := fed(t, happens(reactor.ConnAccepted, 7, 0), happens(reactor.HandshakeStarted, 7, 1), happens(reactor.ConnectStarted, 8, 1),
		happens(reactor.ConnEstablished, 7, 2), happens(reactor.ConnectParked, 8, 3), closing(7, 60, reactor.SendTimeout, "it reads nothing"),
		happens(reactor.ConnRefused, 0, 61), happens(reactor.ConnAccepted, 7, 62))
	var got []string
	one := r.trails.live[7]
	one.each(func(k reactor.EventKind, at time.Time) { got = append(got, fmt.Sprintf("%v %v", at.Sub(start), k)) })
	if want := "0s accepted, 1s handshake, 2s established, 1m0s closed"; strings.Join(got, ", ") != want {
		t.Errorf("%q", got)
	}
	if e := one.end; e == nil || e.reason != reactor.SendTimeout || e.blame != reactor.BlamePeer || e.detail != "it reads nothing" || e.source.Conn != 7 {
		t.Errorf("%+v", e)
	}
	if two := r.trails.live[8]; two.end != nil || !two.has(reactor.ConnectParked) || two.has(reactor.ConnEstablished) || len(r.trails.live) != 2 {
		t.Errorf("%+v", two)
	}
}

// TestRecorderIsBounded: connections come and go without end, and each has
// more events than can be.
func TestRecorderIsBounded(t *testing.T) {
	r := &Recorder{}
	r.trails.live = make(map[reactor.Handle]*trail)
	record := func(e *reactor.Event) {
		h := happening{kind: e.Kind, time: e.Time, source: *e.Src}
		if e.Err != nil {
			h.reason, h.blame, h.detail = e.Err.Reason, e.Err.Blame, e.Err.Detail
		}
		if e.TLS != nil {
			h.version, h.took = "TLSv1.3", e.Took
		}
		r.record(&h)
	}
	for id := reactor.Handle(1); id <= 3*maxEnded; id++ {
		for i := range 3 * maxSteps {
			e := happens(reactor.ConnEstablished, id, int(id))
			e.TLS, e.Took = &tlsstate.State{}, time.Duration(i)
			record(e)
		}
		record(closing(id, int(id), reactor.ReadError, fmt.Sprint("of a kind of its own: ", id, strings.Repeat("x", 1000))))
	}
	if len(r.trails.live) != maxEnded || r.trails.past != maxEnded || r.trails.live[3*maxEnded].count != maxSteps || r.trails.live[2*maxEnded] != nil {
		t.Errorf("%d trails, %d of ended connections", len(r.trails.live), r.trails.past)
	}
	if len(r.troubles.list) != maxTroubles || r.troubles.total != 3*maxEnded || len(r.troubles.list[0].detail) > maxBrief+len("…") {
		t.Errorf("%d errors of %d", len(r.troubles.list), r.troubles.total)
	}
	if len(r.slowest.now) != maxSlowest {
		t.Errorf("%d handshakes", len(r.slowest.now))
	}
	for id := reactor.Handle(1 << 32); id < 1<<32+maxTrails+100; id++ {
		record(happens(reactor.ConnAccepted, id, 1))
	}
	if len(r.trails.live) != maxTrails+maxEnded {
		t.Errorf("%d trails", len(r.trails.live))
	}
	record(closing(1<<32, 2, reactor.PeerClosed, ""))
	record(happens(reactor.ConnAccepted, 1<<33, 2))
	if r.trails.live[1<<33] == nil || len(r.trails.live) != maxTrails+maxEnded {
		t.Error("there is no room after an end")
	}
	r.trails.sweep(start.Add(time.Hour), time.Second, func(id reactor.Handle) bool { return id == 1<<33 })
	if len(r.trails.live) != 1+maxEnded || r.trails.live[1<<33] == nil {
		t.Errorf("%d trails after the sweep", len(r.trails.live))
	}
}

// TestRecorderNeverWaits: with nobody to take events, Observe drops and counts
// them, and allocates nothing.
func TestRecorderNeverWaits(t *testing.T) {
	r := NewRecorder()
	r.Close()
	e := closing(1, 0, reactor.HandshakeFailed, "x")
	for range queueLength + 10 {
		r.Observe(e)
	}
	if lost := r.Lost(); lost != 10 {
		t.Errorf("%d lost", lost)
	}
	if n := testing.AllocsPerRun(100, func() { r.Observe(e) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestRecorderFromManyLoops(t *testing.T) {
	r := NewRecorder()
	var all sync.WaitGroup
	for loop := range 4 {
		all.Go(func() {
			for i := range 500 {
				id := reactor.Handle(loop*1000 + i + 1)
				r.Observe(happens(reactor.ConnAccepted, id, i))
				r.Observe(closing(id, i, reactor.ReadError, "reset"))
				runtime.Gosched()
			}
		})
	}
	all.Wait()
	r.lock()
	r.mu.Unlock()
	r.Close()
	if r.troubles.total != 2000 || r.Lost() != 0 || len(r.queue) != 0 {
		t.Errorf("%d told, %d lost, %d left", r.troubles.total, r.Lost(), len(r.queue))
	}
	if len(r.troubles.list) != 1 || r.troubles.list[0].times != r.troubles.total {
		t.Errorf("%d kinds, %d in all", len(r.troubles.list), r.troubles.total)
	}
}

// TestRecorderTakesBatches: events wait until somebody asks or many have come.
func TestRecorderTakesBatches(t *testing.T) {
	r := NewRecorder()
	defer r.Close()
	waiting := func() int {
		r.door.Lock()
		defer r.door.Unlock()
		return len(r.queue)
	}
	e := closing(1, 0, reactor.ReadError, "reset")
	for range wakeLength {
		r.Observe(e)
	}
	if n := waiting(); n != wakeLength {
		t.Errorf("%d wait", n)
	}
	r.Observe(e)
	waittest.For(t, "nothing waits", func() bool { return waiting() == 0 })
	r.lock()
	defer r.mu.Unlock()
	if r.troubles.total != wakeLength+1 {
		t.Errorf("%d told", r.troubles.total)
	}
}

func TestTroublesAreFolded(t *testing.T) {
	dial := func(seconds int, port uint16) *reactor.Event {
		e := closing(9, seconds, reactor.ConnectFailed, "connection refused")
		e.Src.Outbound, e.Src.Remote = true, netip.AddrPortFrom(e.Src.Remote.Addr(), port)
		return e
	}
	refused := happens(reactor.ConnRefused, 5, 7)
	refused.Err = &reactor.Error{Reason: reactor.ConnectionLimit, Blame: reactor.BlameOverload}
	r := fed(t, closing(1, 1, reactor.HandshakeFailed, "bad record"), closing(2, 2, reactor.HandshakeFailed, "bad record"),
		closing(3, 3, reactor.HandshakeFailed, "no cipher"), closing(4, 4, reactor.PeerClosed, ""), dial(5, 5061), dial(6, 5062), dial(6, 5061),
		refused, closing(1, 8, reactor.HandshakeFailed, "bad record"))
	var got []string
	for _, f := range r.troubles.list {
		got = append(got, fmt.Sprintf("%v: %s (%d×, %v–%v, last %d)", f.reason, f.detail, f.times, f.first.Sub(start), f.last.Sub(start), f.conn))
	}
	want := []string{
		"handshake failed: bad record (3×, 1s–8s, last 1)", "connection limit:  (1×, 7s–7s, last 0)",
		"connect failed: connection refused (2×, 5s–6s, last 9)", "connect failed: connection refused (1×, 6s–6s, last 9)",
		"handshake failed: no cipher (1×, 3s–3s, last 3)",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) || r.troubles.total != 8 {
		t.Errorf("%d in all\n%s", r.troubles.total, strings.Join(got, "\n"))
	}
}

func TestSlowestHandshakes(t *testing.T) {
	var s slowest
	add := func(took, minutes int) {
		s.add(&happening{kind: reactor.ConnEstablished, version: "TLSv1.3", took: time.Duration(took), time: start.Add(time.Duration(minutes) * time.Minute)})
	}
	took := func(minutes int) (all []int) {
		for _, h := range s.list(start.Add(time.Duration(minutes) * time.Minute)) {
			all = append(all, int(h.took))
		}
		return all
	}
	for _, n := range []int{5, 1, 9, 7, 3, 12, 2, 8, 4, 11, 6, 10} {
		add(n, 0)
	}
	s.add(&happening{kind: reactor.ConnEstablished, took: 99, time: start}) // plain TCP
	for _, c := range []struct {
		minutes int
		want    string
	}{{4, "[12 11 10 9 8 7 6 5 4 3]"}, {6, "[12 11 10 9 8 7 6 5 4 3]"}} {
		if got := fmt.Sprint(took(c.minutes)); got != c.want {
			t.Errorf("after %d minutes: %s", c.minutes, got)
		}
	}
	add(20, 7)
	add(1, 7)
	if got := fmt.Sprint(took(8)); got != "[20 12 11 10 9 8 7 6 5 4]" {
		t.Error(got)
	}
	if got := fmt.Sprint(took(12)); got != "[20 1]" {
		t.Error(got)
	}
	if got := took(40); got != nil {
		t.Error(got)
	}
}

func TestSamples(t *testing.T) {
	var s samples
	if rows, next := s.from(0); len(rows) != 0 || next != 0 || s.ago() != nil {
		t.Errorf("%v, %d", rows, next)
	}
	for i := range maxSamples + 10 {
		s.add(start.Add(time.Duration(i)*time.Second), &reactor.Stats{MessagesIn: uint64(i), Connections: i,
			Closed: map[reactor.Reason]uint64{reactor.IdleTimeout: uint64(i)}})
	}
	rows, next := s.from(0)
	if len(rows) != maxSamples || next != maxSamples+10 || rows[0][1] != 10 || rows[maxSamples-1][1] != uint64(maxSamples+9) {
		t.Errorf("%d rows up to %d, from %v", len(rows), next, rows[0])
	}
	if len(rows[0]) != len(sampleFields) || rows[0][0] != uint64(start.Add(10*time.Second).UnixMilli()) || rows[0][7] != 10 {
		t.Errorf("%v", rows[0])
	}
	if rows, _ = s.from(next - 2); len(rows) != 2 || rows[1][1] != uint64(maxSamples+9) {
		t.Errorf("%v", rows)
	}
	if rows, _ = s.from(next); len(rows) != 0 {
		t.Errorf("%v", rows)
	}
	if rows, _ = s.from(next + 1000); len(rows) != maxSamples {
		t.Errorf("%d rows for a number of another run", len(rows))
	}
	if ago := s.ago(); ago.closed[reactor.IdleTimeout] != 10 {
		t.Errorf("%v", ago.closed)
	}
}

func TestBrief(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "plain text, ümlaut 日本": "plain text, ümlaut 日本", "<b>&": "<b>&",
		"a\x00b\nc\u202Ed\xff": "a�b�c�d�",
	} {
		if got := brief(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
	for _, in := range []string{strings.Repeat("x", maxBrief+1), strings.Repeat("日", maxBrief), strings.Repeat("\xff", 2*maxBrief)} {
		got := brief(in)
		if !utf8.ValidString(got) || !strings.HasSuffix(got, "…") || utf8.RuneCountInString(got) > maxBrief+1 {
			t.Errorf("%q", got)
		}
	}
	if got := brief(strings.Repeat("x", maxBrief)); strings.HasSuffix(got, "…") {
		t.Error("cut although it fits")
	}
}
