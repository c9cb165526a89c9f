package sqlscript

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
)

// Preferences are the parameters and functions about AVPs of users in a table, such
// as usr_preferences: a row has whose it is, the AVP's name, its value, and its type,
// of which bit 0 means that the value is a number.
type Preferences struct {
	Databases *Databases
	std       table
	useDomain bool
	schemes   map[string]*table
}

// table is where preferences are.
type table struct {
	name, uuid, user, domain, attribute, value, kind string
	scheme, number                                   bool // of a scheme: it has no attribute and no type
}

// NewPreferences makes preferences whose table is name; "" is none unless a call names one.
func NewPreferences(d *Databases, name string) *Preferences {
	return &Preferences{Databases: d, schemes: make(map[string]*table), std: table{
		name: name, uuid: "uuid", user: "username", domain: "domain", attribute: "attribute", value: "value", kind: "type",
	}}
}

// Parameters returns the parameters; tableName is the one for the table.
func (p *Preferences) Parameters(tableName string) []script.Parameter {
	text := func(name, help string, to *string) script.Parameter {
		return script.Parameter{Name: name, Type: script.StringParam, Default: *to, Help: help, Set: script.Into(to)}
	}
	return []script.Parameter{
		text(tableName, "The table of preferences.", &p.std.name),
		{Name: "use_domain", Type: script.BoolParam, Default: "0", Help: "Whether a URI names a user by its domain, too.", Set: script.Into(&p.useDomain)},
		text("uuid_column", "The column of a unique id of whom the preference is.", &p.std.uuid),
		text("username_column", "The column of the user.", &p.std.user),
		text("domain_column", "The column of the user's domain.", &p.std.domain),
		text("attribute_column", "The column of the AVP's name.", &p.std.attribute),
		text("value_column", "The column of the value.", &p.std.value),
		text("type_column", "The column of the type: a value of an odd one is a number.", &p.std.kind),
		{
			Name: "db_scheme", Type: script.StringParam, Set: p.addScheme,
			Help: "Another table that functions name by $name: \"name:table=subscriber;uuid_col=uuid;value_col=first_name\", with username_col, domain_col and value_type=integer or string.",
		},
	}
}

// addScheme reads a db_scheme. What it does not name is as in the table of
// preferences, whichever parameter comes first.
func (p *Preferences) addScheme(v script.Literal) error {
	name, rest, ok := strings.Cut(v.Text, ":")
	if name = strings.TrimSpace(name); !ok || name == "" {
		return errors.New("is \"name:element=value;...\"")
	}
	t := &table{scheme: true}
	for e := range strings.SplitSeq(rest, ";") {
		if e = strings.TrimSpace(e); e == "" {
			continue
		}
		key, value, _ := strings.Cut(e, "=")
		value = strings.TrimSpace(value)
		switch strings.TrimSpace(key) {
		case "table":
			t.name = value
		case "uuid_col":
			t.uuid = value
		case "username_col":
			t.user = value
		case "domain_col":
			t.domain = value
		case "value_col":
			t.value = value
		case "value_type":
			switch value {
			case "integer":
				t.number = true
			case "string":
			default:
				return fmt.Errorf("has the value_type %q; there are integer, string", value)
			}
		default:
			return fmt.Errorf("has the unknown element %q; there are table, uuid_col, username_col, domain_col, value_col, value_type", key)
		}
	}
	p.schemes[name] = t
	return nil
}

// chosen is the table of a call: "" is the usual one, $name a scheme's.
func (p *Preferences) chosen(name string) (*table, error) {
	t := p.std
	if scheme, ok := strings.CutPrefix(name, "$"); ok {
		s := p.schemes[scheme]
		if s == nil {
			return nil, fmt.Errorf("there is no db_scheme %q", scheme)
		}
		t = *s
		for _, f := range []struct{ to, from *string }{
			{&t.name, &p.std.name}, {&t.uuid, &p.std.uuid}, {&t.user, &p.std.user}, {&t.domain, &p.std.domain}, {&t.value, &p.std.value},
		} {
			if *f.to == "" {
				*f.to = *f.from
			}
		}
	} else if name != "" {
		t.name = name
	}
	if t.name == "" {
		return nil, errors.New("there is no table: neither a parameter nor the call names one")
	}
	return &t, nil
}

// Load compiles a call of sql_avp_load(source, name[, db_id][, prefix]): 1 if there
// was a value, -1 if there was none or an error.
func (p *Preferences) Load(a *script.Args) script.Action {
	c := p.compile(a)
	if c == nil {
		return nil
	}
	prefix := strings.TrimSpace(a.Literal(3).Text)
	if prefix != "" && c.avp != "" {
		v := a.Literal(3)
		v.Text = prefix + c.avp
		if a.Loading().AVP(v) == nil {
			return nil
		}
	}
	q := store.Select{Table: c.table.name, Columns: []string{c.table.value}}
	if !c.table.scheme {
		q.Columns = append(q.Columns, c.table.attribute, c.table.kind)
	}
	c.wants(a, false, q.Columns...)
	return func(m *script.Machine) int {
		n, keys := c.begin(m)
		if n == nil {
			return -1
		}
		q := q
		q.Where = c.conds(keys)
		var res *store.Result
		code := c.on(m, n, func(ctx context.Context, db *store.DB) (err error) {
			res, err = db.Select(ctx, q)
			return err
		})
		if code != 1 {
			return code
		}
		for i := res.Len() - 1; i >= 0; i-- {
			c.take(m, prefix, res.Row(i))
		}
		return script.Yes(res.Len() > 0)
	}
}

// take makes a row an AVP. One that no route names is nobody's.
func (c *call) take(m *script.Machine, prefix string, row []store.Value) {
	name, number := c.avp, c.table.number
	if !c.table.scheme {
		name = row[1].Text()
		kind, _ := row[2].Int()
		number = kind&1 != 0
	}
	avp := m.Program().AVP(prefix + name)
	if avp == nil || row[0].IsNull() {
		return
	}
	v := script.Text(m.KeepString(row[0].Text()))
	if n, ok := row[0].Int(); ok && number {
		v = script.Int(n)
	}
	if !avp.Add(m, v) {
		m.Say(c.at, script.LevelError, "there are more preferences than an AVP takes", "avp", prefix+name)
	}
}

// Store compiles a call of sql_avp_store(source, name[, db_id]): 1 if values were
// stored, -1 if there were none or an error.
func (p *Preferences) Store(a *script.Args) script.Action {
	c := p.compile(a)
	if c == nil {
		return nil
	}
	written := []string{c.table.value}
	if !c.table.scheme {
		written = append(written, c.table.attribute, c.table.kind)
	}
	c.wants(a, true, written...)
	return func(m *script.Machine) int {
		n, keys := c.begin(m)
		if n == nil {
			return -1
		}
		change := store.Change{Verb: store.VerbInsert, Table: c.table.name}
		for _, k := range keys {
			change.Columns = append(change.Columns, k.Column)
		}
		change.Columns = append(change.Columns, c.table.value)
		if !c.table.scheme {
			change.Columns = append(change.Columns, c.table.attribute, c.table.kind)
		}
		if c.avp != "" {
			change.Rows = c.rows(m, keys, nil, c.avp, m.Program().AVP(c.avp))
		} else {
			m.Program().AVPNames(func(name string, avp *script.AVP) { change.Rows = c.rows(m, keys, change.Rows, name, avp) })
		}
		if len(change.Rows) == 0 {
			return -1
		}
		return c.on(m, n, func(ctx context.Context, db *store.DB) error {
			_, err := db.Apply(ctx, change)
			return err
		})
	}
}

// rows appends a row for each value of an AVP, the newest first: the order in which
// Load puts them in front again.
func (c *call) rows(m *script.Machine, keys []store.Set, rows [][]store.Value, name string, avp *script.AVP) [][]store.Value {
	for i := range avp.Len(m) {
		v := avp.Get(m, i)
		row := make([]store.Value, 0, len(keys)+3)
		for _, k := range keys {
			row = append(row, k.Value)
		}
		row = append(row, store.String(string(m.Text(v))))
		if !c.table.scheme {
			kind := int64(0)
			if v.IsNumber() {
				kind = 1
			}
			row = append(row, store.String(name), store.Int(kind))
		}
		rows = append(rows, row)
	}
	return rows
}

// Delete compiles a call of sql_avp_delete(source, name[, db_id]): 1, or -1 for an
// error.
func (p *Preferences) Delete(a *script.Args) script.Action {
	c := p.compile(a)
	if c == nil {
		return nil
	}
	if c.avp != "" && !c.table.scheme {
		c.wants(a, true, c.table.attribute)
	} else {
		c.wants(a, true)
	}
	return func(m *script.Machine) int {
		n, keys := c.begin(m)
		if n == nil {
			return -1
		}
		return c.on(m, n, func(ctx context.Context, db *store.DB) error {
			_, err := db.Delete(ctx, c.table.name, c.conds(keys)...)
			return err
		})
	}
}
