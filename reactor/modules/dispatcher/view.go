package dispatcher

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/mi"
	"sipreactor/reactor/modules/internal/destination"
)

// each goes through all destinations of all partitions.
func (m *module) each(yield func(p *partition, d *Destination)) {
	for _, p := range m.partitions {
		t := p.get()
		if t == nil {
			continue
		}
		for _, s := range t.Sets {
			for _, d := range s.Members {
				yield(p, d)
			}
		}
	}
}

// at calls yield with the records of destinations at an address: destination.Finder.
func (m *module) at(at netip.AddrPort, proto reactor.Proto, yield func(*destination.Health)) {
	for _, p := range m.partitions {
		p.get().At(at.Addr(), at.Port(), func(d *Destination) bool {
			if d.Address.Proto == 0 || d.Address.Proto == proto {
				yield(d.Health)
			}
			return true
		})
	}
}

// watch keeps the destinations up to date about whom the engine leaves alone.
func (m *module) watch(ctx context.Context) {
	destination.WatchBackoff(ctx, m.env.Engine, func(yield func(*destination.Address, *destination.Health)) {
		m.each(func(_ *partition, d *Destination) { yield(&d.Address, d.Health) })
	})
}

func groupOf(p *partition, d *Destination) string { return fmt.Sprintf("%s:%d", p.name, d.Row.Set) }

// Destinations lists the members of all sets: mi.DestinationSource.
func (m *module) Destinations() (all []mi.Destination) {
	now := time.Now()
	m.each(func(p *partition, d *Destination) {
		all = append(all, destination.View(mi.Destination{Module: "dispatcher", Group: groupOf(p, d), Name: d.URI(), URI: d.URI()}, d.Health, now))
	})
	return all
}

// named gives the member that an operator means.
func (m *module) named(group, name string) (part *partition, found *Destination) {
	m.each(func(p *partition, d *Destination) {
		if found == nil && d.URI() == name && groupOf(p, d) == group {
			part, found = p, d
		}
	})
	return part, found
}

// SetDestination enables or disables a member: mi.DestinationSource.
func (m *module) SetDestination(group, name string, on bool) error {
	p, d := m.named(group, name)
	if d == nil {
		return destination.ErrUnknown
	}
	s := destination.Inactive
	if on {
		s = destination.Active
	}
	m.set(p, d, s, byOperator)
	return nil
}

// ProbeDestination pings a member: mi.DestinationSource.
func (m *module) ProbeDestination(ctx context.Context, group, name string) (string, error) {
	p, d := m.named(group, name)
	if d == nil {
		return "", destination.ErrUnknown
	}
	probe := m.ping(p, d)
	return destination.Try(ctx, m.probing.send, &probe)
}
