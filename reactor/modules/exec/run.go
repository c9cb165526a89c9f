package exec

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// maxOutput bounds what is kept of each stream of a command, maxRunning the commands
// under way.
const (
	maxOutput  = 64 << 10
	maxRunning = 64
)

var errBusy = errors.New("too many commands are under way")

// runner runs commands. Any goroutine may use it.
type runner struct {
	longest time.Duration // time_to_kill
	grace   time.Duration // from SIGTERM to SIGKILL
	slots   chan struct{}
}

func newRunner() *runner {
	return &runner{longest: 30 * time.Second, grace: 2 * time.Second, slots: make(chan struct{}, maxRunning)}
}

// command is one to be run.
type command struct {
	line  string
	stdin []byte
	env   []string
}

// output is a stream of a command as far as it is kept.
type output struct{ b []byte }

func (o *output) Write(b []byte) (int, error) {
	o.b = append(o.b, b[:min(len(b), maxOutput-len(o.b))]...)
	return len(b), nil // the rest is read, or the command would wait for ever
}

// run runs a command to its end.
func (r *runner) run(c *command) (stdout, stderr []byte, err error) {
	select {
	case r.slots <- struct{}{}:
		defer func() { <-r.slots }()
	default:
		return nil, nil, errBusy
	}
	ctx, cancel := context.WithTimeout(context.Background(), r.longest)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", c.line) //nolint:gosec // what the module is for; the operator has allowed it
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = r.grace
	cmd.Env = append(os.Environ(), c.env...)
	cmd.Stdin = bytes.NewReader(c.stdin)
	var out, errs output
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	if ctx.Err() != nil {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // what ignored the first one
		err = fmt.Errorf("the command was ended after %v", r.longest)
	}
	return out.b, errs.b, err
}

// envName makes the name of a header one of an environment variable: SIP_HF_CALL_ID.
func envName(header string) string {
	return "SIP_HF_" + strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z':
			return r - 'a' + 'A'
		case 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
			return r
		default:
			return '_'
		}
	}, header)
}
