// Package config is OpenSIPS' module config: settings by name, from a table of a database, that
// scripts read and that scripts and the management interface may change while the program runs.
package config

import (
	"context"
	"encoding/json"
	"errors"
	"sync"

	"sipreactor/reactor/modules/internal/database"
	"sipreactor/reactor/rpc"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
)

// entry is a setting. Its texts are nil where they are NULL.
type entry struct{ value, description *string }

// maxEntries bounds the settings.
const maxEntries = 1 << 16

// settings are those of the program: they outlive a reload of its script.
type settings struct {
	sync.RWMutex
	byName map[string]entry
}

// module is the module in one configuration.
type module struct {
	url                                    database.URL
	table, nameCol, valueCol, descriptionC string
	db                                     *store.DB
	kept                                   *store.Snapshot[map[string]entry]
	now                                    *settings
}

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := &module{table: "config", nameCol: "name", valueCol: "value", descriptionC: "description", now: &settings{byName: map[string]entry{}}}
	text := script.StringParam
	return &script.Module{
		Name: "config", Help: "Settings from a table, which scripts and management may change.", Instance: m,
		Parameters: append(m.url.Parameters(),
			script.Parameter{Name: "table_name", Type: text, Default: m.table, Help: "The table.", Set: script.NonEmpty(&m.table)},
			script.Parameter{Name: "name_column", Type: text, Default: m.nameCol, Help: "The column with names.", Set: script.NonEmpty(&m.nameCol)},
			script.Parameter{Name: "value_column", Type: text, Default: m.valueCol, Help: "The column with values.", Set: script.NonEmpty(&m.valueCol)},
			script.Parameter{Name: "description_column", Type: text, Default: m.descriptionC, Help: "The column with descriptions.", Set: script.NonEmpty(&m.descriptionC)},
			script.Parameter{Name: "enable_restart_persistency", Type: script.BoolParam, Default: "0", Help: "Keeps changes over a restart.", Set: func(v script.Literal) error {
				if v.Int != 0 {
					return errors.New("is not supported: what is to outlive the program config_flush writes to the database")
				}
				return nil
			}},
			script.Parameter{Name: "hash_size", Type: script.IntParam, Help: "Size of a table.", Note: "the table grows by itself"},
		),
		Variables: []script.Variable{
			{Name: "config", Inner: script.AnyInner, Free: true, Help: "A setting; what is assigned holds until config_reload.",
				Get: m.get(func(e entry) *string { return e.value }), Set: m.set},
			{Name: "config.description", Inner: script.AnyInner, Free: true, Help: "What a setting is for.",
				Get: m.get(func(e entry) *string { return e.description })},
		},
		Commands: []rpc.Command{
			{Name: "config_reload", Aliases: []string{"config:reload"}, Help: "Reads all settings from the database, in the place of those in memory.", Func: m.reload},
			{Name: "config_list", Aliases: []string{"config:list"}, Help: "Lists the settings, with 1 their descriptions, too.", Params: []rpc.Param{{Name: "description", Kind: rpc.Integer, Optional: true}}, Func: m.list},
			{Name: "config_push", Aliases: []string{"config:push"}, Help: "Changes a setting, until config_reload.", Params: []rpc.Param{{Name: "name"}, {Name: "value"}, {Name: "description", Optional: true}}, Func: m.push},
			{Name: "config_push_bulk", Aliases: []string{"config:push_bulk"}, Help: "Changes several: an array of objects with name, value and perhaps description.", Params: []rpc.Param{{Name: "configs", Kind: rpc.JSON}}, Func: m.pushBulk},
			{Name: "config_flush", Aliases: []string{"config:flush"}, Help: "Writes a setting, or all, to the database.", Params: []rpc.Param{{Name: "name", Optional: true}}, Func: m.flush},
		},
		Statistics: []script.Statistic{{Name: "settings", Help: "Settings that there are.", Gauge: true, Value: func() uint64 {
			m.now.RLock()
			defer m.now.RUnlock()
			return uint64(len(m.now.byName))
		}}},
		Check: func(l *script.Loading) { m.url.Check(l) },
		Start: m.start, Trial: true,
		Stop: func(any) { _ = m.db.Close() },
	}
}

// start reads the table, unless the settings are those of the script before.
func (m *module) start(e *script.Env) (err error) {
	before, again := e.Previous.(*module)
	if m.db, err = m.url.Open(e); err != nil {
		return err
	}
	if m.kept, err = database.Keep(e, m.db, "config", m.load); err != nil {
		_ = m.db.Close() // the other error tells more
		return script.ErrorAt(m.url.At(), err)
	}
	if again && before.url.Text() == m.url.Text() && before.table == m.table {
		m.now = before.now
		return nil
	}
	m.now.replace(*m.kept.Get())
	return nil
}

func (s *settings) replace(with map[string]entry) {
	s.Lock()
	defer s.Unlock()
	s.byName = make(map[string]entry, len(with))
	for name, e := range with {
		s.byName[name] = e
	}
}

// put changes a setting. It reports whether there was room.
func (s *settings) put(name string, change func(e entry) entry) bool {
	s.Lock()
	defer s.Unlock()
	e, known := s.byName[name]
	if !known && len(s.byName) >= maxEntries {
		return false
	}
	s.byName[name] = change(e)
	return true
}

func (s *settings) get(name string) entry {
	s.RLock()
	defer s.RUnlock()
	return s.byName[name]
}

func (m *module) load(ctx context.Context, from store.Source) (*map[string]entry, error) {
	all := map[string]entry{}
	err := from.Load(ctx, store.Select{Table: m.table, Columns: []string{m.nameCol, m.valueCol}, Optional: []string{m.descriptionC}, Key: m.nameCol}, func(r *store.Row) error {
		if len(all) == maxEntries {
			return r.Fault(0, "is one more than %d", maxEntries)
		}
		all[r.Text(0)] = entry{optional(r, 1), optional(r, 2)}
		return nil
	})
	return &all, err
}

func optional(r *store.Row, i int) *string {
	if r.IsNull(i) {
		return nil
	}
	s := string([]byte(r.Text(i)))
	return &s
}

func (m *module) get(part func(entry) *string) func(u *script.Use) script.Getter {
	return func(u *script.Use) script.Getter {
		name := u.Inner()
		if name == nil {
			return nil
		}
		return func(x *script.Machine, _ int) script.Value {
			s := part(m.now.get(string(name(x))))
			if s == nil {
				return script.Value{}
			}
			return script.Text(x.KeepString(*s))
		}
	}
}

func (m *module) set(u *script.Use) script.Setter {
	name, at := u.Inner(), u.Site()
	if name == nil {
		return nil
	}
	return func(x *script.Machine, v script.Value) int {
		var to *string
		if !v.IsNull() {
			s := string(x.Text(v))
			to = &s
		}
		if !m.now.put(string(name(x)), func(e entry) entry { e.value = to; return e }) {
			return x.Fail(at, "there are too many settings")
		}
		return 1
	}
}

func (m *module) reload(ctx context.Context, _ *rpc.Args) (any, error) {
	if err := m.kept.Reload(ctx); err != nil {
		return nil, rpc.Failed("Failed to reload", err.Error())
	}
	m.now.replace(*m.kept.Get())
	return "OK", nil
}

// errFull is the answer to one setting more than there may be.
var errFull = rpc.Failed("Too many settings", nil)

func (m *module) push(_ context.Context, a *rpc.Args) (any, error) {
	value, description := a.Text("value"), a.Text("description")
	if !m.now.put(a.Text("name"), func(e entry) entry {
		e.value = &value
		if a.Has("description") {
			e.description = &description
		}
		return e
	}) {
		return nil, errFull
	}
	return "OK", nil
}

func (m *module) pushBulk(_ context.Context, a *rpc.Args) (any, error) {
	var all []struct {
		Name               string
		Value, Description *string
	}
	if err := json.Unmarshal([]byte(a.Text("configs")), &all); err != nil {
		return nil, &rpc.Error{Code: rpc.CodeParams, Message: "Invalid params", Data: "configs is no array of objects with name and value: " + err.Error()}
	}
	for i, one := range all {
		if one.Name == "" {
			return nil, &rpc.Error{Code: rpc.CodeParams, Message: "Invalid params", Data: rpc.Object{{Name: "index", Value: i}, {Name: "error", Value: "name is missing"}}}
		}
	}
	n := 0
	for _, one := range all {
		if m.now.put(one.Name, func(e entry) entry {
			e.value = one.Value
			if one.Description != nil {
				e.description = one.Description
			}
			return e
		}) {
			n++
		}
	}
	return n, nil
}
