package drouting

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/mi"
	"sipreactor/reactor/modules/internal/destination"
)

// each goes through the gateways of all partitions.
func (m *module) each(yield func(p *partition, g *Gateway)) {
	for _, p := range m.parts {
		if t := p.get(); t != nil {
			for _, g := range t.Gateways {
				yield(p, g)
			}
		}
	}
}

// reached calls yield with the records of gateways at an address: destination.Finder.
func (m *module) reached(at netip.AddrPort, proto reactor.Proto, yield func(*destination.Health)) {
	for _, p := range m.parts {
		for _, g := range p.get().byAddr[at.Addr().Unmap()] {
			if g.Address.Is(at.Addr().Unmap(), at.Port()) && (g.Address.Proto == 0 || g.Address.Proto == proto) {
				yield(g.Health)
			}
		}
	}
}

// watch keeps the gateways up to date about whom the engine leaves alone.
func (m *module) watch(ctx context.Context) {
	destination.WatchBackoff(ctx, m.env.Engine, func(yield func(*destination.Address, *destination.Health)) {
		m.each(func(_ *partition, g *Gateway) { yield(&g.Address, g.Health) })
	})
}

// carrierKind marks carriers among destinations; their names begin with the # that
// they have in lists.
const carrierKind = "carrier"

// Destinations lists gateways and carriers: mi.DestinationSource.
func (m *module) Destinations() (all []mi.Destination) {
	now := time.Now()
	m.each(func(p *partition, g *Gateway) {
		all = append(all, destination.View(mi.Destination{Module: "drouting", Group: p.name, Name: g.Row.ID, URI: g.Address.URI}, g.Health, now))
	})
	for _, p := range m.parts {
		t := p.get()
		if t == nil {
			continue
		}
		for _, c := range t.Carriers {
			state, why := c.describe(now)
			all = append(all, mi.Destination{Module: "drouting", Group: p.name, Name: "#" + c.Row.ID, Kind: carrierKind, State: state, Why: why})
		}
	}
	return all
}

// describe gives a carrier's state and why: it is unreachable when none of its gateways gets calls.
func (c *Carrier) describe(now time.Time) (state, why string) {
	up := 0
	for _, m := range c.members {
		if m.gateway.Health.Usable(now, 0, nil) {
			up++
		}
	}
	switch {
	case !c.Enabled():
		state = "Inactive"
	case up == 0:
		state = "Unreachable"
	default:
		state = "Active"
	}
	return state, fmt.Sprintf("%d of %d gateways get calls: %s", up, len(c.members), c.Row.Gateways)
}

// SetDestination enables or disables a gateway or a carrier: mi.DestinationSource.
func (m *module) SetDestination(group, name string, on bool) error {
	p := m.find([]byte(group))
	if p == nil {
		return destination.ErrUnknown
	}
	t := p.get()
	if name != "" && name[0] == '#' {
		c := t.Carrier(name[1:])
		if c == nil {
			return destination.ErrUnknown
		}
		m.setCarrier(p, c, on)
		return nil
	}
	g := t.Gateway(name)
	if g == nil {
		return destination.ErrUnknown
	}
	s := destination.Inactive
	if on {
		s = destination.Active
	}
	m.set(p, g, s, byOperator)
	return nil
}

// ProbeDestination pings a gateway: mi.DestinationSource.
func (m *module) ProbeDestination(ctx context.Context, group, name string) (string, error) {
	p := m.find([]byte(group))
	if p == nil || p.get().Gateway(name) == nil {
		return "", destination.ErrUnknown
	}
	probe := m.ping(p, p.get().Gateway(name))
	return destination.Try(ctx, m.probing.send, &probe)
}
