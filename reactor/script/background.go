package script

import (
	"sync"
	"sync/atomic"
	"time"

	"sipreactor/reactor"
)

// eventQueue bounds the events that wait for their routes.
const eventQueue = 1024

// Background runs the routes that no message asks for: the startup_route once,
// timer_routes when they are due, event_routes when something happens to a
// connection. They run one after the other in a goroutine of their own, so a slow one
// delays the others and never a connection. It is the reactor.Observer that the
// events come from.
type Background struct {
	prog    *Program
	timers  []Timer
	due     []time.Time // of timers
	wants   [reactor.ConnClosed + 1]bool
	events  chan happening
	dropped atomic.Uint64

	mu   sync.Mutex
	up   map[reactor.Handle]struct{} // established connections, if their end is an event
	end  chan struct{}
	done chan struct{}
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
	b := &Background{prog: p, timers: p.Timers(), up: make(map[reactor.Handle]struct{})}
	if len(p.events) > 0 {
		b.events = make(chan happening, eventQueue)
		b.wants[reactor.ConnClosed] = true
		b.wants[reactor.ConnEstablished] = true
	}
	return b
}

// Start runs the startup_route, and from then on timer_routes and event_routes
// until Close. Events that came before are handled then. It is called once.
func (b *Background) Start() {
	b.prog.Startup()
	b.end, b.done = make(chan struct{}), make(chan struct{})
	if len(b.timers) == 0 && b.events == nil {
		close(b.done)
		return
	}
	now := time.Now()
	for i := range b.timers {
		b.due = append(b.due, now.Add(b.timers[i].Every))
	}
	go b.run()
}

// Close ends the routes: one that runs comes to its end, events that wait are
// left. Nothing is left when it returns. Without Start it does nothing.
func (b *Background) Close() {
	if b.end == nil {
		return
	}
	close(b.end)
	<-b.done
}

// Dropped is how many events had no room in the queue.
func (b *Background) Dropped() uint64 { return b.dropped.Load() }

// Observe queues an event if there is a route for it: reactor.Observer.
func (b *Background) Observe(e *reactor.Event) {
	if int(e.Kind) >= len(b.wants) || !b.wants[e.Kind] {
		return
	}
	name := b.event(e)
	if !b.prog.HasEvent(name) {
		return
	}
	h := happening{name: name, src: *e.Src}
	if e.Err != nil {
		h.reason = e.Err.Error()
	}
	b.queue(h)
}

// Raise queues an event of a module if there is a route for it: Events.
func (b *Background) Raise(name string, params ...Param) {
	if b.prog.HasEvent(name) {
		b.queue(happening{name: name, params: append([]Param{}, params...)})
	}
}

// Heard reports whether there is a route for an event: Events.
func (b *Background) Heard(name string) bool { return b.prog.HasEvent(name) }

func (b *Background) queue(h happening) {
	select {
	case b.events <- h:
	default:
		b.dropped.Add(1)
	}
}

// event gives the script's name of what happened, "" if it has none.
func (b *Background) event(e *reactor.Event) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e.Kind == reactor.ConnEstablished {
		b.up[e.Src.Conn] = struct{}{}
		return ""
	}
	if _, ok := b.up[e.Src.Conn]; ok {
		delete(b.up, e.Src.Conn)
		return EventDisconnect
	}
	if e.Err == nil {
		return ""
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
func (b *Background) run() {
	defer close(b.done)
	clock := time.NewTimer(time.Hour)
	defer clock.Stop()
	for {
		clock.Reset(b.untilNext(time.Now()))
		select {
		case <-b.end:
			return
		case h := <-b.events:
			if h.params == nil {
				h.params = h.connParams()
			}
			b.prog.Event(h.name, h.params...)
		case now := <-clock.C:
			b.tick(now)
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

// untilNext is the time to the next timer_route.
func (b *Background) untilNext(now time.Time) time.Duration {
	next := time.Hour
	for _, due := range b.due {
		next = min(next, due.Sub(now))
	}
	return max(next, 0)
}

// tick runs the timer_routes that are due. One that is late runs once and not as
// often as it was due.
func (b *Background) tick(now time.Time) {
	for i := range b.timers {
		if b.due[i].After(now) {
			continue
		}
		b.timers[i].Run()
		b.due[i] = b.due[i].Add(b.timers[i].Every)
		if b.due[i].Before(now) {
			b.due[i] = now.Add(b.timers[i].Every)
		}
	}
}
