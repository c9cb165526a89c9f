// Package fraud_detection is OpenSIPS' module fraud_detection: it counts the calls of each user to each prefix, and
// tells when they are more, or longer, than a rule allows. Rules are rows of a table, by profile and prefix, for hours
// of days of the week.
//
// What an interval has counted begins at 0 with the next interval, and at midnight. Calls that go on are counted as
// long as they do. What was counted outlives a reload, and not the process.
package fraud_detection

import (
	"context"
	"errors"
	"time"

	core "sipreactor/reactor/dialog"
	"sipreactor/reactor/modules/dialog"
	"sipreactor/reactor/modules/internal/database"
	"sipreactor/reactor/rpc"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
	"sipreactor/sipframe"
)

// measure is what a rule limits.
type measure int

const (
	perMinute measure = iota
	duration
	total
	concurrent
	sequential
	measures
)

// of names the measures, as events do and as parameters and columns begin.
var of = [measures]struct{ name, param, column, unit string }{
	{"calls per minute", "cpm", "cpm", ""},
	{"call duration", "calldur", "call_duration", ", in seconds,"},
	{"total calls", "totalc", "total_calls", ""},
	{"concurrent calls", "concalls", "concurrent_calls", ""},
	{"sequential calls", "seqcalls", "sequential_calls", ""},
}

// What check_fraud() returns.
const (
	noRule   = 2
	fine     = 1
	warned   = -1
	critical = -2
	failed   = -3
)

const (
	eventWarning  = "E_FRD_WARNING"
	eventCritical = "E_FRD_CRITICAL"
)

type module struct {
	url     database.URL
	utc     bool
	table   string
	columns []string // those of the rules: see loadRules
	db      *store.DB
	rules   *store.Snapshot[rules]
	dialog  *dialog.Module
	counts  *counts
	env     *script.Env
}

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := &module{table: "fraud_detection", columns: []string{"ruleid", "profileid", "prefix", "start_hour", "end_hour", "daysoftheweek"}}
	for _, o := range of {
		m.columns = append(m.columns, o.column+"_warning", o.column+"_critical")
	}
	parameters := append(m.url.Parameters(),
		script.Parameter{Name: "use_utc_time", Type: script.BoolParam, Default: "0", Set: script.Into(&m.utc), Help: "Whether hours and days of rules are UTC, not local time."},
		script.Parameter{Name: "table_name", Type: script.StringParam, Default: m.table, Set: script.NonEmpty(&m.table), Help: "The table of the rules."},
	)
	column := func(i int, name, help string) {
		parameters = append(parameters, script.Parameter{Name: name, Type: script.StringParam, Default: m.columns[i], Set: script.NonEmpty(&m.columns[i]), Help: help})
	}
	column(0, "rid_col", "The column of a rule's number.")
	column(1, "pid_col", "The column of the profile that it belongs to.")
	column(2, "prefix_col", "The column of the prefix of called numbers. The longest decides that has a rule for the time.")
	column(3, "start_h", "The column of the time of day from which the rule holds: HH:MM.")
	column(4, "end_h", "The column of the time of day to which the rule holds, with that minute.")
	column(5, "days_col", "The column of the days on which it begins to hold: Fri-Mon, Wed.")
	for i, o := range of {
		column(6+2*i, o.param+"_thresh_warn_col", "The column of the limit of "+o.name+o.unit+" from which on there is a warning; 0: none.")
		column(7+2*i, o.param+"_thresh_crit_col", "The column of the limit of "+o.name+o.unit+" from which on that is critical; 0: none.")
	}
	params := []string{"param", "value", "threshold", "user", "called_number", "rule_id", "profile_id"}
	return &script.Module{
		Name: "fraud_detection", Help: "Tells when a user's calls to a prefix are more, or longer, than a rule allows.", Needs: []string{"dialog"}, Instance: m,
		Parameters: parameters,
		Functions: []script.Function{{
			Name: "check_fraud", Usage: `check_fraud("user", "number", profile)`, Args: []script.ArgKind{script.TextArg, script.TextArg, script.IntArg}, Min: 3,
			Routes: script.Messages, Build: m.check,
			Help: "Counts the call of an INVITE, whose dialog it keeps. 2: the profile has no rule for the number now, 1: all is below the rule's limits, -1: a warning, -2: critical, -3: an error.",
		}},
		Commands: []rpc.Command{
			{Name: "show_fraud_stats", Aliases: []string{"fraud_detection:show_stats"}, Help: "Shows what was counted of a user's calls to a prefix.", Params: []rpc.Param{{Name: "user"}, {Name: "prefix"}}, Func: m.show},
			{Name: "fraud_reload", Aliases: []string{"fraud_detection:reload"}, Help: "Reads the rules again: all of them, or none after an error.", Func: func(ctx context.Context, _ *rpc.Args) (any, error) {
				return "OK", m.rules.Reload(ctx)
			}},
		},
		Events: []script.Event{
			{Name: eventWarning, Help: "A call reaches the limit of a rule that is a warning.", Params: params},
			{Name: eventCritical, Help: "A call reaches the limit of a rule that is critical.", Params: params},
		},
		Check: func(l *script.Loading) {
			m.url.Check(l)
			if m.dialog, _ = l.Instance("dialog").(*dialog.Module); m.dialog != nil {
				m.dialog.Watch(func(c core.Change) {
					if c.New == core.Ended {
						m.over(c.Dialog, time.Now())
					}
				})
			}
		},
		Start: m.start, Trial: true,
		Stop: func(any) { _ = m.db.Close() },
	}
}

func (m *module) start(e *script.Env) (err error) {
	if m.db, err = m.url.Open(e); err != nil {
		return err
	}
	if m.rules, err = database.Keep(e, m.db, "fraud_detection", m.loadRules); err != nil {
		_ = m.db.Close() // the other error tells more
		return script.ErrorAt(m.url.At(), err)
	}
	m.env, m.counts = e, newCounts()
	if old, ok := e.Previous.(*module); ok {
		m.counts = old.counts
	}
	return nil
}

func (m *module) local(t time.Time) time.Time {
	if m.utc {
		return t.UTC()
	}
	return t.Local()
}

// check builds check_fraud().
func (m *module) check(a *script.Args) script.Action {
	user, number, profile, at := a.Text(0), a.Text(1), a.Int(2), a.Site()
	return func(x *script.Machine) int {
		fail := func(why string) int {
			x.Say(at, script.LevelError, "check_fraud(): "+why)
			return failed
		}
		who, _ := user(x)
		called, _ := number(x)
		id, ok := profile(x)
		now := x.Now()
		switch {
		case !ok || len(who) == 0 || len(who) > maxUser:
			return fail("there is no profile, or no user, or a long one")
		case x.Method() != sipframe.INVITE || x.Context().HasToTag():
			return fail("the message is of no initial INVITE")
		}
		r, since := m.rules.Get().find(id, called, m.local(now))
		if r == nil {
			return noRule
		}
		d := m.dialog.Of(x.Context())
		if d == nil {
			switch m.dialog.Create(x, at, 0) {
			case 1:
				d = m.dialog.Of(x.Context())
			case 0:
				return 0
			default:
				return failed // which was said
			}
		}
		c := &call{rule: r, user: string(who), number: string(called)}
		values, err := m.counts.begin(c, d, since.Unix(), now.Unix())
		if err != nil {
			return fail(err.Error())
		}
		if d.State() == core.Ended { // meanwhile
			m.over(d, now)
		}
		result := fine
		for what, n := range values {
			if measure(what) != duration {
				result = min(result, m.judge(c, measure(what), n))
			}
		}
		return result
	}
}

// judge raises the event that a number asks for, and returns what check_fraud() returns for it.
func (m *module) judge(c *call, what measure, n int64) int {
	event, result, limit := eventCritical, critical, c.rule.limits[what].critical
	if limit == 0 || n < limit {
		event, result, limit = eventWarning, warned, c.rule.limits[what].warning
	}
	if limit == 0 || n < limit {
		return fine
	}
	m.env.Raise(event, script.TextParam("param", of[what].name), script.NumberParam("value", n), script.NumberParam("threshold", limit),
		script.TextParam("user", c.user), script.TextParam("called_number", c.number),
		script.NumberParam("rule_id", c.rule.id), script.NumberParam("profile_id", c.rule.profile))
	return result
}

// over counts the calls of a dialog no more, and looks at how long they took.
func (m *module) over(d *core.Dialog, now time.Time) {
	for _, c := range m.counts.end(d) {
		m.judge(c, duration, d.Lifetime(now.Unix()))
	}
}

// Shown is the answer of show_fraud_stats.
type Shown struct {
	PerMinute  int64 `json:"cpm"`
	Total      int64 `json:"total_calls"`
	Concurrent int64 `json:"concurrent_calls"`
	Sequential int64 `json:"seq_calls"`
}

func (m *module) show(_ context.Context, a *rpc.Args) (any, error) {
	v, ok := m.counts.look(a.Text("user"), a.Text("prefix"), time.Now().Unix())
	if !ok {
		return nil, &rpc.Error{Code: rpc.CodeNotFound, Message: "nothing was counted of that user and prefix"}
	}
	return &Shown{v[perMinute], v[total], v[concurrent], v[sequential]}, nil
}

var errMany = errors.New("too many users and prefixes are counted")
