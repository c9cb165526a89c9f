package dispatcher

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"sipreactor/reactor/modules/internal/destination"
	"sipreactor/reactor/store"
)

// tableVersion is the layout of the table dispatcher.
const tableVersion = 9

// columns are the names of the table's columns, which parameters may change.
type columns struct {
	set, destination, socket, state, probe, weight, priority, attrs string
}

func defaultColumns() columns {
	return columns{"setid", "destination", "socket", "state", "probe_mode", "weight", "priority", "attrs"}
}

// loader makes Tables for a partition.
type loader struct {
	*partition
	m *module
	// fresh tells that states are the table's, not those of the destinations that
	// were there before.
	fresh bool
}

// make loads the table from a source: store.Snapshot's Make. Rows that are wrong are
// left out, each with a warning.
func (l *loader) make(ctx context.Context, from store.Source) (*Table, error) {
	rows, err := l.read(ctx, from)
	if err != nil {
		return nil, err
	}
	all := make([]*Destination, 0, len(rows))
	for i := range rows {
		r := &rows[i]
		err := r.check()
		var a destination.Address
		if err == nil {
			a, err = destination.ParseAddress(r.URI)
		}
		if err != nil {
			l.leaveOut(r, err)
			continue
		}
		all = append(all, &Destination{Address: a, Row: *r, uri: []byte(a.URI), socket: destination.NewSocketName(r.Socket)})
	}
	all = l.resolve(ctx, all)
	l.enliven(all)
	l.m.fillBlacklists(l.partition, all)
	return newTable(all), nil
}

// read reads the rows.
func (l *loader) read(ctx context.Context, from store.Source) (rows []Row, err error) {
	c := &l.m.columns
	err = from.Load(ctx, store.Select{
		Table: l.table, Version: tableVersion,
		Columns:  []string{c.set, c.destination},
		Optional: []string{"id", c.socket, c.state, c.probe, c.weight, c.priority, c.attrs, "description"},
	}, func(r *store.Row) error {
		row := Row{
			Set: int(r.Int(0)), URI: strings.TrimSpace(r.Text(1)), ID: r.Int(2), Socket: r.Text(3), State: destination.State(r.IntIn(4, 0, 2)),
			Probe: r.Int(5) != 0, Priority: int(r.Int(7)), Attrs: r.Text(8), Description: r.Text(9), Weight: 1,
		}
		bad := r.Err()
		if text := strings.TrimSpace(r.Text(6)); text != "" && bad == nil {
			n, err := strconv.Atoi(text)
			switch {
			case strings.HasPrefix(text, "fs://"):
				bad = r.Fault(6, "weights from FreeSWITCH are not supported")
			case err != nil:
				bad = r.Fault(6, "%q is no number", text)
			}
			row.Weight = n
		}
		if bad != nil {
			l.leaveOut(&row, bad)
			return nil
		}
		rows = append(rows, row)
		return nil
	})
	return rows, err
}

func (l *loader) leaveOut(r *Row, why error) {
	l.m.log.Warn("dispatcher: a destination is left out", "partition", l.name, "table", l.table, "id", r.ID, "set", r.Set, "destination", r.URI, "why", why)
}

// resolve looks the hosts up. One that cannot be found keeps the addresses that it
// had; without any it is left out.
func (l *loader) resolve(ctx context.Context, all []*Destination) []*Destination {
	list := make([]*destination.Address, len(all))
	for i, d := range all {
		list[i] = &d.Address
	}
	before := l.get()
	kept := all[:0]
	for i, err := range destination.ResolveAll(ctx, l.m.lookup, list) {
		d := all[i]
		if err != nil && before != nil {
			if old := before.Find(d.Row.Set, d.URI()); old != nil {
				l.m.log.Warn("dispatcher: a destination keeps its addresses", "partition", l.name, "set", d.Row.Set, "destination", d.URI(), "why", err)
				d.Address.Addrs, err = old.Address.Addrs, nil
			}
		}
		if err != nil {
			l.leaveOut(&d.Row, err)
			continue
		}
		kept = append(kept, d)
	}
	return kept
}

// enliven gives destinations their living records: those that they had, or new ones
// in the table's state.
func (l *loader) enliven(all []*Destination) {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	living := make(map[key]*Living, len(all))
	for _, d := range all {
		at := key{d.Row.Set, d.URI()}
		one := living[at]
		if one == nil {
			one = l.living[at]
		}
		state := d.Row.State
		if !l.persistent {
			state = destination.Active
		}
		if one == nil {
			one = &Living{Health: destination.New(state, "table", now)}
		} else if l.fresh && living[at] == nil {
			one.Health.Set(state, "table", now, &l.m.policy)
		}
		living[at] = one
		d.Living = one
	}
	l.living = living
}

// start opens the partition's source and loads it for the first time.
func (p *partition) start(ctx context.Context, m *module) (err error) {
	if p.source, p.db, err = p.tables.Open(m.env); err != nil {
		return fmt.Errorf("partition %s: %w", p.name, err)
	}
	p.rows.Source, p.rows.Log = p.source, m.log
	p.rows.Make = (&loader{p, m, false}).make
	if len(p.tables.Files) == 0 {
		p.rows.Cache = destination.CachePath(m.stateDir, "dispatcher", p.name)
	}
	if err := p.rows.Start(ctx); err != nil {
		return fmt.Errorf("partition %s: %w", p.name, err)
	}
	return nil
}

// reload loads again; fresh tells that the states are to be the table's.
func (p *partition) reload(ctx context.Context, m *module, fresh bool) error {
	p.reloading.Lock()
	defer p.reloading.Unlock()
	p.rows.Make = (&loader{p, m, fresh}).make
	return p.rows.Reload(ctx)
}

// close lets go of the source.
func (p *partition) close() {
	if p.db != nil {
		_ = p.db.Close()
	}
}
