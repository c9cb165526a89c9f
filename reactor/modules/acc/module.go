package acc

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	core "sipreactor/reactor/dialog"
	"sipreactor/reactor/modules/dialog"
	"sipreactor/reactor/modules/internal/database"
	"sipreactor/reactor/modules/tm"
	"sipreactor/reactor/script"
	"sipreactor/reactor/transaction"
)

type module struct {
	early, cancels, direction bool
	level                     int64 // log_level
	extra, legs               tags
	url                       database.URL
	urlSet                    bool
	older                     older
	table, missedTable        string
	toTable, toMissed         bool // the script has records written to them
	toCalls                   bool // records of calls
	columns                   columns

	tm            *tm.Module
	dialog        *dialog.Module // nil: it is not loaded
	endings       *endings
	env           *script.Env
	writer        *writer // nil without a database
	stop          func()
	current       *atomic.Pointer[module] // the one that has taken over last, the same for all: each with the next would keep all between
	replaced      atomic.Bool             // current is another one
	records       [backends]script.Count
	lost, refused script.Count // by the writer
}

// columns of the tables.
type columns struct{ method, fromTag, toTag, callID, code, reason, time string }

const (
	eventAnswered = "E_ACC_EVENT"
	eventMissed   = "E_ACC_MISSED_EVENT"
)

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := &module{
		endings: &endings{calls: make(map[*core.Dialog]time.Time)}, current: new(atomic.Pointer[module]),
		level: int64(script.LevelNotice), table: "acc", missedTable: "missed_calls",
		columns: columns{method: "method", fromTag: "from_tag", toTag: "to_tag", callID: "callid", code: "sip_code", reason: "sip_reason", time: "time"},
	}
	params := []string{"method", "from_tag", "to_tag", "callid", "sip_code", "sip_reason", "time"}
	return &script.Module{
		Name: "acc", Help: "Records of transactions: in the log, in a database, as events.", Instance: m, Needs: []string{"tm"},
		Parameters: m.parameters(), Functions: m.functions(), Variables: m.variables(),
		Events: []script.Event{
			{Name: eventAnswered, Help: "A transaction was answered with a 2xx.", Params: params},
			{Name: eventCDR, Help: "A call has ended that was accounted with the flag cdr.", Params: append(slices.Clip(params), "duration", "ms_duration", "setuptime", "created")},
			{Name: eventMissed, Help: "A call was missed, or a transaction failed.", Params: append(slices.Clip(params), "created", "setuptime")},
		},
		Statistics: []script.Statistic{
			{Name: "log_records", Help: "Records that were logged.", Count: &m.records[toLog]},
			{Name: "db_records", Help: "Records that were handed to the database.", Count: &m.records[toDB]},
			{Name: "db_lost", Help: "Records that neither the database nor a file has.", Count: &m.lost},
			{Name: "db_refused", Help: "Records that the database refuses and that are kept in refused.jsonl of its folder in state_dir.", Count: &m.refused},
			{Name: "db_spooled", Gauge: true, Help: "Records that wait on disk for the database to come back.", Value: func() uint64 {
				if m.writer == nil || m.writer.spool == nil {
					return 0
				}
				return uint64(max(m.writer.spool.records.Load(), 0))
			}},
		},
		Lacks: []script.Lack{
			{Kind: script.LacksParameter, Names: "multi_leg_info multi_leg_bye_info", Why: "legs are made by acc_new_leg(), and their values are set by $acc_leg and named in leg_fields"},
			{Kind: script.LacksParameter, Names: "log_extra_bye db_extra_bye evi_extra_bye", Why: "a value is a call's: $acc_extra sets it at the BYE, too"},
			{Kind: script.LacksParameter, Names: "aaa_flag aaa_missed_flag aaa_extra aaa_extra_bye diameter_flag diameter_missed_flag diameter_client_host diameter_client_port diameter_extra",
				Why: "there is no AAA in this version"},
		},
		Check: m.check, Start: m.start, Stop: m.end, Trial: true,
	}
}

var errAAA = errors.New("is not supported: there is no AAA in this version")

func (m *module) parameters() []script.Parameter {
	name := func(name, help string, at *string) script.Parameter {
		return script.Parameter{Name: name, Type: script.StringParam, Default: *at, Help: help, Set: func(v script.Literal) error {
			if v.Text == "" {
				return errors.New("is empty")
			}
			*at = v.Text
			return nil
		}}
	}
	fields := func(name, help string, t *tags) script.Parameter {
		return script.Parameter{Name: name, Type: script.StringParam, Help: help, Set: func(v script.Literal) error {
			t.said = origin{name, v.At}
			return t.add(v.Text)
		}}
	}
	c := &m.columns
	return append([]script.Parameter{
		{Name: "early_media", Type: script.BoolParam, Default: "0", Help: "Whether provisional responses with a body are accounted.", Set: script.Into(&m.early)},
		{Name: "report_cancels", Type: script.BoolParam, Default: "0", Help: "Whether CANCELs are accounted that do_accounting() was called for.", Set: script.Into(&m.cancels)},
		{Name: "detect_direction", Type: script.BoolParam, Default: "0", Help: "Whether the tags of a request from the callee are swapped.", Set: script.Into(&m.direction)},
		fields("extra_fields", `Values of $acc_extra(tag) and the names that they are written by: "log: tag->name; tag".`, &m.extra),
		fields("leg_fields", "The same for the values of each leg, $acc_leg(tag).", &m.legs),
		{Name: "log_level", Type: script.IntParam, Min: -3, Max: 4, Default: "2", Help: "The level of lines in the log.", Set: script.Into(&m.level)},
		{Name: "log_facility", Type: script.WordParam, Default: "LOG_DAEMON", Help: "The facility of lines in the log.", Note: "there is one log"},
		{Name: "aaa_url", Type: script.StringParam, Help: "The AAA server.", Set: func(script.Literal) error { return errAAA }},
		{Name: "service_type", Type: script.IntParam, Help: "The type of service that an AAA server is told.", Note: "there is no AAA in this version"},
		name("db_table_acc", "Table of transactions.", &m.table),
		name("db_table_missed_calls", "Table of missed calls.", &m.missedTable),
		{Name: "db_url", Type: script.StringParam, Default: "that of db_default_url", Help: "The database.", Set: func(v script.Literal) error {
			m.urlSet = v.Text != ""
			return m.url.Set(v)
		}},
		name("acc_method_column", "Column with the method.", &c.method),
		name("acc_from_tag_column", "Column with the tag of From.", &c.fromTag),
		name("acc_to_tag_column", "Column with the tag of To.", &c.toTag),
		name("acc_callid_column", "Column with the Call-ID.", &c.callID),
		name("acc_sip_code_column", "Column with the status code.", &c.code),
		name("acc_sip_reason_column", "Column with the reason phrase.", &c.reason),
		name("acc_time_column", "Column with the time.", &c.time),
		{Name: "acc_created_avp_name", Type: script.StringParam, Default: "accX_created", Help: "The AVP with the time of the call.", Note: "the time is kept with the transaction"},
	}, m.older.parameters(&m.extra)...)
}

func (m *module) check(l *script.Loading) {
	m.tm, _ = l.Instance("tm").(*tm.Module)
	if m.dialog, _ = l.Instance("dialog").(*dialog.Module); m.dialog != nil {
		m.dialog.Watch(m.changed)
	}
	defer func() { m.older.check(l, m.urlSet) }()
	if m.urlSet {
		m.url.Check(l)
		return
	}
	if m.url.Wanted(l) { // db_default_url, of use only where the script asks for the type db
		m.urlSet = m.url.Check(l)
	}
}

func (m *module) start(e *script.Env) error {
	m.env = e
	old, reloaded := e.Previous.(*module)
	if m.urlSet {
		db, err := m.url.Open(e)
		if err != nil {
			return err
		}
		if err := m.checkTables(db, e.Log); err != nil || e.Trial {
			_ = db.Close() // the other error tells more
			return err
		}
		m.writer = newWriter(db, e.Log, openSpool(e.StateDir, m.url.Text()))
		m.writer.lost, m.writer.refused = &m.lost, &m.refused
		m.writer.begin()
	}
	if e.Trial {
		return nil
	}
	if reloaded {
		m.endings, m.current = old.endings, old.current
	}
	if m.tm != nil && m.tm.Layer() != nil {
		all, without := m.tm.Layer().Listen(m.happens), m.tm.Layer().ListenWithout(m.markOlder)
		m.stop = func() { all(); without() }
	}
	if m.dialog != nil {
		e.Every(time.Second, func(context.Context) { m.settle(time.Now().Add(-maxBYE)) })
	}
	return nil
}

func (m *module) end(next any) {
	var heir func() *writer
	if n, ok := next.(*module); ok {
		m.current.Store(n)
		m.replaced.Store(true)
		heir = func() *writer { return m.latest().writer }
	}
	m.finish()
	if m.stop != nil {
		m.stop()
	}
	if heir == nil {
		for d, at := range m.endings.end() {
			m.callEnded(d, at)
		}
	}
	if m.writer != nil {
		m.writer.end(heir)
	}
}

// latest is the module of the configuration that runs now: transactions outlive theirs.
func (m *module) latest() *module {
	if m.replaced.Load() {
		return m.current.Load()
	}
	return m
}

// happens is told of all transactions.
func (m *module) happens(h *transaction.Happening) {
	switch h.What {
	case transaction.Created:
		m.created(h)
	case transaction.Answered, transaction.Lost, transaction.Over:
		m.bye(h)
	default:
	}
}

// created takes what was asked for before there was a transaction.
func (m *module) created(h *transaction.Happening) {
	if a, ok := h.Context.Attachment(accountKey{}).(*account); ok && a.of.latest() == m && h.Exchange.Attachment(accountKey{}) != a {
		h.Exchange.Attach(accountKey{}, a)
		h.Exchange.Listen(a.happens)
	}
	m.markOlder(h.Context)
}
