package script

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// EventTransport is the Instance of a module that carries events to sockets.
type EventTransport interface {
	// EventSchemes are what its sockets begin with: "udp", "unix".
	EventSchemes() []string
	// EventSocket opens a socket, "udp:127.0.0.1:8080". It outlives the Instance.
	EventSocket(socket string) (EventSocket, error)
}

// EventSocket is where a subscriber gets events.
type EventSocket interface {
	// Send hands an event over. It does not block.
	Send(event string, params []Param)
	Close()
}

// Name is the name of a parameter; "" if it has none.
func (p Param) Name() string { return p.name }

// Text is the parameter as text.
func (p Param) Text() string {
	if p.number {
		return strconv.FormatInt(p.n, 10)
	}
	return p.text
}

// Number is the parameter as a number; false if it is text.
func (p Param) Number() (n int64, ok bool) { return p.n, p.number }

// maxSubscriptions bounds who listens to events.
const maxSubscriptions = 1024

// subscriptions are who gets events besides event_routes. The zero value has none.
type subscriptions struct {
	mu         sync.Mutex
	all        atomic.Pointer[map[string][]*subscription] // by event; it does not change
	transports atomic.Pointer[map[string]EventTransport]
}

type subscription struct {
	socket string
	to     EventSocket
	until  atomic.Int64 // Unix seconds; 0 is for good
}

func (s *subscription) over(now time.Time) bool {
	u := s.until.Load()
	return u != 0 && now.Unix() >= u
}

func (s *subscriptions) of(event string) []*subscription {
	if p := s.all.Load(); p != nil {
		return (*p)[event]
	}
	return nil
}

func (s *subscriptions) heard(event string) bool {
	now := time.Now()
	return slices.ContainsFunc(s.of(event), func(o *subscription) bool { return !o.over(now) })
}

func (s *subscriptions) raise(event string, params []Param) {
	list := s.of(event)
	if len(list) == 0 {
		return
	}
	now := time.Now()
	for _, o := range list {
		if !o.over(now) {
			o.to.Send(event, params)
		}
	}
}

var (
	errEventName  = errors.New("the name of an event has letters, digits and _")
	errSocket     = errors.New("no module that is loaded sends events to such a socket: udp: and unix: are of event_datagram, tcp: of event_stream")
	errManyEvents = errors.New("there are too many subscriptions")
	errNoListener = errors.New("there is no such subscription")
)

func eventName(s string) bool {
	for i := range len(s) {
		if c := s[i]; c != '_' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return s != "" && len(s) <= 64
}

// subscribe has a socket get an event for a time; 0 is for good, less ends it.
func (s *subscriptions) subscribe(event, socket string, ttl time.Duration) error {
	if err := CheckEventName(event); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make(map[string][]*subscription)
	count, now := 0, time.Now()
	if p := s.all.Load(); p != nil {
		for name, list := range *p {
			for _, o := range list {
				if o.over(now) {
					o.to.Close()
					continue
				}
				all[name] = append(all[name], o)
				count++
			}
		}
	}
	defer func() { s.all.Store(&all) }()
	until := int64(0)
	if ttl > 0 {
		until = now.Add(ttl).Unix()
	}
	at := slices.IndexFunc(all[event], func(o *subscription) bool { return o.socket == socket })
	switch {
	case ttl < 0 && at < 0:
		return errNoListener
	case ttl < 0:
		all[event][at].to.Close()
		all[event] = slices.Delete(all[event], at, at+1)
		return nil
	case at >= 0:
		all[event][at].until.Store(until)
		return nil
	case count >= maxSubscriptions:
		return errManyEvents
	}
	scheme, _, _ := strings.Cut(socket, ":")
	var transport EventTransport
	if p := s.transports.Load(); p != nil {
		transport = (*p)[scheme]
	}
	if transport == nil {
		return errSocket
	}
	to, err := transport.EventSocket(socket)
	if err != nil {
		return err
	}
	o := &subscription{socket: socket, to: to}
	o.until.Store(until)
	all[event] = append(all[event], o)
	return nil
}

// carry takes the transports of a configuration.
func (s *subscriptions) carry(modules []*Module) {
	by := make(map[string]EventTransport)
	for _, m := range modules {
		if t, ok := m.Instance.(EventTransport); ok {
			for _, scheme := range t.EventSchemes() {
				by[scheme] = t
			}
		}
	}
	s.transports.Store(&by)
}

// close ends all subscriptions.
func (s *subscriptions) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.all.Swap(nil); p != nil {
		for _, list := range *p {
			for _, o := range list {
				o.to.Close()
			}
		}
	}
}

// Subscribe has a socket get an event for a time; 0 is for good, less than 0 ends it.
func (b *Background) Subscribe(event, socket string, ttl time.Duration) error {
	return b.subscribed.subscribe(event, socket, ttl)
}

// eventFunctions are those of the core about events.
func eventFunctions() map[string]*Function {
	return map[string]*Function{
		"raise_event": {Usage: `raise_event("event"[, $avp(names)][, $avp(values)])`, Help: "Raises an event, with the values of an AVP, and their names.",
			Args: []ArgKind{TextArg, AVPArg, AVPArg}, Min: 1, Routes: Anywhere, Build: buildRaise},
		"subscribe_event": {Usage: `subscribe_event("event", "socket"[, seconds])`, Help: "Has a socket get an event, for good or for a time.",
			Args: []ArgKind{TextArg, TextArg, IntArg}, Min: 2, Routes: Anywhere, Build: func(a *Args) Action {
				event, socket, seconds, at := a.Text(0), a.Text(1), a.Int(2), a.Site()
				return func(m *Machine) int {
					name, _ := event(m)
					to, _ := socket(m)
					ttl := time.Duration(0)
					if n, ok := seconds(m); ok {
						if n < 0 || n > 1<<31 {
							return m.Fail(at, "the time is a number of seconds")
						}
						ttl = time.Duration(n) * time.Second
					}
					b, ok := m.prog.listeners().(listener)
					if !ok {
						return m.Fail(at, "nobody can listen here")
					}
					if err := b.Subscribe(string(name), string(to), ttl); err != nil {
						return m.Fail(at, err.Error())
					}
					return 1
				}
			}},
	}
}

func buildRaise(a *Args) Action {
	event, at := a.Text(0), a.Site()
	names, values := a.AVP(1), a.AVP(2)
	if values == nil {
		names, values = nil, names // of one it is the values
	}
	a.k.raises = true
	return func(m *Machine) int {
		b, _ := event(m)
		name := string(b)
		if !eventName(name) {
			return m.Fail(at, errEventName.Error())
		}
		e := m.prog.listeners()
		if e == nil || !e.Heard(name) {
			return 1
		}
		var params []Param
		if values != nil {
			for i := values.Len(m) - 1; i >= 0; i-- { // the oldest first
				p := Param{}
				if names != nil {
					p.name = string(m.Text(names.Get(m, i)))
				}
				v := values.Get(m, i)
				if n, ok := v.Int(); ok && v.IsNumber() {
					p.n, p.number = n, true
				} else {
					p.text = string(m.Text(v))
				}
				params = append(params, p)
			}
		}
		e.Raise(name, params...)
		return 1
	}
}

// listeners gives who is told of events; nil before the modules were started.
func (p *Program) listeners() Events {
	if e := p.heard.Load(); e != nil {
		return *e
	}
	return nil
}
