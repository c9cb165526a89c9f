package hep

import (
	"sync/atomic"
	"time"

	"sipreactor/reactor"
)

// SIP says what of SIP messages can be traced.
type SIP struct {
	// On is the switch of all of them at the start.
	On bool
	// IDs are the names that messages are traced by; no two are equal.
	IDs []TraceID
}

// TraceID is a name by which SIP messages are traced, a trace_id of OpenSIPS'
// module tracer. Each message goes to all of its collectors, which the tracer
// does not close.
type TraceID struct {
	Name string
	To   []*Sender
}

// Messages traces SIP messages by one name. Its methods may be called from any
// goroutine, and do not block; those of nil do nothing.
type Messages struct {
	id  TraceID
	on  atomic.Bool
	all *atomic.Bool // the switch of all names
	as  *identity
}

// MessagesOn tells whether SIP messages are traced.
func (t *Tracer) MessagesOn() bool { return t.sipOn.Load() }

// SwitchMessages traces SIP messages, or not. The switch of each name stays as
// it is.
func (t *Tracer) SwitchMessages(on bool) { t.sipOn.Store(on) }

// Messages gives the tracing by a name; nil if there is none of that name.
func (t *Tracer) Messages(name string) *Messages {
	for _, m := range t.sip {
		if m.id.Name == name {
			return m
		}
	}
	return nil
}

// NewMessages makes the tracing by a name that the Config does not have, on at
// once. The switch of all messages is its, too; Messages and AllMessages do not
// know it.
func (t *Tracer) NewMessages(id TraceID) *Messages {
	m := &Messages{id: id, all: &t.sipOn, as: &t.as}
	m.on.Store(true)
	return m
}

// AllMessages gives the tracing by each name, in the order of the Config.
func (t *Tracer) AllMessages() []*Messages { return append([]*Messages(nil), t.sip...) }

// ID gives the name and its collectors.
func (m *Messages) ID() TraceID { return m.id }

// On tells the name's own switch. It is on at the start.
func (m *Messages) On() bool { return m.on.Load() }

// Switch traces messages by the name, if messages are traced at all, or not.
func (m *Messages) Switch(on bool) { m.on.Store(on) }

// Active tells whether a message would be traced: both switches are on.
func (m *Messages) Active() bool { return m != nil && m.all.Load() && m.on.Load() }

// Trace tells the collectors of one message that came from src at a time, or is
// outgoing to it. data is copied, once for all collectors and not at all when
// none has room. The packet's correlation id is the one that is given, else the
// id of src's connection, if it has one, so that messages are found beside the
// events of their connection. While a switch is off it does nothing.
func (m *Messages) Trace(src *reactor.Source, at time.Time, data []byte, outgoing bool, correlation []byte) {
	m.tell(PayloadSIP, src, at, data, outgoing, correlation)
}

// Line tells the collectors of a line that the script has logged over a message that
// came from src. data is copied. While a switch is off it does nothing.
func (m *Messages) Line(src *reactor.Source, at time.Time, data, correlation []byte) {
	m.tell(PayloadLog, src, at, data, false, correlation)
}

// tell gives the collectors that have room one packet.
func (m *Messages) tell(kind byte, src *reactor.Source, at time.Time, data []byte, outgoing bool, correlation []byte) {
	if !m.Active() {
		return
	}
	var p *sipParcel
	for _, to := range m.id.To {
		if to.full() {
			continue
		}
		if p == nil {
			p = &sipParcel{kind: kind, from: src.Remote, to: localOf(src), proto: src.Proto, conn: src.Conn, time: at, as: m.as,
				data: append([]byte(nil), data...), correlation: append([]byte(nil), clipBytes(correlation)...)}
			if outgoing {
				p.from, p.to = p.to, p.from
			}
		}
		to.put(p)
	}
}

// clipBytes bounds a correlation id, as texts of events are bounded.
func clipBytes(b []byte) []byte { return b[:min(len(b), textLimit)] }
