package mi

import (
	"context"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/rpc"
)

// maxListed is how many connections one answer lists when it is not told
// otherwise; the rest is counted.
const maxListed = 10000

// The states of a connection as OpenSIPS numbers them.
const (
	stateOK         = 0
	stateConnecting = 1
	stateEnding     = 2
)

// connState is the state of a phase.
func connState(p reactor.Phase) int {
	switch {
	case p < reactor.PhaseHandshaking:
		return stateConnecting
	case p >= reactor.PhaseClosing:
		return stateEnding
	default:
		return stateOK
	}
}

func (n *Node) connections() []rpc.Command {
	if n.Engine == nil {
		return nil
	}
	return []rpc.Command{
		{
			Name: "list_tcp_conns", Aliases: []string{"tcp:list"}, Module: "core",
			Help:   "Lists the TCP and TLS connections, of one protocol if it is named, at most limit of them (10000).",
			Params: []rpc.Param{{Name: "proto", Optional: true}, {Name: "limit", Kind: rpc.Integer, Optional: true}},
			Func:   func(_ context.Context, a *rpc.Args) (any, error) { return n.listConns(a) },
		},
		{
			Name: "tcp_close_conn", Aliases: []string{"tcp:close"}, Module: "core",
			Help:   "Closes a connection, by its ID or by the peer's address: [proto:]ip:port.",
			Params: []rpc.Param{{Name: "ipport"}},
			Func:   func(_ context.Context, a *rpc.Args) (any, error) { return n.closeConn(a.Text("ipport")) },
		},
		{
			Name: "list_sockets", Aliases: []string{"core:list_sockets"}, Module: "core",
			Help: "Lists the sockets that the program listens on.",
			Func: plain(n.listSockets),
		},
	}
}

func (n *Node) listConns(a *rpc.Args) (any, error) {
	var only reactor.Proto
	if a.Has("proto") {
		p, ok := reactor.ParseProto(a.Text("proto"))
		if !ok || p == reactor.UDP {
			return nil, rpc.BadParams("proto is neither tcp nor tls")
		}
		only = p
	}
	limit := maxListed
	if a.Has("limit") {
		if limit = a.Int("limit"); limit < 1 {
			return nil, rpc.BadParams("limit must be above 0")
		}
	}
	list, total := []rpc.Object{}, 0
	now := time.Now()
	n.Engine.Conns(func(i *reactor.ConnInfo) bool {
		if only == 0 || i.Proto == only {
			if total++; total <= limit {
				list = append(list, n.describe(i, now))
			}
		}
		return true
	})
	o := rpc.Object{{Name: "Connections", Value: list}}
	if total > limit {
		o = append(o, rpc.Field{Name: "Total", Value: total})
	}
	return o, nil
}

// describe gives OpenSIPS' members first, those of its 4.0 for TLS, then ours.
func (n *Node) describe(i *reactor.ConnInfo, now time.Time) rpc.Object {
	o := rpc.Object{
		{Name: "ID", Value: uint64(i.Conn)},
		{Name: "Type", Value: i.Proto.String()},
		{Name: "State", Value: connState(i.Phase)},
		{Name: "Remote", Value: i.Remote.String()},
		{Name: "Local", Value: i.Local.String()},
	}
	if n.Lifetime > 0 {
		o = append(o, rpc.Field{Name: "Lifetime", Value: now.Add(n.Lifetime - i.Idle).Format(time.DateTime)})
	}
	for _, port := range i.AliasPorts { // each by itself, as OpenSIPS has them
		o = append(o, rpc.Field{Name: "Alias port", Value: port})
	}
	o = append(o, describeTLS(i)...)
	direction := "in"
	if i.Outbound {
		direction = "out"
	}
	c := &i.Carried
	return append(o, rpc.Field{Name: "Direction", Value: direction}, rpc.Field{Name: "Phase", Value: i.Phase.String()}, rpc.Field{Name: "Queue", Value: i.Queue},
		rpc.Field{Name: "Stuck", Value: i.Stuck}, rpc.Field{Name: "Unanswered", Value: i.Unanswered}, rpc.Field{Name: "Age", Value: int64(i.Age / time.Second)}, rpc.Field{Name: "Idle", Value: int64(i.Idle / time.Second)},
		rpc.Field{Name: "Messages in", Value: c.MessagesIn}, rpc.Field{Name: "Messages out", Value: c.MessagesOut}, rpc.Field{Name: "Bytes in", Value: c.BytesIn}, rpc.Field{Name: "Bytes out", Value: c.BytesOut})
}

// describeTLS tells of an established TLS connection: how it is protected, and
// who the peer is, if it showed a certificate.
func describeTLS(i *reactor.ConnInfo) (o rpc.Object) {
	if i.TLSVersion != "" {
		o = append(o, rpc.Field{Name: "TLS Version", Value: i.TLSVersion}, rpc.Field{Name: "TLS Cipher", Value: i.Cipher}, rpc.Field{Name: "TLS Cipher description", Value: i.CipherDescription()},
			rpc.Field{Name: "TLS Cipher bits", Value: i.CipherBits}, rpc.Field{Name: "TLS Peer verified", Value: i.Verified})
	}
	if i.Domain != "" {
		o = append(o, rpc.Field{Name: "TLS Domain", Value: i.Domain})
	}
	if i.Peer != nil {
		o = append(o, rpc.Field{Name: "TLS Peer", Value: i.Peer.Subject.String()})
	}
	if i.TLSVersion != "" {
		o = append(o, rpc.Field{Name: "TLS Resumed", Value: i.Resumed}, rpc.Field{Name: "TLS Handshake", Value: i.Handshake.Round(time.Microsecond).String()})
	}
	return o
}

func (n *Node) closeConn(which string) (any, error) {
	handles, err := n.find(which)
	if err != nil {
		return nil, err
	}
	closed := false
	for _, h := range handles {
		closed = n.Engine.Close(h) || closed
	}
	if !closed {
		return nil, &rpc.Error{Code: rpc.CodeNotFound, Message: "Connection not found", Data: which}
	}
	return "OK", nil
}

// find gives the connections that an ID or an address names; by address there
// may be several, from sockets of ours that differ.
func (n *Node) find(which string) ([]reactor.Handle, error) {
	if id, err := strconv.ParseUint(which, 10, 64); err == nil {
		return []reactor.Handle{reactor.Handle(id)}, nil
	}
	address, only := which, reactor.Proto(0)
	if name, rest, ok := strings.Cut(which, ":"); ok {
		if p, known := reactor.ParseProto(name); known {
			address, only = rest, p
		}
	}
	remote, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, rpc.BadParams("ipport is neither an ID nor [proto:]ip:port")
	}
	var handles []reactor.Handle
	n.Engine.Conns(func(i *reactor.ConnInfo) bool {
		if sameAddr(i.Remote, remote) && (only == 0 || i.Proto == only) {
			handles = append(handles, i.Conn)
		}
		return true
	})
	return handles, nil
}

// sameAddr compares addresses, IPv4 in IPv6 as IPv4.
func sameAddr(a, b netip.AddrPort) bool {
	return a.Port() == b.Port() && a.Addr().Unmap() == b.Addr().Unmap()
}

func (n *Node) listSockets() any {
	list := []rpc.Object{}
	for _, s := range n.Engine.Sockets() {
		o := rpc.Object{{Name: "Socket", Value: s.Proto.String() + ":" + s.Addr.String()}, {Name: "Proto", Value: s.Proto.String()},
			{Name: "Address", Value: s.Addr.Addr().String()}, {Name: "Port", Value: s.Addr.Port()}}
		if s.Advertised != "" || s.AdvertisedPort != 0 {
			o = append(o, rpc.Field{Name: "Advertised", Value: s.Advertised}, rpc.Field{Name: "Advertised port", Value: s.AdvertisedPort})
		}
		if s.Tag != "" {
			o = append(o, rpc.Field{Name: "Tag", Value: s.Tag})
		}
		list = append(list, o)
	}
	return rpc.Object{{Name: "Sockets", Value: slices.Clip(list)}}
}
