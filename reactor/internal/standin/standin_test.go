package standin

import (
	"io"
	"net"
	"os"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// descriptors counts what this process has open.
func descriptors(t *testing.T) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

// read reads the descriptor of a connection as an event loop does.
func read(t *testing.T, nc net.Conn, b []byte) int {
	t.Helper()
	raw, err := nc.(syscall.Conn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if failed := raw.Control(func(fd uintptr) { n, err = unix.Read(int(fd), b) }); failed != nil || err != nil {
		t.Fatal(failed, err)
	}
	return n
}

// A stand-in has the file's bytes, under a number of its own, and lives on without the
// caller's descriptor.
func TestFor(t *testing.T) {
	before := descriptors(t)
	from, to, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	nc, err := For(int(from.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	from.Close()
	if _, err := io.WriteString(to, "told"); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 16)
	if n := read(t, nc, b); string(b[:n]) != "told" {
		t.Errorf("it reads %q", b[:n])
	}
	nc.Close()
	to.Close()
	if after := descriptors(t); after > before {
		t.Errorf("%d descriptors are left open", after-before)
	}
}

func TestForNothing(t *testing.T) {
	before := descriptors(t)
	if nc, err := For(-1); err == nil {
		nc.Close()
		t.Error("there is a stand-in for no descriptor")
	}
	if after := descriptors(t); after != before {
		t.Errorf("%d descriptors are left open", after-before)
	}
}

func TestEndless(t *testing.T) {
	before := descriptors(t)
	nc, err := Endless()
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 64)
	for range 1000 {
		if n := read(t, nc, b); n != 8 {
			t.Fatalf("a read has %d bytes", n)
		}
	}
	nc.Close()
	if after := descriptors(t); after != before {
		t.Errorf("%d descriptors are left open", after-before)
	}
}

// No program that is started gets a stand-in's descriptor.
func TestClosesOnExec(t *testing.T) {
	nc, err := Endless()
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if flags := fcntl(t, nc, unix.F_GETFD); flags&unix.FD_CLOEXEC == 0 {
		t.Errorf("the flags of its descriptor are %#x", flags)
	}
}

// A signal is readable once it was given, and a loop that reads it twice does not block.
func TestSignal(t *testing.T) {
	before := descriptors(t)
	file, nc, err := Signal()
	if err != nil {
		t.Fatal(err)
	}
	if fcntl(t, nc, unix.F_GETFL)&unix.O_NONBLOCK == 0 {
		t.Fatal("who reads it with nothing told blocks")
	}
	if _, err := file.Write([]byte{1, 0, 0, 0, 0, 0, 0, 0}); err != nil {
		t.Fatal(err)
	}
	if n := read(t, nc, make([]byte, 64)); n != 8 {
		t.Errorf("a read has %d bytes", n)
	}
	nc.Close()
	file.Close()
	if after := descriptors(t); after != before {
		t.Errorf("%d descriptors are left open", after-before)
	}
}

// fcntl asks for flags of a connection's descriptor.
func fcntl(t *testing.T, nc net.Conn, what int) (flags int) {
	t.Helper()
	raw, err := nc.(syscall.Conn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if failed := raw.Control(func(fd uintptr) { flags, err = unix.FcntlInt(fd, what, 0) }); failed != nil || err != nil {
		t.Fatal(failed, err)
	}
	return flags
}
