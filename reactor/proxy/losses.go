package proxy

import (
	"errors"
	"net/netip"

	"sipreactor/reactor"
)

// loss is what lines about messages that were not delivered have in common that
// are told as one: a noisy peer does not hide another one's failure. The port is
// left out: peers that dial us come from another one each time.
type loss struct {
	what   string
	peer   netip.Addr
	reason reactor.Reason
}

// lossOf gives the key of a message that was not delivered.
func lossOf(what string, peer netip.AddrPort, cause error) loss {
	l := loss{what: what, peer: peer.Addr()}
	var e *reactor.Error
	if errors.As(cause, &e) {
		l.reason = e.Reason
	}
	return l
}
