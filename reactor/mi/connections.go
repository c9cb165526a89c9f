package mi

import (
	"context"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"sipreactor/reactor"
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

func (n *Node) connections() []Command {
	if n.Engine == nil {
		return nil
	}
	return []Command{
		{
			Name: "list_tcp_conns", Aliases: []string{"tcp:list"}, Module: "core",
			Help:   "Lists the TCP and TLS connections, of one protocol if it is named, at most limit of them (10000).",
			Params: []Param{{Name: "proto", Optional: true}, {Name: "limit", Kind: Integer, Optional: true}},
			Func:   func(_ context.Context, a *Args) (any, error) { return n.listConns(a) },
		},
		{
			Name: "tcp_close_conn", Aliases: []string{"tcp:close"}, Module: "core",
			Help:   "Closes a connection, by its ID or by the peer's address: [proto:]ip:port.",
			Params: []Param{{Name: "ipport"}},
			Func:   func(_ context.Context, a *Args) (any, error) { return n.closeConn(a.Text("ipport")) },
		},
		{
			Name: "list_sockets", Aliases: []string{"core:list_sockets"}, Module: "core",
			Help: "Lists the sockets that the program listens on.",
			Func: plain(n.listSockets),
		},
	}
}

func (n *Node) listConns(a *Args) (any, error) {
	var only reactor.Proto
	if a.Has("proto") {
		p, ok := reactor.ParseProto(a.Text("proto"))
		if !ok || p == reactor.UDP {
			return nil, badParams("proto is neither tcp nor tls")
		}
		only = p
	}
	limit := maxListed
	if a.Has("limit") {
		if limit = a.Int("limit"); limit < 1 {
			return nil, badParams("limit must be above 0")
		}
	}
	list, total := []Object{}, 0
	now := time.Now()
	n.Engine.Conns(func(i *reactor.ConnInfo) bool {
		if only == 0 || i.Proto == only {
			if total++; total <= limit {
				list = append(list, n.describe(i, now))
			}
		}
		return true
	})
	o := Object{{"Connections", list}}
	if total > limit {
		o = append(o, Field{"Total", total})
	}
	return o, nil
}

// describe gives OpenSIPS' members first, those of its 4.0 for TLS, then ours.
func (n *Node) describe(i *reactor.ConnInfo, now time.Time) Object {
	o := Object{
		{"ID", uint64(i.Conn)},
		{"Type", i.Proto.String()},
		{"State", connState(i.Phase)},
		{"Remote", i.Remote.String()},
		{"Local", i.Local.String()},
	}
	if n.Lifetime > 0 {
		o = append(o, Field{"Lifetime", now.Add(n.Lifetime - i.Idle).Format(time.DateTime)})
	}
	for _, port := range i.AliasPorts { // each by itself, as OpenSIPS has them
		o = append(o, Field{"Alias port", port})
	}
	o = append(o, describeTLS(i)...)
	direction := "in"
	if i.Outbound {
		direction = "out"
	}
	c := &i.Carried
	return append(o, Field{"Direction", direction}, Field{"Phase", i.Phase.String()}, Field{"Queue", i.Queue},
		Field{"Stuck", i.Stuck}, Field{"Unanswered", i.Unanswered}, Field{"Age", int64(i.Age / time.Second)}, Field{"Idle", int64(i.Idle / time.Second)},
		Field{"Messages in", c.MessagesIn}, Field{"Messages out", c.MessagesOut}, Field{"Bytes in", c.BytesIn}, Field{"Bytes out", c.BytesOut})
}

// describeTLS tells of an established TLS connection: how it is protected, and
// who the peer is, if it showed a certificate.
func describeTLS(i *reactor.ConnInfo) (o Object) {
	if i.TLSVersion != "" {
		o = append(o, Field{"TLS Version", i.TLSVersion}, Field{"TLS Cipher", i.Cipher}, Field{"TLS Cipher description", i.CipherDescription()},
			Field{"TLS Cipher bits", i.CipherBits}, Field{"TLS Peer verified", i.Verified})
	}
	if i.Domain != "" {
		o = append(o, Field{"TLS Domain", i.Domain})
	}
	if i.Peer != nil {
		o = append(o, Field{"TLS Peer", i.Peer.Subject.String()})
	}
	if i.TLSVersion != "" {
		o = append(o, Field{"TLS Resumed", i.Resumed}, Field{"TLS Handshake", i.Handshake.Round(time.Microsecond).String()})
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
		return nil, &Error{Code: CodeNotFound, Message: "Connection not found", Data: which}
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
		return nil, badParams("ipport is neither an ID nor [proto:]ip:port")
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
	list := []Object{}
	for _, s := range n.Engine.Sockets() {
		o := Object{{"Socket", s.Proto.String() + ":" + s.Addr.String()}, {"Proto", s.Proto.String()},
			{"Address", s.Addr.Addr().String()}, {"Port", s.Addr.Port()}}
		if s.Advertised != "" || s.AdvertisedPort != 0 {
			o = append(o, Field{"Advertised", s.Advertised}, Field{"Advertised port", s.AdvertisedPort})
		}
		if s.Tag != "" {
			o = append(o, Field{"Tag", s.Tag})
		}
		list = append(list, o)
	}
	return Object{{"Sockets", slices.Clip(list)}}
}
