package loadbalancer

import (
	"context"
	"net/netip"
	"strconv"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/mi"
	"sipreactor/reactor/modules/internal/destination"
)

// reached calls yield with the records of destinations at an address:
// destination.Finder.
func (m *module) reached(at netip.AddrPort, proto reactor.Proto, yield func(*destination.Health)) {
	for _, d := range m.rows.Get().byAddr[at.Addr().Unmap()] {
		if d.Address.Is(at.Addr().Unmap(), at.Port()) && (d.Address.Proto == 0 || d.Address.Proto == proto) {
			yield(d.Health)
		}
	}
}

// watch keeps the destinations up to date about whom the engine leaves alone.
func (m *module) watch(ctx context.Context) {
	destination.WatchBackoff(ctx, m.env.Engine, func(yield func(*destination.Address, *destination.Health)) {
		for _, d := range m.rows.Get().All {
			yield(&d.Address, d.Health)
		}
	})
}

// Destinations lists the destinations of all groups: mi.DestinationSource.
func (m *module) Destinations() (all []mi.Destination) {
	t := m.rows.Get()
	if t == nil {
		return nil
	}
	now := time.Now()
	for _, d := range t.All {
		all = append(all, destination.View(mi.Destination{Module: "load_balancer", Group: strconv.Itoa(d.Row.Group), Name: strconv.Itoa(d.Row.ID), URI: d.URI()}, d.Health, now))
	}
	return all
}

func (m *module) named(name string) *Destination {
	id, err := strconv.Atoi(name)
	if err != nil {
		return nil
	}
	return m.rows.Get().Destination(id)
}

// SetDestination enables or disables a destination: mi.DestinationSource.
func (m *module) SetDestination(_, name string, on bool) error {
	d := m.named(name)
	if d == nil {
		return destination.ErrUnknown
	}
	s := destination.Inactive
	if on {
		s = destination.Active
	}
	m.set(d, s, byOperator)
	return nil
}

// ProbeDestination pings a destination: mi.DestinationSource.
func (m *module) ProbeDestination(ctx context.Context, _, name string) (string, error) {
	d := m.named(name)
	if d == nil {
		return "", destination.ErrUnknown
	}
	probe := m.ping(d)
	return destination.Try(ctx, m.probing.send, &probe)
}
