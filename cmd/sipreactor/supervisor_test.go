package main

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"sipreactor/reactor/script"
)

// manager is a service manager's side of sd_notify.
type manager struct {
	*net.UnixConn
	path string
}

func newManager(t *testing.T) *manager {
	t.Helper()
	m := &manager{path: filepath.Join(t.TempDir(), "notify")}
	var err error
	if m.UnixConn, err = net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: m.path}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// next gives the next datagram that is not a ping, and how many pings came before it.
func (m *manager) next(t *testing.T) (told string, pings int) {
	t.Helper()
	buf := make([]byte, 4096)
	_ = m.SetReadDeadline(time.Now().Add(30 * time.Second))
	for {
		n, err := m.Read(buf)
		if err != nil {
			t.Fatalf("nothing is told: %v", err)
		}
		if told = string(buf[:n]); told != "WATCHDOG=1" {
			return told, pings
		}
		pings++
	}
}

// ping waits for a ping.
func (m *manager) ping(t *testing.T) {
	t.Helper()
	buf := make([]byte, 4096)
	_ = m.SetReadDeadline(time.Now().Add(30 * time.Second))
	n, err := m.Read(buf)
	if err != nil || string(buf[:n]) != "WATCHDOG=1" {
		t.Fatalf("no ping: %q, %v", buf[:n], err)
	}
}

const watchdogUsec = "3000000" // pings come once a second

// A child process gets its sockets from us, with a call waiting on one of them, and tells us how it is.
func TestServiceManager(t *testing.T) {
	t.Parallel()
	m := newManager(t)
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	var handed []*os.File
	for _, s := range []interface{ File() (*os.File, error) }{tcp.(*net.TCPListener), udp.(*net.UDPConn)} {
		f, err := s.File()
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		handed = append(handed, f)
	}
	early, err := net.Dial("tcp", tcp.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer early.Close()

	path := config(t, "socket=tcp:"+tcp.Addr().String()+"\nsocket=udp:"+udp.LocalAddr().String()+
		"\nloadmodule \"proto_tcp.so\"\nloadmodule \"proto_udp.so\"\nloadmodule \"sl.so\"\nroute { sl_send_reply(200, \"OK\"); }\n")
	// The shell becomes the program, so that LISTEN_PID can be the program's own.
	child := exec.Command("sh", "-c", `LISTEN_PID=$$ WATCHDOG_PID=$$ exec "$0" -f "$1"`, os.Args[0], path)
	child.Env = append(os.Environ(), asProgram+"=1", "NOTIFY_SOCKET="+m.path, "WATCHDOG_USEC="+watchdogUsec,
		"LISTEN_FDS=2", "LISTEN_FDNAMES=sip-tcp:sip-udp")
	child.ExtraFiles = handed
	stderr := newOutput()
	child.Stderr = stderr
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = child.Process.Kill() }()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the program says:\n%s", stderr)
		}
	})

	if told, _ := m.next(t); !strings.HasPrefix(told, "READY=1\nSTATUS=listening on tcp:"+tcp.Addr().String()) {
		t.Fatalf("told %q", told)
	}
	late, err := net.Dial("udp", udp.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer late.Close()
	for _, c := range []net.Conn{early, late} {
		_ = c.SetDeadline(time.Now().Add(30 * time.Second))
		via := strings.ToUpper(c.RemoteAddr().Network()) + " " + c.LocalAddr().String()
		_, err := c.Write([]byte("OPTIONS sip:here SIP/2.0\r\nVia: SIP/2.0/" + via + ";branch=z9hG4bKa;rport\r\nMax-Forwards: 70\r\n" +
			"From: <sip:a@b>;tag=1\r\nTo: <sip:here>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"))
		if err != nil {
			t.Fatal(err)
		}
		reply := make([]byte, 2000)
		if n, err := c.Read(reply); err != nil || !strings.HasPrefix(string(reply[:n]), "SIP/2.0 200 OK") {
			t.Fatalf("%v: %q, %v", c.RemoteAddr(), reply[:n], err)
		}
	}

	m.ping(t)
	m.ping(t)
	for _, step := range []struct {
		signal syscall.Signal
		tells  []string
	}{
		{syscall.SIGHUP, []string{"RELOADING=1\nMONOTONIC_USEC=", "READY=1\n"}},
		{syscall.SIGTERM, []string{"STOPPING=1\n"}},
	} {
		if err := child.Process.Signal(step.signal); err != nil {
			t.Fatal(err)
		}
		for _, want := range step.tells {
			if told, _ := m.next(t); !strings.HasPrefix(told, want) {
				t.Errorf("told %q, want %q", told, want)
			}
		}
	}
	if err := child.Wait(); err != nil {
		t.Errorf("the end: %v", err)
	}
	if again, err := net.Dial("tcp", tcp.Addr().String()); err != nil {
		t.Errorf("the socket is the manager's, and open for the next program: %v", err)
	} else {
		again.Close()
	}
}

// A watchdog that saw no pulse is not told, and is told again once there is one.
func TestWatchdogWantsPulse(t *testing.T) {
	m := newManager(t)
	t.Setenv("NOTIFY_SOCKET", m.path)
	t.Setenv("WATCHDOG_USEC", "30000")
	t.Setenv("WATCHDOG_PID", "")
	log := newOutput()
	s := newSupervisor(newLogger(log, script.LevelDebug, ""))
	var looks atomic.Int32
	const dead = 5
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.watch(ctx, func(look context.Context) error {
			if _, bounded := look.Deadline(); !bounded {
				t.Error("a look takes as long as it likes")
			}
			if looks.Add(1) <= dead {
				return errors.New("1 of 2 event loops does not come round")
			}
			return nil
		})
	}()
	m.ping(t)
	if n := looks.Load(); n <= dead {
		t.Errorf("a ping after %d looks", n)
	}
	cancel()
	<-done
	if n := strings.Count(log.String(), "does not come round"); n != dead {
		t.Errorf("%d of %d told:\n%s", n, dead, log)
	}
}

// Without a service manager nothing is told, and a watchdog that cannot be one is.
func TestNoServiceManager(t *testing.T) {
	for usec, want := range map[string]string{"": "", "x": "no watchdog", "-1": "no watchdog"} {
		t.Setenv("NOTIFY_SOCKET", "")
		t.Setenv("WATCHDOG_USEC", usec)
		log := newOutput()
		s := newSupervisor(newLogger(log, script.LevelDebug, ""))
		s.ready("x")
		s.watch(t.Context(), nil)
		if got := log.String(); want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%q: %s", usec, got)
		}
	}
	t.Setenv("NOTIFY_SOCKET", filepath.Join(t.TempDir(), "gone"))
	log := newOutput()
	newSupervisor(newLogger(log, script.LevelDebug, "")).stopping()
	if !strings.Contains(log.String(), "STOPPING=1") {
		t.Errorf("a manager that is gone: %s", log)
	}
}
