package sqlscript

import (
	"slices"
	"strings"

	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
)

// call is what a call of the three functions says.
type call struct {
	*Preferences
	*Call
	whose owner
	table *table
	avp   string // the AVP's name; "" is all
}

// PreferenceArgs are the kinds of arguments of Store and Delete; Load has a
// prefix besides.
var PreferenceArgs = []script.ArgKind{script.NamesArg, script.NamesArg, script.TextArg, script.FixedArg}

// compile reads (source, name[, db_id]); nil after an error.
func (p *Preferences) compile(a *script.Args) *call {
	c := &call{Preferences: p, Call: p.Databases.Call(a, 2)}
	var ok bool
	if c.whose, ok = source(a, 0); !ok || c.Call == nil {
		return nil
	}
	name, where, _ := strings.Cut(strings.TrimSpace(a.Literal(1).Text), "/")
	switch rest, isAVP := strings.CutPrefix(name, "$avp("); {
	case isAVP && strings.HasSuffix(rest, ")") && !strings.Contains(rest, "$"):
		c.avp = strings.TrimSuffix(rest, ")")
		v := a.Literal(1)
		v.Text = name
		if a.Loading().AVP(v) == nil {
			return nil
		}
	case isAll(name):
	default:
		a.Errorf(1, "found %q, expected $avp(name), or a for all, with /table or /$scheme behind it", name)
		return nil
	}
	var err error
	if c.table, err = p.chosen(where); err != nil {
		a.Errorf(1, "%v", err)
		return nil
	}
	if c.table.scheme && c.avp == "" {
		a.Errorf(1, "the table of a db_scheme has no names of AVPs: $avp(name) says where its value goes")
		return nil
	}
	return c
}

// wants notes the table of a call and its columns.
func (c *call) wants(a *script.Args, writes bool, columns ...string) {
	columns = append(slices.Clone(columns), c.whose.columns(c.table, c.useDomain)...)
	c.Databases.Wants(a, 2, Wanted{At: a.Literal(1).At, Table: c.table.name, Columns: columns, Writes: writes})
}

// isAll reports whether a name means all AVPs: a letter for their kinds, of which
// there is one by now.
func isAll(name string) bool {
	return name == "*" || name != "" && strings.IndexByte("aAiIsS", name[0]) >= 0 && strings.Trim(name[1:], "0123456789") == ""
}

// conds are the conditions on the rows that a call means.
func (c *call) conds(keys []store.Set) []store.Cond {
	var list []store.Cond
	for _, k := range keys {
		list = append(list, store.Equal(k.Column, k.Value))
	}
	if c.avp != "" && !c.table.scheme {
		list = append(list, store.Equal(c.table.attribute, store.String(c.avp)))
	}
	return list
}

// begin finds the database and the owner; nil: that failed and was logged.
func (c *call) begin(m *script.Machine) (*numbered, []store.Set) {
	n := c.pick(m)
	if n == nil {
		return nil, nil
	}
	keys, err := c.whose.keys(m, c.table, c.useDomain)
	if err != nil {
		c.Refuse(m, err)
		return nil, nil
	}
	return n, keys
}
