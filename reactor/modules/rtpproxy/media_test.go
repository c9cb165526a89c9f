package rtpproxy

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/sl"
)

// bridge is an rtpproxy's session of one call with one stream: two sockets, and where the
// party behind each is.
type bridge struct {
	mu      sync.Mutex
	sockets [2]net.PacketConn // where media for the offerer arrives is 0
	parties [2]*net.UDPAddr
}

func newBridge(t *testing.T) *bridge {
	t.Helper()
	b := new(bridge)
	for i := range b.sockets {
		b.sockets[i] = listen(t)
	}
	for i := range b.sockets {
		go func() {
			buf := make([]byte, 2048)
			for {
				n, _, err := b.sockets[i].ReadFrom(buf)
				if err != nil {
					return
				}
				b.mu.Lock()
				to := b.parties[i]
				b.mu.Unlock()
				if to != nil {
					_, _ = b.sockets[1-i].WriteTo(buf[:n], to)
				}
			}
		}()
	}
	return b
}

// answer carries out U and L: the party of the SDP is noted, and the answer is where the
// other one sends its media.
func (b *bridge) answer(command string) string {
	words := strings.Fields(command)
	side, known := map[string]int{"U": 0, "L": 1}[words[0]]
	if !known {
		return "0"
	}
	port, err := strconv.Atoi(words[3])
	if err != nil {
		return "E1"
	}
	b.mu.Lock()
	b.parties[side] = &net.UDPAddr{IP: net.ParseIP(words[2]), Port: port}
	b.mu.Unlock()
	return fmt.Sprintf("%d 127.0.0.1", b.sockets[side].LocalAddr().(*net.UDPAddr).Port)
}

func listen(t *testing.T) net.PacketConn {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pc.Close() })
	return pc
}

// TestMedia has packets go through the relay, both ways, by the addresses that the parties
// read in the SDP.
func TestMedia(t *testing.T) {
	r := newStub(t)
	r.set(newBridge(t).answer)
	b := moduletest.New(t, head(r.url)+`route { rtpproxy_offer("ro"); forward("tls:127.0.0.1:5099"); }
onreply_route { rtpproxy_answer("ro"); }`, New, sl.New)
	caller, callee := listen(t), listen(t)
	sdp := func(pc net.PacketConn) string {
		return fmt.Sprintf("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\nc=IN IP4 127.0.0.1\r\nm=audio %d RTP/AVP 0\r\n", pc.LocalAddr().(*net.UDPAddr).Port)
	}
	place := func() *net.UDPAddr {
		t.Helper()
		if len(b.Sent) != 1 {
			t.Fatal(b.Log)
		}
		list, ok := streamsOf([]byte(bodyOf(b.Sent[0].Text)))
		if !ok || len(list) != 1 {
			t.Fatal(b.Sent[0].Text)
		}
		return &net.UDPAddr{IP: net.ParseIP(list[0].addr), Port: int(list[0].port)}
	}
	b.Receive(withBody(string(moduletest.Invite), sdp(caller)))
	forCallee := place()
	_, rest, _ := strings.Cut(b.Sent[0].Text, "\r\n")
	rest = strings.Replace(rest, "To: <sip:+4930123@example.net>", "To: <sip:+4930123@example.net>;tag=callee", 1)
	b.Receive(withBody("SIP/2.0 200 OK\r\n"+rest, sdp(callee)))
	forCaller := place()
	for _, way := range []struct {
		from, to net.PacketConn
		via      *net.UDPAddr
	}{{caller, callee, forCaller}, {callee, caller, forCallee}} {
		if way.via.Port == way.to.LocalAddr().(*net.UDPAddr).Port {
			t.Fatal("media passes the relay by")
		}
		if _, err := way.from.WriteTo([]byte("media"), way.via); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 100)
		_ = way.to.SetReadDeadline(time.Now().Add(30 * time.Second))
		if n, _, err := way.to.ReadFrom(buf); err != nil || string(buf[:n]) != "media" {
			t.Errorf("%q %v", buf[:n], err)
		}
	}
}
