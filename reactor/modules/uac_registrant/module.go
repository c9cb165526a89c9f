package uac_registrant

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sipreactor/reactor/modules/internal/database"
	"sipreactor/reactor/modules/internal/destination"
	"sipreactor/reactor/modules/internal/manage"
	"sipreactor/reactor/modules/uac_auth"
	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
	"sipreactor/reactor/transaction"
)

// tableVersion is that of the layout of the table registrant.
const tableVersion = 3

// module is the module in one configuration.
type module struct {
	url      database.URL
	name     string // of the table
	columns  columns
	accounts []account    // of the parameter uac
	places   []script.Pos // where each stands
	percent  int64
	retry    time.Duration
	interval time.Duration

	auth  *uac_auth.Module
	tm    destination.Layered
	table *table
	env   *script.Env
	db    *store.DB
	await bool // the database was away when it was to be read first
}

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := &module{name: "registrant", columns: defaultColumns(), percent: 100, interval: 100 * time.Second, table: newTable()}
	return &script.Module{
		Name: "uac_registrant", Help: "Registers this server at other registrars.", Instance: m, Needs: []string{"tm", "uac_auth"},
		Parameters: m.parameters(), Commands: m.commands(), Events: events(), Statistics: m.statistics(),
		Check: m.check, Start: m.start, Stop: m.stop, Trial: true,
	}
}

func (m *module) parameters() []script.Parameter {
	const ownTime = "each account has a time of its own"
	list := append(m.url.Parameters(),
		script.Parameter{Name: "timer_interval", Type: script.IntParam, Min: 1, Max: 86400, Unit: "seconds", Default: "100", Set: script.Seconds(&m.interval),
			Help: "All accounts have been tried once in this time, where they are so many that they do not go out at once."},
		script.Parameter{Name: "failure_retry_interval", Type: script.IntParam, Max: 1 << 30, Unit: "seconds", Default: "0", Set: script.Seconds(&m.retry),
			Help: "When a registration that failed is tried again; 0: after the account's expiry where it was refused, with a back-off where the registrar is away."},
		script.Parameter{Name: "reregister_expiry_percentage", Type: script.IntParam, Min: 1, Max: 100, Unit: "percent", Default: "100", Set: script.Into(&m.percent),
			Help: "The part of a registration after which it is refreshed, and in time at the latest."},
		script.Parameter{Name: "uac", Type: script.StringParam, Set: m.addAccount,
			Help: "An account: registrar,proxy,aor,third party,user,password,binding URI,binding parameters,expiry,socket. It may be set many times."},
		script.Parameter{Name: "table_name", Type: script.StringParam, Default: m.name, Help: "The table.", Set: script.NonEmpty(&m.name)},
		script.Parameter{Name: "hash_size", Type: script.IntParam, Default: "1", Help: "Size of the table, as a power of two.", Note: ownTime},
		script.Parameter{Name: "enable_clustering", Type: script.BoolParam, Default: "0", Help: "One node of a cluster registers.", Note: "there is no cluster"},
	)
	help := [...]string{"registrar", "next hop", "address of record", "URI of From", "user name", "password", "contact's URI",
		"contact's parameters", "expiry, in seconds", "socket to send from", "sharing tag of a cluster, which does nothing here", "state: 1 is disabled"}
	for i, name := range m.columns {
		list = append(list, script.Parameter{Name: name + "_column", Type: script.StringParam, Default: name, Help: "The column of the " + help[i] + ".",
			Set: script.NonEmpty(&m.columns[i])})
	}
	return list
}

func (m *module) addAccount(v script.Literal) error {
	a, err := parseAccount(v.Text)
	if err != nil {
		return err
	}
	m.accounts, m.places = append(m.accounts, *a), append(m.places, v.At)
	return nil
}

func (m *module) statistics() []script.Statistic {
	return []script.Statistic{
		{Name: "registered", Gauge: true, Help: "Accounts that are registered.", Value: func() uint64 {
			return m.table.count(func(s state) bool { return s == registered })
		}},
		{Name: "failed", Gauge: true, Help: "Accounts whose last try failed.", Value: func() uint64 { return m.table.count(state.failed) }},
		{Name: "registers", Help: "REGISTERs that were sent.", Value: func() uint64 {
			m.table.mu.Lock()
			defer m.table.mu.Unlock()
			return m.table.sent
		}},
	}
}

func (m *module) check(l *script.Loading) {
	m.auth, _ = l.Instance("uac_auth").(*uac_auth.Module)
	m.tm = destination.TransactionsOf(l)
	for i, at := range m.places {
		l.NameSocket(at, m.accounts[i].socket)
	}
	if m.url.Wanted(l) {
		m.url.Check(l)
	}
}

// start reads the accounts, and goes on with the registrations of the instance that this one replaces.
func (m *module) start(e *script.Env) error {
	m.env = e
	var err error
	if m.url.Kind() != 0 {
		if m.db, err = m.url.Open(e); err != nil {
			return err
		}
	}
	if old, ok := e.Previous.(*module); ok {
		m.table = old.table
	}
	var list []account
	if m.db != nil {
		list, _, err = m.load(context.Background())
		switch {
		case err == nil:
		case store.Unreachable(err):
			m.await = true
			e.Log.Warn("uac_registrant: the database is away: nothing of it is registered until it is back", "error", err)
		default:
			m.close()
			return script.ErrorAt(m.url.At(), err)
		}
	}
	if e.Trial {
		return nil
	}
	m.apply()
	if !m.await {
		m.table.replace(list)
	}
	e.Every(every, m.table.round)
	if m.await {
		e.Every(awaitEvery, m.recover)
	}
	return nil
}

// awaitEvery is how often a database is asked that was away at the start.
const awaitEvery = 5 * time.Second

// recover reads the accounts of a database that was away.
func (m *module) recover(ctx context.Context) {
	if !m.await {
		return
	}
	if list, _, err := m.load(ctx); err == nil {
		m.await = false
		m.table.replace(list)
	}
}

// apply has the table work by this configuration.
func (m *module) apply() {
	t := m.table
	t.mu.Lock()
	defer t.mu.Unlock()
	t.spread, t.log = m.interval, m.env.Log
	t.rules = policy{percent: m.percent, retry: m.retry, entered: m.entered}
	if m.auth != nil {
		t.rules.fixed = m.auth.Fixed
	}
	t.send = m.send
	mine := make(map[key]bool)
	for _, a := range m.accounts {
		mine[a.key()] = true
		t.put(a, fromScript)
	}
	for _, r := range t.list {
		if r.from == fromScript && !mine[r.key()] {
			t.drop(r)
		}
	}
}

// stop lets go of the database. The instance that goes on has the table.
func (m *module) stop(next any) {
	m.close()
	if n, ok := next.(*module); ok && n.env != nil {
		n.apply()
	}
}

func (m *module) close() {
	if m.db != nil {
		_ = m.db.Close() // what it says of its connections helps nobody now
	}
}

// entered raises the event of a state.
func (m *module) entered(r *registration) {
	name := eventOf[r.state]
	if name == "" || !m.env.Heard(name) {
		return
	}
	m.env.Raise(name, script.TextParam("aor", r.aor), script.TextParam("contact", r.binding), script.TextParam("registrar", r.registrar))
}

var errNoSocket = errors.New("there is no such socket")

// send sends a REGISTER by a transaction.
func (m *module) send(r *transaction.Request, socket string) error {
	layer := m.tm.Layer()
	if layer == nil || m.env.Engine == nil {
		return errors.New("there is no engine")
	}
	if socket != "" {
		r.Socket = proxy.FindSocket(socket, m.env.Listeners)
		if r.Socket == nil {
			return fmt.Errorf("%w: %s", errNoSocket, socket)
		}
	}
	_, err := layer.Originate(nil, r)
	return err
}

// load reads the accounts of the database. A row that cannot be used is left out with a warning.
func (m *module) load(ctx context.Context, where ...store.Cond) (list []account, tally manage.Tally, err error) {
	q := store.Select{Table: m.name, Columns: m.columns[:], Where: where, Version: tableVersion}
	err = m.db.Load(ctx, q, func(r *store.Row) error {
		a, err := readAccount(r)
		if err == nil && a.socket != "" {
			if err = script.NoSocket(a.socket, m.env.Sockets); err != nil {
				err = r.Fault(columnSocket, "%v", err)
			}
		}
		if err != nil {
			if tally.LeaveOut(err) {
				m.env.Log.Warn("uac_registrant: a row is left out", "error", err)
			}
			return nil
		}
		list = append(list, *a)
		return nil
	})
	tally.Loaded = len(list)
	return list, tally, err
}

// rowOf is the condition that finds an account's row.
func (m *module) rowOf(k key) []store.Cond {
	return []store.Cond{
		store.Equal(m.columns[columnAOR], store.String(k.aor)), store.Equal(m.columns[columnBinding], store.String(k.binding)),
		store.Equal(m.columns[columnRegistrar], store.String(k.registrar)),
	}
}
