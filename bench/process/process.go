package process

import (
	"bufio"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// lineLimit is how long a program may take to say what it is waited for, on a machine that does other things too.
const lineLimit = 30 * time.Second

// Process is a program that runs until the end of the test. Any goroutine may use it.
type Process struct {
	Name string
	Cmd  *exec.Cmd // its ProcessState is there once Exited is closed

	exited chan struct{}
	err    error // after exited

	mu    sync.Mutex
	lines []string
	seen  chan struct{} // a token for new lines, dropped when nobody looks
}

// Start runs a program. What it writes is read by lines, but for a stream that cmd already leads elsewhere. At the end
// of the test it is killed, with all that it started, and its output is shown if the test failed.
func Start(t testing.TB, name string, cmd *exec.Cmd) *Process {
	t.Helper()
	p := &Process{Name: name, Cmd: cmd, exited: make(chan struct{}), seen: make(chan struct{}, 1)}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	if cmd.Stdout == nil {
		cmd.Stdout = w
	}
	if cmd.Stderr == nil {
		cmd.Stderr = w
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	read := make(chan struct{})
	go func() {
		defer close(read)
		defer r.Close()
		p.read(bufio.NewScanner(r))
	}()
	go func() {
		p.err = cmd.Wait()
		select {
		case <-read:
		case <-time.After(5 * time.Second): // a child of its own still holds the stream
		}
		close(p.exited)
	}()
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		<-p.exited
		<-read
		if t.Failed() {
			lines := p.Lines()
			t.Logf("%s: %v\n%s", name, cmd.Args, strings.Join(lines[max(0, len(lines)-60):], "\n"))
		}
	})
	return p
}

func (p *Process) read(lines *bufio.Scanner) {
	for lines.Scan() {
		p.mu.Lock()
		p.lines = append(p.lines, lines.Text())
		p.mu.Unlock()
		select {
		case p.seen <- struct{}{}:
		default:
		}
	}
}

// Lines is what the program has written so far.
func (p *Process) Lines() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.lines...)
}

// Exited is closed when the program has ended and its output is read.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// WaitLine returns the first line of output that contains a text. One goroutine at a time may call it.
func (p *Process) WaitLine(t testing.TB, text string) string {
	t.Helper()
	late := time.After(lineLimit)
	for {
		ended := false
		select {
		case <-p.exited: // what it said is looked at once more: all of it is there now
			ended = true
		default:
		}
		for _, l := range p.Lines() {
			if strings.Contains(l, text) {
				return l
			}
		}
		if ended {
			t.Fatalf("%s ended (%v) before it said %q", p.Name, p.err, text)
		}
		select {
		case <-p.seen:
		case <-p.exited:
		case <-late:
			t.Fatalf("%s did not say %q", p.Name, text)
		}
	}
}

// Wait returns the exit code of a program that ends by itself.
func (p *Process) Wait(t testing.TB, limit time.Duration) int {
	t.Helper()
	select {
	case <-p.exited:
		return p.Cmd.ProcessState.ExitCode()
	case <-time.After(limit):
		t.Fatalf("%s still runs after %v", p.Name, limit)
		return -1
	}
}
