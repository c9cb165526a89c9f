package drouting

import (
	"context"
	"strings"
	"time"

	"sipreactor/reactor/modules/internal/destination"
	"sipreactor/reactor/modules/internal/manage"
	"sipreactor/reactor/rpc"
)

// commands declares the module's management commands.
func (m *module) commands() []rpc.Command {
	part := rpc.Param{Name: "partition_name", Optional: true}
	status := rpc.Param{Name: "status", Kind: rpc.Integer, Optional: true}
	return []rpc.Command{
		{
			Name: "dr_reload", Aliases: []string{"drouting:reload"}, Help: "Reads the rules, gateways, carriers and groups again, of a partition or of all; inherit_state=n takes the states from the tables, too." + manage.Answers,
			Params: []rpc.Param{part, {Name: "inherit_state", Optional: true}}, Func: m.reload,
		},
		{
			Name: "dr_gw_status", Aliases: []string{"drouting:gw_status"}, Help: "Lists the states of gateways, tells that of one, or sets it: 0 disabled, 1 enabled.",
			Params: []rpc.Param{part, {Name: "gw_id", Optional: true}, status}, Func: m.gatewayStatus,
		},
		{
			Name: "dr_carrier_status", Aliases: []string{"drouting:carrier_status"}, Help: "Lists which carriers are enabled, tells it of one, or sets it: 0 disabled, 1 enabled.",
			Params: []rpc.Param{part, {Name: "carrier_id", Optional: true}, status}, Func: m.carrierStatus,
		},
		{
			Name: "dr_reload_status", Aliases: []string{"drouting:reload_status"}, Help: "Tells when the tables were loaded last.",
			Params: []rpc.Param{part}, Func: m.reloadStatus,
		},
		{
			Name: "dr_number_routing", Aliases: []string{"drouting:number_routing"}, Help: "Tells which prefix, gateways and carriers do_routing() would find for a number.",
			Params: []rpc.Param{{Name: "number"}, {Name: "group_id", Kind: rpc.Integer, Optional: true}, part}, Func: m.numberRouting,
		},
		{
			Name: "dr_enable_probing", Aliases: []string{"drouting:enable_probing"}, Help: "Tells whether gateways are pinged, or sets it: 0 off, 1 on.",
			Params: []rpc.Param{status}, Func: m.enableProbing,
		},
	}
}

// asked gives the partitions that a command means.
func (m *module) asked(a *rpc.Args) ([]*partition, error) {
	if !a.Has("partition_name") {
		return m.parts, nil
	}
	p := m.find([]byte(a.Text("partition_name")))
	if p == nil || !m.several {
		return nil, &rpc.Error{Code: rpc.CodeNotFound, Message: "Partition not found"}
	}
	return []*partition{p}, nil
}

// one gives the partition that a command about one thing means.
func (m *module) one(a *rpc.Args) (*partition, error) {
	parts, err := m.asked(a)
	if err == nil && len(parts) != 1 {
		err = &rpc.Error{Code: rpc.CodeParams, Message: "Invalid params", Data: "partition_name is missing"}
	}
	if err != nil {
		return nil, err
	}
	return parts[0], nil
}

func (m *module) reload(ctx context.Context, a *rpc.Args) (any, error) {
	parts, err := m.asked(a)
	if err != nil {
		return nil, err
	}
	fresh := false
	switch strings.ToLower(a.Text("inherit_state")) {
	case "n", "no", "0":
		fresh = true
	case "", "y", "yes", "1":
	default:
		return nil, &rpc.Error{Code: rpc.CodeParams, Message: "Invalid params", Data: "inherit_state is y or n"}
	}
	var tallies []*manage.Tally
	for _, p := range parts {
		if err := p.reload(ctx, fresh); err != nil {
			return nil, rpc.Failed("Failed to reload", err.Error())
		}
		tallies = append(tallies, &p.get().tally)
	}
	return manage.Answer(tallies...), nil
}

func (m *module) gatewayStatus(_ context.Context, a *rpc.Args) (any, error) {
	p, err := m.one(a)
	if err != nil {
		return nil, err
	}
	t := p.get()
	if !a.Has("gw_id") {
		list := []rpc.Object{}
		for _, g := range t.Gateways {
			list = append(list, rpc.Object{{Name: "ID", Value: g.Row.ID}, {Name: "IP", Value: g.address()}, {Name: "State", Value: g.Status()}})
		}
		return rpc.Object{{Name: "Gateways", Value: list}}, nil
	}
	g := t.Gateway(a.Text("gw_id"))
	if g == nil {
		return nil, &rpc.Error{Code: rpc.CodeNotFound, Message: "GW ID not found"}
	}
	if !a.Has("status") {
		return rpc.Object{{Name: "State", Value: g.Status()}}, nil
	}
	s := destination.Inactive
	if a.Int("status") != 0 {
		s = destination.Active
	}
	if s == destination.Inactive && g.Health.State() == s && g.Health.Why() != byOperator {
		g.Health.Set(destination.Probing, byOperator, time.Now(), nil) // so that the operator's word is noted
	}
	m.set(p, g, s, byOperator)
	return "OK", nil
}

func (m *module) carrierStatus(_ context.Context, a *rpc.Args) (any, error) {
	p, err := m.one(a)
	if err != nil {
		return nil, err
	}
	t := p.get()
	if !a.Has("carrier_id") {
		list := []rpc.Object{}
		for _, c := range t.Carriers {
			list = append(list, rpc.Object{{Name: "ID", Value: c.Row.ID}, {Name: "Enabled", Value: yesNo(c.Enabled())}})
		}
		return rpc.Object{{Name: "Carriers", Value: list}}, nil
	}
	c := t.Carrier(a.Text("carrier_id"))
	if c == nil {
		return nil, &rpc.Error{Code: rpc.CodeNotFound, Message: "Carrier ID not found"}
	}
	if !a.Has("status") {
		return rpc.Object{{Name: "Enabled", Value: yesNo(c.Enabled())}}, nil
	}
	m.setCarrier(p, c, a.Int("status") != 0)
	return "OK", nil
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func (m *module) reloadStatus(_ context.Context, a *rpc.Args) (any, error) {
	parts, err := m.asked(a)
	if err != nil {
		return nil, err
	}
	if !m.several {
		return rpc.Object{{Name: "Date", Value: parts[0].get().Loaded.Format(time.ANSIC)}}, nil
	}
	list := []rpc.Object{}
	for _, p := range parts {
		list = append(list, rpc.Object{{Name: "name", Value: p.name}, {Name: "Date", Value: p.get().Loaded.Format(time.ANSIC)}})
	}
	return rpc.Object{{Name: "Partitions", Value: list}}, nil
}

func (m *module) numberRouting(_ context.Context, a *rpc.Args) (any, error) {
	p, err := m.one(a)
	if err != nil {
		return nil, err
	}
	t := p.get()
	q := query{group: max(m.defaultGroup, 0), number: []byte(a.Text("number")), now: time.Now(), policy: &m.policy}
	if a.Has("group_id") {
		q.group = a.Int("group_id")
	}
	r, size := t.find(&q)
	if r == nil {
		return nil, &rpc.Error{Code: rpc.CodeNotFound, Message: "No match"}
	}
	gateways, carriers := []string{}, []string{}
	for _, one := range t.members[r.member] {
		if one.carrier != nil {
			carriers = append(carriers, one.carrier.Row.ID)
		} else {
			gateways = append(gateways, one.gateway.Row.ID)
		}
	}
	o := rpc.Object{{Name: "Matched Prefix", Value: string(q.number[:size])}, {Name: "Rule", Value: r.id}}
	if len(gateways) > 0 {
		o = append(o, rpc.Field{Name: "GW List", Value: gateways})
	}
	if len(carriers) > 0 {
		o = append(o, rpc.Field{Name: "CARRIER List", Value: carriers})
	}
	if attrs := t.attrs[r.attrs]; attrs != nil {
		o = append(o, rpc.Field{Name: "Attributes", Value: *attrs})
	}
	return o, nil
}

func (m *module) enableProbing(_ context.Context, a *rpc.Args) (any, error) {
	if !a.Has("status") {
		on := 1
		if m.probing.paused.Load() {
			on = 0
		}
		return rpc.Object{{Name: "Status", Value: on}}, nil
	}
	m.probing.paused.Store(a.Int("status") == 0)
	return "OK", nil
}
