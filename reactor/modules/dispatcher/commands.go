package dispatcher

import (
	"context"
	"strconv"
	"strings"

	"sipreactor/reactor/modules/internal/destination"
	"sipreactor/reactor/modules/internal/manage"
	"sipreactor/reactor/rpc"
)

// commands declares the module's management commands.
func (m *module) commands() []rpc.Command {
	part := rpc.Param{Name: "partition", Optional: true}
	return []rpc.Command{
		{
			Name: "ds_list", Aliases: []string{"dispatcher:list"}, Help: "Lists the sets and their destinations.",
			Params: []rpc.Param{{Name: "full", Kind: rpc.Integer, Optional: true}, part}, Func: m.list,
		},
		{
			Name: "ds_set_state", Aliases: []string{"dispatcher:set_state"}, Help: "Sets the state of a destination: a (active), i (inactive) or p (probing).",
			Params: []rpc.Param{{Name: "state"}, {Name: "group"}, {Name: "address"}}, Func: m.setState,
		},
		{
			Name: "ds_reload", Aliases: []string{"dispatcher:reload"}, Help: "Reads the sets again, of a partition or of all; inherit_state=n takes the states from the table, too." + manage.Answers,
			Params: []rpc.Param{part, {Name: "inherit_state", Optional: true}}, Func: m.reload,
		},
		{
			Name: "ds_push_script_attrs", Aliases: []string{"dispatcher:push_script_attrs"}, Help: "Gives the destinations of a set at an address attributes of the script's.",
			Params: []rpc.Param{{Name: "attrs"}, {Name: "ip"}, {Name: "port", Kind: rpc.Integer}, {Name: "setid", Kind: rpc.Integer}, part}, Func: m.pushAttrs,
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
		return nil, &rpc.Error{Code: rpc.CodeNotFound, Message: "Unknown partition"}
	}
	return []*partition{p}, nil
}

func (m *module) list(_ context.Context, a *rpc.Args) (any, error) {
	parts, err := m.asked(a)
	if err != nil {
		return nil, err
	}
	all := []rpc.Object{}
	for _, p := range parts {
		sets := []rpc.Object{}
		t := p.get()
		for i := len(t.Sets) - 1; i >= 0; i-- { // as OpenSIPS has them
			s := t.Sets[i]
			members := []rpc.Object{}
			for _, d := range s.Members {
				members = append(members, d.describe(a.Int("full") != 0, s.most))
			}
			sets = append(sets, rpc.Object{{Name: "id", Value: s.ID}, {Name: "Destinations", Value: members}})
		}
		all = append(all, rpc.Object{{Name: "name", Value: p.name}, {Name: "SETS", Value: sets}})
	}
	return rpc.Object{{Name: "PARTITIONS", Value: all}}, nil
}

// describe is a destination in a list; most bounds the weights of its set.
func (d *Destination) describe(full bool, most int) rpc.Object {
	o := rpc.Object{{Name: "URI", Value: d.URI()}, {Name: "state", Value: d.Health.State().String()}, {Name: "first_hit_counter", Value: d.hits.Load()}}
	if s := d.socket.String(); s != "" {
		o = append(o, rpc.Field{Name: "socket", Value: s})
	}
	if d.Row.Attrs != "" {
		o = append(o, rpc.Field{Name: "attr", Value: d.Row.Attrs})
	}
	if s := d.ScriptAttrs(); s != "" {
		o = append(o, rpc.Field{Name: "script_attr", Value: s})
	}
	if full {
		o = append(o, rpc.Field{Name: "weight", Value: d.weight(most)}, rpc.Field{Name: "priority", Value: d.Row.Priority})
		if d.Row.Description != "" {
			o = append(o, rpc.Field{Name: "description", Value: d.Row.Description})
		}
	}
	addrs := []string{}
	for _, at := range d.Address.Addrs {
		addrs = append(addrs, at.String())
	}
	return append(o, rpc.Field{Name: "resolved_addresses", Value: addrs})
}

func (m *module) setState(_ context.Context, a *rpc.Args) (any, error) {
	s, ok := destination.ParseState(a.Text("state"))
	if !ok {
		return nil, rpc.Failed("Bad state value", nil)
	}
	p, set, err := m.group(a.Text("group"))
	if err != nil {
		return nil, err
	}
	d := p.get().Find(set, a.Text("address"))
	if d == nil {
		return nil, &rpc.Error{Code: rpc.CodeNotFound, Message: "destination not found"}
	}
	m.set(p, d, s, byOperator)
	return "OK", nil
}

// group reads partition:set, or a set of the default partition.
func (m *module) group(s string) (*partition, int, error) {
	name, number, ok := strings.Cut(s, ":")
	if !ok {
		name, number = "", s
	}
	p := m.find([]byte(strings.TrimSpace(name)))
	if p == nil {
		return nil, 0, &rpc.Error{Code: rpc.CodeNotFound, Message: "Unknown partition"}
	}
	set, err := strconv.Atoi(strings.TrimSpace(number))
	if err != nil {
		return nil, 0, rpc.Failed("Bad group value", nil)
	}
	return p, set, nil
}

func (m *module) reload(ctx context.Context, a *rpc.Args) (any, error) {
	parts, err := m.asked(a)
	if err != nil {
		return nil, err
	}
	fresh := false
	if a.Has("inherit_state") {
		switch strings.ToLower(a.Text("inherit_state")) {
		case "n", "no", "0":
			fresh = true
		case "y", "yes", "1":
		default:
			return nil, &rpc.Error{Code: rpc.CodeParams, Message: "Invalid params", Data: "inherit_state is y or n"}
		}
	}
	var tallies []*manage.Tally
	for _, p := range parts {
		if err := p.reload(ctx, m, fresh); err != nil {
			return nil, rpc.Failed("Failed to reload", err.Error())
		}
		tallies = append(tallies, &p.get().tally)
	}
	return manage.Answer(tallies...), nil
}

func (m *module) pushAttrs(_ context.Context, a *rpc.Args) (any, error) {
	p := m.find([]byte(a.Text("partition")))
	if p == nil {
		return nil, &rpc.Error{Code: rpc.CodeNotFound, Message: "Unknown partition"}
	}
	if !p.push(a.Text("attrs"), a.Text("ip"), int64(a.Int("port")), int64(a.Int("setid"))) {
		return nil, &rpc.Error{Code: rpc.CodeNotFound, Message: "destination not found"}
	}
	return "OK", nil
}
