// Package netnstest runs tests of hosts that vanish in a network namespace of
// their own, whose packets nftables drops. SIPREACTOR_NETNS=require makes an error
// of a machine that does not allow that; else they are skipped.
package netnstest

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// In runs the rest of the test in a process with a network namespace of its
// own. In the process that calls it first it answers false when that has ended:
// there is nothing left to do. Such a process disturbs no other and mostly waits
// for timeouts: they run beside each other.
func In(t *testing.T) bool {
	t.Helper()
	if os.Getenv("SIPREACTOR_IN_NETNS") == t.Name() {
		Sh(t, "ip", "link", "set", "lo", "up")
		return true
	}
	t.Parallel()
	withTools()
	if err := allowed(); err != nil {
		if os.Getenv("SIPREACTOR_NETNS") == "require" {
			t.Fatalf("no network namespace: %v", err)
		}
		t.Skipf("no network namespace with nftables: %v", err)
	}
	most := 5 * time.Minute
	if end, ok := t.Deadline(); ok {
		most = max(most, time.Until(end))
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout="+most.String())
	cmd.Env = append(os.Environ(), "SIPREACTOR_IN_NETNS="+t.Name())
	cmd.SysProcAttr = namespace()
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Fatalf("%v\n%s", err, out)
	}
	return false
}

// withTools has the process, and those it starts, find what only root has in its PATH.
var withTools = sync.OnceFunc(func() { _ = os.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin:/sbin") })

// namespace asks for a network namespace, and for a user namespace where we are
// not root.
func namespace() *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if uid := os.Getuid(); uid != 0 {
		a.Cloneflags |= syscall.CLONE_NEWUSER
		a.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: uid, Size: 1}}
		a.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	return a
}

// allowed tells what keeps us from a namespace with nftables.
func allowed() error {
	for _, tool := range []string{"ip", "nft"} {
		if _, err := exec.LookPath(tool); err != nil {
			return err
		}
	}
	cmd := exec.Command("nft", "add", "table", "inet", "try")
	cmd.SysProcAttr = namespace()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("nft: %w: %s", err, out)
	}
	return nil
}

// Sh runs a command that has to succeed.
func Sh(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v: %s", name, args, err, out)
	}
}

// Vanish drops every packet to a port, and those from it a moment later: what
// has arrived there is acknowledged before.
func Vanish(t *testing.T, port uint16) {
	t.Helper()
	drop := func(which string) {
		Sh(t, "nft", fmt.Sprintf("add table inet gone; add chain inet gone in { type filter hook input priority 0; }; add rule inet gone in tcp %s %d drop", which, port))
	}
	drop("dport")
	time.Sleep(300 * time.Millisecond) // longer than TCP delays an acknowledgement
	drop("sport")
}

// ComeBack ends what Vanish began.
func ComeBack(t *testing.T) {
	t.Helper()
	Sh(t, "nft", "delete table inet gone")
}
