package drouting

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"sipreactor/reactor/modules/internal/destination"
	"sipreactor/reactor/names"
	"sipreactor/reactor/script"
)

// module is the module in one configuration.
type module struct {
	cfg         *script.Config
	blacklists  []*destination.Blacklist
	names       tableNames
	tables      destination.Tables // of the one partition, without use_partitions
	files       [4]string          // of gateways, rules, groups, carriers
	several     bool               // use_partitions
	partsURL    script.Literal     // db_partitions_url
	partsTables destination.Tables // of that, and of partitions_file
	partsTable  string
	partsFile   string

	defaultGroup int // below 0: none
	noDomain     bool
	userCol      string
	domainCol    string
	groupCol     string
	extraPrefix  string
	extraID      string
	unresolved   bool // force_dns = 0
	volatile     bool // persistent_state = 0
	filter       string
	exclusive    bool // no_concurrent_reload

	avps      avps
	partition script.Literal // partition_id_pvar
	matched   script.Setter  // of it

	byName atomic.Pointer[map[string]*partition] // immutable, but at the start
	parts  []*partition

	tm      destination.Layered // nil: not loaded
	tracker *destination.Tracker
	probing probing
	policy  destination.Policy
	lookup  destination.Lookup
	env     *script.Env
	log     *slog.Logger

	routed, unrouted, failovers script.Count
}

// event is raised when the state of a gateway changes.
const event = "E_DROUTING_STATUS"

// New makes the module for a configuration.
func New(cfg *script.Config) *script.Module {
	m := &module{
		cfg: cfg, names: defaultTables(), partsTable: "dr_partitions", defaultGroup: -1, userCol: "username", domainCol: "domain", groupCol: "groupid",
		extraID: "_-.", filter: "all", probing: newProbing(), tracker: destination.NewTracker(), log: slog.New(slog.DiscardHandler), lookup: destination.NewLookup(func() names.Config { return cfg.DNS }),
	}
	m.byName.Store(&map[string]*partition{})
	return &script.Module{
		Name: "drouting", Help: "Routes numbers to gateways and carriers by prefixes, groups, times and priorities.", Instance: m,
		Parameters: m.parameters(), Functions: m.functions(), Commands: m.commands(),
		Statistics: []script.Statistic{
			{Name: "routed", Help: "Requests that got a gateway.", Count: &m.routed},
			{Name: "unrouted", Help: "Requests for which there was no rule, or no gateway.", Count: &m.unrouted},
			{Name: "failovers", Help: "Requests that went on to their next gateway.", Count: &m.failovers},
			{Name: "rules", Help: "Rules of all partitions.", Gauge: true, Value: func() uint64 { return m.sum(func(t *Table) int { return t.Rules() }) }},
			{Name: "gateways", Help: "Gateways of all partitions.", Gauge: true, Value: func() uint64 { return m.sum(func(t *Table) int { return len(t.Gateways) }) }},
			{Name: "active_gateways", Help: "Gateways that get calls.", Gauge: true, Value: func() uint64 { return m.sum(activeGateways) }},
		},
		Events: []script.Event{{Name: event, Help: "The state of a gateway changes.", Params: []string{"partition", "gwid", "address", "status"}}},
		Lacks:  []script.Lack{{Kind: script.LacksParameter, Names: "rule_tables_query", Why: "drr_table names one table"}},
		Check:  m.check, Start: m.start, Stop: m.stop, Trial: true,
	}
}

func activeGateways(t *Table) (n int) {
	for _, g := range t.Gateways {
		if g.Health.State() == destination.Active {
			n++
		}
	}
	return n
}

func (m *module) sum(of func(*Table) int) (n uint64) {
	for _, p := range m.parts {
		if t := p.get(); t != nil {
			n += uint64(of(t))
		}
	}
	return n
}

// check makes of the parameters what the functions need.
func (m *module) check(l *script.Loading) {
	m.avps.check(l)
	if m.partition.Text != "" {
		m.matched = l.Setter(m.partition)
	}
	if _, err := newAlphabet(m.extraPrefix); err != nil {
		l.Errorf(l.Place("extra_prefix_chars"), "extra_prefix_chars has %v", err)
	}
	if m.several {
		m.partsTables.SetFile(m.partsTable, m.partsFile, l.Place("partitions_file"))
		if m.partsURL.Text == "" && m.partsFile == "" {
			l.Errorf(l.Place("use_partitions"), "use_partitions wants db_partitions_url or partitions_file")
		} else {
			m.partsTables.Check(l, "partitions")
		}
	} else {
		for i, table := range []string{m.names.gateways, m.names.rules, m.names.groups, m.names.carriers} {
			m.tables.SetFile(table, m.files[i], l.Place(fileParameters[i]))
		}
		m.tables.Check(l, "rules and gateways")
	}
	m.tm = destination.TransactionsOf(l)
	m.probing.check(l)
}

// start loads the tables.
func (m *module) start(e *script.Env) error {
	m.env, m.log, m.lookup = e, e.Log, destination.LookupIn(e, m.lookup)
	if err := m.makePartitions(context.Background(), e); err != nil {
		return err
	}
	before, _ := e.Previous.(*module)
	if before != nil {
		m.tracker = before.tracker
	}
	var errs []error
	for _, p := range m.parts {
		if before != nil {
			p.inherit(before.find([]byte(p.name)))
		}
		errs = append(errs, p.start(context.Background(), e))
		e.Go(p.rows.Recover)
	}
	if err := errors.Join(errs...); err != nil {
		m.stop(nil)
		return err
	}
	e.Every(flushEvery, m.flush)
	m.tracker.Use(m.reached, &m.policy, m.log)
	if e.Engine != nil {
		e.Go(m.watch)
	}
	(&destination.Prober{Interval: m.probing.interval, Due: m.pings, Send: m.probing.send, Env: e}).Start()
	return nil
}

// stop writes what the database has not yet, and lets go of it.
func (m *module) stop(any) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	m.flush(ctx)
	for _, p := range m.parts {
		p.close()
	}
}

// find gives the partition of a name, nil if there is none.
func (m *module) find(name []byte) *partition { return (*m.byName.Load())[string(name)] }
