package loadbalancer

import (
	"context"
	"fmt"
	"strings"
	"time"

	"sipreactor/reactor/modules/internal/destination"
	"sipreactor/reactor/modules/internal/manage"
	"sipreactor/reactor/store"
)

// load makes a Table: store.Snapshot's Make. A row that is wrong is left out, with a
// warning.
func (m *module) load(ctx context.Context, from store.Source) (*Table, error) {
	var all []*Destination
	var tally manage.Tally
	seen := map[int]bool{}
	err := from.Load(ctx, store.Select{
		Table: m.table, Version: tableVersion, Columns: []string{"group_id", "dst_uri", "resources"}, Optional: []string{"id", "probe_mode", "attrs", "description"},
	}, func(r *store.Row) error {
		row := Row{Group: int(r.IntIn(0, 0, 1<<31-1)), URI: strings.TrimSpace(r.Text(1)), Resources: r.Text(2), ID: int(r.Int(3)), Probe: ProbeMode(r.IntIn(4, 0, 2)), Description: r.Text(6)}
		if !r.IsNull(5) {
			attrs := r.Text(5)
			row.Attrs = &attrs
		}
		if r.IsNull(3) {
			row.ID = len(all) + 1
		}
		err := r.Err()
		if err == nil && seen[row.ID] {
			err = r.Fault(3, "is there twice")
		}
		d := &Destination{Row: row}
		if err == nil {
			if d.Address, err = destination.ParseAddress(row.URI); err != nil {
				err = r.Fault(1, "%v", err)
			}
		}
		if err == nil {
			d.Living = m.life(row.ID)
			if d.Resources, err = parseResources(row.Resources, d.Living, m.initialCapacity()); err != nil {
				err = r.Fault(2, "%v", err)
			}
		}
		if err != nil {
			m.leaveOut(&tally, err)
			return nil
		}
		d.where, seen[row.ID] = r.Where(), true
		d.uri = []byte(d.Address.URI)
		all = append(all, d)
		return nil
	})
	if err != nil {
		return nil, err
	}
	all = m.resolve(ctx, all, &tally)
	for _, b := range m.blacklists {
		if err := b.Fill(func(yield func(int, *destination.Address)) {
			for _, d := range all {
				yield(d.Row.Group, &d.Address)
			}
		}); err != nil {
			m.log.Warn("load_balancer: a blacklist is not what the table says", "why", err)
		}
	}
	t := newTable(all)
	tally.Loaded = len(all)
	t.tally = tally
	m.fetch(t)
	return t, nil
}

func (m *module) leaveOut(tally *manage.Tally, why error) {
	if tally.LeaveOut(why) {
		m.log.Warn("load_balancer: a destination is left out", "why", why)
	}
}

// life gives the living record of a row, which is made if it is not there.
func (m *module) life(id int) *Living {
	m.mu.Lock()
	defer m.mu.Unlock()
	l := m.living[id]
	if l == nil {
		l = newLiving(destination.New(destination.Active, "table", time.Now()))
		m.living[id] = l
	}
	return l
}

// resolve looks the hosts up. One that cannot be found keeps the addresses that it
// had; without any it is left out.
func (m *module) resolve(ctx context.Context, all []*Destination, tally *manage.Tally) []*Destination {
	list := make([]*destination.Address, len(all))
	for i, d := range all {
		list[i] = &d.Address
	}
	before := m.rows.Get()
	kept := all[:0]
	for i, err := range destination.ResolveAll(ctx, m.lookup, list) {
		d := all[i]
		if err != nil && before != nil {
			if old := before.Destination(d.Row.ID); old != nil && old.Address.URI == d.Address.URI {
				d.Address.Addrs, err = old.Address.Addrs, nil
			}
		}
		if err != nil {
			m.leaveOut(tally, fmt.Errorf("%s, column dst_uri: %w", d.where, err))
			continue
		}
		kept = append(kept, d)
	}
	return kept
}
