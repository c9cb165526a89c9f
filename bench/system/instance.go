package system

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"sipreactor/bench/sample"
	"sipreactor/cmd/sipreactor/load"
)

// keptLines is how many lines of output are kept, from the begin and from the end.
const keptLines = 200

// Instance is a running system. Its methods may be called by any goroutine.
type Instance struct {
	Addr  string
	Setup Setup

	cmd    *exec.Cmd
	exited chan struct{}
	err    error // after exited
	read   chan struct{}

	mu          sync.Mutex
	first, last []string
	dropped     int
	stopping    bool
}

func start(path string, args, env []string, dir string) (*Instance, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(path, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = w, w
	// A group of its own is what is measured; it must not outlive us.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	err = cmd.Start()
	w.Close()
	if err != nil {
		r.Close()
		return nil, err
	}
	i := &Instance{cmd: cmd, exited: make(chan struct{}), read: make(chan struct{})}
	go i.keep(r)
	go func() {
		i.err = cmd.Wait()
		close(i.exited)
	}()
	return i, nil
}

func (i *Instance) keep(r *os.File) {
	defer close(i.read)
	defer r.Close()
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		i.mu.Lock()
		switch {
		case len(i.first) < keptLines:
			i.first = append(i.first, lines.Text())
		case len(i.last) < keptLines:
			i.last = append(i.last, lines.Text())
		default:
			i.last = append(i.last[1:], lines.Text())
			i.dropped++
		}
		i.mu.Unlock()
	}
}

// Log is the output so far: its begin and its end.
func (i *Instance) Log() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return append(append([]string(nil), i.first...), i.last...)
}

// Group is what to measure.
func (i *Instance) Group() sample.Group { return sample.Group(i.cmd.Process.Pid) }

// Exited is closed when the program has ended.
func (i *Instance) Exited() <-chan struct{} { return i.exited }

// Fault tells how the instance ended if it did so unasked: the exit and the log lines that say why. It is nil while
// the instance runs.
func (i *Instance) Fault() error {
	i.mu.Lock()
	asked := i.stopping
	i.mu.Unlock()
	select {
	case <-i.exited:
	default:
		return nil
	}
	if asked {
		return nil
	}
	<-i.read
	how := "exit code 0"
	if i.err != nil {
		how = i.err.Error()
	}
	return fmt.Errorf("ended by itself (%s): %s", how, culprit(i.Log()))
}

// culprit picks the first line that speaks of a crash, or else the last one.
func culprit(lines []string) string {
	for _, l := range lines {
		low := strings.ToLower(l)
		for _, word := range []string{"signal 11", "signal 6", "segfault", "panic:", "core was", "core dumped", "exited by a signal", "sigsegv", "abort"} {
			if strings.Contains(low, word) {
				return strings.TrimSpace(l)
			}
		}
	}
	if len(lines) == 0 {
		return "no output"
	}
	return strings.TrimSpace(lines[len(lines)-1])
}

// Ready waits until a request is answered. An instance that ends before tells how.
func (i *Instance) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	peer := load.Peer{Addr: i.Addr, TLS: &tls.Config{InsecureSkipVerify: true}}
	var err error
	for {
		var r load.Result
		r, err = load.Options{
			Peer: peer, URI: i.URI(), Count: 1, Window: 1, Duration: 2 * time.Second, Timeout: 2 * time.Second,
		}.Run(ctx)
		if err == nil && r.Done == 1 {
			return nil
		}
		if err == nil {
			err = fmt.Errorf("the first request is not answered: %v", r.Reasons)
		}
		select {
		case <-i.exited:
			return errors.Join(errors.New("it does not start"), i.Fault())
		case <-ctx.Done():
			return fmt.Errorf("not ready in time: %w; %s", err, culprit(i.Log()))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// URI names the instance itself.
func (i *Instance) URI() string { return "sip:" + i.Addr + ";transport=tls" }

// Reload has it read its files again, as SIGHUP does.
func (i *Instance) Reload() error { return i.cmd.Process.Signal(syscall.SIGHUP) }

// Stop ends the group: in order, and after a moment by force. It may be called more than once.
func (i *Instance) Stop() {
	i.mu.Lock()
	i.stopping = true
	i.mu.Unlock()
	_ = i.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-i.exited:
	case <-time.After(3 * time.Second):
	}
	_ = syscall.Kill(-i.cmd.Process.Pid, syscall.SIGKILL) // children that stayed behind
	<-i.exited
	<-i.read
}
