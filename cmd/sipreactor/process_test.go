package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

const quietConfig = "socket=udp:127.0.0.1:%s\nloadmodule \"proto_udp.so\"\nloadmodule \"proto_tcp.so\"\nstderror_enabled=no\nroute { exit; }\n"

// asChild starts the program as a process of its own and gives its standard error.
func asChild(t *testing.T, args ...string) (*exec.Cmd, *output) {
	t.Helper()
	child := exec.Command(os.Args[0], args...)
	child.Env = append(os.Environ(), asProgram+"=1")
	log := newOutput()
	child.Stderr = log
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = child.Process.Kill() })
	return child, log
}

// The flags of OpenSIPS do what they do there, and what means nothing here is said.
func TestProcessFlags(t *testing.T) {
	dir, err := os.MkdirTemp("", "sipreactor-process") // t.TempDir's parent is its owner's alone
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	udp, tcp := freePort(t), freePort(t)
	pid := filepath.Join(dir, "sipreactor.pid")
	args := []string{"-f", config(t, fmt.Sprintf(quietConfig, udp)), "-l", "tcp:127.0.0.1:" + tcp, "-P", pid, "-w", dir, "-m", "64", "-M", "4", "-D", "-F", "-E"}
	root := os.Geteuid() == 0
	if root {
		args = append(args, "-u", "nobody", "-g", "nogroup")
	}
	child, log := asChild(t, args...)
	log.wait(t, "ready")
	number := child.Process.Pid
	text := log.String()
	for _, want := range []string{"udp:127.0.0.1:" + udp, "tcp:127.0.0.1:" + tcp} {
		if !strings.Contains(text, want) {
			t.Errorf("no socket %s in %s", want, text)
		}
	}
	if b, err := os.ReadFile(pid); err != nil || string(b) != fmt.Sprintf("%d\n", number) {
		t.Errorf("the pid file has %q: %v, want %d", b, err, number)
	}
	if cwd, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", number)); err != nil && !root || err == nil && cwd != dir {
		t.Errorf("it works in %q: %v", cwd, err)
	}
	if root {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", number))
		if err != nil || !strings.Contains(string(status), "\nUid:\t65534\t65534\t65534\t65534\n") || !strings.Contains(string(status), "\nGid:\t65534\t") {
			t.Errorf("it does not run as nobody: %v\n%s", err, status)
		}
	}
	// A second one must not take the file over.
	other, otherLog := asChild(t, "-f", config(t, fmt.Sprintf(quietConfig, freePort(t))), "-P", pid, "-E")
	if err := other.Wait(); err == nil || !strings.Contains(otherLog.String(), "is running") {
		t.Errorf("a second one on the same pid file: %v\n%s", err, otherLog)
	}
	if err := child.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := child.Wait(); err != nil {
		t.Errorf("it ended with %v\n%s", err, log)
	}
	if _, err := os.Stat(pid); !os.IsNotExist(err) {
		t.Errorf("the pid file is left: %v", err)
	}
}

func TestProcessFlagsChecked(t *testing.T) {
	none := config(t, "loadmodule \"proto_udp.so\"\nroute { exit; }\n")
	if code, out, errs := command(t, "-c", "-f", none, "-l", "udp:127.0.0.1:5060", "-m", "128"); code != exitOK || !strings.Contains(out, ": ok") ||
		!strings.Contains(errs, "-m 128 does nothing: there is no shared memory") {
		t.Errorf("-c: exit code %d: %s%s", code, out, errs)
	}
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"-c", "-f", config(t, "route { exit; }\n")}, "there is no socket"},
		{[]string{"-c", "-f", none, "-l", "udp"}, `-l:1:8: found "udp", expected a socket`},
		{[]string{"-c", "-f", none, "-l", "tls:127.0.0.1"}, `-l:1:8: a tls socket needs loadmodule "proto_tls.so"`},
		{[]string{"-c", "-f", none, "-l", "udp:127.0.0.1", "-u", "no such user"}, "-u no such user: there is no such user"},
		{[]string{"-c", "-f", none, "-l", "udp:127.0.0.1", "-g", "no such group"}, "-g no such group: there is no such group"},
		{[]string{"-c", "-f", none, "-l", "udp:127.0.0.1", "-w", "/no/such/directory"}, "/no/such/directory"},
	} {
		if code, _, errs := command(t, tt.args...); code != exitFailed || !strings.Contains(errs, tt.want) {
			t.Errorf("%v: exit code %d: %s", tt.args, code, errs)
		}
	}
}
