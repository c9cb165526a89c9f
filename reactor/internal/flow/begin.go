package flow

import (
	"sipreactor/reactor/internal/codec"
	"sipreactor/reactor/internal/connection"
	"sipreactor/reactor/internal/event"
	"sipreactor/reactor/internal/reason"
)

// Begin has a connection whose TCP is up shake hands, as far as its transport does.
func (l *Flow) Begin(c *connection.Conn, k codec.Codec) {
	if c.Src.Proto.Web() {
		l.handshake(c, upgraded(c, k))
		return
	}
	if m, ok := k.(codec.Shaker); ok {
		l.handshake(c, m)
		return
	}
	c.Own.Codec = k
	l.establish(c, "", "")
}

// Adopt takes a connection of ours from the connect queue: TCP is up.
func (l *Flow) Adopt(c *connection.Conn) {
	defer l.Guard(c)
	lives, waited := c.ComesTo(l.program)
	if !lives {
		c.Own.Sock.Close() // closed ends it with its reason
		return
	}
	l.Stat.Dialed.Add(1)
	if waited {
		l.Stat.ResumedConnects.Add(1)
	}
	c.Alive(l.Seconds.Load())
	l.Idle.Put(c, l.Seconds.Load()+l.all.Limits.Lifetime)
	if !c.Src.Proto.Secure() {
		l.Begin(c, &codec.Plain{})
		return
	}
	m, err := c.Own.Dial.Domains.NewClient(connection.QueryOf(&c.Target))
	c.Own.Dial.Domains = nil
	if err != nil {
		l.Close(c, reason.OfHandshake(err))
		return
	}
	l.Begin(c, m)
}

// establish makes the connection ready for messages and sends what waited. request and answer are those of Event.
func (l *Flow) establish(c *connection.Conn, request, answer string) {
	c.Own.Share.HandshakeEnded()
	state := c.TLSState()
	if c.ComesUp(state) {
		l.program.Stirred()
		l.Stat.ResumedHandshakes.Add(1)
	}
	c.Own.Waits.Disarm()
	if !c.Own.Unacked.Unconfirmed {
		c.Reached()
	}
	if c.Probing {
		l.all.Peers.Add(c)
	}
	l.Stat.Established.Add(1)
	l.all.Tell(c, &event.Event{Kind: event.ConnEstablished, TLS: state, Secrets: c.Secrets(), Request: request, Answer: answer})
	l.Flush(c)
}
