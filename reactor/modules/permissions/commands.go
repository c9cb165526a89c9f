package permissions

import (
	"context"

	"sipreactor/reactor/rpc"
)

// commands declares the module's management commands.
func (m *module) commands() []rpc.Command {
	part := []rpc.Param{{Name: "partition", Optional: true}}
	return []rpc.Command{
		{Name: "address_reload", Help: "Reads the address table again, of a partition or of all.", Params: part, Func: m.reload},
		{Name: "address_dump", Help: "Lists the addresses of the address table.", Params: part, Func: m.dump(true)},
		{Name: "subnet_dump", Help: "Lists the networks of the address table.", Params: part, Func: m.dump(false)},
		{
			Name: "allow_uri", Help: "Reports whether the rules of a basename, which the configuration uses, allow a URI to reach a Contact.",
			Params: []rpc.Param{{Name: "basename"}, {Name: "URI"}, {Name: "Contact"}}, Func: m.testURI,
		},
		{
			Name: "permissions_reload", Help: "Reads the files of rules again: all or, with an error, none. Not in OpenSIPS.",
			Func: func(context.Context, *rpc.Args) (any, error) {
				if err := m.readRules(); err != nil {
					return nil, rpc.Failed("Failed to reload", err.Error())
				}
				return "OK", nil
			},
		},
	}
}

// asked gives the partitions that a command means.
func (m *module) asked(a *rpc.Args) ([]*partition, error) {
	if !a.Has("partition") {
		return m.partitions, nil
	}
	p := m.byName[a.Text("partition")]
	if p == nil {
		return nil, &rpc.Error{Code: rpc.CodeNotFound, Message: "No such partition"}
	}
	return []*partition{p}, nil
}

func (m *module) reload(ctx context.Context, a *rpc.Args) (any, error) {
	parts, err := m.asked(a)
	if err != nil {
		return nil, err
	}
	for _, p := range parts {
		if err := p.rows.Reload(ctx); err != nil {
			return nil, rpc.Failed("Failed to reload", err.Error())
		}
	}
	return "OK", nil
}

// dump lists the rows that are single addresses, or those that are not.
func (m *module) dump(single bool) func(context.Context, *rpc.Args) (any, error) {
	return func(_ context.Context, a *rpc.Args) (any, error) {
		parts, err := m.asked(a)
		if err != nil {
			return nil, err
		}
		all := []rpc.Object{}
		for _, p := range parts {
			rows := []rpc.Object{}
			for _, row := range p.get().networks.All() {
				if row.Network.IsSingleIP() == single {
					rows = append(rows, row.describe())
				}
			}
			all = append(all, rpc.Object{{Name: "name", Value: p.name}, {Name: "Destinations", Value: rows}})
		}
		return rpc.Object{{Name: "Partitions", Value: all}}, nil
	}
}

// describe is a row in a list.
func (a *Address) describe() rpc.Object {
	o := rpc.Object{
		{Name: "grp", Value: a.Group}, {Name: "ip", Value: a.Network.Addr().String()}, {Name: "mask", Value: a.Network.Bits()},
		{Name: "port", Value: a.Port}, {Name: "proto", Value: a.Proto.String()},
	}
	if a.Pattern != "" {
		o = append(o, rpc.Field{Name: "pattern", Value: a.Pattern})
	}
	if a.Info != nil {
		o = append(o, rpc.Field{Name: "context_info", Value: *a.Info})
	}
	return o
}

func (m *module) testURI(_ context.Context, a *rpc.Args) (any, error) {
	name := a.Text("basename")
	at := [2]string{m.path(name + m.allowSuffix), m.path(name + m.denySuffix)}
	m.mu.Lock()
	rules := m.pairs[at]
	m.mu.Unlock()
	if rules == nil {
		return nil, &rpc.Error{Code: rpc.CodeNotFound, Message: "No such file loaded"}
	}
	if !rules.Load().Allowed([]byte(a.Text("URI")), [][]byte{[]byte(a.Text("Contact"))}) {
		return nil, &rpc.Error{Code: 403, Message: "Forbidden"}
	}
	return "OK", nil
}
