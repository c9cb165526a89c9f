package script

import (
	"sync"
	"sync/atomic"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/internal/repeats"
)

// eventQueue bounds the events that wait for their routes.
const eventQueue = 1024

// Background runs the routes that no message asks for: the startup_route once,
// timer_routes when they are due, event_routes when something happens to a
// connection. They run one after the other in a goroutine of their own, so a slow one
// delays the others and never a connection. It is the reactor.Observer that the
// events come from.
type Background struct {
	watch   atomic.Pointer[watch]
	dropped atomic.Uint64
	full    repeats.Table[string] // lines about that, by event

	subscribed subscriptions

	life sync.Mutex    // of end and done
	end  chan struct{} // nil: it does not run
	done chan struct{}
}

// watch is what a program has run in the background.
type watch struct {
	prog   *Program
	timers []Timer
	events chan happening // nil: there are no event_routes
}

func newWatch(p *Program) *watch {
	w := &watch{prog: p, timers: p.Timers()}
	if len(p.events) > 0 {
		w.events = make(chan happening, eventQueue)
	}
	return w
}

var (
	_ reactor.Observer = (*Background)(nil)
	_ Events           = (*Background)(nil)
)

// happening is an event on its way to its route. It keeps the addresses and not
// the Source, which is the engine's.
type happening struct {
	name   string
	src    reactor.Source
	reason string
	params []Param // of an event that a module has raised
}

// NewBackground makes what runs a program's background. Start begins it.
func NewBackground(p *Program) *Background {
	b := &Background{}
	b.watch.Store(newWatch(p))
	return b
}

// Start runs the startup_route, and from then on timer_routes and event_routes
// until Close. Events that came before are handled then. It is called once.
func (b *Background) Start() {
	b.life.Lock()
	defer b.life.Unlock()
	b.watch.Load().prog.Startup()
	b.launch()
}

// Replace has the routes of another program run from now on, but for its
// startup_route. A route of the former one that runs comes to its end before. Events
// that wait are for the new one.
func (b *Background) Replace(p *Program) {
	b.life.Lock()
	defer b.life.Unlock()
	w := newWatch(p)
	if old := b.watch.Load().events; old != nil && w.events != nil {
		w.events = old
	}
	runs := b.end != nil
	b.halt()
	b.watch.Store(w)
	if runs {
		b.launch()
	}
}

// Close ends the routes: one that runs comes to its end, events that wait are
// left. Nothing is left when it returns. Without Start it does nothing.
func (b *Background) Close() {
	b.life.Lock()
	defer b.life.Unlock()
	b.halt()
	b.subscribed.close()
}

func (b *Background) launch() {
	b.end, b.done = make(chan struct{}), make(chan struct{})
	w := b.watch.Load()
	if len(w.timers) == 0 && w.events == nil {
		close(b.done)
		return
	}
	go w.run(b.end, b.done)
}

func (b *Background) halt() {
	if b.end == nil {
		return
	}
	close(b.end)
	<-b.done
	b.end = nil
}

// Dropped is how many events had no room in the queue.
func (b *Background) Dropped() uint64 { return b.dropped.Load() }

// Observe queues an event if there is a route for it: reactor.Observer.
func (b *Background) Observe(e *reactor.Event) {
	w := b.watch.Load()
	if w.events == nil || e.Kind != reactor.ConnClosed {
		return
	}
	name := eventOfEnd(e)
	if !w.prog.hasEvent(name) {
		return
	}
	h := happening{name: name, src: *e.Src}
	if e.Err != nil {
		h.reason = e.Err.Error()
	}
	b.queue(w, h)
}

// Raise queues an event of a module if there is a route for it, and hands it to who has subscribed: Events.
func (b *Background) Raise(name string, params ...Param) {
	b.subscribed.raise(name, params)
	if w := b.watch.Load(); w.prog.hasEvent(name) {
		b.queue(w, happening{name: name, params: append([]Param{}, params...)})
	}
}

// Heard reports whether there is a route or a subscriber for an event: Events.
func (b *Background) Heard(name string) bool {
	return b.watch.Load().prog.hasEvent(name) || b.subscribed.heard(name)
}

func (b *Background) queue(w *watch, h happening) {
	select {
	case w.events <- h:
	default:
		b.dropped.Add(1)
		if more, ok := b.full.Open(time.Now(), h.name); ok {
			w.prog.logger().Warn("script: an event found no room: its event_route does not keep up", "event", h.name, "waiting", eventQueue, "more", more)
		}
	}
}

// eventOfEnd returns the script's name of a connection's end, "" if it has none.
func eventOfEnd(e *reactor.Event) string {
	if e.Was == reactor.PhaseEstablished {
		return EventDisconnect
	}
	switch e.Err.Reason {
	case reactor.ConnectFailed, reactor.ConnectTimeout:
		return EventConnectFailed
	case reactor.HandshakeFailed, reactor.HandshakeTimeout, reactor.RejectedByDomain:
		return EventHandshakeFailed
	default:
		return ""
	}
}

// run is the goroutine.
func (w *watch) run(end <-chan struct{}, done chan<- struct{}) {
	defer close(done)
	now := time.Now()
	due := make(schedule, len(w.timers))
	for i := range w.timers {
		due[i] = now.Add(w.timers[i].Every)
	}
	clock := time.NewTimer(time.Hour)
	defer clock.Stop()
	for {
		clock.Reset(due.wait(time.Now()))
		select {
		case <-end:
			return
		case h := <-w.events:
			if h.params == nil {
				h.params = h.connParams()
			}
			w.prog.Event(h.name, h.params...)
		case now := <-clock.C:
			due.tick(now, w.timers)
		}
	}
}

// connParams are the parameters of an event of a connection. Our address is left out when there was none
// yet.
func (h *happening) connParams() []Param {
	p := []Param{TextParam("proto", h.src.Proto.String()), TextParam("reason", h.reason)}
	if a := h.src.Remote; a.IsValid() {
		p = append(p, TextParam("src_ip", a.Addr().Unmap().String()), NumberParam("src_port", int64(a.Port())))
	}
	if a := h.src.Local; a.IsValid() {
		p = append(p, TextParam("dst_ip", a.Addr().Unmap().String()), NumberParam("dst_port", int64(a.Port())))
	}
	return p
}

// schedule is when timer_routes are due.
type schedule []time.Time

// wait is the time to the next one.
func (s schedule) wait(now time.Time) time.Duration {
	next := time.Hour
	for _, due := range s {
		next = min(next, due.Sub(now))
	}
	return max(next, 0)
}

// tick runs the timer_routes that are due. One that is late runs once and not as
// often as it was due.
func (s schedule) tick(now time.Time, timers []Timer) {
	for i := range timers {
		if s[i].After(now) {
			continue
		}
		timers[i].Run()
		s[i] = s[i].Add(timers[i].Every)
		if s[i].Before(now) {
			s[i] = now.Add(timers[i].Every)
		}
	}
}
