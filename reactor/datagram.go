package reactor

import (
	"bytes"
	"net/netip"

	"github.com/valyala/bytebufferpool"
	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/kernel"
)

// maxDatagram is the largest message that UDP over IPv4 carries.
const maxDatagram = 65507

// datagram takes one datagram: a whole message (RFC 3261 18.3), or white space
// that keeps a NAT open.
func (l *loop) datagram(socket *Socket, from netip.AddrPort, in []byte) {
	l.stat.carried[UDP].bytesIn.Add(uint64(len(in)))
	in = bytes.TrimLeft(in, "\r\n \t\x00")
	if len(in) == 0 {
		return
	}
	if l.slab == nil || len(l.slab.Free()) < len(in) {
		l.renew(len(in))
	}
	base := len(l.slab.Bytes())
	l.slab.Advance(copy(l.slab.Free(), in))
	src := &Source{Proto: UDP, Remote: from, Local: socket.Addr, Socket: socket}
	l.stat.carried[UDP].messagesIn.Add(1)
	data := l.slab.Bytes()[base:]
	if isReply(data) && isFinal(data) {
		l.stat.answered.Add(l.seconds.Load())
	}
	i := l.eng.shardOf(data)
	l.bags[i] = append(l.bags[i], item{kind: itemMessage, data: data[:len(data):len(data)], buf: l.slab.Retain(), src: src})
	l.dispatch(nil)
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
	buf := bytebufferpool.Get()
	defer bytebufferpool.Put(buf)
	buf.B = m.AppendTo(buf.B)
	if len(buf.B) > maxDatagram {
		return 0, because(MessageTooLarge, "for udp")
	}
	if err := unix.Sendto(e.poll.Sender(socket.index), buf.B, unix.MSG_DONTWAIT, kernel.Sockaddr(t.Addr)); err != nil {
		return 0, fail(WriteError, err)
	}
	stat := &e.shards[0].stat
	if w != nil {
		stat = &w.shard.stat
	}
	if t.Class.asks() {
		stat.asked.Add(e.seconds())
	}
	stat.datagrams.Add(1)
	stat.datagramBytes.Add(uint64(len(buf.B)))
	if t.Carrier != nil {
		*t.Carrier = Source{Proto: UDP, Remote: t.Addr, Local: socket.Addr, Socket: socket}
	}
	return Sent, nil
}
