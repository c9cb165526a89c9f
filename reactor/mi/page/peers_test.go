package page

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"

	"sipreactor/tlsstate/tlstest"
)

// callee answers every request on a TCP listener of its own with 200, until it is
// closed.
func callee(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go answer(c)
		}
	}()
	return l
}

func answer(c net.Conn) {
	defer c.Close()
	var kept []string
	for in := bufio.NewScanner(c); in.Scan(); {
		line := in.Text()
		for _, name := range []string{"Via:", "From:", "To:", "Call-ID:", "CSeq:"} {
			if strings.HasPrefix(line, name) {
				kept = append(kept, line)
			}
		}
		if line == "" {
			fmt.Fprintf(c, "SIP/2.0 200 OK\r\n%s\r\nContent-Length: 0\r\n\r\n", strings.Join(kept, "\r\n"))
			kept = nil
		}
	}
}

// TestLivePeers: a destination that works and one that is dead are rows, the dead
// one first, with what its requests got.
func TestLivePeers(t *testing.T) {
	b := newBench(t)
	caller := b.dial(false)
	works, dead := callee(t).Addr().String(), tlstest.Refusing(t).String()
	for range 3 {
		b.speak(caller, "MESSAGE", "sip:a@"+works+";transport=tcp")
		if got := b.hear(caller); !strings.HasPrefix(got, "SIP/2.0 200") {
			t.Fatal(got)
		}
		b.speak(caller, "MESSAGE", "sip:b@"+dead+";transport=tcp")
		if got := b.hear(caller); !strings.HasPrefix(got, "SIP/2.0 503") {
			t.Fatal(got)
		}
	}
	find := func(o *sampled, name string) peer {
		for _, p := range o.Peers {
			if p.Name == name {
				return p
			}
		}
		return peer{}
	}
	o := b.overview("both are told", func(o *sampled) bool {
		return find(o, works).Answers[1] == 3 && find(o, dead).Refused == 3
	})
	if p := find(o, works); p.State != "up" || p.Connections != 1 || p.RequestsOut != 3 || p.Unanswered != 0 || p.P50 <= 0 || p.P99 < p.P50 || p.LastError != "" {
		t.Errorf("%+v", p)
	}
	if p := find(o, dead); p.State != "down" && p.State != "left alone" || p.Failed != 3 || p.RequestsOut != 0 || !strings.Contains(p.LastError, "refused") || p.LastErrorAt == nil {
		t.Errorf("%+v", p)
	}
	if n := find(o, "127.0.0.1").RequestsIn + find(o, works).RequestsIn; n != 6 { // it has the address of both
		t.Errorf("%d of the caller's requests are told", n)
	}
	if p := find(o, "trunk.example"); !p.Configured || p.State != "idle" {
		t.Errorf("%+v", p)
	}
	if o.Peers[0].Name != dead || o.PeersTotal != 4 {
		t.Errorf("%+v", o.Peers)
	}
	var list struct {
		Peers []struct{ Peer, State string }
		Total int
	}
	b.call("list_peers", []string{dead}, &list)
	if list.Total != 1 || list.Peers[0].Peer != dead || list.Peers[0].State == "up" {
		t.Errorf("%+v", list)
	}
}
