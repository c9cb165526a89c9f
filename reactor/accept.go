package reactor

import (
	"time"

	"sipreactor/reactor/internal/codec"
	"sipreactor/reactor/internal/kernel"
	"sipreactor/reactor/internal/phase"
	"sipreactor/reactor/internal/poller"
	"sipreactor/reactor/internal/reason"
	"sipreactor/reactor/internal/transport"
	"sipreactor/tlsstate"
)

// accept takes a peer's connection into the table.
func (l *loop) accept(n *poller.Incoming) {
	e := l.eng
	socket := e.listener(n.Local)
	if !n.Local.IsValid() || socket == nil {
		l.stat.Refused[RefusedVanished].Add(1)
		return
	}
	c := &conn{eng: e, loop: l, born: time.Now()}
	c.sock.Owner = c
	c.sock.Hold(-1)
	c.src = Source{Proto: socket.Proto, Remote: n.Remote, Local: n.Local, Socket: socket}
	if cause := l.admit(c); cause != reason.Admitted {
		l.stat.Refused[cause].Add(1)
		c.place.Leave()
		why := reason.Refused(cause)
		e.tell(c, &Event{Kind: ConnRefused, Err: why})
		e.connlog.Refused(e.now(), c.called(), why)
		return
	}
	n.Attach(&c.sock)
	defer l.guard(c)
	kernel.BoundSend(n.Fd)
	c.active.Store(l.seconds.Load())
	e.peers.add(c)
	l.stat.Accepted.Add(1)
	l.idle.Put(c, l.seconds.Load()+e.lifetime)
	e.observe(c, ConnAccepted, nil, "")
	if !c.src.Proto.Secure() {
		l.begin(c, &codec.Plain{})
		return
	}
	m, err := e.tls().NewServer(c.src.Local, c.src.Remote)
	if err != nil {
		l.close(c, reason.OfHandshake(err))
		return
	}
	l.begin(c, m)
}

// begin has a connection whose TCP is up shake hands, as far as its transport does.
func (l *loop) begin(c *conn, k codec.Codec) {
	if c.src.Proto.Web() {
		l.handshake(c, c.upgraded(k))
		return
	}
	if m, ok := k.(codec.Shaker); ok {
		l.handshake(c, m)
		return
	}
	c.codec = k
	l.establish(c, "", "")
}

// admit returns an accepted connection its place, or says why it has none.
func (l *loop) admit(c *conn) Refusal {
	e := l.eng
	if e.stopping.Load() { // a draining engine takes in who had connected before, and tells them
		return RefusedShutdown
	}
	if e.full() {
		return RefusedDescriptors
	}
	if transport.Shakes(c.src.Proto) && (e.late() || e.handshakers.Late()) {
		return RefusedOverload
	}
	if cause := e.enterSource(c); cause != reason.Admitted {
		return cause
	}
	c.cfg = e.cfg.stream(c.src.Proto)
	if e.inbound.Add(1) > int64(e.cfg.MaxConnections) {
		e.inbound.Add(-1)
		return RefusedLimit
	}
	c.speaks()
	if c.life.Begin(phase.Established); transport.Shakes(c.src.Proto) {
		c.life.Begin(phase.Handshaking)
	}
	if e.table.Add(c) == 0 {
		e.inbound.Add(-1)
		return RefusedTable
	}
	return reason.Admitted
}

// adopt takes a connection of ours from the connect queue: TCP is up.
func (l *loop) adopt(c *conn) {
	defer l.guard(c)
	lives, waited := c.comesTo(l)
	if !lives {
		c.sock.Close() // closed ends it with its reason
		return
	}
	l.stat.Dialed.Add(1)
	if waited {
		l.stat.ResumedConnects.Add(1)
	}
	c.active.Store(l.seconds.Load())
	l.idle.Put(c, l.seconds.Load()+l.eng.lifetime)
	if !c.src.Proto.Secure() {
		l.begin(c, &codec.Plain{})
		return
	}
	m, err := c.dial.domains.NewClient(c.query())
	c.dial.domains = nil
	if err != nil {
		l.close(c, reason.OfHandshake(err))
		return
	}
	l.begin(c, m)
}

// comesTo gives a connection of ours its loop, and reports whether it lives and whether a sender did not wait for its
// connect.
func (c *conn) comesTo(l *loop) (lives, waited bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.loop = l
	if c.life.Why() != nil {
		return false, false
	}
	waited = c.dial.unpark(phase.Enrolling)
	next := phase.Established
	if transport.Shakes(c.src.Proto) {
		next = phase.Handshaking
	}
	c.life.Step(next)
	return true, waited
}

// establish makes the connection ready for messages and sends what waited. request and answer are those of Event.
func (l *loop) establish(c *conn, request, answer string) {
	c.place.HandshakeEnded()
	state := c.tlsState()
	if c.comesUp(state) {
		l.sched.Stirred()
		l.stat.ResumedHandshakes.Add(1)
	}
	c.waits.Disarm()
	if !c.unacked.Unconfirmed {
		c.reached()
	}
	if c.probing {
		l.eng.peers.add(c)
	}
	l.stat.Established.Add(1)
	l.eng.tell(c, &Event{Kind: ConnEstablished, TLS: state, Secrets: c.secrets(), Request: request, Answer: answer})
	l.flush(c)
}

// comesUp has others find the connection established, and reports whether a sender did not wait for that.
func (c *conn) comesUp(state *tlsstate.State) (waited bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.life.At() != phase.Established {
		c.life.Step(phase.Established)
	}
	c.tls.set(state)
	c.src.Verified = state != nil && state.Verified
	waited = c.dial.unpark(phase.Handshaking)
	c.dial = nil
	return waited
}
