package dialplan

import (
	"context"
	"time"

	"sipreactor/reactor/rpc"
	"sipreactor/reactor/script"
)

func (m *module) functions() []script.Function {
	return []script.Function{{
		Name: "dp_translate", Usage: `dp_translate(id, "input"[, $var(out)[, $var(attrs)[, "partition"]]])`,
		Help: "Translates an input by the first rule of a dialplan that it matches, by priority. The output goes into a variable, if the rule has one, and its attributes into another. -1: no rule matches. Regular expressions of rules are RE2's: no look-around, no back references.",
		Args: []script.ArgKind{script.IntArg, script.TextArg, script.SetArg, script.SetArg, script.TextArg}, Min: 2, Routes: script.Anywhere, Build: m.translate,
	}}
}

func (m *module) translate(a *script.Args) script.Action {
	id, input, out, attrs, at := a.Int(0), a.Text(1), a.Setter(2), a.Setter(3), a.Site()
	name := func(*script.Machine) ([]byte, bool) { return []byte(defaultPartition), true }
	if a.Given(4) {
		name = a.Text(4)
		if fixed, ok := a.Fixed(4); ok && m.byName[fixed] == nil {
			a.Errorf(4, "there is no partition %s", fixed)
			return nil
		}
	} else if m.byName[defaultPartition] == nil {
		a.Errorf(-1, "dp_translate() names no partition, and there is none by the name default")
		return nil
	}
	return func(x *script.Machine) int {
		part, _ := name(x)
		p := m.byName[string(part)]
		n, ok := id(x)
		text, given := input(x)
		switch {
		case p == nil:
			return x.Fail(at, "there is no such partition")
		case !ok:
			return x.Fail(at, "the dialplan ID is no number")
		case !given:
			return x.Fail(at, "the input is NULL")
		}
		in := string(text)
		r := p.rows.Get().find(n, in, x.Now())
		if r == nil {
			return -1
		}
		output, ok := r.apply(nil, in)
		if !ok {
			return -1
		}
		if out != nil && r.repl != nil {
			if code := out(x, script.Text(x.Keep(output))); code < 0 {
				return code
			}
		}
		if attrs != nil {
			return attrs(x, script.Text(x.KeepString(r.attrs)))
		}
		return 1
	}
}

// asked gives the partition that a command names, or the default one.
func (m *module) asked(a *rpc.Args) (*partition, error) {
	name := defaultPartition
	if a.Has("partition") {
		name = a.Text("partition")
	}
	if p := m.byName[name]; p != nil {
		return p, nil
	}
	return nil, &rpc.Error{Code: rpc.CodeNotFound, Message: "no such partition"}
}

func (m *module) commands() []rpc.Command {
	partition := rpc.Param{Name: "partition", Optional: true}
	return []rpc.Command{
		{
			Name: "dp_reload", Aliases: []string{"dialplan:reload"}, Params: []rpc.Param{partition},
			Help: "Reads the rules of a partition, or of all, again: those of each as a whole, or none after an error.",
			Func: func(ctx context.Context, a *rpc.Args) (any, error) {
				parts, err := m.some(a)
				if err != nil {
					return nil, err
				}
				for _, p := range parts {
					if err := p.rows.Reload(ctx); err != nil {
						return nil, rpc.Failed("Failed to reload", err.Error())
					}
				}
				return "OK", nil
			},
		},
		{
			Name: "dp_translate", Aliases: []string{"dialplan:translate"},
			Params: []rpc.Param{{Name: "dpid", Kind: rpc.Integer}, {Name: "input"}, partition},
			Help:   "Translates an input by the rules of a dialplan.",
			Func: func(_ context.Context, a *rpc.Args) (any, error) {
				p, err := m.asked(a)
				if err != nil {
					return nil, err
				}
				in := a.Text("input")
				r := p.rows.Get().find(int64(a.Int("dpid")), in, time.Now())
				if r == nil {
					return nil, &rpc.Error{Code: rpc.CodeNotFound, Message: "No translation"}
				}
				output, ok := r.apply(nil, in)
				if !ok {
					return nil, &rpc.Error{Code: rpc.CodeNotFound, Message: "No translation"}
				}
				return rpc.Object{{Name: "Output", Value: string(output)}, {Name: "ATTRIBUTES", Value: r.attrs}}, nil
			},
		},
		{
			Name: "dp_show_partition", Aliases: []string{"dp_show_partiton", "dialplan:show_partition"}, Params: []rpc.Param{partition},
			Help: "Tells where the rules of a partition, or of all, come from, and how many there are.",
			Func: func(_ context.Context, a *rpc.Args) (any, error) {
				parts, err := m.some(a)
				if err != nil {
					return nil, err
				}
				list := []rpc.Object{}
				for _, p := range parts {
					from := p.file
					if p.db != nil {
						from = p.db.URL().String()
					}
					list = append(list, rpc.Object{{Name: "Partition", Value: p.name}, {Name: "table", Value: p.table}, {Name: "db_url", Value: from},
						{Name: "rules", Value: p.rows.Get().rules}})
				}
				return rpc.Object{{Name: "Partitions", Value: list}}, nil
			},
		},
	}
}

// some gives the partition that a command names, or all.
func (m *module) some(a *rpc.Args) ([]*partition, error) {
	if !a.Has("partition") {
		return m.parts, nil
	}
	p, err := m.asked(a)
	return []*partition{p}, err
}
