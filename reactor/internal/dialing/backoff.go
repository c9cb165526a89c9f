package dialing

import (
	"net/netip"
	"time"

	"sipreactor/reactor/internal/connection"
	"sipreactor/reactor/internal/endpoint"
	"sipreactor/reactor/internal/message"
	"sipreactor/reactor/internal/phase"
	"sipreactor/reactor/internal/reason"
	"sipreactor/reactor/internal/transport"
)

// LeftAlone returns the reason to leave a destination alone that has no connection;
// nil when a new one may be opened.
func (d *Dialer) LeftAlone(t *message.Target, addr netip.AddrPort, domain, name string) *reason.Error {
	if d.All.Backoff.Len() == 0 {
		return nil
	}
	why, refused := d.All.Backoff.Refuses(d.All.Now(), connection.KeyOf(t, addr, domain, name), t.Name, connection.EndsOf(t.Set))
	if !refused {
		return nil
	}
	return why
}

// Schedule has the next probe made when it is due. Any goroutine.
func (d *Dialer) Schedule() { d.Probes.Schedule(d.nextProbe, d.probeDue) }

// nextProbe returns how long it is to the next probe, if there is to be one.
func (d *Dialer) nextProbe() (in time.Duration, ok bool) {
	next := d.All.Backoff.Next()
	return time.Duration(max(next-d.All.Now(), 0)), next != 0
}

// probeDue dials the destinations whose time has come, without a message.
func (d *Dialer) probeDue() {
	for _, left := range d.All.Backoff.Due(d.All.Now()) {
		to := *left.What
		if to.Proto == transport.UDP { // the next message is the probe
			d.All.Backoff.Answered(endpoint.Of(transport.UDP, left.Addr))
			continue
		}
		to.Name = left.Name
		d.Probe(&to)
	}
	d.Schedule()
}

// Probe opens a connection to a destination that is left alone. It is found by
// senders when it is up.
func (d *Dialer) Probe(t *message.Target) {
	want, domains, err := d.matchFor(t)
	if err != nil {
		d.All.Backoff.Reset(t.Addr) // the client domain is gone, and so are its failures
		return
	}
	var c *connection.Conn
	d.Probes.Begin(func() {
		c = d.dialled(t, &want, domains, nil)
		cfg := *c.Config
		cfg.HandshakeTimeout = connection.ProbeTime
		c.Config, c.Probing = &cfg, true
		c = d.enter(c)
	})
	if c == nil {
		d.All.Backoff.Deferred(d.All.Now(), connection.KeyOf(t, t.Addr, want.Self.Domain, want.Name))
		return
	}
	time.AfterFunc(connection.ProbeTime, func() { ProbeOver(c) })
	d.connect(c)
}

// ProbeOver ends a probe's time. A peer that has taken the handshake and not
// refused our certificate by now has taken that, too.
func ProbeOver(c *connection.Conn) {
	switch at := c.Phase(); {
	case at == phase.Established && !c.Closes():
		c.Reached()
	case at < phase.Handshaking:
		c.AskClose(reason.Because(reason.ConnectTimeout, "no answer to a probe of ours after "+connection.ProbeTime.String()))
	default:
		c.AskClose(reason.Because(reason.HandshakeTimeout, "none was completed with a probe of ours after "+connection.ProbeTime.String()))
	}
}

// Info describes a destination that is left alone.
type Info struct {
	Proto transport.Proto
	Addr  netip.AddrPort
	// Socket is the local socket that its connections are to have; nil is any.
	Socket *message.Socket
	// Domain is the TLS client domain; Name the SIP domain for which alone the
	// destination failed, "" for all.
	Domain, Name string
	// Reason is what its messages are told.
	Reason *reason.Error
	// Step is how long it is left alone at a time, Left how much of that is left,
	// Probing that a probe of ours is on its way. Since is the time since it last
	// failed.
	Step, Left, Since time.Duration
	Probing           bool
	// Refused is how many messages it was not given.
	Refused uint64
}

// List returns the destinations that are left alone, the latest failure first.
func (d *Dialer) List() []Info {
	all := d.All.Backoff.Snapshot(d.All.Now())
	list := make([]Info, len(all))
	for i, x := range all {
		list[i] = Info{Proto: transport.Proto(x.Key.Peer.Proto()), Addr: x.Addr, Socket: x.Key.Socket, Domain: x.Key.Domain, Name: x.Key.Name,
			Reason: x.Reason, Step: x.Step, Left: x.Left, Since: x.Since, Probing: x.Probing, Refused: x.Refused}
	}
	return list
}

// Unreachable has the destination of a datagram left alone for a while, in favour of
// others of the same name, if the network has quoted that.
func (d *Dialer) Unreachable(u *message.Undelivered) {
	t := message.Target{Proto: transport.UDP, Addr: u.Addr, Socket: u.Socket}
	if !u.Quoted || d.Stopping.Load() {
		return
	}
	if d.All.Backoff.Failed(d.All.Now(), connection.KeyOf(&t, u.Addr, "", ""), false, connection.Destination(&t), connection.Remembered(u.Err)) {
		d.All.Log.LeftAlone(transport.UDP, u.Addr, u.Err)
	}
	d.Schedule()
}
