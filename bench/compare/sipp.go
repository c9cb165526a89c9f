package compare

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"sipreactor/bench/report"
	"sipreactor/bench/system"
	"sipreactor/cmd/sipreactor/load"
	"sipreactor/reactor/ports"
)

// sippRate is calls a second.
const sippRate = 100

// sipps is sipp at both ends, as people test: Debian's speaks no TLS, so that a relay of ours wraps it on both legs.
func sipps() []Measure {
	var all []Measure
	for _, s := range []struct {
		name, about, uac, uas string
		by                    string
		timed                 []string
	}{
		{"calls", "calls", "uac", "uas", "tls", []string{"INVITE", "BYE"}},
		{"calls-tcp", "calls", "uac", "uas", "tcp", []string{"INVITE", "BYE"}},
		{"stateful-udp", "calls by transactions (t_relay)", "uac", "uas", "udp", []string{"INVITE", "BYE"}},
		{"long", "calls with a hold and a re-INVITE", "uac_long", "uas_long", "tls", []string{"INVITE", "BYE", "re-INVITE"}},
		{"options", "OPTIONS that are forwarded", "options", "answer", "tls", []string{"OPTIONS"}},
		{"message", "MESSAGE that are forwarded", "message", "answer", "tls", []string{"MESSAGE"}},
		{"register", "REGISTER that are forwarded", "register", "answer", "tls", []string{"REGISTER"}},
	} {
		transport, skip := strings.ToUpper(s.by)+" on both legs", variant
		switch s.by {
		case "tcp":
			skip = first(variant, func(s system.System) string {
				if !s.TCP {
					return "it has TLS only"
				}
				return ""
			})
		case "udp":
			skip = first(variant, noTransactions)
		}
		all = append(all, Measure{
			Measure: report.Measure{
				Name: "sipp-" + s.name, Group: "sipp", Unit: "call", Main: report.CPU,
				About: fmt.Sprintf("sipp at both ends, %s: %s, %d a second", transport, s.about, sippRate),
			},
			Pilot: "calls-r200", extra: always(300 * time.Millisecond), skip: skip,
			run: func(ctx context.Context, t *trial) error { return t.sipp(ctx, s.uac, s.uas, s.by, s.timed) },
		})
	}
	return all
}

// sipp runs a pair of them through the system, and measures from the first call to the last. timed are the requests
// whose response times the client's scenario takes, in the order of its numbers for them.
func (t *trial) sipp(ctx context.Context, client, server, by string, timed []string) error {
	path, err := exec.LookPath("sipp")
	if err != nil {
		return errors.New("no sipp on the PATH (Debian: apt-get install sip-tester)")
	}
	setup, err := t.setup("ecdsa")
	if err != nil {
		return err
	}
	plain := by != "tls"
	setup.Plain, setup.UDP, setup.Stateful = by == "tcp", by == "udp", by == "udp"
	answering, err := ports.Unused()
	if err != nil {
		return err
	}
	callee, transport := "127.0.0.1:"+answering, by
	if !plain {
		cfg, err := t.home.CA.ServerConfig("ecdsa", "127.0.0.1")
		if err != nil {
			return err
		}
		behind, err := load.Unwrap("127.0.0.1:0", callee, cfg)
		if err != nil {
			return err
		}
		defer behind.Close()
		callee = behind.Addr()
	}
	calls := max(50, int(sippRate*t.cfg.Window.Seconds()))
	uri := "sip:uas@" + callee + ";transport=" + transport
	uas := t.newSIPp(ctx, path, server, by, setup.Dir, "-p", answering, "-key", "contact", uri)
	if err := uas.start(); err != nil {
		return err
	}
	defer uas.kill()
	if err := listening(ctx, by, answering, uas.exited); err != nil {
		return fmt.Errorf("%w: %s", err, uas.said())
	}
	setup.Callee, setup.CalleeTLS = callee, !plain
	if t.inst, err = t.system.Start(setup); err != nil {
		return err
	}
	_, port, err := net.SplitHostPort(t.inst.Addr)
	if err != nil {
		return err
	}
	if err := listening(ctx, by, port, t.inst.Exited()); err != nil {
		return errors.Join(t.inst.Fault(), err)
	}
	caller := t.inst.Addr
	if !plain {
		before, err := load.Wrap("127.0.0.1:0", t.inst.Addr, t.peer(0).TLS)
		if err != nil {
			return err
		}
		defer before.Close()
		caller = before.Addr()
	}
	from, err := t.inst.Group().Snapshot()
	if err != nil {
		return err
	}
	calling, err := ports.Unused() // two sipp without one both try 5060, and one of them ends
	if err != nil {
		return err
	}
	uac := t.newSIPp(ctx, path, client, by, setup.Dir, "-p", calling, "-m", strconv.Itoa(calls), "-r", strconv.Itoa(sippRate), "-d", "100",
		"-key", "callee", uri, caller)
	if err := uac.start(); err != nil {
		return err
	}
	defer uac.kill()
	select {
	case <-uac.exited:
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(t.cfg.Window + 20*time.Second):
		return fmt.Errorf("sipp does not end: %s", uac.said())
	}
	to, err := t.inst.Group().Snapshot()
	if err != nil {
		return err
	}
	last, err := readStatistics(uac.stats)
	if err != nil {
		return fmt.Errorf("%w: %s", err, uac.said())
	}
	return t.sippResult(to.Since(from), last, timed)
}

// listening waits until a program listens on a port. It does not connect: sipp would count a request, and of two
// connections one of which closes it sometimes answers neither.
func listening(ctx context.Context, by, port string, exited <-chan struct{}) error {
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return err
	}
	file, state := "/proc/net/tcp", "0A"
	if by == "udp" {
		file, state = "/proc/net/udp", "07"
	}
	row := fmt.Sprintf(":%04X 00000000:0000 %s ", n, state) // local port, any peer, listening
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); {
		table, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if strings.Contains(string(table), row) {
			return nil
		}
		select {
		case <-exited:
			return errors.New("it ended before it listened")
		default:
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
	return errors.New("it does not listen in time")
}

// sippRun is one sipp.
type sippRun struct {
	cmd    *exec.Cmd
	out    bytes.Buffer
	stats  string
	exited chan struct{}
}

func (t *trial) newSIPp(ctx context.Context, path, scenario, by, dir string, args ...string) *sippRun {
	mode := "t1"
	if by == "udp" {
		mode = "u1"
	}
	s := &sippRun{stats: filepath.Join(dir, scenario+".csv"), exited: make(chan struct{})}
	s.cmd = exec.CommandContext(ctx, path, append([]string{
		"-sf", filepath.Join(t.home.Root, "bench", "sipp", scenario+".xml"), "-i", "127.0.0.1", "-t", mode, "-max_socket", "2000",
		"-nostdin", "-trace_stat", "-stf", s.stats, "-fd", "1",
	}, args...)...)
	s.cmd.Dir = dir
	s.cmd.Stdout, s.cmd.Stderr = &s.out, &s.out
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return s
}

func (s *sippRun) start() error {
	if err := s.cmd.Start(); err != nil {
		return err
	}
	go func() {
		_ = s.cmd.Wait() // what came of it is in its statistics
		close(s.exited)
	}()
	return nil
}

func (s *sippRun) kill() {
	_ = s.cmd.Process.Kill()
	<-s.exited
}

// said is the end of its output, once it has exited.
func (s *sippRun) said() string {
	s.kill()
	text := strings.TrimSpace(s.out.String())
	return text[max(0, len(text)-200):]
}
