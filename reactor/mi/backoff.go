package mi

import (
	"context"
	"net/netip"
	"time"

	"sipreactor/reactor"
)

// BackingOff is an Engine that leaves destinations alone which it could not
// reach. *reactor.Engine is one.
type BackingOff interface {
	Backoff() []reactor.BackoffInfo
	ResetBackoff(at netip.AddrPort) int
}

func (n *Node) backoff() []Command {
	e, ok := n.Engine.(BackingOff)
	if !ok {
		return nil
	}
	return []Command{
		{
			Name: "tcp_backoff", Module: "core",
			Help: "Lists the destinations that could not be reached and are left alone for a while, the latest failure first.",
			Func: plain(func() any { return listBackoff(e) }),
		},
		{
			Name: "tcp_backoff_reset", Module: "core",
			Help:   "Has destinations that are left alone tried again by the next message: those at ip:port, or all.",
			Params: []Param{{Name: "ipport", Optional: true}},
			Func:   func(_ context.Context, a *Args) (any, error) { return resetBackoff(e, a) },
		},
	}
}

func listBackoff(e BackingOff) any {
	list := []Object{}
	for _, i := range e.Backoff() {
		o := Object{{"Type", i.Proto.String()}, {"Remote", i.Addr.String()}}
		if i.Socket != nil {
			o = append(o, Field{"Socket", i.Socket.Proto.String() + ":" + i.Socket.Addr.String()})
		}
		if i.Domain != "" {
			o = append(o, Field{"TLS Domain", i.Domain})
		}
		if i.Name != "" {
			o = append(o, Field{"SIP Domain", i.Name})
		}
		list = append(list, append(o, Field{"Reason", i.Reason.Error()}, Field{"Failed ago", i.Since.Round(time.Millisecond).String()},
			Field{"Step", i.Step.String()}, Field{"Left", i.Left.Round(time.Millisecond).String()}, Field{"Probing", i.Probing},
			Field{"Refused", i.Refused}))
	}
	return Object{{"Destinations", list}}
}

func resetBackoff(e BackingOff, a *Args) (any, error) {
	var at netip.AddrPort
	if a.Has("ipport") {
		var err error
		if at, err = netip.ParseAddrPort(a.Text("ipport")); err != nil {
			return nil, badParams("ipport is not ip:port")
		}
	}
	return Object{{"Reset", e.ResetBackoff(at)}}, nil
}
