package mi

import (
	"context"
	"net/netip"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/rpc"
)

// BackingOff is an Engine that leaves destinations alone which it could not
// reach. *reactor.Engine is one.
type BackingOff interface {
	Backoff() []reactor.BackoffInfo
	ResetBackoff(at netip.AddrPort) int
}

func (n *Node) backoff() []rpc.Command {
	e, ok := n.Engine.(BackingOff)
	if !ok {
		return nil
	}
	return []rpc.Command{
		{
			Name: "tcp_backoff", Module: "core",
			Help: "Lists the destinations that could not be reached and are left alone for a while, the latest failure first.",
			Func: plain(func() any { return listBackoff(e) }),
		},
		{
			Name: "tcp_backoff_reset", Module: "core",
			Help:   "Has destinations that are left alone tried again by the next message: those at ip:port, or all.",
			Params: []rpc.Param{{Name: "ipport", Optional: true}},
			Func:   func(_ context.Context, a *rpc.Args) (any, error) { return resetBackoff(e, a) },
		},
	}
}

func listBackoff(e BackingOff) any {
	list := []rpc.Object{}
	for _, i := range e.Backoff() {
		o := rpc.Object{{Name: "Type", Value: i.Proto.String()}, {Name: "Remote", Value: i.Addr.String()}}
		if i.Socket != nil {
			o = append(o, rpc.Field{Name: "Socket", Value: i.Socket.Proto.String() + ":" + i.Socket.Addr.String()})
		}
		if i.Domain != "" {
			o = append(o, rpc.Field{Name: "TLS Domain", Value: i.Domain})
		}
		if i.Name != "" {
			o = append(o, rpc.Field{Name: "SIP Domain", Value: i.Name})
		}
		list = append(list, append(o, rpc.Field{Name: "Reason", Value: i.Reason.Error()}, rpc.Field{Name: "Failed ago", Value: i.Since.Round(time.Millisecond).String()},
			rpc.Field{Name: "Step", Value: i.Step.String()}, rpc.Field{Name: "Left", Value: i.Left.Round(time.Millisecond).String()}, rpc.Field{Name: "Probing", Value: i.Probing},
			rpc.Field{Name: "Refused", Value: i.Refused}))
	}
	return rpc.Object{{Name: "Destinations", Value: list}}
}

func resetBackoff(e BackingOff, a *rpc.Args) (any, error) {
	var at netip.AddrPort
	if a.Has("ipport") {
		var err error
		if at, err = netip.ParseAddrPort(a.Text("ipport")); err != nil {
			return nil, rpc.BadParams("ipport is not ip:port")
		}
	}
	return rpc.Object{{Name: "Reset", Value: e.ResetBackoff(at)}}, nil
}
