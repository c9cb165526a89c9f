package drouting

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"sipreactor/reactor/modules/internal/destination"
	"sipreactor/reactor/script"
	"sipreactor/reactor/statusreport"
	"sipreactor/reactor/store"
)

// tableNames are the names of a partition's tables.
type tableNames struct{ gateways, rules, groups, carriers string }

func defaultTables() tableNames {
	return tableNames{"dr_gateways", "dr_rules", "dr_groups", "dr_carriers"}
}

// The layouts of the tables.
const (
	gatewaysVersion   = 6
	rulesVersion      = 4
	groupsVersion     = 2
	carriersVersion   = 3
	partitionsVersion = 1
)

// defaultPartition is the name of the one that there is without use_partitions.
const defaultPartition = "Default"

// How many reports are kept: of loads, and of changes of state.
const (
	maxReports = 100
	maxEvents  = 200
)

// partition is a set of tables with what goes with it.
type partition struct {
	m      *module
	name   string
	names  tableNames
	tables destination.Tables
	db     *store.DB
	rows   store.Snapshot[Table]
	told   *statusreport.Identifier // of loads
	events *statusreport.Identifier // of changes of state

	reloading sync.Mutex

	mu       sync.Mutex
	fresh    bool // the next load takes the states from the table
	gateways map[string]*destination.Health
	carriers map[string]*atomic.Bool
	dirty    map[change]int // states that the database has not yet
}

// change is what has to be written.
type change struct {
	carrier bool
	id      string
}

// get gives the tables as they stand; nil before the start.
func (p *partition) get() *Table { return p.rows.Get() }

func (m *module) newPartition(name string, t destination.Tables, names tableNames) *partition {
	return &partition{m: m, name: name, names: names, tables: t, gateways: map[string]*destination.Health{}, carriers: map[string]*atomic.Bool{}, dirty: map[change]int{}}
}

// makePartitions makes the one partition, or those of the table of partitions.
func (m *module) makePartitions(ctx context.Context, e *script.Env) error {
	if !m.several {
		m.setPartitions([]*partition{m.newPartition(defaultPartition, m.tables, m.names)})
		return nil
	}
	source, db, err := m.partsTables.Open(e)
	if err != nil {
		return err
	}
	if db != nil {
		defer func() { _ = db.Close() }()
	}
	var parts []*partition
	err = source.Load(ctx, store.Select{
		Table: m.partsTable, Version: partitionsVersion, Key: "partition_name", Columns: []string{"partition_name", "db_url"},
		Optional: []string{"drd_table", "drr_table", "drg_table", "drc_table"},
	}, func(r *store.Row) error {
		name := r.Text(0)
		for _, p := range parts {
			if p.name == name {
				return r.Fault(0, "%q is there twice", name)
			}
		}
		if name == "" || name == "*" {
			return r.Fault(0, "%q is no name of a partition", name)
		}
		names := tableNames{cmp.Or(r.Text(2), m.names.gateways), cmp.Or(r.Text(3), m.names.rules), cmp.Or(r.Text(4), m.names.groups), cmp.Or(r.Text(5), m.names.carriers)}
		parts = append(parts, m.newPartition(name, destination.Tables{Named: r.Text(1), NamedAt: m.partsTables.At(), Kinds: m.partsTables.Kinds}, names))
		return nil
	})
	if err == nil && len(parts) == 0 && !e.Trial {
		err = fmt.Errorf("table %s names no partition", m.partsTable)
	}
	m.setPartitions(parts)
	return m.partsTables.Placed(err)
}

func (m *module) setPartitions(parts []*partition) {
	all := map[string]*partition{}
	for _, p := range parts {
		all[p.name] = p
	}
	m.parts = parts
	m.byName.Store(&all)
}

// inherit takes over what is known of the gateways and carriers of the same partition
// in the configuration before.
func (p *partition) inherit(old *partition) {
	if old == nil {
		return
	}
	old.mu.Lock()
	defer old.mu.Unlock()
	for id, h := range old.gateways {
		p.gateways[id] = h
	}
	for id, on := range old.carriers {
		p.carriers[id] = on
	}
}

// start opens the partition's source and loads it for the first time.
func (p *partition) start(ctx context.Context, e *script.Env) (err error) {
	var source store.Source
	if source, p.db, err = p.tables.Open(e); err != nil {
		return err
	}
	p.told, p.events = e.Reports.Identifier("drouting", p.name, maxReports), e.Reports.Identifier("drouting", p.name+";events", maxEvents)
	p.rows.Source, p.rows.Log, p.rows.Make = source, p.m.log, p.load
	if p.db != nil {
		p.rows.Cache = destination.CachePath(e.StateDir, "drouting", p.name)
	}
	if err := p.rows.Start(ctx); err != nil {
		return p.tables.Placed(err)
	}
	return nil
}

// reload loads again; fresh tells that the states are to be the tables'.
func (p *partition) reload(ctx context.Context, fresh bool) error {
	if p.m.exclusive {
		if !p.reloading.TryLock() {
			return fmt.Errorf("a reload is under way")
		}
	} else {
		p.reloading.Lock()
	}
	defer p.reloading.Unlock()
	p.mu.Lock()
	p.fresh = fresh
	p.mu.Unlock()
	return p.rows.Reload(ctx)
}

func (p *partition) close() {
	if p.db != nil {
		_ = p.db.Close()
	}
}

// flushEvery is how long a state may wait for the database.
const flushEvery = 5 * time.Second

// flush writes the states that have changed to the tables. What cannot be written
// waits for the next time.
func (m *module) flush(ctx context.Context) {
	for _, p := range m.parts {
		p.flush(ctx)
	}
}

func (p *partition) flush(ctx context.Context) {
	p.mu.Lock()
	dirty := p.dirty
	if len(dirty) == 0 || p.db == nil {
		p.mu.Unlock()
		return
	}
	p.dirty = map[change]int{}
	p.mu.Unlock()
	for c, state := range dirty {
		table, column := p.names.gateways, "gwid"
		if c.carrier {
			table, column = p.names.carriers, "carrierid"
		}
		_, err := p.db.Update(ctx, table, []store.Set{{Column: "state", Value: store.Int(int64(state))}}, store.Equal(column, store.String(c.id)))
		if err == nil {
			continue
		}
		p.m.log.Warn("drouting: a state is not in the database", "partition", p.name, column, c.id, "why", err)
		p.mu.Lock()
		if _, newer := p.dirty[c]; !newer && store.Unreachable(err) {
			p.dirty[c] = state
		}
		p.mu.Unlock()
	}
}

// note has a state written to the database.
func (p *partition) note(c change, state int) {
	if p.m.volatile || p.db == nil {
		return
	}
	p.mu.Lock()
	p.dirty[c] = state
	p.mu.Unlock()
}
