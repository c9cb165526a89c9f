package interop

import (
	"bufio"
	"crypto/md5"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"sipreactor/bench/process"
)

// home is a running sipreactor with the configuration of testdata/home.cfg.
type home struct {
	*process.Process
	plain, tls string // its listeners
	dir        string
}

// startHome runs one at an address, with a password for each user: "secret".
func startHome(t *testing.T, address string) *home {
	t.Helper()
	h := &home{plain: net.JoinHostPort(address, unusedPort(t)), tls: net.JoinHostPort(address, unusedPort(t)), dir: newFolder(t)}
	var users strings.Builder
	for _, u := range []string{"alice", "bob", "carol"} {
		fmt.Fprintf(&users, "%s:home.test:%x\n", u, md5.Sum([]byte(u+":home.test:secret")))
	}
	file := filepath.Join(h.dir, "users")
	if err := os.WriteFile(file, []byte(users.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := filepath.Abs("testdata/home.cfg")
	if err != nil {
		t.Fatal(err)
	}
	run := exec.Command(program, "-f", cfg)
	run.Env = append(os.Environ(), "ADDR="+h.plain, "TLS="+h.tls, "USERS="+file, "PEMS="+h.dir, "ALGORITHMS=MD5")
	h.Process = process.Start(t, "sipreactor", run)
	h.WaitLine(t, "msg=ready")
	return h
}

// baresip is Debian's, as a phone: its microphone plays a tone, and it is worked by its control port.
type baresip struct {
	t       *testing.T
	user    string
	control net.Conn
	heard   chan happening
}

// happening is what the phone tells: an event, or the answer to a command.
type happening struct {
	Event    bool   `json:"event"`
	Type     string `json:"type"`
	Peer     string `json:"peeruri"`
	Param    string `json:"param"`
	Response bool   `json:"response"`
	OK       bool   `json:"ok"`
	Data     string `json:"data"`
}

// place is where a phone runs.
type place struct {
	address string   // of its own
	control string   // that its control port is reached at
	within  []string // words before its command
}

var loopback = place{address: "127.0.0.1", control: "127.0.0.1"}

// phone starts one that registers over a transport.
func (h *home) phone(t *testing.T, user, transport string, at place) *baresip {
	t.Helper()
	path := tool(t, "baresip", "baresip-core")
	modules := ""
	for _, pattern := range []string{"/usr/lib/baresip/modules", "/usr/lib/*/baresip/modules"} {
		if found, _ := filepath.Glob(pattern); len(found) > 0 {
			modules = found[0]
		}
	}
	dir, control := t.TempDir(), net.JoinHostPort(at.control, unusedPort(t))
	server := h.plain
	if transport == "tls" {
		server = h.tls
	}
	for name, text := range map[string]string{
		"contacts": "",
		"accounts": fmt.Sprintf("<sip:%s@home.test;transport=%s>;auth_user=%[1]s;auth_pass=secret;outbound=\"sip:%[3]s;transport=%[2]s\";regint=60\n", user, transport, server),
		"config": strings.NewReplacer("$MODULES", modules, "$CONTROL", control, "$SIP", net.JoinHostPort(at.address, unusedPort(t)), "$CA", filepath.Join(h.dir, "ca.pem")).Replace(
			`module_path $MODULES
module g711.so
module ausine.so
module aubridge.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen $CONTROL
sip_listen $SIP
sip_cafile $CA
audio_source ausine,440
audio_player aubridge,ear
audio_alert aubridge,bell
ausrc_srate 48000
auplay_srate 48000
ausrc_channels 2
auplay_channels 2
call_local_timeout 120
call_max_calls 4
`),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	args := append(append([]string(nil), at.within...), path, "-4", "-f", dir, "-s")
	p := &baresip{t: t, user: user, heard: make(chan happening, 1000)}
	process.Start(t, "baresip "+user, exec.Command(args[0], args[1:]...))
	for end := time.Now().Add(patience); p.control == nil; time.Sleep(20 * time.Millisecond) {
		if c, err := net.Dial("tcp", control); err == nil {
			p.control = c
		} else if time.Now().After(end) {
			t.Fatalf("baresip has no control port: %v", err)
		}
	}
	t.Cleanup(func() { p.control.Close() })
	go p.read(bufio.NewReader(p.control))
	h.WaitLine(t, "registered "+user+" by "+transport)
	return p
}

// read takes what the phone says: netstrings with JSON.
func (p *baresip) read(in *bufio.Reader) {
	defer close(p.heard)
	for {
		size, err := in.ReadString(':')
		n, bad := strconv.Atoi(strings.TrimSuffix(size, ":"))
		if err != nil || bad != nil || n > 1<<20 {
			return
		}
		text := make([]byte, n+1) // and a comma
		if _, err := io.ReadFull(in, text); err != nil {
			return
		}
		var h happening
		if json.Unmarshal(text[:n], &h) == nil {
			p.heard <- h
		}
	}
}

// expect waits for an event, and returns its parameter.
func (p *baresip) expect(event string) string {
	p.t.Helper()
	clock := time.NewTimer(patience)
	defer clock.Stop()
	for {
		select {
		case h, ok := <-p.heard:
			if !ok {
				p.t.Fatalf("%s has ended before %s", p.user, event)
			}
			if h.Event && h.Type == event {
				return h.Param
			}
			if h.Type == "CALL_CLOSED" || h.Type == "TRANSFER_FAILED" {
				p.t.Fatalf("%s waits for %s: %s %s", p.user, event, h.Type, h.Param)
			}
		case <-clock.C:
			p.t.Fatalf("%s waits for %s in vain", p.user, event)
		}
	}
}

// do gives a command. What it leads to is expected.
func (p *baresip) do(command, params string) {
	p.t.Helper()
	text, _ := json.Marshal(map[string]string{"command": command, "params": params}) // it has no error
	if _, err := fmt.Fprintf(p.control, "%d:%s,", len(text), text); err != nil {
		p.t.Fatal(err)
	}
}

// call has p call another phone, which answers.
func (p *baresip) call(callee *baresip) {
	p.t.Helper()
	p.do("dial", "sip:"+callee.user+"@home.test")
	callee.expect("CALL_INCOMING")
	callee.do("accept", "")
	p.expect("CALL_ESTABLISHED")
	callee.expect("CALL_ESTABLISHED")
}

// hangUp ends the call from p's side.
func (p *baresip) hangUp(other *baresip) {
	p.t.Helper()
	p.do("hangup", "")
	other.expect("CALL_CLOSED")
	p.expect("CALL_CLOSED")
}

// TestBaresip has phones register over UDP, TCP and TLS with digest, call each other with audio, hold and transfer.
func TestBaresip(t *testing.T) {
	h := startHome(t, "127.0.0.1")
	alice, bob, carol := h.phone(t, "alice", "udp", loopback), h.phone(t, "bob", "tcp", loopback), h.phone(t, "carol", "tls", loopback)
	for _, pair := range [][2]*baresip{{alice, bob}, {bob, carol}, {carol, alice}} {
		pair[0].call(pair[1])
		pair[1].hangUp(pair[0])
	}
	alice.call(bob)
	alice.do("hold", "")
	bob.expect("CALL_REMOTE_SDP")
	alice.do("resume", "")
	bob.expect("CALL_REMOTE_SDP")
	alice.do("transfer", "sip:carol@home.test")
	if to := bob.expect("TRANSFER"); to != "sip:carol@home.test" {
		t.Errorf("transferred to %s", to)
	}
	carol.expect("CALL_INCOMING")
	carol.do("accept", "")
	carol.expect("CALL_ESTABLISHED")
	carol.expect("CALL_RTPESTAB")
	alice.expect("CALL_CLOSED")
	carol.hangUp(bob)
}

// behindNAT makes a namespace whose programs have an address of their own and reach us by another one only (nftables,
// masquerade). home is ours.
func behindNAT(t *testing.T) (at place, home string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("a network namespace takes root")
	}
	ip, nft := tool(t, "ip", "iproute2"), tool(t, "nft", "nftables")
	space, link := fmt.Sprint("phone", os.Getpid()), fmt.Sprint("nat", os.Getpid())
	const ours, outside, inside = "198.18.77.1", "198.18.77.2", "192.168.77.2"
	for i, words := range [][]string{
		{ip, "netns", "add", space},
		{ip, "link", "add", link, "type", "veth", "peer", "name", "out", "netns", space},
		{ip, "address", "add", ours + "/30", "dev", link},
		{ip, "link", "set", link, "up"},
		{ip, "-n", space, "link", "set", "lo", "up"},
		{ip, "-n", space, "address", "add", outside + "/30", "dev", "out"},
		{ip, "-n", space, "address", "add", inside + "/32", "dev", "lo"},
		{ip, "-n", space, "link", "set", "out", "up"},
		{ip, "-n", space, "route", "replace", "198.18.77.0/30", "dev", "out", "src", inside},
		{ip, "netns", "exec", space, nft, "add table ip nat; add chain ip nat post { type nat hook postrouting priority 100; }; " +
			"add rule ip nat post ip saddr " + inside + " masquerade"},
	} {
		out, err := exec.Command(words[0], words[1:]...).CombinedOutput()
		if err != nil && i == 0 {
			t.Skipf("no network namespace here: %v: %s", err, out)
		}
		if err != nil {
			t.Fatalf("%s: %v: %s", strings.Join(words, " "), err, out)
		}
		if i == 0 {
			t.Cleanup(func() { // the kernel ends a namespace, and with it the link, in its own time: the next one has its name
				_ = exec.Command(ip, "link", "delete", link).Run()
				_ = exec.Command(ip, "netns", "delete", space).Run()
			})
		}
	}
	return place{address: inside, control: outside, within: []string{ip, "netns", "exec", space}}, ours
}

// TestBaresipBehindNAT has a phone that is behind NAT be called over each transport, and call.
func TestBaresipBehindNAT(t *testing.T) {
	for _, transport := range []string{"udp", "tcp", "tls"} {
		t.Run(transport, func(t *testing.T) {
			tool(t, "baresip", "baresip-core")
			at, ours := behindNAT(t)
			h := startHome(t, ours)
			far := h.phone(t, "carol", transport, at)
			if line := h.WaitLine(t, "registered carol"); !strings.Contains(line, "received sip:198.18.77.2:") {
				t.Errorf("no NAT: %s", line)
			}
			near := h.phone(t, "bob", "udp", place{address: ours, control: ours})
			near.call(far)
			far.hangUp(near)
			far.call(near) // audio is up to a relay, which is not here
			near.hangUp(far)
		})
	}
}
