package main

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// supervisor is the service manager that started the program, as sd_notify(3) and sd_watchdog_enabled(3) describe it.
// Without one (no NOTIFY_SOCKET) nobody is told anything. Its methods may be called by any goroutine.
type supervisor struct {
	log    *slog.Logger
	patrol time.Duration // between two looks at the engine; 0: no watchdog
}

// newSupervisor reads the environment.
func newSupervisor(log *slog.Logger) *supervisor {
	limit, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		log.Warn("there is no watchdog", "error", err)
	}
	// A look may take until the next one begins: two of them still fit into the limit.
	return &supervisor{log: log, patrol: limit / 3}
}

// tell sends assignments such as READY=1.
func (s *supervisor) tell(states ...string) {
	if _, err := daemon.SdNotify(false, strings.Join(states, "\n")); err != nil {
		s.log.Warn("the service manager is not told", "state", states[0], "error", err)
	}
}

// ready tells that every socket listens, or that a reload is over.
func (s *supervisor) ready(status string) { s.tell(daemon.SdNotifyReady, "STATUS="+status) }

// reloading tells that SIGHUP came; ready ends it, whether it succeeded or not.
func (s *supervisor) reloading() { s.tell(daemon.SdNotifyReloading, daemon.SdNotifyMonotonicUsec()) }

// stopping tells that the end has begun.
func (s *supervisor) stopping() { s.tell(daemon.SdNotifyStopping, "STATUS=draining") }

// watch pings the watchdog for as long as pulse finds that the work goes on, until ctx ends. An engine that is stuck is
// not pinged for, so the service manager ends it.
func (s *supervisor) watch(ctx context.Context, pulse func(context.Context) error) {
	if s.patrol <= 0 {
		return
	}
	tick := time.NewTicker(s.patrol)
	defer tick.Stop()
	for {
		look, cancel := context.WithTimeout(ctx, s.patrol)
		err := pulse(look)
		cancel()
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			s.log.Error("the watchdog is not told that we are well", "error", err)
		default:
			s.tell(daemon.SdNotifyWatchdog)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
