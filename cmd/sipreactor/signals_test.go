package main

import (
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// silentDatabase accepts and says nothing. It returns the statements of a configuration that asks it, and waits until
// it was asked.
func silentDatabase(t *testing.T) (text string, asked func()) {
	t.Helper()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	conns := make(chan net.Conn, 100)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := silent.Accept()
			if err != nil {
				return
			}
			conns <- c
		}
	}()
	t.Cleanup(func() {
		silent.Close()
		<-done
		close(conns)
		for c := range conns {
			c.Close()
		}
	})
	return "loadmodule \"db_mysql.so\"\nloadmodule \"dispatcher.so\"\nmodparam(\"dispatcher\", \"db_url\", \"mysql://u:p@" + silent.Addr().String() + "/x\")\n", func() {
		t.Helper()
		select {
		case c := <-conns:
			t.Cleanup(func() { c.Close() })
		case <-time.After(patience):
			t.Fatal("the database was not asked")
		}
	}
}

// A start that waits for a database ends when it is asked to.
func TestSignalDuringTheStart(t *testing.T) {
	text, asked := silentDatabase(t)
	path := config(t, text+"socket=udp:127.0.0.1:"+freePort(t)+"\nloadmodule \"proto_udp.so\"\nroute { exit; }\n")
	stderr, code := newOutput(), make(chan int, 1)
	go func() { code <- run(t.Context(), []string{"-f", path}, newOutput(), stderr) }()
	asked()
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case got := <-code:
		if got != exitFailed || !strings.Contains(stderr.String(), errEnded.Error()) {
			t.Errorf("%d:\n%s", got, stderr)
		}
	case <-time.After(patience):
		t.Error("it does not end")
	}
}

// A reload that waits for a database holds up no other signal.
func TestSignalsDuringAReload(t *testing.T) {
	database, asked := silentDatabase(t)
	addr := "127.0.0.1:" + freePort(t)
	text := "socket=udp:" + addr + "\nloadmodule \"proto_udp.so\"\nroute { exit; }\n"
	path := filepath.Join(t.TempDir(), "a.cfg")
	write := func(s string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(text)
	r := &running{addr: addr, stderr: newOutput(), stdout: newOutput(), code: make(chan int, 1)}
	go func() { r.code <- run(t.Context(), []string{"-f", path}, r.stdout, r.stderr) }()
	r.stderr.wait(t, "msg=ready")
	write(database + text)
	r.signal(t, syscall.SIGHUP)
	asked()
	r.signal(t, syscall.SIGHUP) // to be done behind the first one
	r.signal(t, syscall.SIGTERM)
	r.stderr.wait(t, "msg=draining")
	if got := r.stderr.String(); strings.Contains(got, "reloaded") {
		t.Errorf("SIGTERM waited for the reload:\n%s", got)
	}
	r.exit(t)
}

func TestBegin(t *testing.T) {
	signals := make(chan os.Signal, 4)
	block := make(chan struct{})
	defer close(block)
	signals <- syscall.SIGTERM
	signals <- syscall.SIGHUP
	signals <- syscall.SIGINT
	if err := begin(signals, func() error { <-block; return nil }); err != errEnded {
		t.Errorf("after two signals: %v", err)
	}
	if err := begin(signals, func() error {
		signals <- syscall.SIGHUP
		signals <- syscall.SIGTERM
		for len(signals) > 0 {
			time.Sleep(time.Millisecond)
		}
		return os.ErrInvalid
	}); err != os.ErrInvalid {
		t.Errorf("a start that fails: %v", err)
	}
	if a, b := <-signals, <-signals; a != syscall.SIGHUP || b != syscall.SIGTERM {
		t.Errorf("put back: %v, %v", a, b)
	}
}

// What does not end is left behind.
func TestWithin(t *testing.T) {
	block := make(chan struct{})
	defer close(block)
	began := time.Now()
	if ended := within(100*time.Millisecond, func() { <-block }); ended || time.Since(began) < 100*time.Millisecond {
		t.Errorf("left behind after %v, ended %v", time.Since(began), ended)
	}
	ran := false
	if ended := within(patience, func() { ran = true }); !ran || !ended {
		t.Errorf("run %v, ended %v", ran, ended)
	}
}

// The runtime has a processor more than there are event loops, but where one loop is all, or the operator has said otherwise.
func TestProcessors(t *testing.T) {
	before := runtime.GOMAXPROCS(2)
	defer runtime.GOMAXPROCS(before)
	for _, c := range []struct {
		loops, want int
		said        string
	}{{1, 2, ""}, {4, 2, "2"}, {2, 3, ""}, {2, 3, ""}, {4, 5, ""}, {3, 5, ""}} {
		t.Setenv("GOMAXPROCS", c.said)
		if processors(c.loops); runtime.GOMAXPROCS(0) != c.want {
			t.Errorf("%+v: %d", c, runtime.GOMAXPROCS(0))
		}
	}
}
