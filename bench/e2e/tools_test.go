package e2e

import (
	"bufio"
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"sipreactor/bench/load"
)

// binary is the program under test, built once.
var binary string

func TestMain(m *testing.M) {
	if os.Getenv("SIPREACTOR_E2E") == "off" {
		os.Stdout.WriteString("skipped: SIPREACTOR_E2E=off\n")
		return
	}
	dir, err := os.MkdirTemp("", "sipreactor-e2e-")
	if err != nil {
		panic(err)
	}
	binary = filepath.Join(dir, "sipreactor")
	build := exec.Command("go", "build", "-o", binary, "sipreactor/cmd/sipreactor")
	build.Stderr = os.Stderr
	code := 1
	if build.Run() == nil {
		code = m.Run()
	}
	os.RemoveAll(dir)
	os.Exit(code)
}

// tool finds a program, in the administrator's directories too. The test is skipped without it, or fails when
// everything is required.
func tool(t *testing.T, name, pkg string) string {
	t.Helper()
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin", "/usr/local/sbin") {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode()&0o111 != 0 && !info.IsDir() {
			return path
		}
	}
	if os.Getenv("SIPREACTOR_E2E") == "require" {
		t.Fatalf("%s is not installed (Debian: apt-get install %s)", name, pkg)
	}
	t.Skipf("%s is not installed (Debian: apt-get install %s)", name, pkg)
	return ""
}

// freePort gives a loopback port on which nobody listened just now.
func freePort(t *testing.T) string {
	t.Helper()
	port, err := load.UnusedPort()
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// waitListening returns once something listens on a loopback port.
func waitListening(t *testing.T, port string) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		c, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			c.Close()
			return
		}
	}
	t.Fatalf("nothing listens on port %s", port)
}

// process is a program that runs until the end of the test. Its output is shown when the test fails.
type process struct {
	name   string
	cmd    *exec.Cmd
	exited chan struct{}
	err    error // after exited

	mu    sync.Mutex
	lines []string
	seen  chan struct{} // a token for each new line, dropped when nobody looks
}

func start(t *testing.T, name string, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{name: name, cmd: cmd, exited: make(chan struct{}), seen: make(chan struct{}, 1)}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = w, w
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	read := make(chan struct{})
	go func() {
		defer close(read)
		defer r.Close()
		lines := bufio.NewScanner(r)
		for lines.Scan() {
			p.mu.Lock()
			p.lines = append(p.lines, lines.Text())
			p.mu.Unlock()
			select {
			case p.seen <- struct{}{}:
			default:
			}
		}
	}()
	go func() {
		p.err = cmd.Wait()
		close(p.exited)
	}()
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		<-p.exited
		<-read
		if t.Failed() {
			lines := p.output()
			t.Logf("%s: %v\n%s", name, cmd.Args, strings.Join(lines[max(0, len(lines)-60):], "\n"))
		}
	})
	return p
}

func (p *process) output() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.lines...)
}

// waitLine returns the first line of output that contains a text.
func (p *process) waitLine(t *testing.T, text string) string {
	t.Helper()
	late := time.After(20 * time.Second)
	for {
		for _, l := range p.output() {
			if strings.Contains(l, text) {
				return l
			}
		}
		select {
		case <-p.seen:
		case <-p.exited:
			t.Fatalf("%s ended (%v) before it said %q", p.name, p.err, text)
		case <-late:
			t.Fatalf("%s did not say %q", p.name, text)
		}
	}
}

// wait returns the exit code.
func (p *process) wait(t *testing.T, limit time.Duration) int {
	t.Helper()
	select {
	case <-p.exited:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(limit):
		t.Fatalf("%s still runs after %v", p.name, limit)
		return -1
	}
}

// output runs a program to its end.
func output(ctx context.Context, name string, args ...string) string {
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	_ = cmd.Run() // sipp -v exits 99
	return out.String()
}
