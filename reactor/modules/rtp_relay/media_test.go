package rtp_relay_test

import (
	"net"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/modules/rtpengine/ng"
	"sipreactor/reactor/ports"
)

// startEngine starts Debian's rtpengine.
func startEngine(t *testing.T) *stub {
	t.Helper()
	program, err := exec.LookPath("rtpengine")
	if err != nil {
		t.Skip("rtpengine is not installed: apt-get install rtpengine-daemon")
	}
	control, err := ports.Address()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "--config-file=none", "--foreground", "--log-stderr", "--log-level=3", "--table=-1", "--num-threads=2",
		"--interface=127.0.0.1", "--listen-ng="+control, "--port-min=30500", "--port-max=30900", "--pidfile="+t.TempDir()+"/pid")
	log := new(strings.Builder)
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		t.Fatal("rtpengine does not start: ", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(log)
		}
	})
	c := ng.NewClient(control, 200*time.Millisecond, 0, nil)
	defer c.Close()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if d, err := c.Do(t.Context(), ng.Dict{{Key: "command", Value: "ping"}}); err == nil && d.Text("result") == "pong" {
			return &stub{url: "udp:" + control}
		}
		if time.Now().After(end) {
			t.Fatal("rtpengine does not answer: ", err)
		}
	}
}

// party is where a party gets media.
type party struct{ net.PacketConn }

func newParty(t *testing.T) party {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pc.Close() })
	return party{pc}
}

func (p party) sdp() string { return sdp(p.LocalAddr().(*net.UDPAddr).Port) }

// hears has a party send RTP where a message says, until the other one gets a packet.
func (p party) hears(t *testing.T, from party, text string) {
	t.Helper()
	_, rest, _ := strings.Cut(text, "m=audio ")
	word, _, _ := strings.Cut(rest, " ")
	port, err := strconv.Atoi(word)
	if err != nil || port == p.LocalAddr().(*net.UDPAddr).Port {
		t.Fatalf("media does not pass the relay: %s", text)
	}
	buf := make([]byte, 2048)
	for n := range byte(100) {
		packet := append([]byte{0x80, 0, 0, n, 0, 0, 0, n, 1, 2, 3, 4}, make([]byte, 160)...)
		if _, err := from.WriteTo(packet, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}); err != nil {
			t.Fatal(err)
		}
		_ = p.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		if got, _, err := p.ReadFrom(buf); err == nil {
			if got != len(packet) {
				t.Errorf("%d bytes, want %d", got, len(packet))
			}
			return
		}
	}
	t.Fatal("no packet arrives")
}

// TestMedia has the media of a call pass Debian's rtpengine: of a fork's branch that answers, and once more when that one
// has moved within the call.
func TestMedia(t *testing.T) {
	c := newCall(t, startEngine(t), nil, relaying(`append_branch("sip:bob2@192.0.2.8;transport=tls"); $rtp_relay = "trust-address ICE=remove";
		$rtp_relay_peer = "trust-address ICE=remove"; rtp_relay_engage("rtpengine");`))
	alice, bob, carol := newParty(t), newParty(t), newParty(t)
	out := c.request("INVITE", "1", false, alice.sdp())
	early := c.answer(out[0], "183 Session Progress", "b", bob.sdp())
	answered := c.answer(out[1], "200 OK", "c", carol.sdp())
	c.request("ACK", "1", false, "")
	alice.hears(t, carol, out[1])
	carol.hears(t, alice, answered)
	if early == "" {
		t.Error("the early answer is gone")
	}
	moved := newParty(t)
	again := c.request("INVITE", "2", true, moved.sdp())
	back := c.answer(again[0], "200 OK", "", alice.sdp())
	moved.hears(t, alice, again[0])
	alice.hears(t, moved, back)
	c.request("BYE", "3", false, "")
}
