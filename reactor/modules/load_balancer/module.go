package loadbalancer

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"

	core "sipreactor/reactor/dialog"
	"sipreactor/reactor/modules/dialog"
	"sipreactor/reactor/modules/freeswitch"
	"sipreactor/reactor/modules/internal/destination"
	"sipreactor/reactor/names"
	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
	"sipreactor/reactor/transaction"
)

// module is the module in one configuration.
type module struct {
	cfg        *script.Config
	blacklists []*destination.Blacklist
	tables     destination.Tables
	file       string
	table      string
	db         *store.DB
	rows       store.Snapshot[Table]

	mu     sync.Mutex
	living map[int]*Living

	freeswitch *freeswitch.Module // nil: no capacities are fetched
	fetching   bool
	initial    int64 // a capacity that is not fetched yet

	probing struct {
		interval     time.Duration
		method, from string
		codes        destination.Codes
		send         destination.Pinger // nil: tm is not loaded
	}
	policy destination.Policy
	lookup destination.Lookup

	tm      destination.Layered // nil: not loaded
	dialog  *dialog.Module      // nil: not loaded
	calls   *counter            // outlives a reload of the script
	session *script.AVP         // hidden: the session of a request
	env     *script.Env
	log     *slog.Logger
	running atomic.Bool

	started, refused script.Count
}

// counter is the calls with their one listener, whatever configuration there is.
type counter struct {
	*destination.Calls
	tracker *destination.Tracker
	once    sync.Once
	resume  sync.Mutex // one counts the calls that were stored
}

// router has calls end whose request got no transaction.
type router struct {
	proxy.Router
	m *module
}

// Request is proxy.Router's.
func (r router) Request(c *proxy.Context) {
	r.Router.Request(c)
	r.m.calls.Routed(c)
}

const tableVersion = 3

// event is raised when a destination is enabled or disabled.
const event = "E_LOAD_BALANCER_STATUS"

// byOperator is why a destination is disabled when the management interface has
// done it: then it is not pinged.
const byOperator = "management interface"

// New makes the module for a configuration.
func New(cfg *script.Config) *script.Module {
	m := &module{cfg: cfg, table: "load_balancer", initial: 1000, living: map[int]*Living{}, lookup: destination.NewLookup(func() names.Config { return cfg.DNS }), log: slog.New(slog.DiscardHandler),
		calls: &counter{Calls: destination.NewCalls(), tracker: destination.NewTracker()}}
	p := &m.probing
	p.interval, p.method, p.from, p.codes = 30*time.Second, "OPTIONS", "sip:prober@localhost", destination.Codes{}
	return &script.Module{
		Name: "load_balancer", Help: "Sends calls to the destination that has most room for them.", Instance: m, Uses: []string{"tm", "dialog", "freeswitch"},
		Parameters: m.parameters(), Functions: m.functions(), Commands: m.commands(),
		Statistics: []script.Statistic{
			{Name: "selected", Help: "Calls that got a destination.", Count: &m.started},
			{Name: "no_destination", Help: "Calls for which there was no room or no destination.", Count: &m.refused},
			{Name: "calls", Help: "Calls that are counted.", Gauge: true, Value: func() uint64 { return uint64(m.calls.Len()) }},
		},
		Events: []script.Event{{Name: event, Help: "A destination is enabled or disabled.", Params: []string{"group", "uri", "status"}}},
		Wrap:   func(routes proxy.Router) proxy.Router { return router{routes, m} }, Check: m.check, Start: m.start, Stop: m.stop, Trial: true,
	}
}

func (m *module) parameters() []script.Parameter {
	text, number := script.StringParam, script.IntParam
	unsupported := func(name, why string) script.Parameter {
		return script.Parameter{Name: name, Type: number, Default: "0", Help: "Not supported.", Set: func(v script.Literal) error {
			if v.Int != 0 {
				return errors.New("is not supported: " + why)
			}
			return nil
		}}
	}
	list := []script.Parameter{
		{Name: "db_url", Type: text, Help: "Database with the destinations.", Set: m.tables.SetURL},
		{Name: "load_balancer_file", Type: text, Help: "File with the destinations in the place of a database: CSV with the columns' names in its first line, or db_text's form. Not in OpenSIPS.", Set: script.Into(&m.file)},
		{Name: "db_table", Type: text, Default: "load_balancer", Help: "Table with the destinations.", Set: script.Into(&m.table)},
		{Name: "probing_interval", Type: number, Max: 86400, Unit: "seconds; 0: never", Default: "30", Help: "How often destinations are pinged.", Set: script.Seconds(&m.probing.interval)},
		{Name: "probing_method", Type: text, Default: "OPTIONS", Help: "Method of pings.", Set: script.Checked(script.CheckPing, &m.probing.method)},
		{Name: "probing_from", Type: text, Default: "sip:prober@localhost", Help: "From of pings.", Set: script.Checked(script.CheckURI, &m.probing.from)},
		{Name: "probing_reply_codes", Type: text, Help: "Codes that answer a ping well, besides 200.", Set: destination.SetCodes(&m.probing.codes)},
		{Name: "probing_verbose", Type: script.BoolParam, Default: "0", Help: "Has changes of state logged.", Note: "changes of state are always logged"},
		{Name: "lb_define_blacklist", Type: text, Help: `Blacklist of the addresses of groups, for use_blacklist(): "name = 1,2".`, Set: func(v script.Literal) error {
			b, err := destination.DefineBlacklist(m.cfg, "load_balancer", "default", v.Text)
			if err == nil {
				m.blacklists = append(m.blacklists, b)
			}
			return err
		}},
		{Name: "fetch_freeswitch_stats", Type: script.BoolParam, Default: "0", Help: "Has FreeSWITCH servers tell capacities: a resource may be name=fs://[user]:password@host[:port].", Set: script.Into(&m.fetching)},
		{Name: "initial_freeswitch_load", Type: number, Max: math.MaxInt32, Default: "1000", Help: "Capacity until FreeSWITCH has told its own.", Set: script.Into(&m.initial)},
		unsupported("cluster_id", "there is no cluster"),
		{Name: "cluster_sharing_tag", Type: text, Help: "Tag of who pings in a cluster.", Note: "there is no cluster"},
	}
	return append(list, destination.PolicyParameters("", &m.policy)...)
}

func (m *module) check(l *script.Loading) {
	m.tables.SetFile(m.table, m.file, l.Place("load_balancer_file"))
	m.tables.Check(l, "destinations")
	m.session = l.AVP(script.Literal{At: l.Place(""), Text: "__lb_session"})
	m.tm, m.probing.send = destination.TransactionsOf(l), destination.PingerOf(l)
	if d, ok := l.Instance("dialog").(*dialog.Module); ok {
		m.dialog = d
		d.Watch(m.ended)
		d.OnCreate(m.created)
		d.OnRead(m.read)
	}
	if m.fetching {
		if m.freeswitch, _ = l.Instance("freeswitch").(*freeswitch.Module); m.freeswitch == nil && !l.Partial() {
			l.Errorf(l.Place("fetch_freeswitch_stats"), `capacities are told by the module freeswitch: loadmodule "freeswitch.so"`)
		}
	}
	if m.tm == nil {
		l.Notef(l.Place(""), "load_balancer counts calls by the transactions of the module tm, which is not loaded: loads stay 0, and nothing is pinged")
	}
}

// ended is told of the dialogs' changes: one that has ended by itself, by management or for
// want of an answer has no BYE that passes here.
func (m *module) ended(c core.Change) {
	if c.New == core.Ended {
		m.calls.HungUp(c.Dialog.CallID)
	}
}

// start loads the table.
func (m *module) start(e *script.Env) (err error) {
	m.env, m.log, m.lookup = e, e.Log, destination.LookupIn(e, m.lookup)
	if before, ok := e.Previous.(*module); ok {
		m.calls = before.calls
		before.mu.Lock()
		for id, l := range before.living {
			m.living[id] = l
		}
		before.mu.Unlock()
	}
	if m.rows.Source, m.db, err = m.tables.Open(e); err != nil {
		return err
	}
	m.rows.Log, m.rows.Make = m.log, m.load
	if m.file == "" {
		m.rows.Cache = destination.CachePath(e.StateDir, "load_balancer", "destinations")
	}
	if err := m.rows.Start(context.Background()); err != nil {
		m.stop(nil)
		return m.tables.Placed(err)
	}
	e.Go(m.rows.Recover)
	e.Every(time.Minute, func(context.Context) { m.calls.Sweep(time.Now()) })
	m.calls.tracker.Use(m.reached, &m.policy, m.log)
	if e.Engine != nil {
		e.Go(m.watch)
	}
	e.Go(m.run)
	(&destination.Prober{Interval: m.probing.interval, Due: m.pings, Send: m.probing.send, Env: e}).Start()
	return nil
}

// run listens to transactions, once the sockets are open.
func (m *module) run(ctx context.Context) {
	select {
	case <-ctx.Done():
		return
	case <-m.env.Running:
	}
	m.running.Store(true)
	m.resume()
}

// read counts calls that were read from the database behind that; run has counted those before.
func (m *module) read() {
	if m.running.Load() {
		m.resume()
	}
}

// listen has the transactions tell of calls, from the first one on that is counted.
func (m *module) listen() bool {
	if m.tm == nil || m.tm.Layer() == nil {
		return false
	}
	m.calls.once.Do(func() {
		m.tm.Layer().Listen(func(h *transaction.Happening) {
			begun(h)
			m.calls.Happened(h)
		})
	})
	m.calls.tracker.Follow(m.tm)
	return true
}

func (m *module) stop(any) {
	if m.db != nil {
		_ = m.db.Close()
	}
}
