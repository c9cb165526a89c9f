package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// inNetns runs the rest of the test in a process with a network namespace of its
// own, whose ports are all free. In the process that calls it first it answers
// false when that has ended. SIPREACTOR_NETNS=require makes an error of a machine
// that does not allow that.
func inNetns(t *testing.T) bool {
	t.Helper()
	t.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin:/sbin")
	if os.Getenv("SIPREACTOR_IN_NETNS") == t.Name() {
		if out, err := exec.Command("ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return true
	}
	attr := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if uid := os.Getuid(); uid != 0 {
		attr.Cloneflags |= syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: uid, Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	try := exec.Command("ip", "link", "set", "lo", "up")
	try.SysProcAttr = attr
	if err := try.Run(); err != nil {
		if os.Getenv("SIPREACTOR_NETNS") == "require" {
			t.Fatalf("no network namespace: %v", err)
		}
		t.Skipf("no network namespace: %v", err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=5m")
	cmd.Env = append(os.Environ(), "SIPREACTOR_IN_NETNS="+t.Name())
	cmd.SysProcAttr = attr
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Fatalf("%v\n%s", err, out)
	}
	return false
}

// The program starts without a configuration also where the port of its page is
// taken, keeps what it makes to itself, and says plainly that it cannot where its
// SIP port is.
func TestFirstCommand(t *testing.T) {
	if !inNetns(t) {
		return
	}
	home, temporary := t.TempDir(), t.TempDir()
	for name, value := range map[string]string{"STATE_DIRECTORY": home, "XDG_STATE_HOME": home, "HOME": home, "TMPDIR": temporary} {
		t.Setenv(name, value)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:8888")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stdout, stderr, code := newOutput(), newOutput(), make(chan int, 1)
	go func() { code <- run(ctx, nil, stdout, stderr) }()
	stderr.wait(t, "msg=ready")
	stdout.wait(t, "Commands:")
	said := regexp.MustCompile(`The status page is (http://127\.0\.0\.1:(\d+)/) and asks for the token ([0-9a-f]{64})\n`).FindStringSubmatch(stdout.String())
	if said == nil || said[2] == "8888" {
		t.Fatalf("%q in\n%s\n%s", said, stdout, stderr)
	}
	for token, want := range map[string]int{said[3]: http.StatusOK, "another": http.StatusUnauthorized} {
		r, _ := http.NewRequestWithContext(ctx, http.MethodGet, said[1]+"metrics", nil)
		r.SetBasicAuth("anybody", token)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("the page answers %s", resp.Status)
		}
	}
	http.DefaultClient.CloseIdleConnections()
	if dirs, err := filepath.Glob(filepath.Join(temporary, "sipreactor-*", "state", tokenFile)); err != nil || len(dirs) != 1 {
		t.Errorf("the token is in %q, %v", dirs, err)
	}
	cancel()
	if got := <-code; got != exitOK {
		t.Errorf("exit code %d\n%s", got, stderr)
	}
	for _, dir := range []string{home, temporary} {
		if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
			t.Errorf("left behind: %v, %v", left, err)
		}
	}

	if taken, err = net.Listen("tcp", "127.0.0.1:5061"); err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	got, _, errs := command(t)
	if got != exitFailed || !regexp.MustCompile(`cannot start: built-in configuration:\d+:\d+: socket tls:127\.0\.0\.1:5061: .*address already in use`).MatchString(errs) {
		t.Errorf("exit code %d: %s", got, errs)
	}
}
