package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A reload that waits for a database holds up no other signal.
func TestSignalsDuringAReload(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	asked := make(chan net.Conn, 16)
	go func() {
		for {
			c, err := silent.Accept()
			if err != nil {
				return
			}
			asked <- c
		}
	}()
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
	write("loadmodule \"db_mysql.so\"\nloadmodule \"dispatcher.so\"\nmodparam(\"dispatcher\", \"db_url\", \"mysql://u:p@" + silent.Addr().String() + "/x\")\n" + text)
	r.signal(t, syscall.SIGHUP)
	var waits net.Conn
	select {
	case waits = <-asked:
	case <-time.After(patience):
		t.Fatal("the database was not asked")
	}
	defer waits.Close()
	r.signal(t, syscall.SIGHUP) // to be done behind the first one
	r.signal(t, syscall.SIGTERM)
	r.stderr.wait(t, "msg=draining")
	if got := r.stderr.String(); strings.Contains(got, "reloaded") {
		t.Errorf("SIGTERM waited for the reload:\n%s", got)
	}
	r.exit(t)
}

// What does not end is left behind.
func TestWithin(t *testing.T) {
	block := make(chan struct{})
	defer close(block)
	began := time.Now()
	within(func() { <-block })
	if d := time.Since(began); d < closeLimit {
		t.Errorf("left behind after %v", d)
	}
	ran := false
	if within(func() { ran = true }); !ran {
		t.Error("not run")
	}
}
