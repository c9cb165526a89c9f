package clusterer

import (
	"crypto/rand"
	"net/netip"

	"sipreactor/reactor/script"
)

// What functions return when nothing can be sent.
const (
	isOff   = -1 // this node is disabled
	nobody  = -2 // no other node can be reached
	unknown = -3 // there is no such cluster, or an argument is wrong
)

func (m *module) functions() []script.Function {
	const text, number, set = script.TextArg, script.IntArg, script.SetArg
	kinds := func(k ...script.ArgKind) []script.ArgKind { return k }
	return []script.Function{
		{Name: "cluster_send_req", Usage: `cluster_send_req(cluster, node, "message"[, $var(tag)])`, Args: kinds(number, number, text, set), Min: 3, Routes: script.Anywhere, Build: m.send(3),
			Help: "Sends a message to another node. -1: this node is disabled, -2: that one cannot be reached, -3: there is no such cluster. Here it is -2 at best."},
		{Name: "cluster_send_rpl", Usage: `cluster_send_rpl(cluster, node, "message", "tag")`, Args: kinds(number, number, text, text), Min: 4, Routes: script.Anywhere, Build: m.send(-1),
			Help: "Answers another node, with the same codes."},
		{Name: "cluster_broadcast_req", Usage: `cluster_broadcast_req(cluster, "message"[, $var(tag)])`, Args: kinds(number, text, set), Min: 2, Routes: script.Anywhere, Build: m.send(2),
			Help: "Sends a message to all other nodes, with the same codes."},
		{Name: "cluster_check_addr", Usage: `cluster_check_addr(cluster, "ip"[, "sip|bin"])`, Args: kinds(number, text, text), Min: 2, Routes: script.Anywhere, Build: m.checkAddress,
			Help: "Reports whether an address is that of a node of a cluster."},
	}
}

// send builds the functions that would send something; the argument tag, if it is one, is set to what an answer would
// have.
func (m *module) send(tagArg int) func(a *script.Args) script.Action {
	return func(a *script.Args) script.Action {
		cluster := a.Int(0)
		var tag script.Setter
		if tagArg >= 0 {
			tag = a.Setter(tagArg)
		}
		return func(x *script.Machine) int {
			if tag != nil {
				tag(x, script.Text(x.KeepString(rand.Text())))
			}
			id, ok := cluster(x)
			disabled, known := m.isDisabled(id)
			switch {
			case !ok || !known:
				return unknown
			case disabled:
				return isOff
			}
			return nobody
		}
	}
}

func (m *module) checkAddress(a *script.Args) script.Action {
	cluster, address, kind := a.Int(0), a.Text(1), a.Text(2)
	if text, ok := a.Fixed(2); ok && text != "sip" && text != "bin" {
		a.Errorf(2, "found %q, expected sip or bin", text)
		return nil
	}
	return func(x *script.Machine) int {
		id, ok := cluster(x)
		b, _ := address(x)
		ip, err := netip.ParseAddr(string(b))
		if !ok || err != nil {
			return -1
		}
		what, _ := kind(x)
		for _, n := range m.all() {
			at := n.sipAddress
			if string(what) == "bin" {
				at = n.binAddress
			}
			if n.cluster == id && at.IsValid() && at.Unmap() == ip.Unmap() {
				return 1
			}
		}
		return -1
	}
}
