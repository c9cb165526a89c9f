package hep

import (
	"time"

	"sipreactor/reactor"
)

// MessagesOn tells whether SIP messages are traced.
func (t *Tracer) MessagesOn() bool { return t.sipOn.Load() }

// SwitchMessages traces SIP messages, or not.
func (t *Tracer) SwitchMessages(on bool) { t.sipOn.Store(on) }

// Message tells the collector of the SIP lane of one message that came from
// src, or is outgoing to it. data is copied. The id of src's connection is in
// the packet, if it has one, so that messages are found beside the events of
// their connection. It costs one atomic load while the switch is off.
func (t *Tracer) Message(src *reactor.Source, data []byte, outgoing bool) {
	if t.sipOn.Load() && t.sip.To != nil {
		t.MessageTo(t.sip.To, src, data, outgoing)
	}
}

// MessageTo is Message for another collector, whatever the switch says.
func (t *Tracer) MessageTo(to *Sender, src *reactor.Source, data []byte, outgoing bool) {
	if to.full() {
		return
	}
	p := &sipParcel{from: src.Remote, to: localOf(src), proto: src.Proto, conn: src.Conn,
		time: time.Now(), data: append([]byte(nil), data...), as: &t.as}
	if outgoing {
		p.from, p.to = p.to, p.from
	}
	to.put(p)
}
