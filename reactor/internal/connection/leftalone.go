package connection

import (
	"errors"
	"iter"
	"net/netip"
	"strings"

	"sipreactor/reactor/internal/backoff"
	"sipreactor/reactor/internal/endpoint"
	"sipreactor/reactor/internal/message"
	"sipreactor/reactor/internal/phase"
	"sipreactor/reactor/internal/reason"
	"sipreactor/tlsstate"
)

type (
	backoffKey    = backoff.Key[*message.Socket]
	backoffTable  = backoff.Table[*message.Socket, *message.Target, *reason.Error]
	backoffTarget = backoff.Target[*message.Target]
)

// KeyOf returns the key of a target; name is what its certificate must name,
// "" on plain TCP.
func KeyOf(t *message.Target, addr netip.AddrPort, domain, name string) backoffKey {
	return backoffKey{Socket: t.Socket, Peer: endpoint.Of(t.Proto, addr), Domain: domain, Name: name}
}

// EndsOf calls yield for each end point of a set; nil has none.
func EndsOf(s *message.AddrSet) iter.Seq[endpoint.Key] {
	return func(yield func(endpoint.Key) bool) {
		if s == nil {
			return
		}
		for _, p := range s.EndPoints {
			if !yield(endpoint.Of(p.Proto, p.Addr)) {
				return
			}
		}
	}
}

// Remembered is a reason as the messages get it that come later.
func Remembered(why *reason.Error) *reason.Error {
	e := *why
	e.Detail = strings.TrimPrefix(e.Detail+"; left alone (tcp_backoff)", "; ")
	return &e
}

// Destination is a target as the table keeps it: without what was its message's.
func Destination(t *message.Target) backoffTarget {
	to := *t
	to.Conn, to.Set, to.Carrier, to.Note = 0, nil, nil, nil
	return backoffTarget{Addr: t.Addr, Name: t.Name, What: &to}
}

func (c *Conn) backoffKey() backoffKey {
	return KeyOf(&c.Target, c.Src.Remote, c.proof.Self.Domain, c.proof.Meant)
}

// countBackoff tells the back-off table of a connection of ours that ended, if it
// never was up or the peer refused our certificate behind the handshake. The
// death of an established connection says little: the next dial does. Owner only,
// at the end.
func (c *Conn) countBackoff(was phase.Phase, why *reason.Error) {
	var t *tlsstate.Error
	ofName := errors.As(why, &t)
	a := c.Common
	key := c.backoffKey()
	counts := was < phase.Established || c.Own.Unacked.Unconfirmed && ofName
	if counts && why.Blame == reason.BlamePeer {
		if a.Backoff.Failed(a.Now(), key, ofName, Destination(&c.Target), Remembered(why)) {
			a.Log.LeftAlone(c.Src.Proto, c.Src.Remote, why)
		}
	} else if c.Probing {
		a.Backoff.Deferred(a.Now(), key)
	}
	a.Schedule()
}

// Reached tells the back-off table that the peer took us. Any goroutine.
func (c *Conn) Reached() {
	if c.Src.Outbound && c.Common.Backoff.Succeeded(c.backoffKey()) {
		c.Common.Log.Back(c.Called())
	}
}
