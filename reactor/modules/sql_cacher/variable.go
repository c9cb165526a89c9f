package sql_cacher

import (
	"context"
	"slices"
	"strings"

	"sipreactor/reactor/modules/internal/database"
	"sipreactor/reactor/script"
)

// variable compiles $sql_cached_value().
func (m *module) variable(u *script.Use) script.Getter {
	text, _ := u.Fixed()
	id, rest, ok := strings.Cut(text, m.valueBy)
	column, key, also := strings.Cut(rest, m.valueBy)
	if !ok || !also || key == "" || strings.Contains(id+column, "$") {
		u.Errorf("%s is not id%[2]scolumn%[2]skey, of which the key may be a variable", script.Clip(text), m.valueBy)
		return nil
	}
	c := m.find(id)
	switch {
	case c == nil:
		u.Errorf("there is no cache_table with the id %s", script.Clip(id))
		return nil
	case c.columns != nil && column != c.key && !slices.Contains(c.columns, column):
		u.Errorf("cache_table %s has no column %s%s", id, script.Clip(column), script.Choices(column, c.columns))
		return nil
	}
	by := func(*script.Machine) (string, bool) { return key, true }
	if strings.HasPrefix(key, "$") {
		get := u.Variable(key)
		if get == nil {
			return nil
		}
		by = func(x *script.Machine) (string, bool) {
			v := get(x)
			return string(x.Text(v)), !v.IsNull()
		}
	}
	at := u.Site()
	return func(x *script.Machine, _ int) script.Value {
		k, ok := by(x)
		if !ok {
			return script.Value{}
		}
		m.lookups.Add(1)
		r := c.known(k)
		if r == nil && c.onDemand {
			var err error
			m.queries.Add(1)
			if !x.Wait(func() { r, err = c.fetch(context.Background(), k) }) {
				x.Say(at, script.LevelWarn, "sql_cacher: too many messages wait")
			}
			if err != nil {
				x.Say(at, script.LevelError, "sql_cacher: the database failed", "id", c.id, "error", err)
			}
		}
		if r == nil {
			return script.Value{}
		}
		v, _ := r.value(column)
		return database.Value(x, v)
	}
}
