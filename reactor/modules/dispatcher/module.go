package dispatcher

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"sipreactor/reactor/modules/internal/destination"
	"sipreactor/reactor/names"
	"sipreactor/reactor/script"
)

// module is the module in one configuration.
type module struct {
	cfg *script.Config
	fetching
	blacklists []*destination.Blacklist
	settings   map[string]settings // of partitions, by name
	order      []string            // of partitions
	aliases    []alias
	columns    columns
	partitions []*partition
	byName     map[string]*partition

	hashPvar, setidPvar, pattern, algoRoute script.Literal
	hashed                                  func(*script.Machine) []byte // hash_pvar; nil none
	setID                                   script.Setter                // setid_pvar; nil none
	load                                    func(*script.Machine) script.Value
	loadURI, loadSet                        *script.AVP // what pattern's %u and %i stand for
	route                                   *script.Routine

	older flags // of the parameters of before OpenSIPS 2: for each call

	tm       destination.Layered // nil: not loaded
	tracker  *destination.Tracker
	probing  probing
	policy   destination.Policy
	lookup   destination.Lookup
	env      *script.Env
	log      *slog.Logger
	stateDir string

	chosen script.Count // calls that got a destination
	failed script.Count // calls that got none
}

// defineBlacklist takes a ds_define_blacklist.
func (m *module) defineBlacklist(partition, text string) error {
	b, err := destination.DefineBlacklist(m.cfg, "dispatcher", partition, text)
	if err == nil {
		m.blacklists = append(m.blacklists, b)
	}
	return err
}

// fillBlacklists has the blacklists of a partition be what was loaded.
func (m *module) fillBlacklists(p *partition, all []*Destination) {
	for _, b := range m.blacklists {
		if m.byName[b.Partition] != p {
			continue
		}
		if err := b.Fill(func(yield func(int, *destination.Address)) {
			for _, d := range all {
				yield(d.Row.Set, &d.Address)
			}
		}); err != nil {
			m.log.Warn("dispatcher: a blacklist is not what the table says", "partition", p.name, "why", err)
		}
	}
}

// New makes the module for a configuration.
func New(cfg *script.Config) *script.Module {
	m := &module{cfg: cfg, settings: map[string]settings{}, byName: map[string]*partition{}, columns: defaultColumns(),
		probing: newProbing(), tracker: destination.NewTracker(), log: slog.New(slog.DiscardHandler), lookup: destination.NewLookup(func() names.Config { return cfg.DNS })}
	m.maxTold = 100
	return &script.Module{
		Name: "dispatcher", Help: "Sends requests to members of sets of destinations, and knows which of them are alive.", Instance: m, Uses: []string{"freeswitch"},
		Parameters: m.parameters(),
		Functions:  m.functions(),
		Commands:   m.commands(),
		Statistics: []script.Statistic{
			{Name: "selected", Help: "Requests that got a destination.", Count: &m.chosen},
			{Name: "no_destination", Help: "Requests for which a set had no destination.", Count: &m.failed},
			{Name: "destinations", Help: "Destinations in all sets.", Gauge: true, Value: func() uint64 { return m.count(func(*Destination) bool { return true }) }},
			{Name: "active_destinations", Help: "Destinations that get requests.", Gauge: true, Value: func() uint64 {
				return m.count(func(d *Destination) bool { return d.Health.State() == destination.Active })
			}},
		},
		Events: []script.Event{{Name: event, Help: "A destination begins to get requests, or ceases to.", Params: []string{"partition", "group", "address", "status"}}},
		Check:  m.check, Start: m.start, Stop: m.stop, Trial: true,
	}
}

// check makes of the parameters what the functions need.
func (m *module) check(l *script.Loading) {
	m.makePartitions(l)
	if m.hashPvar.Text != "" {
		m.hashed = l.Format(m.hashPvar)
	}
	if m.setidPvar.Text != "" {
		m.setID = l.Setter(m.setidPvar)
	}
	if m.pattern.Text != "" {
		m.checkPattern(l)
	}
	if m.algoRoute.Text != "" {
		m.route = l.RouteWith(script.RequestRoute, m.algoRoute, "dst_uri", "attrs", "script_attrs")
	}
	m.checkFetching(l)
	m.tm = destination.TransactionsOf(l)
	m.probing.check(l)
}

// start loads the tables.
func (m *module) start(e *script.Env) error {
	m.env, m.log, m.stateDir, m.lookup = e, e.Log, e.StateDir, destination.LookupIn(e, m.lookup)
	if before, ok := e.Previous.(*module); ok {
		m.inherit(before)
	}
	var errs []error
	for _, p := range m.partitions {
		errs = append(errs, p.start(context.Background(), m))
	}
	if err := errors.Join(errs...); err != nil {
		m.stop(nil)
		return err
	}
	e.Every(flushEvery, m.flush)
	for _, p := range m.partitions {
		e.Go(p.rows.Recover)
	}
	m.tracker.Use(m.at, &m.policy, m.log)
	if e.Engine != nil {
		e.Go(m.watch)
	}
	(&destination.Prober{Interval: m.probing.interval, Due: m.pings, Send: m.probing.send, Env: e}).Start()
	return nil
}

// inherit takes over what is known of the destinations of the configuration before.
func (m *module) inherit(before *module) {
	m.tracker = before.tracker
	for _, p := range m.partitions {
		if old := before.byName[p.name]; old != nil {
			old.mu.Lock()
			for at, l := range old.living {
				p.living[at] = l
			}
			old.mu.Unlock()
		}
	}
}

// stop writes what the database has not yet, and lets go of it.
func (m *module) stop(any) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	m.flush(ctx)
	for _, p := range m.partitions {
		p.close()
	}
}

// count counts destinations.
func (m *module) count(which func(*Destination) bool) (n uint64) {
	for _, p := range m.partitions {
		t := p.get()
		if t == nil {
			continue
		}
		for _, s := range t.Sets {
			for _, d := range s.Members {
				if which(d) {
					n++
				}
			}
		}
	}
	return n
}

// find gives the partition of a name, that of the configuration for "", nil if there
// is none.
func (m *module) find(name []byte) *partition {
	if len(name) == 0 {
		if p := m.byName[defaultPartition]; p != nil {
			return p
		}
		return nil
	}
	return m.byName[string(name)]
}
