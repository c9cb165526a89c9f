package hep

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"sipreactor/reactor"
)

// Lane is the tracing of the connections of a protocol.
type Lane struct {
	// To is the collector; nil for none. The tracer does not close it.
	To *Sender
	// On is the switch at the start.
	On bool
	// Filter is asked once for each connection, at its opening event, whether it
	// is traced, if the switch is on and there is a collector. It is called on
	// loops: it must not block. The Source is the connection's own. nil traces
	// all.
	Filter func(*reactor.Source) bool
}

// Config is everything a Tracer is told.
type Config struct {
	TLS, TCP, WS, WSS Lane // connections
	SIP               SIP  // messages
	Style             Style
	// CaptureID and AuthKey are in every packet: hep_capture_id, hep_auth_key.
	CaptureID uint32
	AuthKey   string
	// Secrets sends the secrets of connections along, as far as the events bring
	// them: trace_master_key. WantSecrets is for tlsstate.Config.Secrets then.
	Secrets bool
	// Logger gets a warning when secrets go where others can read them. nil
	// discards.
	Logger *slog.Logger
}

// Tracer tells collectors what happens to connections: it is the engine's
// Observer, or one of several. Its methods may be called from any goroutine,
// and do not block.
//
// A connection is traced if the switch was on when it began and its opening,
// and the filter let it pass. It has one opening event, ACCEPTED or CONNECTED,
// when it is established or has failed. After an opening that succeeded it has
// one CLOSED; before that an ERROR, if something was wrong. Whatever happens
// while the switch is off is not told.
type Tracer struct {
	as      identity
	lanes   [reactor.Protos]lane
	sip     []*Messages
	sipOn   atomic.Bool
	secrets bool
}

// lane is a Lane with the connections that are traced on it.
type lane struct {
	to     *Sender
	filter func(*reactor.Source) bool
	// state is 0 when there is nothing to do: laneOn for the switch, and
	// laneConn for each connection in conns.
	state atomic.Int64

	mu    sync.Mutex
	conns map[reactor.Handle]stage // alive, each removed with its connection
}

const (
	laneOn   = 1
	laneConn = 2
)

// stage is how far a connection is told.
type stage uint8

const (
	unknown stage = iota // not traced
	begun                // no event yet
	opened               // the opening is told, and succeeded
)

// New makes a tracer.
func New(cfg Config) *Tracer {
	t := &Tracer{
		as:      identity{style: cfg.Style, captureID: cfg.CaptureID, authKey: []byte(cfg.AuthKey)},
		secrets: cfg.Secrets,
	}
	for proto, l := range map[reactor.Proto]Lane{reactor.TLS: cfg.TLS, reactor.TCP: cfg.TCP, reactor.WS: cfg.WS, reactor.WSS: cfg.WSS} {
		to := &t.lanes[proto]
		to.to, to.filter, to.conns = l.To, l.Filter, make(map[reactor.Handle]stage)
		t.Switch(proto, l.On)
	}
	t.sipOn.Store(cfg.SIP.On)
	for _, id := range cfg.SIP.IDs {
		t.sip = append(t.sip, t.NewMessages(id))
	}
	for _, to := range [...]*Sender{cfg.TLS.To, cfg.WSS.To} {
		if to == nil || !cfg.Secrets || cfg.Logger == nil || to.Destination().Private() {
			continue
		}
		cfg.Logger.Warn("secrets of connections are sent where others can read them; set trace_master_key to 0, or transport=tls",
			"destination", to.Destination().String())
	}
	return t
}

// lane gives the lane of a protocol; nil if it has no connections.
func (t *Tracer) lane(p reactor.Proto) *lane {
	if !p.Stream() {
		return nil
	}
	return &t.lanes[p]
}

// On tells whether the connections of a protocol are traced.
func (t *Tracer) On(p reactor.Proto) bool {
	l := t.lane(p)
	return l != nil && l.state.Load()&laneOn != 0
}

// Switch traces the connections of a protocol, or not.
func (t *Tracer) Switch(p reactor.Proto, on bool) {
	l := t.lane(p)
	switch {
	case l == nil:
	case on:
		l.state.Or(laneOn)
	default:
		l.state.And(^laneOn)
	}
}

// WantSecrets tells whether the secrets of a TLS connection that begins now are
// wanted.
func (t *Tracer) WantSecrets() bool {
	for _, p := range [...]reactor.Proto{reactor.TLS, reactor.WSS} {
		if t.secrets && t.lanes[p].to != nil && t.On(p) {
			return true
		}
	}
	return false
}

// Observe takes an event of the engine: reactor.Observer.
func (t *Tracer) Observe(e *reactor.Event) {
	l := t.lane(e.Src.Proto)
	if l == nil {
		return
	}
	if state := l.state.Load(); state != 0 && l.to != nil {
		t.observe(l, e, state&laneOn != 0)
	}
}

// observe is Observe for a lane that is on or has connections.
func (t *Tracer) observe(l *lane, e *reactor.Event, on bool) {
	switch e.Kind {
	case reactor.ConnAccepted, reactor.ConnectStarted:
		if on {
			l.move(e.Src.Conn, unknown, begun)
		}
	case reactor.ConnRefused:
		if on && l.passes(e.Src) {
			t.tell(l, e, Accepted, true)
		}
	case reactor.ConnEstablished:
		switch {
		case !l.move(e.Src.Conn, begun, opened):
		case on && l.passes(e.Src) && t.tell(l, e, opening(e.Src), false):
		default: // nobody will wonder about a CLOSED
			l.forget(e.Src.Conn)
		}
	case reactor.ConnClosed:
		failed := e.Err != nil && e.Err.Blame != reactor.BlameNone
		switch was := l.forget(e.Src.Conn); {
		case !on || was == unknown:
		case was == begun:
			if l.passes(e.Src) {
				t.tell(l, e, opening(e.Src), true)
			}
		default:
			if failed {
				t.tell(l, e, Fault, true)
			}
			t.tell(l, e, Closed, failed)
		}
	default: // what lies between beginning and opening
	}
}

// Fault tells of something that went wrong on a connection that stays up for
// the moment, if that is traced.
func (t *Tracer) Fault(src *reactor.Source, message string) {
	l := t.lane(src.Proto)
	if l == nil || l.state.Load()&laneOn == 0 || l.stage(src.Conn) != opened {
		return
	}
	l.to.put(&eventParcel{as: &t.as, Event: Event{Kind: Fault, Failed: true, Time: time.Now(), Source: *src, Message: message}})
}

// tell queues one event, or answers false: there was no room.
func (t *Tracer) tell(l *lane, e *reactor.Event, kind Kind, failed bool) bool {
	if l.to.full() {
		return false
	}
	p := &eventParcel{as: &t.as, Event: Event{Kind: kind, Failed: failed, Time: e.Time, Source: *e.Src, TLS: e.TLS,
		Request: e.Request, Answer: e.Answer}}
	switch {
	case e.Err != nil:
		p.Message = e.Err.Error()
	case kind == Accepted:
		p.Message = "Connection accepted..."
	case kind == Connected:
		p.Message = "Successfully connected..."
	}
	if t.secrets {
		p.Secrets = e.Secrets
	}
	return l.to.put(p)
}

func opening(src *reactor.Source) Kind {
	if src.Outbound {
		return Connected
	}
	return Accepted
}

func (l *lane) passes(src *reactor.Source) bool { return l.filter == nil || l.filter(src) }

func (l *lane) stage(h reactor.Handle) stage {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.conns[h]
}

// move takes a connection from one stage to the next, if it is there.
func (l *lane) move(h reactor.Handle, from, to stage) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conns[h] != from {
		return false
	}
	if from == unknown {
		l.state.Add(laneConn)
	}
	l.conns[h] = to
	return true
}

// forget removes a connection and tells how far it was.
func (l *lane) forget(h reactor.Handle) stage {
	l.mu.Lock()
	defer l.mu.Unlock()
	was := l.conns[h]
	if was != unknown {
		delete(l.conns, h)
		l.state.Add(-laneConn)
	}
	return was
}
