package event_routing

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
	"sipreactor/reactor/transaction"
)

// Bounds of what waits.
const (
	maxQueued  = 1024
	maxFilters = 32
	longest    = 86400 // seconds of a subscription
)

// scheme is what the sockets of subscribers begin with.
const scheme = "routing"

type module struct {
	env     *script.Env
	queue   chan job
	dropped script.Count
	ran     script.Count
	next    atomic.Uint64

	mu      sync.Mutex
	pending map[string]*subscriber // that the bus asks for; by socket
}

// job is an event on its way to a route.
type job struct {
	run    *script.Routine
	handle uint64 // of the subscriber's transaction; 0: none
	params []script.Param
}

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := &module{queue: make(chan job, maxQueued), pending: make(map[string]*subscriber)}
	return &script.Module{
		Name: "event_routing", Help: "Has the script wait for events, or routes run for them for a time.", Instance: m, Needs: []string{"tm"},
		Functions: []script.Function{
			{
				Name: "notify_on_event", Usage: `notify_on_event("event", $avp(filters), "route", seconds)`,
				Help: "Has a route run for each event of a time that passes the filters, key=pattern; the event's parameters are AVPs there, and t_inject_branches() is for the transaction at hand. -1: there are too many subscriptions.",
				Args: []script.ArgKind{script.TextArg, script.AVPArg, script.RouteArg, script.IntArg}, Min: 4, Routes: script.Requests, Build: m.notify,
			},
			{
				Name: "wait_for_event", Usage: `wait_for_event("event", $avp(filters), seconds)`, Async: true,
				Help: "Waits for an event that passes the filters; its parameters become AVPs. -1: it cannot wait, -2: the time is over.",
				Args: []script.ArgKind{script.TextArg, script.AVPArg, script.IntArg}, Min: 3, Routes: script.Messages, Build: m.wait,
			},
		},
		Statistics: []script.Statistic{
			{Name: "notified", Help: "Routes that were run for events.", Count: &m.ran},
			{Name: "dropped", Help: "Events that had no room in the queue.", Count: &m.dropped},
		},
		Start: func(e *script.Env) error {
			m.env = e
			e.Go(m.work)
			return nil
		},
	}
}

// EventSchemes are those of this module's sockets: script.EventTransport.
func (m *module) EventSchemes() []string { return []string{scheme} }

// EventSocket gives the bus a subscriber: script.EventTransport.
func (m *module) EventSocket(socket string) (script.EventSocket, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.pending[socket]
	if s == nil {
		return nil, errUnknown
	}
	delete(m.pending, socket)
	return s, nil
}

// subscribe has a subscriber get an event for a time.
func (m *module) subscribe(event string, s *subscriber, ttl time.Duration) (socket string, err error) {
	socket = scheme + ":" + strconv.FormatUint(m.next.Add(1), 10)
	b, ok := m.env.Events.(interface {
		Subscribe(event, socket string, ttl time.Duration) error
	})
	if !ok {
		return "", errNobody
	}
	m.mu.Lock()
	m.pending[socket] = s
	m.mu.Unlock()
	if err := b.Subscribe(event, socket, ttl); err != nil {
		m.mu.Lock()
		delete(m.pending, socket)
		m.mu.Unlock()
		return "", err
	}
	return socket, nil
}

// unsubscribe ends it.
func (m *module) unsubscribe(event, socket string) {
	if b, ok := m.env.Events.(interface {
		Subscribe(event, socket string, ttl time.Duration) error
	}); ok {
		_ = b.Subscribe(event, socket, -1) // that it is over already is fine
	}
}

// filtersOf compiles the AVP with filters.
func filtersOf(a *script.Args, i int) func(x *script.Machine) ([]filter, bool) {
	avp, at := a.AVP(i), a.Site()
	return func(x *script.Machine) (list []filter, ok bool) {
		if avp == nil {
			return nil, true
		}
		n := avp.Len(x)
		if n > maxFilters {
			x.Fail(at, "there are more than 32 filters")
			return nil, false
		}
		for i := range n {
			f, ok := parseFilter(string(x.Text(avp.Get(x, i))))
			if !ok {
				x.Fail(at, "a filter is key=pattern")
				return nil, false
			}
			list = append(list, f)
		}
		return list, true
	}
}

// seconds reads a time; false: it is none.
func seconds(x *script.Machine, n func(*script.Machine) (int64, bool), at *script.Site) (time.Duration, bool) {
	s, ok := n(x)
	if !ok || s < 1 || s > longest {
		x.Fail(at, "the time is a number of seconds from 1 to 86400")
		return 0, false
	}
	return time.Duration(s) * time.Second, true
}

func (m *module) notify(a *script.Args) script.Action {
	event, filters, route, ttl, at := a.Text(0), filtersOf(a, 1), a.Route(2), a.Int(3), a.Site()
	return func(x *script.Machine) int {
		name, _ := event(x)
		list, ok := filters(x)
		if !ok {
			return -1
		}
		d, ok := seconds(x, ttl, at)
		r := route(x)
		if !ok || r == nil {
			return -1
		}
		s := &subscriber{m: m, filters: list, run: r}
		if e := transaction.Of(x.Context()); e != nil {
			s.handle = e.Handle()
		}
		if _, err := m.subscribe(string(name), s, d); err != nil {
			return x.Fail(at, err.Error())
		}
		return 1
	}
}

func (m *module) wait(a *script.Args) script.Action {
	event, filters, ttl, at := a.Text(0), filtersOf(a, 1), a.Int(2), a.Site()
	return func(x *script.Machine) int {
		b, _ := event(x)
		name := string(b)
		list, ok := filters(x)
		if !ok {
			return -1
		}
		d, ok := seconds(x, ttl, at)
		if !ok {
			return -1
		}
		s := &subscriber{m: m, filters: list, told: make(chan []script.Param, 1)}
		socket, err := m.subscribe(name, s, d+time.Second) // its end is ours to tell
		if err != nil {
			return x.Fail(at, err.Error())
		}
		defer m.unsubscribe(name, socket)
		var params []script.Param
		if !x.Wait(func() {
			clock := time.NewTimer(d)
			defer clock.Stop()
			select {
			case params = <-s.told:
			case <-clock.C:
			}
		}) {
			x.Say(at, script.LevelWarn, "event_routing: too many messages wait")
			return -1
		}
		if params == nil {
			return -2
		}
		for i := range params {
			x.PutAVP(params[i].Name(), script.Text(x.KeepString(params[i].Text())))
		}
		return 1
	}
}

// work runs the routes, one after the other.
func (m *module) work(ctx context.Context) {
	c := m.env.Proxy.NewContext(nil)
	for {
		select {
		case <-ctx.Done():
			return
		case j := <-m.queue:
			m.env.Guard(func(context.Context) { m.do(c, &j) })
		}
	}
}

func (m *module) do(c *proxy.Context, j *job) {
	if c.Begin([]byte(phonyRequest), &nowhere) != nil {
		return
	}
	defer c.End()
	if j.handle != 0 {
		transaction.Name(c, j.handle)
	}
	avps := new(script.AVPs)
	for i := range j.params {
		avps.Put(m.env.Program, j.params[i].Name(), j.params[i].Text())
	}
	m.ran.Add(1)
	j.run.Run(c, script.Run{Kind: script.RequestRoute, AVPs: avps})
}

// phonyRequest is what the route sees, which has no message.
const phonyRequest = "INVITE sip:nobody@localhost.invalid SIP/2.0\r\nVia: SIP/2.0/UDP localhost.invalid;branch=z9hG4bKnobody\r\nMax-Forwards: 0\r\n" +
	"From: <sip:nobody@localhost.invalid>;tag=nobody\r\nTo: <sip:nobody@localhost.invalid>\r\nCall-ID: nobody\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"

// nowhere is where it comes from.
var nowhere reactor.Source

// subscriber is who is told of events: script.EventSocket.
type subscriber struct {
	m       *module
	filters []filter
	run     *script.Routine     // of notify_on_event()
	handle  uint64              // of the transaction; 0: none
	told    chan []script.Param // of wait_for_event()
}

// Send takes an event. It does not block.
func (s *subscriber) Send(_ string, params []script.Param) {
	if !matches(s.filters, params) {
		return
	}
	params = slices.Clone(params)
	if s.told != nil {
		if params == nil {
			params = []script.Param{}
		}
		select {
		case s.told <- params:
		default: // one is enough
		}
		return
	}
	select {
	case s.m.queue <- job{s.run, s.handle, params}:
	default:
		s.m.dropped.Add(1)
	}
}

// Close has nothing to close.
func (s *subscriber) Close() {}
