package proxy

import (
	"errors"
	"net/netip"

	"sipreactor/reactor"
	"sipreactor/reactor/names"
)

// resolve gives the targets of a hop. It waits for a resolver only where no answer
// is at hand.
func (c *Context) resolve(h *hop) (*names.Answer, error) {
	c.settleWeb(h)
	p, proto := c.proxy, h.fallback(c.ours, c.main.socket, c.Src.Proto)
	if h.addr.IsValid() {
		c.literal[0].EndPoint = reactor.EndPoint{Proto: proto, Addr: netip.AddrPortFrom(h.addr, p.portOr(h.port, proto))}
		c.direct.Targets = c.literal[:]
		return &c.direct, nil
	}
	c.query = names.Query{Host: c.names.get(h.host), Proto: h.proto, Secure: h.sips, Port: h.port, Fallback: proto, Reach: c.ours.reach}
	answer, err, known := p.hosts.Cached(&c.query)
	mine := c.queueUp(known)
	switch {
	case mine == nil:
		return answer, err
	case known:
		_ = c.out.Wait(mine.wait) // where one more may not wait the order is lost, and the message is not
		return answer, err
	}
	return c.lookup(mine)
}

// Resolve gives the first address of a host name. It may wait, as Forward does.
func (c *Context) Resolve(host []byte) (netip.Addr, error) {
	h := hop{proto: reactor.UDP, name: host, host: host, port: reactor.UDP.DefaultPort()}
	if !h.settle() {
		return netip.Addr{}, ErrURI
	}
	answer, err := c.resolve(&h)
	c.stepOut()
	if err != nil {
		return netip.Addr{}, err
	}
	return answer.Targets[0].Addr.Addr(), nil
}

// lookup asks the resolver while others take over the worker's messages. Where
// one more may not wait the answer is names.ErrBusy, at once.
func (c *Context) lookup(mine *spot) (answer *names.Answer, err error) {
	t, err := c.proxy.hosts.Enter(&c.query, c.Src.Remote.Addr())
	if err == nil {
		defer t.Leave()
		if !c.out.Wait(func() {
			answer, err = t.Wait()
			mine.wait()
		}) {
			err = names.ErrBusy
		}
	}
	if errors.Is(err, names.ErrBusy) {
		c.count.add(LookupsRefused)
		c.overload = true
	}
	return answer, err
}

// order draws the order in which to try an answer's targets.
func (c *Context) order(a *names.Answer, seed uint64) names.Order {
	o := a.Order(seed)
	if c.proxy.cfg.NoFailover {
		firstOnly(&o, a.Targets)
	}
	return o
}
