package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"syscall"
	"time"

	"sipreactor/reactor/rescue"
	"sipreactor/reactor/script"
	"sipreactor/reactor/statusreport"
)

var errEnded = errors.New("a signal came before it was ready")

// begin runs start, and leaves it behind if it takes longer than closeLimit after a signal that ends the program: a
// database that the configuration names may never answer. A second one ends the wait at once. What came meanwhile is put
// back for wait.
func begin(signals chan os.Signal, start func() error) error {
	done := make(chan error, 1)
	go func() { done <- start() }()
	var limit <-chan time.Time
	var ends, reloads os.Signal
	for {
		select {
		case err := <-done:
			for _, s := range []os.Signal{reloads, ends} {
				if s != nil {
					signals <- s
				}
			}
			return err
		case s := <-signals:
			switch {
			case s == syscall.SIGHUP:
				reloads = s
			case ends == nil:
				ends, limit = s, time.After(closeLimit)
			default:
				return errEnded
			}
		case <-limit:
			return errEnded
		}
	}
}

// wait handles signals until one, or the end of ctx, ends the node; unwatch ends the watchdog before that. No signal
// waits for a reload: what that reads may take its time.
func (n *node) wait(ctx context.Context, signals <-chan os.Signal, levels logLevels, always *slog.Logger, unwatch func()) int {
	defer unwatch()
	var reloaded chan struct{} // closed behind the reload that is under way; nil: none is
	again := false             // another one was asked for meanwhile
	reload := func() {
		done := make(chan struct{})
		reloaded, again = done, false
		n.super.reloading()
		go func() {
			defer close(done)
			_ = rescue.Run(n.log, "a reload", func() { n.reload(ctx, levels) })
			n.super.ready(n.status())
		}()
	}
	for {
		select {
		case <-reloaded:
			if reloaded = nil; again {
				reload()
			}
			continue
		case s := <-signals:
			if s == syscall.SIGHUP {
				if again = reloaded != nil; !again {
					reload()
				}
				continue
			}
			always.Log(ctx, script.LevelNotice.Slog(), "draining", "signal", s.String())
		case <-n.engine.Done():
			n.log.Error("the engine has failed")
			return exitFailed
		case <-ctx.Done():
		}
		unwatch()
		n.super.stopping()
		return n.drain(signals, reloaded, always)
	}
}

// drain ends the engine in order, and then waits a little for a reload that is under way; a second signal ends the
// program at once.
func (n *node) drain(signals <-chan os.Signal, reloaded <-chan struct{}, always *slog.Logger) int {
	stopped := make(chan error, 1)
	n.told.Set(statusreport.NoData, "shutdown in progress")
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), n.patience)
		err := n.engine.Drain(ctx)
		cancel()
		if ctx, cancel = context.WithTimeout(context.Background(), closeLimit); err != nil {
			_ = n.engine.Stop(ctx)
		} else {
			err = n.engine.Stop(ctx)
		}
		cancel()
		if reloaded != nil {
			within(closeLimit, func() { <-reloaded })
		}
		stopped <- err
	}()
	for {
		select {
		case err := <-stopped:
			if err != nil {
				n.log.Warn("not everything was finished", "error", err)
			}
			always.Log(context.Background(), script.LevelNotice.Slog(), "stopped")
			return exitOK
		case s := <-signals:
			if s != syscall.SIGHUP {
				return exitFailed
			}
		}
	}
}

// within runs f, and leaves it behind if it takes longer than a limit: the program ends all the same. It reports whether
// f has ended.
func within(most time.Duration, f func()) bool {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	limit := time.NewTimer(most)
	defer limit.Stop()
	select {
	case <-done:
		return true
	case <-limit.C:
		return false
	}
}
