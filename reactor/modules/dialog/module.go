package dialog

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	core "sipreactor/reactor/dialog"
	"sipreactor/reactor/mi"
	"sipreactor/reactor/modules/internal/database"
	"sipreactor/reactor/modules/rr"
	"sipreactor/reactor/modules/tm"
	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
	"sipreactor/reactor/transaction"
)

// matchMode says how later requests find their dialog.
type matchMode int64

const (
	byDID matchMode = iota
	byDIDOrTags
	byTags
)

// Storage modes (db_mode).
const (
	noDB int64 = iota
	realtime
	delayed
	atShutdown
)

// Module is dialog of one configuration. Others find it by its name.
type Module struct {
	param         string
	timeout       int64
	delay         int64
	raceTimeout   int64
	extra         string
	mode          matchMode
	optionsEvery  time.Duration
	reinviteEvery time.Duration
	prackHangsUp  bool
	keepBodies    bool
	showNumbers   bool
	prackTimeout  time.Duration
	withValue     script.Literal
	noValue       script.Literal
	maxDialogs    int64
	dbMode        int64
	url           database.URL
	table         string
	period        time.Duration
	columns       columns

	profiles   map[string]*core.Profile
	order      []string // of profiles
	tm         *tm.Module
	dialogs    *core.Table
	env        *script.Env
	db         *store.DB
	wake       chan struct{}
	flush      sync.Mutex
	unread     atomic.Bool // the database was away when the dialogs were to be read
	tombstones *tombstones
	waiting    *waiting
	phony      sync.Pool // of *proxy.Context, with a request that nobody sent
	pings      *pinger
	late       *late
	finder     mi.Search[*finding]
	unlisten   func()
	watchers   []func(core.Change)
	onRequest  []func(x *script.Machine, p Place)
	onCreate   []func(c *proxy.Context, d *core.Dialog)
	onRead     []func()
	flags      map[string]uint // flags of the script, by name
	names      []string
}

// New returns the module for a configuration.
func New(*script.Config) *script.Module {
	m := &Module{param: "did", timeout: 43200, raceTimeout: 5, mode: byDIDOrTags, optionsEvery: 30 * time.Second,
		reinviteEvery: 300 * time.Second, table: "dialog", period: 60 * time.Second, columns: defaultColumns(),
		profiles: make(map[string]*core.Profile), flags: make(map[string]uint), wake: make(chan struct{}, 1), pings: new(pinger),
		late: new(late), prackTimeout: 3 * time.Second}
	return &script.Module{
		Name: "dialog", Help: "Follows calls: state, time, profiles, values of the script.", Instance: m, Needs: []string{"tm"},
		Parameters: m.parameters(), Functions: m.functions(), Variables: m.variables(), Commands: m.commands(),
		Statistics: m.statistics(),
		Events: []script.Event{{Name: eventState, Help: "A dialog has changed its state.",
			Params: []string{"id", "db_id", "callid", "from_tag", "to_tag", "old_state", "new_state"}}},
		Lacks: []script.Lack{{Kind: script.LacksParameter, Names: "accept_replicated_dialogs replicate_dialogs_to accept_replicated_profiles replicate_profiles_to", Why: "there is no cluster"}},
		Check: m.check, Start: m.start, Stop: m.stop, Trial: true,
	}
}

// Dialogs returns the table, from the module's Start on.
func (m *Module) Dialogs() *core.Table { return m.dialogs }

// Watch has f told of changes of state: for the Check of another module.
func (m *Module) Watch(f func(core.Change)) { m.watchers = append(m.watchers, f) }

func (m *Module) parameters() []script.Parameter {
	number := func(name, unit, help string, low, high int64, into *int64) script.Parameter {
		return script.Parameter{Name: name, Help: help, Type: script.IntParam, Min: low, Max: high, Unit: unit, Default: fmt.Sprint(*into), Set: script.Into(into)}
	}
	text := func(name, help string, into *string) script.Parameter {
		return script.Parameter{Name: name, Help: help, Type: script.StringParam, Default: *into, Set: script.Into(into)}
	}
	keep := func(name, help string, into *script.Literal) script.Parameter {
		return script.Parameter{Name: name, Help: help, Type: script.StringParam, Set: func(v script.Literal) error { *into = v; return nil }}
	}
	idle := func(name, help, why string) script.Parameter {
		return script.Parameter{Name: name, Help: help, Type: script.AnyParam, Note: why}
	}
	const noCluster, noCache = "there is no cluster", "profiles are counted in this process"
	list := []script.Parameter{
		text("rr_param", "Parameter of Record-Route that names the dialog.", &m.param),
		number("default_timeout", "seconds", "How long a call may last.", 1, 1<<31, &m.timeout),
		number("delete_delay", "seconds", "How long a dialog is kept behind its end.", 0, 3600, &m.delay),
		number("race_condition_timeout", "seconds", "How long a call with a race lasts, with the flag E.", 1, 3600, &m.raceTimeout),
		text("dlg_extra_hdrs", "Headers of our own requests, with their CRLF.", &m.extra),
		{Name: "dlg_match_mode", Type: script.IntParam, Min: 0, Max: 2, Default: "1", Set: func(v script.Literal) error { m.mode = matchMode(v.Int); return nil },
			Help: "Requests find their dialog by did (0), by did or tags (1), or by tags (2)."},
		{Name: "options_ping_interval", Type: script.IntParam, Min: 1, Max: 86400, Unit: "seconds", Default: "30", Set: script.Seconds(&m.optionsEvery), Help: "How often parties are asked by OPTIONS."},
		{Name: "ping_interval", Type: script.IntParam, Min: 1, Max: 86400, Unit: "seconds", Default: "30", Set: script.Seconds(&m.optionsEvery), Help: "The older name of options_ping_interval."},
		{Name: "reinvite_ping_interval", Type: script.IntParam, Min: 1, Max: 86400, Unit: "seconds", Default: "300", Set: script.Seconds(&m.reinviteEvery), Help: "How often parties are asked by INVITE."},
		keep("profiles_with_value", "Profiles that count by value, with ; between them.", &m.withValue),
		keep("profiles_no_value", "Profiles without values.", &m.noValue),
		{Name: "keep_bodies", Type: script.BoolParam, Default: "0", Set: script.Into(&m.keepBodies), Help: "Keeps the SDP of each side, for the bodies inbound and outbound of dlg_send_sequential (ours)."},
		{Name: "show_numbers", Type: script.BoolParam, Default: "0", Set: script.Into(&m.showNumbers), Help: "Has the status page show the numbers of parties whole (ours)."},
		number("max_dialogs", "dialogs", "How many there may be (ours); 0 is 1,000,000.", 0, 1<<31, &m.maxDialogs),
		{Name: "db_mode", Type: script.IntParam, Min: noDB, Max: atShutdown, Default: "0", Set: script.Into(&m.dbMode),
			Help: "Dialogs are stored never (0), at once (1), every db_update_period (2), or at the end (3)."},
		m.url.Parameters()[0],
		text("table_name", "Table of dialogs.", &m.table),
		{Name: "db_update_period", Type: script.IntParam, Min: 1, Max: 86400, Unit: "seconds", Default: "60", Set: script.Seconds(&m.period), Help: "How often dialogs are stored with db_mode 2."},
		idle("enable_stats", "Statistics.", "they are always kept"),
		idle("hash_size", "Size of the table.", "it grows as it needs"),
		idle("log_profile_hash_size", "Size of profiles.", "they grow as they need"),
		idle("db_flush_vals_profiles", "Values and profiles are stored.", "they always are"),
		idle("timer_bulk_del_no", "Rows that are deleted at once.", "rows go in batches"),
		idle("cachedb_url", "Profiles in a NoSQL database.", noCache),
		idle("profile_value_prefix", "Prefix there.", noCache), idle("profile_no_value_prefix", "Prefix there.", noCache),
		idle("profile_size_prefix", "Prefix there.", noCache), idle("profile_timeout", "Expiry there.", noCache),
		idle("dialog_replication_cluster", "Cluster of dialogs.", noCluster), idle("profile_replication_cluster", "Cluster of profiles.", noCluster),
		idle("replicate_profiles_buffer", "Buffer.", noCluster), idle("replicate_profiles_check", "Timer.", noCluster),
		idle("replicate_profiles_timer", "Timer.", noCluster), idle("replicate_profiles_expire", "Timer.", noCluster),
		idle("cluster_auto_sync", "Sync of a node.", noCluster),
		{Name: "auto_prack_hangup_on_failure", Type: script.BoolParam, Default: "0", Set: script.Into(&m.prackHangsUp), Help: "Whether an INVITE is answered 502 when a PRACK of ours fails."},
		{Name: "auto_prack_fr_timeout", Type: script.IntParam, Min: 1, Max: 300, Unit: "seconds", Default: "3", Set: script.Seconds(&m.prackTimeout), Help: "How long the answer to a PRACK of ours may take."},
	}
	for name, into := range m.columns.byParam() {
		list = append(list, text(name, "Name of the column in the database.", into))
	}
	return list
}

func (m *Module) statistics() []script.Statistic {
	stat := func(name, help string, gauge bool, f func(s core.Stats) uint64) script.Statistic {
		return script.Statistic{Name: name, Help: help, Gauge: gauge, Value: func() uint64 {
			if m.dialogs == nil {
				return 0
			}
			return f(m.dialogs.Stats())
		}}
	}
	list := []script.Statistic{
		stat("active_dialogs", "Dialogs that have not ended.", true, func(s core.Stats) uint64 { return uint64(s.Active) }),
		stat("early_dialogs", "Dialogs that are ringing.", true, func(s core.Stats) uint64 { return uint64(s.Early) }),
		stat("processed_dialogs", "Dialogs since the start.", false, func(s core.Stats) uint64 { return s.Processed }),
		stat("expired_dialogs", "Dialogs whose time was over.", false, func(s core.Stats) uint64 { return s.Expired }),
		stat("failed_dialogs", "Dialogs that were never answered.", false, func(s core.Stats) uint64 { return s.Failed }),
	}
	for _, name := range []string{"create_sent", "update_sent", "delete_sent", "create_recv", "update_recv", "delete_recv"} {
		list = append(list, script.Statistic{Name: name, Help: "Of a cluster, which there is not.", Value: func() uint64 { return 0 }})
	}
	return list
}

func (m *Module) check(l *script.Loading) {
	m.tm, _ = l.Instance("tm").(*tm.Module)
	m.profilesOf(l, m.withValue, true)
	m.profilesOf(l, m.noValue, false)
	switch {
	case m.dbMode == noDB:
	case !m.url.Wanted(l):
		l.Errorf(l.Place("db_mode"), `db_mode %d needs modparam("dialog", "db_url", "...") or db_default_url`, m.dbMode)
	default:
		m.url.Check(l)
	}
	if r, ok := l.Instance("rr").(*rr.Module); ok {
		r.OnRoute(func(x *script.Machine) { m.follow(x, m.mode) })
	}
	for name, value := range map[string]string{"rr_param": m.param} {
		if value == "" || strings.Trim(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") != "" {
			l.Errorf(l.Place(name), "%q is no name of a parameter", value)
		}
	}
}

// profilesOf makes the profiles of a list.
func (m *Module) profilesOf(l *script.Loading, v script.Literal, hasValue bool) {
	for name := range strings.SplitSeq(v.Text, ";") {
		name = strings.TrimSpace(name)
		name, share, _ := strings.Cut(name, "/")
		name = strings.TrimSpace(name)
		switch {
		case name == "":
			continue
		case m.profiles[name] != nil:
			l.Errorf(v.At, "the profile %s is named twice", name)
			continue
		case share != "":
			l.Notef(v.At, "the profile %s is counted in this process alone: there is no cluster", name)
		}
		m.profiles[name] = core.NewProfile(name, hasValue)
		m.order = append(m.order, name)
	}
}

func (m *Module) start(e *script.Env) error {
	m.env = e
	if old, ok := e.Previous.(*Module); ok {
		return m.takeOver(old)
	}
	m.tombstones, m.waiting = newTombstones(e.StateDir), newWaiting(e.StateDir)
	m.dialogs = core.New(core.Config{Max: int(m.maxDialogs), Persistent: m.dbMode != noDB, Notify: func(c core.Change) { m.changed(&c) }})
	if m.dbMode != noDB {
		db, err := m.url.Open(e)
		if err != nil {
			return script.ErrorAt(m.url.At(), err)
		}
		m.db = db
		if err := database.CheckTables(m.url.At(), db, e.Log, store.Select{Table: m.table, Columns: m.columns.names()}); err != nil {
			_ = db.Close() // the other error tells more
			return err
		}
		if e.Trial {
			return nil
		}
		m.read()
	}
	if e.Trial {
		return nil
	}
	m.begin()
	return nil
}

// takeOver goes on with the dialogs of the instance that this one replaces, which is told of changes until it stops: those
// who watch this one may not have started yet.
func (m *Module) takeOver(old *Module) error {
	if m.dbMode != old.dbMode || m.url.Text() != old.url.Text() || m.param != old.param {
		return fmt.Errorf("how dialogs are stored and named: %w", script.ErrRestart)
	}
	m.dialogs, m.db, m.wake, m.pings, m.late = old.dialogs, old.db, old.wake, old.pings, old.late
	m.unread.Store(old.unread.Load())
	m.tombstones, m.waiting = old.tombstones, old.waiting
	for name, p := range old.profiles {
		if m.profiles[name] != nil && m.profiles[name].HasValue == p.HasValue {
			m.profiles[name] = p
		}
	}
	m.begin()
	return nil
}

func (m *Module) begin() {
	m.unlisten = m.tm.Layer().Listen(m.happened)
	m.env.Every(time.Second, func(context.Context) {
		now := time.Now().Unix()
		m.dialogs.Expire(now, m.over)
		m.pings.round(m, now)
		m.late.round(m, now)
	})
	if m.dbMode == realtime || m.dbMode == delayed {
		m.env.Go(m.writeBack)
	}
	if m.unread.Load() {
		m.env.Go(m.readLater)
	}
}

func (m *Module) stop(next any) {
	if m.unlisten != nil {
		m.unlisten()
	}
	if n, ok := next.(*Module); ok && n.dialogs != nil { // or, as a later module has failed, the one before
		n.dialogs.SetNotify(func(c core.Change) { n.changed(&c) })
	}
	if next != nil || m.db == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := errors.Join(m.forget(ctx), m.write(ctx)); err != nil {
		if m.waiting.err == nil {
			m.env.Log.Warn("dialog: calls are kept for the next start: the database is away", "error", err, "dialogs", len(m.waiting.calls))
		} else {
			m.env.Log.Warn("dialog: dialogs are lost: the database is away", "error", err, "dialogs", m.dialogs.Waiting(), "kept", m.waiting.err)
		}
	}
	_ = m.db.Close()
}

// phonyRequest is what a route sees that runs without a message.
const phonyRequest = "OPTIONS sip:nobody@localhost.invalid SIP/2.0\r\nVia: SIP/2.0/UDP localhost.invalid;branch=z9hG4bKnobody\r\nMax-Forwards: 0\r\n" +
	"From: <sip:nobody@localhost.invalid>;tag=nobody\r\nTo: <sip:nobody@localhost.invalid>\r\nCall-ID: nobody\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"

// run runs a route for a dialog without a message of it; inside tells that this is while its INVITE's transaction is
// dealt with.
func (m *Module) run(r *script.Routine, d *core.Dialog, inside bool) {
	c, ok := m.phony.Get().(*proxy.Context)
	if !ok {
		c = m.env.Proxy.NewContext(nil)
	}
	defer m.phony.Put(c)
	if c.Begin([]byte(phonyRequest), &nowhere) != nil {
		return
	}
	c.Attach(bondKey{}, &bond{dialog: d, inside: inside})
	r.Run(c, script.Run{Kind: script.RequestRoute})
	c.End()
}

var _ transaction.Listener = (*Module)(nil).happened
