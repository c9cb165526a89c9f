package rtpengine

import (
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/rtpengine/ng"
	"sipreactor/reactor/modules/sl"
	"sipreactor/reactor/ports"
)

// startEngine starts Debian's rtpengine and returns its control address.
func startEngine(t *testing.T) string {
	t.Helper()
	program, err := exec.LookPath("rtpengine")
	if err != nil {
		t.Skip("rtpengine is not installed: apt-get install rtpengine-daemon")
	}
	control := freePort(t)
	cmd := exec.Command(program, "--config-file=none", "--foreground", "--log-stderr", "--log-level=3", "--table=-1", "--num-threads=2",
		"--interface=127.0.0.1", "--listen-ng="+control, "--port-min=30000", "--port-max=30400", "--pidfile="+t.TempDir()+"/pid")
	log := new(strings.Builder)
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		t.Skip("rtpengine does not start: ", err)
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
		d, err := c.Do(t.Context(), ng.Dict{{Key: "command", Value: "ping"}})
		if err == nil && d.Text("result") == "pong" {
			return control
		}
		if time.Now().After(end) {
			t.Fatal("rtpengine does not answer: ", err)
		}
	}
}

// freePort gives an address of loopback that nobody listens on, nor is given.
func freePort(t *testing.T) string {
	t.Helper()
	at, err := ports.Address()
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// sdpOf is a session description of a socket.
func sdpOf(pc net.PacketConn) string {
	port := pc.LocalAddr().(*net.UDPAddr).Port
	return fmt.Sprintf("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio %d RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n", port)
}

// audioPort is where a message wants media.
func audioPort(t *testing.T, text string) int {
	t.Helper()
	_, rest, ok := strings.Cut(text, "m=audio ")
	port, _, _ := strings.Cut(rest, " ")
	n, err := strconv.Atoi(port)
	if !ok || err != nil {
		t.Fatalf("there is no audio: %s", text)
	}
	return n
}

// withBody puts a session description into the Invite, or what was made of it.
func withBody(text, sdp string) string {
	head, _, _ := strings.Cut(text, "\r\n\r\n")
	lines := strings.Split(head, "\r\n")
	for i, l := range lines {
		if strings.HasPrefix(l, "Content-Length:") {
			lines[i] = "Content-Length: " + strconv.Itoa(len(sdp))
		}
	}
	return strings.Join(lines, "\r\n") + "\r\n\r\n" + sdp
}

// TestCall has a call's media pass Debian's rtpengine: packets that go in at one side come
// out at the other.
func TestCall(t *testing.T) {
	control := startEngine(t)
	b := moduletest.New(t, head("udp:"+control)+`loadmodule "sipmsgops.so"
route {
	if (is_method("BYE")) { rtpengine_delete(); xlog("$rtpstat"); exit; }
	rtpengine_offer("replace-origin ICE=remove"); xlog("$rc"); forward("tls:127.0.0.1:5099");
}
onreply_route { rtpengine_answer("replace-origin ICE=remove"); xlog("$rc"); }`, New, sl.New)
	var parties [2]net.PacketConn
	for i := range parties {
		pc, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = pc.Close() }()
		parties[i] = pc
	}
	invite := withBody(string(moduletest.Invite), sdpOf(parties[0]))
	b.Receive([]byte(invite))
	if len(b.Sent) != 1 {
		t.Fatal(b.Log)
	}
	sent := b.Sent[0].Text
	toCaller := audioPort(t, sent) // where the callee sends media for the caller
	_, rest, _ := strings.Cut(sent, "\r\n")
	rest = strings.Replace(rest, "To: <sip:+4930123@example.net>", "To: <sip:+4930123@example.net>;tag=callee", 1)
	b.Receive([]byte(withBody("SIP/2.0 200 OK\r\n"+rest, sdpOf(parties[1]))))
	if len(b.Sent) != 1 {
		t.Fatal(b.Log)
	}
	toCallee := audioPort(t, b.Sent[0].Text)
	if own := audioPort(t, invite); toCaller == own || toCallee == own || toCaller == toCallee {
		t.Fatal("media does not pass rtpengine: ", own, toCaller, toCallee)
	}
	through(t, parties[0], toCallee, parties[1])
	through(t, parties[1], toCaller, parties[0])
	b.Receive([]byte(strings.NewReplacer("INVITE sip", "BYE sip", "314159 INVITE", "314160 BYE").Replace(invite)))
	if len(b.Log) == 0 || !strings.HasPrefix(b.Log[0], "RTP: ") || strings.Contains(b.Log[0], " 0 packets, 0 errors; RTCP") {
		t.Error(b.Log)
	}
}

// through sends RTP until a packet arrives.
func through(t *testing.T, from net.PacketConn, port int, to net.PacketConn) {
	t.Helper()
	to2 := &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}
	buf := make([]byte, 2048)
	for n := range byte(100) {
		packet := append([]byte{0x80, 0, 0, n, 0, 0, 0, n, 1, 2, 3, 4}, make([]byte, 160)...)
		if _, err := from.WriteTo(packet, to2); err != nil {
			t.Fatal(err)
		}
		_ = to.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		if got, _, err := to.ReadFrom(buf); err == nil {
			if got != len(packet) {
				t.Errorf("%d bytes, want %d", got, len(packet))
			}
			return
		}
	}
	t.Fatal("no packet arrives")
}
