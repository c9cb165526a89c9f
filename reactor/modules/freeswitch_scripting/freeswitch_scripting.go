// Package freeswitch_scripting is OpenSIPS' module freeswitch_scripting: events of FreeSWITCH
// servers come to an event_route, and scripts run commands there. The connections are those of
// the module freeswitch.
package freeswitch_scripting

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"sipreactor/reactor/modules/freeswitch"
	"sipreactor/reactor/modules/internal/database"
	"sipreactor/reactor/rpc"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
)

// source is a server and the events of it that come to scripts.
type source struct {
	url    freeswitch.URL
	events []string
}

// module is the module in one configuration.
type module struct {
	url     database.URL
	hasURL  bool
	table   string
	columns [5]string // username, password, ip, port, events
	param   []source

	freeswitch *freeswitch.Module
	env        *script.Env
	db         *store.DB                 // nil: there is no table
	kept       *store.Snapshot[[]source] // what the table says

	mu   sync.Mutex
	list []source // that are followed
}

// event is raised for each event of a server.
const event = "E_FREESWITCH"

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := &module{table: "freeswitch", columns: [5]string{"username", "password", "ip", "port", "events_csv"}}
	text := script.TextArg
	parameters := m.url.Parameters()
	set := parameters[0].Set
	parameters[0].Default, parameters[0].Set = "none", func(v script.Literal) error {
		m.hasURL = v.Text != ""
		return set(v)
	}
	parameters = append(parameters, script.Parameter{Name: "db_table", Type: script.StringParam, Default: m.table, Help: "The table of servers and their events.", Set: script.NonEmpty(&m.table)})
	for i, name := range []string{"username", "password", "ip", "port", "events"} {
		parameters = append(parameters, script.Parameter{Name: "db_col_" + name, Type: script.StringParam, Default: m.columns[i], Help: "The table's column with that.", Set: script.NonEmpty(&m.columns[i])})
	}
	parameters = append(parameters, script.Parameter{
		Name: "fs_subscribe", Type: script.StringParam, Help: "A server and the events of it that come to scripts: fs://[user]:password@host[:port]?EVENT,EVENT.",
		Set: func(v script.Literal) error {
			u, events, err := freeswitch.ParseURL(v.Text)
			switch {
			case err != nil:
				return err
			case u.Password == "":
				return errors.New("has no password: fs://:password@host")
			}
			m.param = append(m.param, source{u, events})
			return nil
		},
	})
	return &script.Module{
		Name: "freeswitch_scripting", Help: "Brings events of FreeSWITCH servers to event_route[E_FREESWITCH], and runs commands there.",
		Needs: []string{"freeswitch"}, Instance: m, Parameters: parameters,
		Functions: []script.Function{{
			Name: "freeswitch_esl", Usage: `freeswitch_esl("command", "fs://[user]:password@host[:port]"[, $var(answer)])`, Async: true,
			Help: "Runs a command of the Event Socket and waits for its answer; without a password on a server that is followed. -1: there was none. An answer may be -ERR.",
			Args: []script.ArgKind{text, text, script.SetArg}, Min: 2, Routes: script.Anywhere, Build: m.command,
		}},
		Commands: m.commands(),
		Events:   []script.Event{{Name: event, Help: "A server has told of an event: its name, the server's address, and what it says as JSON.", Params: []string{"name", "sender", "body"}}},
		Check: func(l *script.Loading) {
			m.freeswitch, _ = l.Instance("freeswitch").(*freeswitch.Module)
			if m.hasURL {
				m.url.Check(l)
			}
		},
		Start: m.start, Trial: true,
		Stop: func(any) { m.stop() },
	}
}

func (m *module) start(e *script.Env) (err error) {
	m.env, m.list = e, m.param
	if !m.hasURL {
		m.follow()
		return nil
	}
	if m.db, err = m.url.Open(e); err != nil {
		return err
	}
	if m.kept, err = database.Keep(e, m.db, "freeswitch_scripting", m.load); err != nil {
		_ = m.db.Close() // the other error tells more
		return script.ErrorAt(m.url.At(), err)
	}
	return nil
}

func (m *module) stop() {
	if m.db != nil {
		_ = m.db.Close()
	}
}

// load reads the table, and follows what it says besides the parameters.
func (m *module) load(ctx context.Context, from store.Source) (*[]source, error) {
	var rows []source
	err := from.Load(ctx, store.Select{Table: m.table, Columns: m.columns[:], Key: m.columns[2]}, func(r *store.Row) error {
		u := freeswitch.URL{User: r.Text(0), Password: r.Text(1), Host: r.Text(2), Port: uint16(r.IntIn(3, 1, 65535))}
		if err := r.Err(); err != nil {
			return err
		}
		_, events, err := freeswitch.ParseURL("host?" + r.Text(4))
		if again, _, wrong := freeswitch.ParseURL(u.User + ":" + u.Password + "@" + u.Address()); err != nil || wrong != nil || again != u {
			return r.Fault(2, "is no server with its user and password")
		}
		rows = append(rows, source{u, events})
		return nil
	})
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	m.list = slices.Concat(m.param, rows)
	m.mu.Unlock()
	m.follow()
	return &rows, nil
}

// follow has the events come that the list names.
func (m *module) follow() {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make([]freeswitch.Subscription, 0, len(m.list))
	for _, s := range m.list {
		all = append(all, freeswitch.Subscription{URL: s.url, Events: s.events, Each: m.raise})
	}
	m.freeswitch.Follow("freeswitch_scripting", all)
}

func (m *module) raise(e *freeswitch.Event) {
	if m.env.Heard(event) {
		m.env.Raise(event, script.TextParam("name", e.Name), script.TextParam("sender", e.Sender), script.TextParam("body", string(e.Body)))
	}
}

func (m *module) command(a *script.Args) script.Action {
	text, where, answer, at := a.Text(0), a.Text(1), a.Setter(2), a.Site()
	if fixed, ok := a.Fixed(1); ok {
		if _, _, err := freeswitch.ParseURL(fixed); err != nil {
			a.Errorf(1, "the URL of FreeSWITCH %v", err)
			return nil
		}
	}
	return func(x *script.Machine) int {
		b, ok := text(x)
		to, given := where(x)
		if !ok || !given {
			return x.Fail(at, "an argument is NULL")
		}
		u, _, err := freeswitch.ParseURL(string(to))
		if err != nil {
			return x.Fail(at, "the URL of FreeSWITCH "+err.Error())
		}
		command, got := string(b), ""
		if !x.Wait(func() { got, err = m.freeswitch.Run(context.Background(), u, command) }) {
			x.Say(at, script.LevelWarn, "freeswitch: too many messages wait")
			return -1
		}
		if err != nil {
			x.Say(at, script.LevelError, "freeswitch: the command failed", "server", u.Address(), "error", err)
			return -1
		}
		if answer != nil {
			answer(x, script.Text(x.KeepString(got)))
		}
		return 1
	}
}

func (m *module) commands() []rpc.Command {
	which := []rpc.Param{{Name: "freeswitch_url"}, {Name: "event", Kind: rpc.List}}
	return []rpc.Command{
		{Name: "fs_subscribe", Aliases: []string{"freeswitch_scripting:subscribe"}, Help: "Has more events of a server come to scripts.", Params: which, Func: m.subscribe},
		{Name: "fs_unsubscribe", Aliases: []string{"freeswitch_scripting:unsubscribe"}, Help: "Has events of a server come no more.", Params: which, Func: m.unsubscribe},
		{Name: "fs_list", Aliases: []string{"freeswitch_scripting:list"}, Help: "Lists the servers and their events.", Func: m.show},
		{Name: "fs_reload", Aliases: []string{"freeswitch_scripting:reload"}, Help: "Reads the table again: its servers take the place of all others.", Func: m.reload},
	}
}

// find gives the place in the list of the server that a command means, -1 if it is not there.
// The list is locked.
func (m *module) find(a *rpc.Args) (freeswitch.URL, int, error) {
	u, _, err := freeswitch.ParseURL(a.Text("freeswitch_url"))
	if err != nil {
		return u, -1, &rpc.Error{Code: rpc.CodeParams, Message: "Invalid params", Data: "freeswitch_url " + err.Error()}
	}
	return u, slices.IndexFunc(m.list, func(s source) bool {
		return s.url == u || u.Password == "" && s.url.Host == u.Host && s.url.Port == u.Port
	}), nil
}

func (m *module) subscribe(_ context.Context, a *rpc.Args) (any, error) {
	defer m.follow()
	m.mu.Lock()
	defer m.mu.Unlock()
	u, i, err := m.find(a)
	switch {
	case err != nil:
		return nil, err
	case i < 0 && u.Password == "":
		return nil, &rpc.Error{Code: rpc.CodeParams, Message: "Invalid params", Data: freeswitch.ErrPassword.Error()}
	}
	list := slices.Clone(m.list)
	if i < 0 {
		list = append(list, source{url: u})
		i = len(list) - 1
	}
	_, events, err := freeswitch.ParseURL("host?" + strings.Join(a.List("event"), ","))
	if err != nil {
		return nil, err
	}
	all := slices.Concat(list[i].events, events)
	slices.Sort(all)
	list[i].events = slices.Compact(all)
	m.list = list
	return "OK", nil
}

func (m *module) unsubscribe(_ context.Context, a *rpc.Args) (any, error) {
	defer m.follow()
	m.mu.Lock()
	defer m.mu.Unlock()
	_, i, err := m.find(a)
	switch {
	case err != nil:
		return nil, err
	case i < 0:
		return nil, &rpc.Error{Code: rpc.CodeNotFound, Message: "Server not found"}
	}
	list := slices.Clone(m.list)
	list[i].events = slices.DeleteFunc(slices.Clone(list[i].events), func(e string) bool { return slices.Contains(a.List("event"), e) })
	m.list = list
	return "OK", nil
}

func (m *module) show(context.Context, *rpc.Args) (any, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := []rpc.Object{}
	for _, s := range m.list {
		events := slices.Concat([]string{}, s.events)
		all = append(all, rpc.Object{{Name: "ip", Value: s.url.Host}, {Name: "port", Value: s.url.Port}, {Name: "events", Value: events}})
	}
	return rpc.Object{{Name: "Sockets", Value: all}}, nil
}

func (m *module) reload(ctx context.Context, _ *rpc.Args) (any, error) {
	if m.kept == nil {
		return nil, rpc.Failed("there is no table: db_url is not set", nil)
	}
	if err := m.kept.Reload(ctx); err != nil {
		return nil, rpc.Failed("Failed to reload", err.Error())
	}
	m.mu.Lock()
	m.param, m.list = nil, slices.Clone(*m.kept.Get())
	m.mu.Unlock()
	m.follow()
	return "OK", nil
}
