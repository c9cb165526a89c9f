package presence

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"sipreactor/reactor/modules/signaling"
	"sipreactor/reactor/modules/tm"
	"sipreactor/reactor/script"
	"sipreactor/sipframe"
)

// Module is presence of one configuration.
type Module struct {
	user           string
	maxSubscribe   int64
	maxPublish     int64
	perWatcher     int64
	offset         int64
	offline        bool // notify_offline_body
	endOnTimeout   bool
	events         map[string]Event
	state          *state
	signaling      *signaling.Module
	tm             *tm.Module
	env            *script.Env
	offlineBody    func(uri string) []byte
	notifies, lost script.Count
}

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := &Module{user: "presence", maxSubscribe: 3600, maxPublish: 3600, perWatcher: 1000, endOnTimeout: true, events: make(map[string]Event), state: newState()}
	requests := script.Routes(script.RequestRoute)
	return &script.Module{
		Name: "presence", Help: "Serves events: takes PUBLISH, holds subscriptions, sends NOTIFY.", Instance: m,
		Note:  "publications and subscriptions are in memory: after a restart watchers subscribe and publishers publish anew",
		Needs: []string{"signaling", "tm"}, Parameters: m.parameters(),
		Functions: []script.Function{
			{Name: "handle_publish", Usage: `handle_publish(["sender URI"])`, Args: []script.ArgKind{script.TextArg}, Routes: requests, Build: m.handlePublish,
				Help: "Takes a PUBLISH and answers it. A watcher with the sender's URI is not told of it."},
			{Name: "handle_subscribe", Usage: `handle_subscribe([force_active[, "sharing_tag"]])`, Args: []script.ArgKind{script.IntArg, script.FixedArg}, Routes: requests, Build: m.handleSubscribe,
				Help: "Takes a SUBSCRIBE, answers it and notifies the watcher."},
		},
		Commands: m.commands(), Statistics: []script.Statistic{
			{Name: "subscriptions", Help: "Subscriptions.", Gauge: true, Value: func() uint64 { n, _ := m.state.size(); return uint64(n) }},
			{Name: "publications", Help: "Publications.", Gauge: true, Value: func() uint64 { _, n := m.state.size(); return uint64(n) }},
			{Name: "notifies", Help: "NOTIFYs that were sent.", Count: &m.notifies},
			{Name: "failed_notifies", Help: "NOTIFYs without a 2xx.", Count: &m.lost},
		},
		Lacks: []script.Lack{
			{Kind: script.LacksParameter, Names: "enable_sphere_check", Why: "there are no rules that ask for spheres"},
			{Kind: script.LacksParameter, Names: "mix_dialog_presence", Why: "states of dialogs are no presence here; phones publish it"},
			{Kind: script.LacksParameter, Names: "bla_presentity_spec bla_fix_remote_target", Why: "dialog;sla is served as it is published, under the Request-URI"},
		},
		Events: raisedEvents(),
		Check:  m.check, Start: m.start,
	}
}

// setAddress takes the user of our Contact from its URI.
func (m *Module) setAddress(v script.Literal) error {
	var u sipframe.URI
	if sipframe.ParseURI([]byte(v.Text), &u) != nil {
		return errors.New("is no SIP URI")
	}
	if user := string(u.User.In([]byte(v.Text))); user != "" {
		m.user = user
	}
	return nil
}

func (m *Module) parameters() []script.Parameter {
	number := func(name, help string, to *int64) script.Parameter {
		return script.Parameter{Name: name, Help: help, Type: script.IntParam, Max: 86400 * 30, Unit: "seconds", Set: script.Into(to)}
	}
	idle := func(name string, kind script.ParamType, help, why string) script.Parameter {
		return script.Parameter{Name: name, Type: kind, Help: help, Note: why}
	}
	const (
		memory  = "publications and subscriptions are in memory"
		tables  = "tables grow by themselves"
		cluster = "there is no cluster"
	)
	return []script.Parameter{
		number("max_expires_subscribe", "The longest subscription; default 3600.", &m.maxSubscribe),
		number("max_expires_publish", "The longest publication; default 3600.", &m.maxPublish),
		{Name: "max_subscriptions_per_watcher", Type: script.IntParam, Min: 1, Max: maxSubscriptions, Default: "1000", Set: script.Into(&m.perWatcher),
			Help: "How many subscriptions a URI of From has at most; more are answered 403. Ours."},
		number("expires_offset", "How much longer than told it is kept.", &m.offset),
		{Name: "contact_user", Type: script.StringParam, Default: m.user, Help: "The user of our Contact.", Set: script.Into(&m.user)},
		{Name: "server_address", Type: script.StringParam, Help: "Of before OpenSIPS 2.3: our Contact, of which the user counts; contact_user says that since.", Set: m.setAddress},
		{Name: "notify_offline_body", Type: script.BoolParam, Default: "0", Set: script.Into(&m.offline), Help: "Whether watchers of a presentity that publishes nothing get a document that says closed."},
		{Name: "end_sub_on_timeout", Type: script.BoolParam, Default: "1", Set: script.Into(&m.endOnTimeout), Help: "Whether a subscription ends when nobody answers its NOTIFY."},
		idle("db_url", script.StringParam, "The database.", memory), idle("fallback2db", script.BoolParam, "Whether the database is asked.", memory),
		idle("clean_period", script.IntParam, "How often what is over is taken off.", "it is taken off within a second"),
		idle("db_update_period", script.IntParam, "How often the database is written.", memory),
		idle("presentity_table", script.StringParam, "Table of publications.", memory), idle("active_watchers_table", script.StringParam, "Table of subscriptions.", memory),
		idle("watchers_table", script.StringParam, "Table of permissions.", memory), idle("waiting_subs_daysno", script.IntParam, "Days that waiting subscriptions are kept.", "no subscription waits"),
		idle("subs_htable_size", script.IntParam, "Size of a table.", tables), idle("pres_htable_size", script.IntParam, "Size of a table.", tables),
		idle("cluster_id", script.IntParam, "The cluster.", cluster), idle("cluster_federation_mode", script.AnyParam, "How nodes share.", cluster),
		idle("cluster_pres_events", script.StringParam, "Events that nodes share.", cluster), idle("cluster_be_active_shtag", script.StringParam, "Tag of the active node.", cluster),
	}
}

// Add has the module serve an event: for the Check of the module that has it. offline
// makes the document of a presentity that publishes nothing, for notify_offline_body.
func (m *Module) Add(e Event, offline func(uri string) []byte) {
	m.events[e.Name()] = e
	if offline != nil {
		m.offlineBody = offline
	}
}

func (m *Module) check(l *script.Loading) {
	m.signaling, _ = l.Instance("signaling").(*signaling.Module)
	m.tm, _ = l.Instance("tm").(*tm.Module)
}

func (m *Module) start(e *script.Env) error {
	m.env = e
	if old, ok := e.Previous.(*Module); ok {
		m.state = old.state
	}
	e.Every(time.Second, func(context.Context) { m.sweep(time.Now().Unix()) })
	return nil
}

// sweep ends what is over.
func (m *Module) sweep(now int64) {
	m.state.mu.Lock()
	ended, changed := m.state.expire(now)
	var out []*notify
	for _, x := range ended {
		out = append(out, m.notify(x, now, "timeout"))
		out = append(out, m.tellOfWatchers(x.of, now)...)
	}
	for _, of := range changed {
		out = append(out, m.tell(of, now, "")...)
	}
	m.state.mu.Unlock()
	m.send(nil, out)
}

// named lists the events, for Allow-Events.
func (m *Module) named() string {
	names := make([]string, 0, len(m.events))
	for n := range m.events {
		names = append(names, n)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}
