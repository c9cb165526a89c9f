package script

import (
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"

	"sipreactor/reactor/internal/repeats"
	"sipreactor/reactor/proxy"
	"sipreactor/reactor/statusreport"
)

// Program is the compiled routes of a configuration. It does not change, so any
// number of goroutines may run it at once, each with its Context.
type Program struct {
	request *Routine // route
	reply   *Routine // onreply_route
	failure *Routine // error_route
	startup *Routine // startup_route
	routes  map[string]*Routine
	events  map[string]*Routine   // event_routes of the events that there are
	named   map[routeKey]*Routine // that modules run
	timers  []Timer

	nvars, navps   int
	avps           map[string]int // slots by name
	flagNames      [2][]string    // of messages, of branches; by number
	loops          int            // max_while_loops
	nlocals        int
	launched       chan struct{} // what launch() has under way
	levels         LogConfig     // as configured
	logLevel       *LevelSwitch
	xlogLevel      *LevelSwitch
	noNewFlags     uint64 // the branch flag of tcp_no_new_conn_bflag
	noNewResponses uint64 // the message flag of tcp_no_new_conn_rplflag
	domainAVP      int    // slot of client_tls_domain_avp, -1 none
	sipAVP         int    // slot of client_sip_domain_avp, -1 none
	traceIDs       []string
	traces         []MessageTrace               // of traceIDs
	follow         *follower                    // what trace() follows
	begun          atomic.Pointer[[]BegunTrace] // while the program runs; nil none
	log            atomic.Pointer[slog.Logger]
	said           repeats.Table[saying]    // by machines
	panics         repeats.Table[panicking] // of routes on no worker
	heard          atomic.Pointer[Events]   // while the modules run
	reports        atomic.Pointer[statusreport.Book]
	eventNames     []string  // that the core and the modules have declared
	idle           sync.Pool // of machines that run routes without a message
	stats          *statistics
}

var _ proxy.Router = (*Program)(nil)

// exec is a compiled statement. It gives the code of what it did last, as the
// actions of OpenSIPS do: above 0 is success, below 0 failure, and 0 ends the
// script.
type exec func(m *Machine) int

// SetLogger has the script's lines, xlog() and errors, written to l as far as its
// handler takes them; XlogLevel has chosen before. Without this call, and with nil,
// they are written to slog.Default. Any goroutine may call it.
func (p *Program) SetLogger(l *slog.Logger) { p.log.Store(l) }

// TakeOver has the program go on in the place of another one, just before it is given
// the messages: with its logger, its log levels, its traces, whom it asks for statistics, and the
// statistics that messages have made.
func (p *Program) TakeOver(old *Program) {
	p.log.Store(old.log.Load())
	p.logLevel, p.xlogLevel = old.logLevel, old.xlogLevel
	p.stats.others.Store(old.stats.others.Load())
	p.stats.settle()
	for i, id := range p.traceIDs {
		if n := slices.Index(old.traceIDs, id); n >= 0 {
			p.traces[i] = old.traces[n]
		}
	}
	p.begun.Store(old.begun.Load())
	p.follow = old.follow
}

func (p *Program) logger() *slog.Logger {
	if l := p.log.Load(); l != nil {
		return l
	}
	return slog.Default()
}

// Request runs the route block: proxy.Router.
func (p *Program) Request(c *proxy.Context) {
	if p.request != nil || p.begun.Load() != nil {
		p.run(c, p.request, RequestRoute)
	}
}

// Response runs the onreply_route, if there is one: proxy.Router.
func (p *Program) Response(c *proxy.Context) {
	if p.reply != nil || p.begun.Load() != nil {
		p.run(c, p.reply, OnReplyRoute)
	}
}

// refusing is a Router with the error_route for requests that are not in order.
type refusing struct {
	proxy.Router
	program *Program
}

// Refused runs the error_route: proxy.Refuser.
func (r refusing) Refused(c *proxy.Context, code int, reason string) {
	p := r.program
	m := p.machineOf(c)
	m.reset(c, ErrorRoute)
	m.inError = true
	m.err = failure{class: errParse, code: int64(code), info: reason, reason: reason}
	p.runReset(m, c, p.failure, ErrorRoute)
}

func (p *Program) run(c *proxy.Context, r *Routine, kind RouteKind) {
	m := p.machineOf(c)
	m.reset(c, kind)
	p.runReset(m, c, r, kind)
}

// runReset runs a route on a machine that is ready for it.
func (p *Program) runReset(m *Machine, c *proxy.Context, r *Routine, kind RouteKind) {
	c.SetNoNewFlags(p.noNewFlags, p.noNewResponses)
	m.traceBegun()
	if r != nil {
		m.call(r, nil)
	}
	if m.ctl&ctlDrop != 0 && kind == OnReplyRoute {
		c.Drop()
	}
	m.c, m.msg = nil, nil
}

// machineOf returns the Context's machine.
func (p *Program) machineOf(c *proxy.Context) *Machine {
	m, ok := c.User.(*Machine)
	if !ok || m.prog != p {
		m = p.machine()
		c.User = m
	}
	return m
}

func (p *Program) machine() *Machine {
	return &Machine{
		prog:   p,
		arena:  make([]byte, 0, 2048),
		stack:  make([]Value, 0, 16),
		vars:   make([]Value, p.nvars),
		avps:   make([][]Value, p.navps),
		locals: make([]any, p.nlocals),
		stripe: p.stats.stripes.Add(1),
	}
}
