package transaction

import (
	"cmp"
	"context"
	"net/netip"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/names"
	"sipreactor/reactor/proxy"
)

// nobody is a Resolver that knows two names.
type nobody struct{}

func (nobody) Lookup(_ context.Context, q names.Query) (names.Answer, error) {
	a := names.Answer{TTL: time.Minute}
	add := func(at string) {
		to := reactor.EndPoint{Proto: cmp.Or(q.Proto, q.Fallback), Addr: netip.MustParseAddrPort(at)}
		a.Targets = append(a.Targets, names.Target{EndPoint: to})
	}
	switch q.Host {
	case "two.example.org":
		add("203.0.113.21:5060")
		add("203.0.113.22:5060")
	case "one.example.org":
		add("203.0.113.11:5060")
	default:
		return a, names.ErrUnresolved
	}
	return a, nil
}

type (
	ctx    = *proxy.Context
	target = reactor.Target
)

const tlsProto = reactor.TLS
