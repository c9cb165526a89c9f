package reactor

import (
	"net/netip"
	"time"

	"github.com/panjf2000/gnet/v2"

	"sipreactor/reactor/internal/kernel"
)

// accept takes a peer's connection into the table.
func (l *loop) accept(gc gnet.Conn) gnet.Action {
	e := l.eng
	local, err := ownAddr(gc)
	socket := e.listener(local)
	if err != nil || socket == nil {
		l.stat.refused[RefusedVanished].Add(1)
		return gnet.Close
	}
	c := &conn{eng: e, loop: l, gc: gc, fd: gc.Fd(), born: time.Now()}
	c.src = Source{Proto: socket.Proto, Remote: tcpAddr(gc.RemoteAddr()), Local: local, Socket: socket}
	if cause := l.admit(c); cause != admitted {
		l.stat.refused[cause].Add(1)
		c.quit()
		why := cause.refuse()
		e.observe(c, ConnRefused, why, nil, "")
		e.logRefused(c, why)
		return gnet.Close
	}
	gc.SetContext(c)
	kernel.BoundSend(c.fd)
	c.active.Store(l.seconds.Load())
	c.opened.Store(true)
	e.peers.add(c)
	l.stat.accepted.Add(1)
	l.idle.put(c, l.seconds.Load()+e.lifetime)
	e.observe(c, ConnAccepted, nil, nil, "")
	if c.src.Proto == TCP {
		c.codec = &plain{}
		l.establish(c)
		return gnet.None
	}
	m, err := e.tls().NewServer(c.src.Local, c.src.Remote)
	if err != nil {
		l.close(c, tlsError(err))
		return gnet.None
	}
	l.handshake(c, m)
	return gnet.None
}

// admit gives an accepted connection its place, or says why it has none.
func (l *loop) admit(c *conn) Refusal {
	e := l.eng
	if e.draining.Load() {
		return RefusedShutdown
	}
	if e.full() {
		return RefusedDescriptors
	}
	if c.src.Proto == TLS && (e.late() || e.handshakers.late()) {
		return RefusedOverload
	}
	if cause := e.sources.enter(c, e.seconds()); cause != admitted {
		return cause
	}
	c.cfg = e.cfg.stream(c.src.Proto)
	if e.inbound.Add(1) > int64(e.cfg.MaxConnections) {
		e.inbound.Add(-1)
		return RefusedLimit
	}
	c.phase = handshaking
	if c.src.Proto == TCP {
		c.phase = established
	}
	if e.table.add(c) == 0 {
		e.inbound.Add(-1)
		return RefusedTable
	}
	return admitted
}

// adopt takes a connection of ours from the parking lot: TCP is up.
func (l *loop) adopt(c *conn, gc gnet.Conn) gnet.Action {
	c.mu.Lock()
	doom := c.doom
	c.loop, c.gc, c.fd = l, gc, gc.Fd()
	var waited bool
	if doom == nil {
		waited = c.unpark(enrolling)
		if c.src.Proto == TLS {
			c.stepLocked(handshaking)
		} else {
			c.stepLocked(established)
		}
	}
	c.mu.Unlock()
	c.opened.Store(true)
	if doom != nil {
		return gnet.Close // OnClose ends it with its doom
	}
	l.stat.dialed.Add(1)
	if waited {
		l.stat.resumedConnects.Add(1)
	}
	c.active.Store(l.seconds.Load())
	l.idle.put(c, l.seconds.Load()+l.eng.lifetime)
	if c.src.Proto == TCP {
		c.codec = &plain{}
		l.establish(c)
		return gnet.None
	}
	m, err := c.domains.NewClient(c.query())
	c.domains = nil
	if err != nil {
		l.close(c, tlsError(err))
		return gnet.None
	}
	l.handshake(c, m)
	return gnet.None
}

// establish makes the connection ready for messages and sends what waited.
func (l *loop) establish(c *conn) {
	c.shook()
	state := c.tlsState()
	c.mu.Lock()
	if c.phase != established {
		c.stepLocked(established)
	}
	c.tls.set(state)
	c.src.Verified = state != nil && state.Verified
	waited := c.unpark(handshaking)
	c.mu.Unlock()
	if waited {
		l.awaiting.stirred = true
		l.stat.resumedHandshakes.Add(1)
	}
	c.disarm()
	if !c.unacked.trial {
		c.reached()
	}
	if c.probing {
		l.eng.peers.add(c)
	}
	l.stat.established.Add(1)
	l.eng.observe(c, ConnEstablished, nil, state, c.secrets())
	l.flush(c)
}

// ownAddr is where a connection was accepted. gnet knows what its listener was
// to be bound to: if that left a choice, the kernel is asked.
func ownAddr(gc gnet.Conn) (netip.AddrPort, error) {
	if a := tcpAddr(gc.LocalAddr()); a.Port() != 0 && !a.Addr().IsUnspecified() {
		return a, nil
	}
	return kernel.LocalAddr(gc.Fd())
}
