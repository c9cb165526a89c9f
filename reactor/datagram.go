package reactor

import (
	"bytes"
	"errors"
	"net/netip"

	"github.com/valyala/bytebufferpool"
	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/datagrams"
	"sipreactor/reactor/internal/glance"
	"sipreactor/reactor/internal/kernel"
	"sipreactor/reactor/internal/reason"
	"sipreactor/sipframe"
)

// maxDatagram is the largest message that UDP over IPv4 carries.
const maxDatagram = 65507

// datagram takes one datagram: a whole message (RFC 3261 18.3), or white space
// that keeps a NAT open.
func (l *loop) datagram(socket *Socket, from netip.AddrPort, in []byte) {
	defer l.guardDatagram(from)
	l.stat.Carried[UDP].BytesIn.Add(uint64(len(in)))
	in = bytes.TrimLeft(in, "\r\n \t\x00")
	if len(in) == 0 {
		return
	}
	data := l.slab.Put(in)
	src := l.senders.Of(from, socket, datagramSource)
	l.stat.Carried[UDP].MessagesIn.Add(1)
	switch {
	case !glance.IsReply(data):
		if !glance.IsACK(data) {
			l.stat.Came.Add(l.seconds.Load())
		}
	case glance.IsFinal(data):
		l.stat.Answered.Add(l.seconds.Load())
	}
	i := l.eng.shardOf(data)
	l.frames[i] = append(l.frames[i], item{kind: itemMessage, data: data, buf: l.slab.Retain(), src: src})
}

// dispatchDatagrams hands on what a read of a socket of UDP has brought.
func (l *loop) dispatchDatagrams() {
	defer l.guardDatagrams()
	l.dispatch(nil)
}

// datagramSource is the Source of what a peer sends to a socket.
func datagramSource(from netip.AddrPort, socket *Socket) *Source {
	return &Source{Proto: UDP, Remote: from, Local: socket.Addr, Socket: socket}
}

// bounced hands what the network has quoted of a datagram that it could not deliver
// to a worker. What finds no room is of no use: it is sent again.
func (l *loop) bounced(socket *Socket, to netip.AddrPort, why error, quote []byte) {
	l.stat.Bounced.Add(1)
	end := bytes.LastIndexByte(quote, '\n') + 1
	buf := sipframe.NewBuffer(end + len(crlf))
	buf.Advance(copy(buf.Free(), quote[:end]))
	buf.Advance(copy(buf.Free(), crlf))
	u := &Undelivered{Data: buf.Bytes(), Proto: UDP, Addr: to, Quoted: true, Socket: socket,
		Err: &Error{Reason: ConnectFailed, Blame: BlamePeer, Detail: why.Error(), Err: why}}
	src := l.senders.Of(to, socket, datagramSource)
	s := l.eng.shards[l.eng.shardOfOurs(u.Data)]
	if s.push([]item{{kind: itemUndelivered, data: u.Data, buf: buf, src: src, lost: u}}, s.bound) > 0 {
		l.stat.Dropped.Add(1)
		buf.Release()
	}
}

var crlf = []byte("\r\n")

// Unreachable has the destination of a datagram left alone for a while, in favour of
// others of the same name (Target.Set): for a Handler that has found what u quotes
// to be true. Any goroutine.
func (e *Engine) Unreachable(u *Undelivered) {
	t := Target{Proto: UDP, Addr: u.Addr, Socket: u.Socket}
	if !u.Quoted || e.stopping.Load() {
		return
	}
	if e.backoff.Failed(e.now(), t.backoffKey(u.Addr, "", ""), false, t.remembered(), remembered(u.Err)) {
		e.connlog.LeftAlone(UDP, u.Addr, u.Err)
	}
	e.schedule()
}

// sendDatagram writes a message to a UDP destination. It is with the kernel or
// it is an error: nothing waits.
func (e *Engine) sendDatagram(t *Target, m Appender, w *Worker) (Outcome, *Error) {
	socket := t.Socket
	for _, s := range e.sockets {
		if socket == nil && s.Proto == UDP && s.Addr.Addr().Is4() == t.Addr.Addr().Is4() {
			socket = s
		}
	}
	if socket == nil || socket.Proto != UDP {
		return 0, &Error{Reason: NoConnection, Blame: BlameConfig, Detail: "no udp socket to send from"}
	}
	addr := kernel.Unmap(t.Addr)
	if t.Set != nil && e.backoff.Len() > 0 {
		to := *t
		to.Socket = socket
		if why := e.leftAlone(&to, addr, "", ""); why != nil {
			return 0, why
		}
	}
	buf := bytebufferpool.Get()
	defer bytebufferpool.Put(buf)
	buf.B = m.AppendTo(buf.B)
	if len(buf.B) > maxDatagram {
		return 0, reason.Because(MessageTooLarge, "for udp")
	}
	s := e.shards[0]
	if w != nil {
		s = w.shard
	}
	if w.gathers() {
		l := w.host.loop
		l.burst.Add(l, socket, buf.B, addr, t.Note)
	} else if err := s.sendTo(socket, buf.B, addr); err != nil {
		return 0, err
	}
	stat := &s.stat
	switch {
	case t.Class.asks():
		stat.Asked.Add(e.seconds())
	case glance.IsReply(buf.B) && glance.IsFinal(buf.B):
		stat.Replied.Add(e.seconds())
	}
	stat.Datagrams.Add(1)
	stat.DatagramBytes.Add(uint64(len(buf.B)))
	if t.Carrier != nil {
		*t.Carrier = Source{Proto: UDP, Remote: t.Addr, Local: socket.Addr, Socket: socket}
	}
	return Sent, nil
}

// returnDatagram has a worker tell the Handler of a datagram that was taken for
// sending and could not be sent.
func (e *Engine) returnDatagram(socket *Socket, text []byte, to netip.AddrPort, note any, why *Error) {
	buf := sipframe.NewBuffer(len(text))
	buf.Advance(copy(buf.Free(), text))
	u := &Undelivered{Data: buf.Bytes(), Proto: UDP, Addr: to, Note: note, Socket: socket, Err: why}
	e.stat.Undelivered.Add(1)
	src := &Source{Proto: UDP, Remote: to, Local: socket.Addr, Socket: socket}
	e.shards[e.shardOfOurs(text)].put(item{kind: itemUndelivered, data: u.Data, buf: buf, src: src, lost: u})
}

// sendTo writes a datagram by the shard's gate.
func (s *shard) sendTo(socket *Socket, text []byte, to netip.AddrPort) *Error {
	switch err := s.gate.Send(s.eng.poll, socket.index, text, to); {
	case err == nil:
		return nil
	case errors.Is(err, datagrams.ErrShut):
		return reason.Because(Shutdown, "")
	default:
		e := reason.Fail(WriteError, err)
		if kernel.OwnChoice(err) {
			e.Blame = BlameConfig
		}
		return e
	}
}

// endDatagrams ends the sending of datagrams, whose sockets are about to be closed.
func (e *Engine) endDatagrams() {
	for _, s := range e.shards {
		s.gate.Shut()
	}
}

// gathers reports whether a datagram that a worker sends is to wait for others: the
// worker is on its loop.
func (w *Worker) gathers() bool {
	return w != nil && w.host != nil && !w.host.Left() && w.host.loop.burst.IsOpen()
}

// Descriptor returns that which a socket's datagrams leave by.
func (l *loop) Descriptor(socket *Socket) int { return l.eng.poll.Sender(socket.index) }

// Lost gets a datagram that was gathered and could not be sent.
func (l *loop) Lost(socket *Socket, text []byte, to netip.AddrPort, note any, why unix.Errno) {
	l.eng.returnDatagram(socket, text, to, note, reason.Fail(WriteError, why))
}
