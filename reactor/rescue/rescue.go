// Package rescue keeps the panic of one goroutine from ending the process. Whatever runs off
// the workers of the engine, which have a rescue of their own, is run by it: a look-up, a
// driver, a client of another program, a management interface. A test reads the whole source
// and finds the goroutines that are not.
package rescue

import (
	"fmt"
	"log/slog"
	"runtime/debug"
)

// Run runs f. A panic ends f alone: it is logged, with what f was for and the stack, and it
// is the error. A nil log is that of package slog.
func Run(log *slog.Logger, what string, f func()) (err error) {
	defer func() {
		if p := recover(); p != nil {
			if log == nil {
				log = slog.Default()
			}
			err = fmt.Errorf("%s panicked: %v", what, p)
			log.Error(what+" panicked", "panic", p, "stack", string(debug.Stack()))
		}
	}()
	f()
	return nil
}

// Go runs f in a goroutine of its own, as Run does.
func Go(log *slog.Logger, what string, f func()) {
	go func() { _ = Run(log, what, f) }()
}

// Again runs f again each time that it panics, until it returns: for a goroutine that others
// cannot do without, and that waits before it does anything.
func Again(log *slog.Logger, what string, f func()) {
	for Run(log, what, f) != nil {
		continue
	}
}
