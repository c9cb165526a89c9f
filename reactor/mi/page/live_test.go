package page

import (
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/internal/waittest"
	"sipreactor/reactor/mi"
	"sipreactor/reactor/rpc"
	"sipreactor/tlsstate/tlstest"
)

// TestLiveConnection follows a connection from its accept to its end.
func TestLiveConnection(t *testing.T) {
	b := newBench(t)
	known, other := b.dial(true), b.dial(false)
	b.speak(known, "OPTIONS", "sip:edge.example")
	b.speak(other, "OPTIONS", "sip:edge.example")
	o := b.overview("two handshakes are recorded", func(o *sampled) bool {
		return len(o.Slowest) == 2 && o.Totals["net:messages_in"] == 2 && o.Totals["net:messages_out"] == 2 && o.Counted.Established == 2
	})
	if o.Version != "sipreactor (test)" || o.Tracing != "" || len(o.Listeners) != 2 || o.Listeners[0].Connections != 2 || o.Listeners[0].Address != b.socks[reactor.TLS] {
		t.Errorf("%+v", o.overview)
	}
	if want := []class{{"tls", "in", "established", 2}}; !slices.Equal(o.Connections, want) || o.Counted.Established != 2 || o.Totals["net:accepted"] != 2 || o.Totals["net:messages_in"] != 2 {
		t.Errorf("%+v %+v", o.Connections, o.Totals)
	}
	if h := o.Slowest[0]; h.TLS != "TLSv1.3" || h.Domain != "edge" || h.Took <= 0 || h.Took < o.Slowest[1].Took || h.Direction != "in" {
		t.Errorf("%+v", h)
	}
	if len(o.Domains) != 2 || o.Domains[1].Name != "edge" || o.Domains[1].Connections != 2 || *o.Domains[1].DaysLeft != 29 || o.Domains[0].DaysLeft != nil {
		t.Errorf("%+v", o.Domains)
	}
	if len(o.Samples) == 0 || len(o.Samples[0]) != len(o.SampleFields) || o.Next < len(o.Samples) {
		t.Errorf("%v", o.Samples)
	}

	var all struct {
		Connections []found
		Total       int
	}
	b.call("find_conns", []string{"ESTABLISHED " + known.LocalAddr().String()}, &all)
	if all.Total != 1 || all.Connections[0].Remote != known.LocalAddr().String() || all.Connections[0].Name != "sipreactor ephemeral" {
		t.Fatalf("%+v", all)
	}
	id := all.Connections[0].ID
	if b.call("find_conns", []string{"established nobody"}, &all); all.Total != 0 || all.Connections == nil {
		t.Errorf("%+v", all)
	}
	d := b.details(id)
	if !d.Open || d.Remote != known.LocalAddr().String() || d.Listener != "tls:"+b.socks[reactor.TLS] || d.State.Phase != "established" ||
		d.State.TLS != "TLSv1.3" || d.State.CipherBits < 128 || d.State.MessagesIn != 1 || d.State.Domain != "edge" || d.State.Handshake <= 0 {
		t.Errorf("%+v %+v", d, d.State)
	}
	c := d.Certificate
	if c == nil || c.Fingerprint != fmt.Sprintf("%X", sha256.Sum256(b.pair.Certificate[0])) || !slices.Contains(c.Names, "edge.example") || !c.Verified {
		t.Errorf("%+v", c)
	}
	if got := names(d); got != "accepted, handshake, established" {
		t.Errorf("%s", got)
	}

	if bad := b.call("tcp_close_conn", []string{id}, nil); bad != nil {
		t.Fatal(bad)
	}
	if _, err := io.Copy(io.Discard, known); err != nil {
		t.Errorf("it was not closed in order: %v", err)
	}
	waittest.For(t, "the end is recorded", func() bool { d = b.details(id); return d.EndReason != "" && !d.Open })
	if d.Open || d.EndReason != "closed by management" || d.State != nil || d.Remote != known.LocalAddr().String() || !strings.HasSuffix(names(d), "established, closed") {
		t.Errorf("%+v", d)
	}
	o = b.overview("the end is counted", func(o *sampled) bool { return len(o.Closes) == 1 })
	if o.Closes[0] != (tally{"closed by management", 1, 1}) || len(o.Errors) != 0 {
		t.Errorf("%+v %+v", o.Closes, o.Errors)
	}
	b.speak(other, "OPTIONS", "sip:edge.example") // nobody else's
}

func names(d *details) string {
	var all []string
	for _, e := range d.Events {
		all = append(all, e.Event)
	}
	return strings.Join(all, ", ")
}

// TestLiveTroubles: a peer that speaks no TLS, a destination that refuses, and
// one that says nothing.
func TestLiveTroubles(t *testing.T) {
	b := newBench(t)
	for range 3 {
		c, err := net.Dial("tcp", b.socks[reactor.TLS])
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(patience))
		fmt.Fprint(c, "OPTIONS sip:edge SIP/2.0\r\n\r\n")
		_, _ = io.Copy(io.Discard, c)
		c.Close()
	}
	o := b.overview("three failures are one error", func(o *sampled) bool { return len(o.Errors) == 1 && o.Errors[0].Times == 3 })
	if e := o.Errors[0]; e.Reason != "handshake failed" || e.Blame != "peer" || e.Detail == "" || e.ID == "" || e.Direction != "in" || o.ErrorsTotal != 3 {
		t.Errorf("%+v", e)
	}
	if d := b.details(o.Errors[0].ID); d.EndReason != "handshake failed" || d.EndBlame != "peer" || d.Open {
		t.Errorf("%+v", d)
	}

	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	caller := b.dial(false)
	b.speak(caller, "MESSAGE", "sip:b@"+silent.Addr().String()+";transport=tls")
	o = b.overview("the sender has gone on", func(o *sampled) bool {
		return len(o.Connecting) == 1 && o.Connecting[0].Parked == 1 && o.Connecting[0].Handshaking == 1 && o.Counted.Queued == 1
	})
	c := o.Connecting[0]
	if c.Remote != silent.Addr().String() || c.Proto != "tls" || c.Handshaking != 1 || c.Connecting != 0 || o.Counted.Connecting != 1 || o.Counted.Queued != 1 {
		t.Errorf("%+v %+v", c, o.Counted)
	}
	if d := b.details(c.Last); d.Direction != "out" || d.State.Phase != "handshaking" || d.State.Queue != 1 || d.Certificate != nil ||
		!strings.HasPrefix(names(d), "connect, ") || !strings.HasSuffix(names(d), "handshake, handshake parked") {
		t.Errorf("%+v: %s", d, names(d))
	}
	nobody := tlstest.Refusing(t).String()
	b.speak(caller, "MESSAGE", "sip:c@"+nobody+";transport=tcp")
	b.overview("the refusal is told", func(o *sampled) bool {
		return slices.ContainsFunc(o.Errors, func(e failure) bool {
			return e.Reason == "connect failed" && e.Direction == "out" && e.Remote == nobody && e.Proto == "tcp" && e.Blame == "peer"
		})
	})
}

// TestLiveSlowPeer: a peer that reads nothing is told, and listed before others.
func TestLiveSlowPeer(t *testing.T) {
	b := newBench(t)
	other := b.dial(false)
	b.speak(other, "OPTIONS", "sip:edge.example") // so it is established there too
	slow := b.dial(false)
	_ = slow.NetConn().(*net.TCPConn).SetReadBuffer(4096)
	request := strings.Repeat("x", 8000)
	waittest.For(t, "the peer is stuck", func() bool {
		// The answer repeats Call-ID: it is as long as the request.
		fmt.Fprintf(slow, "OPTIONS sip:edge.example SIP/2.0\r\nVia: SIP/2.0/TLS 192.0.2.9;branch=z9hG4bKs\r\nMax-Forwards: 70\r\n"+
			"From: <sip:a@example.com>;tag=1\r\nTo: <sip:edge.example>\r\nCall-ID: %s\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n", request)
		stuck := false
		here := false
		b.node.Engine.Conns(func(i *reactor.ConnInfo) bool {
			here = here || i.Remote.String() == slow.LocalAddr().String()
			stuck = stuck || i.Stuck
			return true
		})
		if !here {
			b.rec.lock()
			defer b.rec.mu.Unlock()
			t.Fatalf("it is gone: %+v", b.rec.troubles.list)
		}
		return stuck
	})
	o := b.overview("the slow peer is told", func(o *sampled) bool { return len(o.Slow) == 1 })
	if p := o.Slow[0]; p.Remote != slow.LocalAddr().String() || !p.Stuck || o.Counted.Stuck != 1 || o.SlowTotal != 1 {
		t.Errorf("%+v %+v", p, o.Counted)
	}
	var all finding
	b.call("find_conns", []string{"established"}, &all)
	if all.Total != 2 || all.Connections[0].ID != o.Slow[0].ID || !all.Connections[0].Stuck || all.Connections[1].Remote != other.LocalAddr().String() {
		t.Errorf("%+v", all)
	}
	if d := b.details(o.Slow[0].ID); !d.State.Stuck {
		t.Errorf("%+v", d.State)
	}
}

// TestFinder: the first of many are listed in order, and asking again for the
// same while it is fresh costs nothing.
func TestFinder(t *testing.T) {
	b := newBench(t)
	e := &countingEngine{Engine: b.node.Engine}
	for i := range 3 * maxFound {
		e.more = append(e.more, reactor.ConnInfo{Source: reactor.Source{Conn: reactor.Handle(i + 1), Proto: reactor.TCP}, Phase: reactor.PhaseEstablished,
			Age: time.Duration((i*7)%151) * time.Second, Queue: i / 149, Domain: []string{"one", "Two"}[i%2]})
	}
	f := &finder{engine: e}
	all := f.find("")
	if len(all.Connections) != maxFound || all.Total != 3*maxFound || all.Connections[0].Queue != 1 || all.Connections[1].Age != 0 || all.Connections[2].Age != 1 {
		t.Errorf("%d of %d: %+v", len(all.Connections), all.Total, all.Connections[:3])
	}
	f.until = time.Now().Add(time.Hour)
	if f.find("") != all || e.counts != 1 {
		t.Errorf("searched %d times", e.counts)
	}
	if two := f.find("tcp tWO"); two.Total != 3*maxFound/2 || e.counts != 2 {
		t.Errorf("%d found, searched %d times", two.Total, e.counts)
	}
	if none := f.find("two one"); none.Total != 0 || none.Connections == nil {
		t.Errorf("%+v", none)
	}
}

// TestCommandsRefuse: what is wrong is told, with the codes of the interface.
func TestCommandsRefuse(t *testing.T) {
	b := newBench(t)
	for _, c := range []struct {
		method string
		params any
		code   int
	}{
		{"overview", []int{-1}, rpc.CodeParams}, {"overview", []string{"x"}, rpc.CodeParams}, {"overview", []int{1, 2}, rpc.CodeParams},
		{"conn_details", []string{}, rpc.CodeParams}, {"conn_details", []string{"0"}, rpc.CodeParams}, {"conn_details", []string{"192.0.2.1:5061"}, rpc.CodeParams},
		{"conn_details", []string{"18446744073709551616"}, rpc.CodeParams}, {"conn_details", []string{"18446744073709551615"}, rpc.CodeNotFound},
		{"conn_details", []uint64{4294967297}, rpc.CodeNotFound},
	} {
		if bad := b.call(c.method, c.params, nil); bad == nil || bad.Code != c.code {
			t.Errorf("%s %v: %v", c.method, c.params, bad)
		}
	}
	if bad := b.call("page:overview", []int{}, nil); bad != nil {
		t.Error(bad)
	}
	if bad := b.call("find_conns", nil, nil); bad != nil {
		t.Error(bad)
	}
}

// TestOverviewIsShared: many who look cost one count of the connections.
func TestOverviewIsShared(t *testing.T) {
	b := newBench(t)
	e := &countingEngine{Engine: b.node.Engine}
	m := &maker{node: &mi.Node{Engine: e}, rec: b.rec}
	first := m.get()
	for range 1000 {
		m.until = time.Now().Add(time.Hour) // whatever the clock does
		if m.get() != first {
			t.Fatal("another overview was made")
		}
	}
	m.until = time.Time{}
	if m.get() == first || e.counts != 2 {
		t.Errorf("counted %d times", e.counts)
	}
}

type countingEngine struct {
	mi.Engine
	counts int
	more   []reactor.ConnInfo
}

func (e *countingEngine) Conns(f func(*reactor.ConnInfo) bool) {
	e.counts++
	for i := range e.more {
		f(&e.more[i])
	}
	e.Engine.Conns(f)
}

// TestCount: of many connections, what matters is listed, and all are counted.
func TestCount(t *testing.T) {
	c := newCount()
	for i := range 100 {
		c.take(&reactor.ConnInfo{Source: reactor.Source{Conn: reactor.Handle(i + 1), Proto: reactor.TLS}, Phase: reactor.PhaseEstablished, Queue: i, Stuck: i == 50 || i == 0, Domain: "edge"})
	}
	for i := range 40 {
		info := reactor.ConnInfo{Source: reactor.Source{Conn: reactor.Handle(1000 + i), Proto: reactor.TCP, Outbound: true}, Phase: reactor.PhaseConnecting, Age: time.Duration(i) * time.Second}
		info.Remote = happens(0, reactor.Handle(i/2), 0).Src.Remote
		c.take(&info)
	}
	o := &overview{}
	c.into(o, &trails{live: map[reactor.Handle]*trail{1039: {count: 1, steps: [maxSteps]step{{kind: reactor.ConnectParked}}}}})
	if len(o.Slow) != maxShown || o.SlowTotal != 100 || o.Slow[0].Queue != 50 || o.Slow[1].Queue != 0 || o.Slow[2].Queue != 99 || o.Counted.Stuck != 2 || o.Counted.Queued != 4950 {
		t.Errorf("%+v %+v", o.Slow, o.Counted)
	}
	if d := o.Connecting[0]; len(o.Connecting) != maxShown || d.Oldest != 39 || d.Connecting != 2 || d.Parked != 1 || d.Last != "1039" || o.Counted.Connecting != 40 {
		t.Errorf("%+v %+v", o.Connecting, o.Counted)
	}
	if c.byDomain["edge"] != 100 || o.Counted.Established != 100 {
		t.Errorf("%v", c.byDomain)
	}
}
