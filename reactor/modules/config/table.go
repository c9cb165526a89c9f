package config

import (
	"context"
	"maps"
	"slices"

	"sipreactor/reactor/rpc"
	"sipreactor/reactor/store"
)

func (m *module) list(_ context.Context, a *rpc.Args) (any, error) {
	m.now.RLock()
	defer m.now.RUnlock()
	all := []rpc.Object{}
	for _, name := range slices.Sorted(maps.Keys(m.now.byName)) {
		e := m.now.byName[name]
		o := rpc.Object{{Name: "name", Value: name}, {Name: "value", Value: e.value}}
		if a.Int("description") != 0 {
			o = append(o, rpc.Field{Name: "description", Value: e.description})
		}
		all = append(all, o)
	}
	return all, nil
}

// flush writes settings to the database, all that are meant or none.
func (m *module) flush(ctx context.Context, a *rpc.Args) (any, error) {
	m.now.RLock()
	meant := maps.Clone(m.now.byName)
	m.now.RUnlock()
	if a.Has("name") {
		e, ok := meant[a.Text("name")]
		if !ok {
			return nil, &rpc.Error{Code: rpc.CodeNotFound, Message: "Setting not found"}
		}
		meant = map[string]entry{a.Text("name"): e}
	}
	var changes []store.Change
	for _, name := range slices.Sorted(maps.Keys(meant)) {
		row := []store.Value{store.String(name), value(meant[name].value), value(meant[name].description)}
		changes = append(changes,
			store.Change{Verb: store.VerbDelete, Table: m.table, Where: []store.Cond{store.Equal(m.nameCol, row[0])}},
			store.Change{Verb: store.VerbInsert, Table: m.table, Columns: []string{m.nameCol, m.valueCol, m.descriptionC}, Rows: [][]store.Value{row}})
	}
	if _, err := m.db.Apply(ctx, changes...); err != nil {
		return nil, rpc.Failed("Failed to flush", err.Error())
	}
	return len(meant), nil
}

func value(s *string) store.Value {
	if s == nil {
		return store.Value{}
	}
	return store.String(*s)
}
