package b2b_entities

import (
	"context"
	"fmt"
	"time"

	"sipreactor/reactor/internal/repeats"
	"sipreactor/reactor/modules/tm"
	"sipreactor/reactor/modules/uac_auth"
	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
)

// Module is b2b_entities of one configuration.
type Module struct {
	sessions  *sessions
	prefix    string
	contact   string        // host and port of our Contact; "": those of the socket
	lasts     time.Duration // of a session that says nothing else
	routeName script.Literal
	onRequest *script.Routine
	tm        *tm.Module
	auth      *uac_auth.Module // nil: it is not loaded
	env       *script.Env
	unsent    repeats.Table[string] // lines about requests that were not sent, by method
}

// event tells what happens to a session.
const event = "E_UA_SESSION"

// What an event tells, its parameter event_type.
const (
	isNew        = "NEW"
	isEarly      = "EARLY"
	isAnswered   = "ANSWERED"
	isRejected   = "REJECTED"
	isUpdated    = "UPDATED"
	isTerminated = "TERMINATED"
)

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := &Module{sessions: newSessions(), prefix: "B2B", lasts: 12 * time.Hour}
	return &script.Module{
		Name: "b2b_entities", Help: "Sessions in which this server is the user agent.", Needs: []string{"tm"}, Uses: []string{"uac_auth"}, Instance: m,
		Parameters: m.parameters(), Functions: m.functions(), Commands: m.commands(),
		Statistics: []script.Statistic{{Name: "sessions", Help: "Sessions that there are.", Gauge: true, Value: m.sessions.len}},
		Events: []script.Event{{Name: event, Help: "Something happened to a session: NEW, EARLY, ANSWERED, REJECTED, UPDATED (a later request, or its response) or TERMINATED. entity_type is UAS or UAC, status and reason are those of a response, body and headers are there by the flags b and h.",
			Params: []string{"key", "entity_type", "event_type", "status", "reason", "method", "body", "headers"}}},
		Wrap: func(routes proxy.Router) proxy.Router { return &router{routes, m} }, Check: m.check, Start: m.start,
	}
}

func (m *Module) parameters() []script.Parameter {
	const table, memory, alone = "the tables of sessions grow as they need", "sessions live in memory, and end with the program", "there is no cluster"
	idle := func(name string, kind script.ParamType, help, why string) script.Parameter {
		return script.Parameter{Name: name, Type: kind, Help: help, Note: why}
	}
	return []script.Parameter{
		{Name: "b2b_key_prefix", Type: script.StringParam, Default: "B2B", Help: "What the keys of sessions begin with.", Set: func(v script.Literal) error {
			if v.Text == "" || len(v.Text) > 32 || !token(v.Text) {
				return fmt.Errorf("is no token of up to 32 characters: %q", v.Text)
			}
			m.prefix = v.Text
			return nil
		}},
		{Name: "advertised_contact", Type: script.StringParam, Help: "URI of our Contact where the script gives none; by default that of the socket.", Set: script.NonEmpty(&m.contact)},
		{Name: "ua_default_timeout", Type: script.IntParam, Min: 1, Max: 7 * 86400, Unit: "seconds", Default: "43200", Help: "How long a session lasts at most whose flags do not say.", Set: script.Seconds(&m.lasts)},
		{Name: "script_req_route", Type: script.StringParam, Help: "The route that is run for each later request of a session, before it is told.", Set: func(v script.Literal) error {
			m.routeName = v
			return nil
		}},
		idle("script_reply_route", script.StringParam, "The route for responses.", "responses are told by E_UA_SESSION alone"),
		idle("server_hsize", script.IntParam, "Size of a table.", table), idle("client_hsize", script.IntParam, "Size of a table.", table),
		idle("db_url", script.StringParam, "The database.", memory), idle("db_mode", script.IntParam, "When sessions are stored.", memory),
		idle("db_table", script.StringParam, "The table.", memory), idle("update_period", script.IntParam, "How often sessions are stored.", memory),
		idle("cachedb_url", script.StringParam, "The cache.", memory), idle("cachedb_key_prefix", script.StringParam, "What keys there begin with.", memory),
		idle("cluster_id", script.IntParam, "The cluster.", alone), idle("replication_mode", script.IntParam, "Whether nodes have the same keys.", alone),
		idle("passthru_prack", script.BoolParam, "Whether a PRACK passes.", "a PRACK of a session is told as other requests are"),
	}
}

func (m *Module) check(l *script.Loading) {
	m.tm, _ = l.Instance("tm").(*tm.Module)
	m.auth, _ = l.Instance("uac_auth").(*uac_auth.Module)
	if m.routeName.Text != "" {
		m.onRequest = l.Route(script.RequestRoute, m.routeName)
	}
}

func (m *Module) start(e *script.Env) error {
	m.env = e
	if old, ok := e.Previous.(*Module); ok {
		m.sessions = old.sessions
	}
	e.Every(time.Second, func(context.Context) { m.sweep(time.Now()) })
	return nil
}

// sweep ends sessions whose time is over, and answers requests that the script has left.
func (m *Module) sweep(now time.Time) {
	for _, s := range m.sessions.all() {
		late, over := s.due(now)
		for _, p := range late {
			m.respond(nil, s, p, answer{code: 408})
		}
		if over {
			m.terminate(nil, s, "")
			m.tell(s, isTerminated, telling{})
		}
	}
}
