package process

import (
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"
)

func TestProcess(t *testing.T) {
	p := Start(t, "shell", exec.Command("sh", "-c", "echo first; echo second >&2; exit 3"))
	if l := p.WaitLine(t, "sec"); l != "second" {
		t.Errorf("line %q", l)
	}
	if code := p.Wait(t, time.Minute); code != 3 {
		t.Errorf("exit code %d", code)
	}
	if got := strings.Join(p.Lines(), " "); got != "first second" {
		t.Errorf("lines %q", got)
	}
}

func TestStartLeavesStreams(t *testing.T) {
	var out strings.Builder
	cmd := exec.Command("sh", "-c", "echo elsewhere; echo here >&2")
	cmd.Stdout = &out
	p := Start(t, "shell", cmd)
	p.Wait(t, time.Minute)
	p.WaitLine(t, "here")
	if out.String() != "elsewhere\n" {
		t.Errorf("standard output %q", out.String())
	}
}

func TestWaitListening(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	WaitListening(t, port)
}

func TestListens(t *testing.T) {
	const table = `  sl  local_address rem_address   st
   0: 0100007F:13C5 00000000:0000 0A 00000000:00000000
   1: 00000000:13C6 00000000:0000 0A 00000000:00000000
   2: 0100007F:13C7 0100007F:0001 01 00000000:00000000
   3: 0200007F:13C8 00000000:0000 0A 00000000:00000000
`
	for port, want := range map[uint16]bool{0x13c5: true, 0x13c6: true, 0x13c7: false, 0x13c8: false, 0x13c9: false} {
		if got := listens(table, port); got != want {
			t.Errorf("port %x: %t", port, got)
		}
	}
}
