package loadbalancer

import (
	"context"

	"sipreactor/reactor/modules/internal/destination"
	"sipreactor/reactor/modules/internal/manage"
	"sipreactor/reactor/rpc"
)

// commands declares the module's management commands.
func (m *module) commands() []rpc.Command {
	id := rpc.Param{Name: "destination_id", Kind: rpc.Integer}
	return []rpc.Command{
		{Name: "lb_reload", Aliases: []string{"load_balancer:reload"}, Help: "Reads the destinations again." + manage.Answers, Func: m.reload},
		{Name: "lb_list", Aliases: []string{"load_balancer:list"}, Help: "Lists the destinations with the loads of their resources.", Func: m.list},
		{
			Name: "lb_resize", Aliases: []string{"load_balancer:resize"}, Help: "Changes the capacity of a destination's resource, until the next lb_reload.",
			Params: []rpc.Param{id, {Name: "res_name"}, {Name: "new_capacity", Kind: rpc.Integer}}, Func: m.resize,
		},
		{
			Name: "lb_status", Aliases: []string{"load_balancer:status"}, Help: "Tells whether a destination is enabled, or sets it: 0 disabled, 1 enabled.",
			Params: []rpc.Param{id, {Name: "new_status", Kind: rpc.Integer, Optional: true}}, Func: m.status,
		},
	}
}

func (m *module) reload(ctx context.Context, _ *rpc.Args) (any, error) {
	if err := m.rows.Reload(ctx); err != nil {
		return nil, rpc.Failed("Failed to reload LB data", err.Error())
	}
	return manage.Answer(&m.rows.Get().tally), nil
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func onOff(b bool) string {
	if b {
		return "on"
	}
	return "off"
}

func (m *module) list(context.Context, *rpc.Args) (any, error) {
	list := []rpc.Object{}
	for _, d := range m.rows.Get().All {
		resources := []rpc.Object{}
		for _, r := range d.Resources {
			resources = append(resources, rpc.Object{{Name: "name", Value: r.Name}, {Name: "max", Value: r.Capacity.Load()}, {Name: "load", Value: r.Load.Load()}})
		}
		o := rpc.Object{
			{Name: "uri", Value: d.URI()}, {Name: "id", Value: d.Row.ID}, {Name: "group", Value: d.Row.Group},
			{Name: "enabled", Value: yesNo(d.Health.State() == destination.Active)}, {Name: "auto-reenable", Value: onOff(d.Row.Probe != NeverProbe)},
			{Name: "Resources", Value: resources},
		}
		if d.Row.Attrs != nil {
			o = append(o, rpc.Field{Name: "attrs", Value: *d.Row.Attrs})
		}
		list = append(list, o)
	}
	return rpc.Object{{Name: "Destinations", Value: list}}, nil
}

// find gives the destination that a command means.
func (m *module) find(a *rpc.Args) (*Destination, error) {
	d := m.rows.Get().Destination(a.Int("destination_id"))
	if d == nil {
		return nil, &rpc.Error{Code: rpc.CodeNotFound, Message: "Destination ID not found"}
	}
	return d, nil
}

func (m *module) resize(_ context.Context, a *rpc.Args) (any, error) {
	d, err := m.find(a)
	if err != nil {
		return nil, err
	}
	r := d.resource(a.Text("res_name"))
	if r == nil {
		return nil, &rpc.Error{Code: rpc.CodeNotFound, Message: "Destination has no such resource"}
	}
	if a.Int("new_capacity") < 0 {
		return nil, &rpc.Error{Code: rpc.CodeParams, Message: "Invalid params", Data: "new_capacity is below 0"}
	}
	r.Capacity.Store(int64(a.Int("new_capacity")))
	return "OK", nil
}

func (m *module) status(_ context.Context, a *rpc.Args) (any, error) {
	d, err := m.find(a)
	if err != nil {
		return nil, err
	}
	if !a.Has("new_status") {
		return rpc.Object{{Name: "enable", Value: yesNo(d.Health.State() == destination.Active)}}, nil
	}
	s := destination.Inactive
	if a.Int("new_status") != 0 {
		s = destination.Active
	}
	m.set(d, s, byOperator)
	return "OK", nil
}
