package sqlscript

import (
	"context"

	"sipreactor/reactor/modules/internal/query"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
)

// QueryArgs are the kinds of arguments of Query.
var QueryArgs = []script.ArgKind{script.TextArg, script.NamesArg, script.TextArg}

// Query compiles a call of sql_query(query[, "AVPs"][, db_id]): 1, -2 for a result
// without a row, -1 for an error.
func (d *Databases) Query(a *script.Args) script.Action { return d.query(a, d.Rows(a, 1)) }

// QueryOne compiles a call of sql_query_one(query[, "variables"][, db_id]), which
// takes the first row.
func (d *Databases) QueryOne(a *script.Args) script.Action { return d.query(a, d.Row(a, 1)) }

func (d *Databases) query(a *script.Args, write Writer) script.Action {
	run := d.Call(a, 2)
	pieces := a.Fragments(0)
	if run == nil || write == nil || pieces == nil {
		return nil
	}
	parts := make([]query.Part, len(pieces))
	var get []func(m *script.Machine) script.Value
	for i, p := range pieces {
		parts[i] = query.Part{Text: p.Text, Var: p.Get != nil, Escaped: p.Escaped}
		if p.Get != nil {
			get = append(get, p.Get)
		}
	}
	for _, n := range d.named(a, 2) {
		n.makes = n.makes || makesTables(parts)
	}
	templates := make(map[store.Scheme]*query.Template)
	for _, kind := range d.kinds(a, 2) {
		if templates[kind] != nil {
			continue
		}
		t, err := query.Compile(parts, kind)
		if err != nil {
			a.Errorf(0, "%v", err)
			return nil
		}
		if t.Raw && len(templates) == 0 {
			a.Notef(0, "the whole query is a variable: what it brings is SQL, and nothing in it is escaped")
		}
		templates[kind] = t
	}
	return func(m *script.Machine) int {
		n := run.pick(m)
		if n == nil {
			return -1
		}
		var s store.Statement
		err := templates[n.url.Kind()].Fill(&s, func(i int) (string, bool) {
			v := get[i](m)
			return string(m.Text(v)), !v.IsNull()
		})
		if err != nil {
			return run.Refuse(m, err)
		}
		var res *store.Result
		code := run.on(m, n, func(ctx context.Context, db *store.DB) (err error) {
			res, err = db.Query(ctx, &s)
			return err
		})
		if code != 1 {
			return code
		}
		switch {
		case len(res.Columns) == 0:
			return 1 // a statement without a result
		case res.Len() == 0:
			return -2
		}
		return write(m, res)
	}
}
