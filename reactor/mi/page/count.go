package page

import (
	"cmp"
	"net/netip"
	"slices"

	"sipreactor/reactor"
	"sipreactor/reactor/mi"
)

// count gathers what the connections there are come to.
type count struct {
	*mi.Census
	byDomain map[string]int
	accepted map[*reactor.Socket]int
	towards  map[towards]*destination
	ids      map[towards][]reactor.Handle
	slow     []slowPeer
	slowAll  int
}

type towards struct {
	proto  reactor.Proto
	remote netip.AddrPort
}

func newCount() *count {
	return &count{Census: mi.NewCensus(), byDomain: make(map[string]int), accepted: make(map[*reactor.Socket]int),
		towards: make(map[towards]*destination), ids: make(map[towards][]reactor.Handle)}
}

func (c *count) take(i *reactor.ConnInfo) {
	c.Add(i)
	if i.Domain != "" {
		c.byDomain[i.Domain]++
	}
	if !i.Outbound && i.Socket != nil {
		c.accepted[i.Socket]++
	}
	switch {
	case i.Outbound && i.Phase < reactor.PhaseEstablished:
		c.connecting(i)
	case i.Stuck || i.Queue > 0:
		c.slowly(i)
	}
}

func (c *count) connecting(i *reactor.ConnInfo) {
	to := towards{i.Proto, i.Remote}
	d := c.towards[to]
	if d == nil {
		d = &destination{Proto: i.Proto.String(), Remote: i.Remote.String()}
		c.towards[to] = d
	}
	if i.Phase == reactor.PhaseHandshaking {
		d.Handshaking++
	} else {
		d.Connecting++
	}
	if i.Age >= d.age {
		d.age, d.Oldest, d.Last = i.Age, i.Age.Seconds(), idText(i.Conn)
	}
	c.ids[to] = append(c.ids[to], i.Conn)
}

// slowly keeps the peers with the longest queues.
func (c *count) slowly(i *reactor.ConnInfo) {
	c.slowAll++
	p := slowPeer{ID: idText(i.Conn), Proto: i.Proto.String(), Remote: i.Remote.String(), Direction: direction(i.Outbound),
		Queue: i.Queue, Stuck: i.Stuck, Idle: i.Idle.Seconds()}
	at, _ := slices.BinarySearchFunc(c.slow, p, func(a, b slowPeer) int {
		return cmp.Or(boolCompare(b.Stuck, a.Stuck), cmp.Compare(b.Queue, a.Queue))
	})
	if at < maxShown {
		c.slow = slices.Insert(c.slow, at, p)
		c.slow = c.slow[:min(len(c.slow), maxShown)]
	}
}

// into writes the counts down.
func (c *count) into(o *overview, t *trails) {
	o.Connections, o.Connecting, o.Slow = []class{}, []destination{}, []slowPeer{}
	for k, n := range c.Conns {
		switch {
		case k.Phase == reactor.PhaseEstablished:
			o.Counted.Established += int(n)
		case k.Phase < reactor.PhaseEstablished:
			o.Counted.Connecting += int(n)
		}
		o.Connections = append(o.Connections, class{k.Proto.String(), k.Direction(), k.Phase.String(), int(n)})
	}
	slices.SortFunc(o.Connections, func(a, b class) int {
		return cmp.Or(cmp.Compare(a.Proto, b.Proto), cmp.Compare(a.Direction, b.Direction), cmp.Compare(a.Phase, b.Phase))
	})
	for p, n := range c.Queued {
		o.Counted.Queued += int(n)
		o.Counted.Stuck += int(c.Stuck[p])
	}
	o.SlowTotal = c.slowAll
	o.Slow = append(o.Slow, c.slow...)
	for to, d := range c.towards {
		for _, id := range c.ids[to] {
			if one := t.live[id]; one != nil && (one.has(reactor.ConnectParked) || one.has(reactor.HandshakeParked)) {
				d.Parked++
			}
		}
		o.Connecting = append(o.Connecting, *d)
	}
	slices.SortFunc(o.Connecting, func(a, b destination) int {
		return cmp.Or(cmp.Compare(b.age, a.age), cmp.Compare(a.Remote, b.Remote))
	})
	o.Connecting = o.Connecting[:min(len(o.Connecting), maxShown)]
}

func direction(outbound bool) string {
	if outbound {
		return "out"
	}
	return "in"
}

// boolCompare orders false before true.
func boolCompare(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	default:
		return 1
	}
}
