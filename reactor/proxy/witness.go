package proxy

import (
	"time"

	"sipreactor/reactor"
)

// Witness is told what is sent because of a message, in clear. It is called by
// the goroutine that handles the message.
type Witness interface {
	// Sent tells of one message as it stands on the wire. to is the connection
	// that carries it, or the socket of a datagram; its Local is invalid while a
	// connect is under way. at is when it was written. Both to and data are
	// borrowed until Sent returns.
	Sent(to *reactor.Source, at time.Time, data []byte)
}

// SetWitness has w told of all that is sent because of this message from now on:
// a request or a response that goes on, and our responses; nil of nothing. What is
// sent later, should a connection fail that has taken the message, is not told.
func (c *Context) SetWitness(w Witness) { c.witness = w }

// Received gives the message as it came, without what follows its body in a
// datagram. It is valid as long as the Context's message.
func (c *Context) Received() []byte {
	return c.Msg.Raw()[:int(c.Msg.BodyOffset())+len(c.Msg.Body())]
}

// send hands a message on to the Context's target. It costs nothing more when
// there is no witness and no watcher.
func (c *Context) send(m reactor.Appender) error {
	if c.witness != nil || c.proxy.watcher.Load() != nil {
		return c.sendWitnessed(m)
	}
	_, err := c.out.Send(&c.target, m)
	return err
}

// echo writes a message and keeps a copy.
type echo struct {
	m  reactor.Appender
	b  []byte
	at time.Time
}

// AppendTo appends the message.
func (e *echo) AppendTo(dst []byte) []byte {
	from := len(dst)
	dst = e.m.AppendTo(dst)
	e.b, e.at = append(e.b[:0], dst[from:]...), time.Now()
	return dst
}

// sendWitnessed is send with somebody who wants to know.
func (c *Context) sendWitnessed(m reactor.Appender) error {
	t := &c.target
	c.echo.m = m
	c.carrier = reactor.Source{Conn: t.Conn, Proto: t.Proto, Remote: t.Addr, Socket: t.Socket}
	t.Carrier = &c.carrier
	_, err := c.out.Send(t, &c.echo)
	t.Carrier, c.echo.m = nil, nil
	if err != nil {
		return err
	}
	if c.witness != nil {
		c.witness.Sent(&c.carrier, c.echo.at, c.echo.b)
	}
	if w := c.proxy.watcher.Load(); w != nil {
		(*w).Sent(c, &c.carrier, c.echo.at, c.echo.b)
	}
	return nil
}
