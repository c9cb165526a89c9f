package loops

import (
	"bytes"
	"errors"
	"net/netip"

	"github.com/valyala/bytebufferpool"
	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/datagrams"
	"sipreactor/reactor/internal/dispatch"
	"sipreactor/reactor/internal/kernel"
	"sipreactor/reactor/internal/message"
	"sipreactor/reactor/internal/peek"
	"sipreactor/reactor/internal/reason"
	"sipreactor/reactor/internal/transport"
	"sipreactor/sipframe"
)

// maxDatagram is the largest message that UDP over IPv4 carries.
const maxDatagram = 65507

// datagram takes one datagram: a whole message (RFC 3261 18.3), or white space
// that keeps a NAT open.
func (l *Loop) datagram(socket *message.Socket, from netip.AddrPort, in []byte) {
	defer l.guardDatagram(from)
	l.Stat.Carried[transport.UDP].BytesIn.Add(uint64(len(in)))
	in = bytes.TrimLeft(in, "\r\n \t\x00")
	if len(in) == 0 {
		return
	}
	data := l.Slab.Put(in)
	src := l.senders.Of(from, socket, datagramSource)
	l.Stat.Carried[transport.UDP].MessagesIn.Add(1)
	switch {
	case !peek.IsResponse(data):
		if !peek.IsACK(data) {
			l.Stat.Came.Add(l.Seconds.Load())
		}
	case peek.IsFinal(data):
		l.Stat.Answered.Add(l.Seconds.Load())
	}
	i := l.common.Dispatcher.Of(data)
	l.frames[i] = append(l.frames[i], dispatch.Item{Kind: dispatch.Message, Data: data, Buf: l.Slab.Retain(), Src: src})
}

// dispatchDatagrams hands on what a read of a socket of UDP has brought.
func (l *Loop) dispatchDatagrams() {
	defer l.guardDatagrams()
	l.Dispatch(nil)
}

// datagramSource is the Source of what a peer sends to a socket.
func datagramSource(from netip.AddrPort, socket *message.Socket) *message.Source {
	return &message.Source{Proto: transport.UDP, Remote: from, Local: socket.Addr, Socket: socket}
}

// bounced hands what the network has quoted of a datagram that it could not deliver
// to a worker. What finds no room is of no use: it is sent again.
func (l *Loop) bounced(socket *message.Socket, to netip.AddrPort, why error, quote []byte) {
	l.Stat.Bounced.Add(1)
	end := bytes.LastIndexByte(quote, '\n') + 1
	buf := sipframe.NewBuffer(end + len(crlf))
	buf.Advance(copy(buf.Free(), quote[:end]))
	buf.Advance(copy(buf.Free(), crlf))
	u := &message.Undelivered{Data: buf.Bytes(), Proto: transport.UDP, Addr: to, Quoted: true, Socket: socket,
		Err: &reason.Error{Reason: reason.ConnectFailed, Blame: reason.BlamePeer, Detail: why.Error(), Err: why}}
	src := l.senders.Of(to, socket, datagramSource)
	s := l.common.Dispatcher.Shards[l.common.Dispatcher.OfOurs(u.Data)]
	if s.Take([]dispatch.Item{{Kind: dispatch.Undelivered, Data: u.Data, Buf: buf, Src: src, Lost: u}}) > 0 {
		l.Stat.Dropped.Add(1)
		buf.Release()
	}
}

var crlf = []byte("\r\n")

// SendDatagram writes a message to a UDP destination, from a place where a Handler runs,
// or none. It is with the kernel or
// it is an error: nothing waits.
func (a *Common) SendDatagram(t *message.Target, m message.Appender, from *dispatch.Place) (message.Outcome, *reason.Error) {
	socket := t.Socket
	for _, s := range a.Sockets {
		if socket == nil && s.Proto == transport.UDP && s.Addr.Addr().Is4() == t.Addr.Addr().Is4() {
			socket = s
		}
	}
	if socket == nil || socket.Proto != transport.UDP {
		return 0, &reason.Error{Reason: reason.NoConnection, Blame: reason.BlameConfig, Detail: "no udp socket to send from"}
	}
	addr := kernel.Unmap(t.Addr)
	if t.Set != nil && a.Conns.Backoff.Len() > 0 {
		to := *t
		to.Socket = socket
		if why := a.Dialer.LeftAlone(&to, addr, "", ""); why != nil {
			return 0, why
		}
	}
	buf := bytebufferpool.Get()
	defer bytebufferpool.Put(buf)
	buf.B = m.AppendTo(buf.B)
	if len(buf.B) > maxDatagram {
		return 0, reason.Because(reason.MessageTooLarge, "for udp")
	}
	s := a.Dispatcher.Shards[0]
	if from != nil {
		s = from.Shard()
	}
	if l := gathers(from); l != nil {
		l.burst.Add(l, socket, buf.B, addr, t.Note)
	} else if err := a.sendTo(s, socket, buf.B, addr); err != nil {
		return 0, err
	}
	stat := &s.Stat
	switch {
	case t.Class.Asks():
		stat.Asked.Add(a.Conns.Seconds())
	case peek.IsResponse(buf.B) && peek.IsFinal(buf.B):
		stat.Responded.Add(a.Conns.Seconds())
	}
	stat.Datagrams.Add(1)
	stat.DatagramBytes.Add(uint64(len(buf.B)))
	if t.Carrier != nil {
		*t.Carrier = message.Source{Proto: transport.UDP, Remote: t.Addr, Local: socket.Addr, Socket: socket}
	}
	return message.Sent, nil
}

// returnDatagram has a worker tell the Handler of a datagram that was taken for
// sending and could not be sent.
func (a *Common) returnDatagram(socket *message.Socket, text []byte, to netip.AddrPort, note any, why *reason.Error) {
	src := &message.Source{Proto: transport.UDP, Remote: to, Local: socket.Addr, Socket: socket}
	a.comesBack(text, src, &message.Undelivered{Proto: transport.UDP, Addr: to, Note: note, Socket: socket, Err: why})
}

// sendTo writes a datagram by the shard's gate.
func (a *Common) sendTo(s *dispatch.Shard, socket *message.Socket, text []byte, to netip.AddrPort) *reason.Error {
	switch err := s.Gate.Send(a.Poll, socket.Index, text, to); {
	case err == nil:
		return nil
	case errors.Is(err, datagrams.ErrShut):
		return reason.Because(reason.Shutdown, "")
	default:
		why := reason.Fail(reason.WriteError, err)
		if kernel.OwnChoice(err) {
			why.Blame = reason.BlameConfig
		}
		return why
	}
}

// EndDatagrams ends the sending of datagrams, whose sockets are about to be closed.
func (a *Common) EndDatagrams() {
	for _, s := range a.Dispatcher.Shards {
		s.Gate.Shut()
	}
}

// gathers returns the loop on which a datagram that is sent from a place is to wait for others;
// nil: it is not.
func gathers(from *dispatch.Place) *Loop {
	if from == nil {
		return nil
	}
	if l, ok := from.Loop().(*Loop); ok && l.burst.IsOpen() {
		return l
	}
	return nil
}

// Descriptor returns that which a socket's datagrams leave by.
func (l *Loop) Descriptor(socket *message.Socket) int { return l.common.Poll.Sender(socket.Index) }

// Lost gets a datagram that was gathered and could not be sent.
func (l *Loop) Lost(socket *message.Socket, text []byte, to netip.AddrPort, note any, why unix.Errno) {
	l.common.returnDatagram(socket, text, to, note, reason.Fail(reason.WriteError, why))
}

// OwedByDatagrams is how many requests that left as datagrams may still be
// answered: it counts and matches nothing, so that a response that came twice
// counts for another request.
func (a *Common) OwedByDatagrams() int64 {
	now, n := a.Conns.Seconds(), int64(0)
	for _, s := range a.Dispatcher.Shards {
		n += s.Stat.Asked.Sum(now)
	}
	a.Each(func(l *Loop) { n -= l.Stat.Answered.Sum(now) })
	return max(n, 0)
}

// OwedToDatagrams is how many requests that came as datagrams have no final answer
// yet: one that comes again counts again, so that it may be too many.
func (a *Common) OwedToDatagrams() int64 {
	now, n := a.Conns.Seconds(), int64(0)
	a.Each(func(l *Loop) { n += l.Stat.Came.Sum(now) })
	for _, s := range a.Dispatcher.Shards {
		n -= s.Stat.Responded.Sum(now)
	}
	return max(n, 0)
}
