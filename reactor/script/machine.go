package script

import (
	"context"
	"log/slog"
	"net/netip"
	"regexp"
	"time"

	"sipreactor/reactor/proxy"
	"sipreactor/sipframe"
	"sipreactor/tlsstate"
)

// What a statement can do to the statements behind it.
const (
	ctlReturn uint8 = 1 << iota
	ctlBreak
	ctlExit
	ctlDrop
)

const (
	maxDepth = 100     // routes that call each other
	maxSteps = 1 << 20 // rounds of loops and calls of routes for one message
	maxText  = 65535   // bytes of one text
	maxArena = 4 << 20 // bytes of all texts of one message
	keepText = 1 << 18 // a larger arena is not kept for the next message
)

// Machine runs a program for one message after another. It belongs to a Context
// and so to one goroutine; everything it hands out lives until the message is
// done.
type Machine struct {
	prog *Program
	c    *proxy.Context
	own  *proxy.Context // of a machine that runs routes without a message
	msg  *sipframe.Message
	// other is the other message of the transaction, if one is kept.
	other    *sipframe.Message
	otherURI []byte

	raised []Param // of the event that an event_route runs for

	kind    RouteKind
	level   LogLevel // up to which xlog() writes
	tracing scriptTrace
	ctl     uint8
	code    int // $retcode
	depth   int
	steps   int
	route   *Routine
	calls   []*Routine // that run, the outermost first
	arena   []byte
	work    []byte  // of a substitution
	stack   []Value // operands of what is being computed
	vars    []Value
	avps    [][]Value // each with the newest value last: those that the program names, then those of named
	named   []string  // AVPs that variables have named, in the order of their first values
	locals  []any     // of modules
	args    []Value   // of the routes that run; frame has the innermost
	frame   []Value
	result  []Value // what the last return gave besides its code

	failed  *Site // a failure that the error route has not been run for
	fails   int   // failures so far
	inError bool
	err     failure
	dynamic map[string]*regexp.Regexp
	lines   map[string]*regexp.Regexp // of functions' arguments
	substs  map[string]*Substitution
	kept    map[string]string
	uri     uriCache
	tls     *tlsstate.State // of the message's connection, when something has asked for it
	// tlsAsked tells that something has: nil is an answer, too.
	tlsAsked bool
	stripe   uint32    // of statistics
	witness  witness   // by which trace_ids the message is traced
	id       int64     // $mi, when something has asked for it
	clock    time.Time // of the message, when something has asked for it
}

// reset makes the machine ready for a message.
func (m *Machine) reset(c *proxy.Context, kind RouteKind) {
	m.c, m.msg, m.other, m.otherURI, m.kind = c, c.Msg, nil, nil, kind
	m.ctl, m.code, m.depth, m.steps = 0, 1, 0, 0
	m.level, m.tracing.on = LogLevel(m.prog.xlogLevel.Level()), false
	m.route, m.failed, m.inError = nil, nil, false
	if cap(m.arena) > keepText {
		m.arena = nil
	}
	m.arena, m.stack, m.args, m.frame, m.result = m.arena[:0], m.stack[:0], m.args[:0], nil, m.result[:0]
	clear(m.vars)
	clear(m.locals)
	for i := range m.avps {
		m.avps[i] = m.avps[i][:0]
	}
	m.named = m.named[:0]
	m.uri = uriCache{}
	m.tls, m.tlsAsked = nil, false
	m.clock, m.id = time.Time{}, 0
	m.witness.list = m.witness.list[:0]
}

// Site is a place of a program that can fail.
type Site struct {
	pos  Pos
	what string
}

// saying is what lines of a program have in common that are told as one: the place,
// and who sent the message. Its port is left out.
type saying struct {
	at   *Site
	peer netip.Addr
}

// say writes a line for the site, at most one a second for each peer.
func (s *Site) say(m *Machine, level LogLevel, msg string, args ...any) {
	log := m.prog.logger()
	if !m.prog.xlogLevel.shows(level) || !log.Enabled(context.Background(), level.Slog()) {
		return
	}
	k := saying{at: s}
	if m.c != nil && m.c.Src != nil {
		k.peer = m.c.Src.Remote.Addr()
		args = append(args, slog.String("peer", m.c.Src.Remote.String()))
	}
	held, ok := m.prog.said.Open(time.Now(), k)
	if !ok {
		return
	}
	args = append(args, slog.String("at", s.pos.String()))
	if held > 0 {
		args = append(args, slog.Uint64("more", held))
	}
	log.Log(context.Background(), level.Slog(), msg, args...)
}

// Fail notes a runtime error: it is logged with its place, and the error route
// is run behind the statement.
func (m *Machine) Fail(s *Site, msg string) int {
	m.fails++
	s.say(m, LevelError, "script: "+s.what+": "+msg)
	if !m.inError {
		m.failed = s
		m.err = failure{class: errScript, code: 500, info: msg, reason: string(serverError)}
	}
	return -1
}

// failure is what $err tells in the error_route.
type failure struct {
	class  int64
	code   int64 // 0: there can be no answer
	info   string
	reason string
}

// Values of $err.class.
const (
	errParse  = 1
	errAssert = 2
	errScript = 3
)

// handle runs the error route for a failure that was noted. What it does to the
// flow holds: exit there ends the script, otherwise the script goes on. Without
// a message there is nothing for it to act on.
func (m *Machine) handle() {
	m.failed = nil
	r := m.prog.failure
	if r == nil || m.inError || m.c == m.own {
		return
	}
	m.inError = true
	kind, ctl := m.kind, m.ctl
	m.kind, m.ctl = ErrorRoute, 0
	m.call(r, nil)
	m.ctl = ctl | m.ctl&(ctlExit|ctlDrop)
	m.kind, m.inError = kind, false
}

// Context returns what the message may be done with. In a route without a message
// it is of an empty one, and nothing can be sent by it.
func (m *Machine) Context() *proxy.Context { return m.c }

// Message returns the message as it came; an empty one in a route without.
func (m *Machine) Message() *sipframe.Message { return m.msg }

// HasMessage reports whether there is a message.
func (m *Machine) HasMessage() bool { return !m.alone() }

// Kind returns what kind of route runs.
func (m *Machine) Kind() RouteKind { return m.kind }

// Program returns the program that runs.
func (m *Machine) Program() *Program { return m.prog }

// Wait runs f, which may block, while others take over the work of this goroutine.
// It reports whether it did: false where one more may not wait.
func (m *Machine) Wait(f func()) bool { return m.c.Wait(f) }

// Await is Wait for what needs no goroutine: it returns when resume is called, once, by any
// goroutine. begin must not block; see reactor.Worker.Await.
func (m *Machine) Await(begin func(loop int, resume func())) bool { return m.c.Await(begin) }

// Say writes a line to the script's log, at most one a second for a place.
func (m *Machine) Say(s *Site, level LogLevel, msg string, args ...any) {
	s.say(m, level, msg, args...)
}

// step counts one round or call against the bounds of a message.
func (m *Machine) step(s *Site) bool {
	if m.steps++; m.steps <= maxSteps && len(m.arena) <= maxArena {
		return true
	}
	m.stop(s, "the script is stopped: it takes too long for one message")
	return false
}

// deeper reports whether one more route may be called within those that run.
func (m *Machine) deeper(s *Site) bool {
	if m.depth < maxDepth {
		return true
	}
	m.stop(s, "the script is stopped: routes call each other too deep")
	return false
}

// stop ends the script by a bound. Nobody is left without an answer for that.
func (m *Machine) stop(s *Site, msg string) {
	m.Fail(s, msg)
	m.ctl |= ctlExit
	m.c.GiveUp()
}

// call runs a routine with its arguments, which stay in the machine.
func (m *Machine) call(r *Routine, args []Value) int {
	route, frame := m.route, m.frame
	m.route, m.frame = r, args
	m.calls = append(m.calls, r)
	m.depth++
	ret := r.body(m)
	m.depth--
	m.calls = m.calls[:len(m.calls)-1]
	m.route, m.frame = route, frame
	m.ctl &^= ctlReturn
	return ret
}

// Now gives the time of the message: it does not change while it is handled.
func (m *Machine) Now() time.Time {
	if m.clock.IsZero() {
		m.clock = time.Now()
	}
	return m.clock
}
