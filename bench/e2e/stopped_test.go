package e2e

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"sipreactor/bench/process"
)

const stoppedConfig = `log_level=3
stderror_enabled=yes
syslog_enabled=no
tcp_user_timeout=1000
socket=tcp:TCP
loadmodule "proto_tcp.so"
loadmodule "sl.so"
loadmodule "sipmsgops.so"
modparam("proto_tcp", "tcp_send_timeout", 10000)
route {
	if ($si != "127.0.0.1")
		exit;
	if (!forward())
		sl_send_reply(503, "Busy");
}
`

// A program that was stopped for longer than a peer may take to acknowledge something, as a machine that moves does to
// it, goes on with the connections it had: what was acknowledged meanwhile counts, and what is written then has its time.
func TestStopped(t *testing.T) {
	callee, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer callee.Close()
	var connections atomic.Int64
	go func() {
		for {
			c, err := callee.Accept()
			if err != nil {
				return
			}
			connections.Add(1)
			go answerAll(c)
		}
	}()
	tcp := "127.0.0.1:" + freePort(t)
	path := filepath.Join(t.TempDir(), "stopped.cfg")
	if err := os.WriteFile(path, []byte(strings.Replace(stoppedConfig, "TCP", tcp, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	p := process.Start(t, "sipreactor", exec.Command(binary, "-f", path))
	p.WaitLine(t, "msg=ready")
	client, err := net.Dial("tcp", tcp)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	var answers atomic.Int64
	go func() {
		for in := bufio.NewScanner(client); in.Scan(); {
			if strings.HasPrefix(in.Text(), "SIP/2.0 ") {
				answers.Add(1)
			}
		}
	}()
	sent := int64(0)
	ask := func(d time.Duration) {
		t.Helper()
		for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
			sent++
			if _, err := fmt.Fprintf(client, "MESSAGE sip:x@%v;transport=tcp SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK%[2]d\r\nMax-Forwards: 9\r\n"+
				"From: <sip:a@x>;tag=1\r\nTo: <sip:b@x>\r\nCall-ID: %[2]d\r\nCSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n", callee.Addr(), sent); err != nil {
				t.Fatal(err)
			}
		}
	}
	signal := func(s syscall.Signal) {
		t.Helper()
		if err := p.Cmd.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		ask(300 * time.Millisecond)
		signal(syscall.SIGSTOP)
		ask(4 * time.Second)
		signal(syscall.SIGCONT)
		ask(300 * time.Millisecond)
	}
	for end := time.Now().Add(20 * time.Second); answers.Load() < sent; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d of %d requests are answered", answers.Load(), sent)
		}
	}
	if n := connections.Load(); n != 1 {
		t.Errorf("the callee, which never went, has had %d connections", n)
	}
}

// answerAll answers each request with 200.
func answerAll(c net.Conn) {
	defer c.Close()
	var head []string
	for in := bufio.NewScanner(c); in.Scan(); {
		line := in.Text()
		for _, name := range []string{"Via:", "From:", "To:", "Call-ID:", "CSeq:"} {
			if strings.HasPrefix(line, name) {
				head = append(head, line)
			}
		}
		if line == "" && head != nil {
			if _, err := fmt.Fprintf(c, "SIP/2.0 200 OK\r\n%s\r\nContent-Length: 0\r\n\r\n", strings.Join(head, "\r\n")); err != nil {
				return
			}
			head = nil
		}
	}
}
