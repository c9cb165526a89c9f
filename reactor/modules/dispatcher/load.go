package dispatcher

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"sipreactor/reactor/modules/freeswitch"
	"sipreactor/reactor/modules/internal/destination"
	"sipreactor/reactor/modules/internal/manage"
	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
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
	tally manage.Tally
}

// make loads the table from a source: store.Snapshot's Make. Who monitors us is told how
// it goes.
func (l *loader) make(ctx context.Context, from store.Source) (t *Table, err error) {
	err = l.told.Load(l.get() != nil || l.m.env.Previous != nil, func() (string, error) {
		if t, err = l.load(ctx, from); err != nil {
			return "", err
		}
		return fmt.Sprintf("%d destinations loaded (%d discarded)", l.tally.Loaded, l.tally.Out()), nil
	})
	return t, err
}

// load reads the table. Rows that are wrong are left out, each with a warning.
func (l *loader) load(ctx context.Context, from store.Source) (*Table, error) {
	l.tally = manage.Tally{}
	all, err := l.read(ctx, from)
	if err != nil {
		return nil, err
	}
	all = l.resolve(ctx, all)
	l.enliven(all)
	l.m.fillBlacklists(l.partition, all)
	t := newTable(all, l.m.maxTold)
	l.tally.Loaded = len(all)
	t.tally = l.tally
	l.m.fetch(l.partition, t)
	return t, nil
}

// The columns that are read, in this order.
const (
	colSet = iota
	colURI
	colID
	colSocket
	colState
	colProbe
	colWeight
	colPriority
	colAttrs
	colDescription
)

// read reads the rows.
func (l *loader) read(ctx context.Context, from store.Source) (all []*Destination, err error) {
	c := &l.m.columns
	err = from.Load(ctx, store.Select{
		Table: l.table, Version: tableVersion,
		Columns:  []string{c.set, c.destination},
		Optional: []string{"id", c.socket, c.state, c.probe, c.weight, c.priority, c.attrs, "description"},
	}, func(r *store.Row) error {
		d, err := l.m.take(r)
		if err == nil && d.Row.Socket != "" {
			if err = script.NoSocket(d.Row.Socket, l.m.env.Sockets); err != nil {
				err = r.Fault(colSocket, "%v", err)
			}
		}
		if err != nil {
			l.leaveOut(err)
			return nil
		}
		all = append(all, d)
		return nil
	})
	return all, err
}

// take makes a destination of a row; its host may still have to be looked up.
func (m *module) take(r *store.Row) (*Destination, error) {
	row := Row{
		Set: int(r.IntIn(colSet, 0, math.MaxInt32)), URI: strings.TrimSpace(r.Text(colURI)), ID: r.Int(colID), Socket: r.Text(colSocket),
		State: destination.State(r.IntIn(colState, 0, 2)), Probe: r.IntIn(colProbe, 0, 2) != 0, Priority: int(r.IntIn(colPriority, math.MinInt32, math.MaxInt32)),
		Attrs: r.Text(colAttrs), Description: r.Text(colDescription), Weight: 1, where: r.Where(),
	}
	switch text := strings.TrimSpace(r.Text(colWeight)); {
	case strings.HasPrefix(text, "fs://"):
		if m.freeswitch == nil {
			return nil, r.Fault(colWeight, `is from FreeSWITCH, which needs modparam("dispatcher", "fetch_freeswitch_stats", 1)`)
		}
		u, _, err := freeswitch.ParseURL(text)
		if err != nil {
			return nil, r.Fault(colWeight, "%v", err)
		}
		row.server = &u
	case text != "":
		row.Weight = int(r.IntIn(colWeight, 0, maxWeight))
	}
	if err := r.Err(); err != nil {
		return nil, err
	}
	a, err := destination.ParseAddress(row.URI)
	if err != nil {
		return nil, r.Fault(colURI, "%v", err)
	}
	return &Destination{Address: a, Row: row, uri: []byte(a.URI), socket: proxy.NewSocketName(row.Socket)}, nil
}

func (l *loader) leaveOut(why error) {
	if l.tally.LeaveOut(why) {
		l.m.log.Warn("dispatcher: a destination is left out", "partition", l.name, "why", why)
	}
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
			l.leaveOut(fmt.Errorf("%s, column %s: %w", d.Row.where, l.m.columns.destination, err))
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
	p.told, p.events = m.env.Reports.Identifier("dispatcher", p.name, maxReports), m.env.Reports.Identifier("dispatcher", p.name+";events", maxEvents)
	p.rows.Source, p.rows.Log = p.source, m.log
	p.rows.Make = (&loader{partition: p, m: m}).make
	if len(p.tables.Files) == 0 {
		p.rows.Cache = destination.CachePath(m.stateDir, "dispatcher", p.name)
	}
	if err := p.rows.Start(ctx); err != nil {
		return p.tables.Placed(fmt.Errorf("partition %s: %w", p.name, err))
	}
	return nil
}

// reload loads again; fresh tells that the states are to be the table's.
func (p *partition) reload(ctx context.Context, m *module, fresh bool) error {
	p.reloading.Lock()
	defer p.reloading.Unlock()
	p.rows.Make = (&loader{partition: p, m: m, fresh: fresh}).make
	return p.rows.Reload(ctx)
}

// close lets go of the source.
func (p *partition) close() {
	if p.db != nil {
		_ = p.db.Close()
	}
}
