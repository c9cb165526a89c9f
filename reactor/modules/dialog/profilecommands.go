package dialog

import (
	"context"
	"time"

	core "sipreactor/reactor/dialog"
	"sipreactor/reactor/rpc"
)

func (m *Module) profileOf(a *rpc.Args) (*core.Profile, error) {
	if p := m.profiles[a.Text("profile")]; p != nil {
		return p, nil
	}
	return nil, errNoProfile
}

func (m *Module) sizeOf(_ context.Context, a *rpc.Args) (any, error) {
	p, err := m.profileOf(a)
	if err != nil {
		return nil, err
	}
	type size struct {
		Name       string  `json:"name"`
		Value      *string `json:"value"`
		Count      int     `json:"count"`
		Shared     string  `json:"shared"`
		Replicated string  `json:"replicated"`
	}
	s := size{Name: p.Name, Count: p.Size(), Shared: "no", Replicated: "no"}
	if a.Has("value") && p.HasValue {
		v := a.Text("value")
		s.Value, s.Count = &v, p.SizeOf(v)
	}
	return struct {
		Profile size `json:"Profile"`
	}{s}, nil
}

// inProfile lists the dialogs of the profile and value of a command.
func (m *Module) ofCommand(a *rpc.Args) (list []*core.Dialog, err error) {
	p, err := m.profileOf(a)
	if err != nil {
		return nil, err
	}
	m.dialogs.Each(func(d *core.Dialog) bool {
		if d.State() != core.Ended && d.In(p, a.Text("value"), !a.Has("value")) {
			list = append(list, d)
		}
		return len(list) < maxListed
	})
	return list, nil
}

func (m *Module) listProfile(_ context.Context, a *rpc.Args) (any, error) {
	list, err := m.ofCommand(a)
	if err != nil {
		return nil, err
	}
	now := time.Now().Unix()
	calls := make([]Call, 0, len(list))
	for _, d := range list {
		calls = append(calls, m.describe(d, false, now))
	}
	return struct {
		Dialogs []Call `json:"Dialogs"`
	}{calls}, nil
}

func (m *Module) valuesOf(_ context.Context, a *rpc.Args) (any, error) {
	p, err := m.profileOf(a)
	if err != nil {
		return nil, err
	}
	type value struct {
		Value string `json:"value"`
		Count int    `json:"count"`
	}
	list := []value{}
	for _, v := range p.Values() {
		list = append(list, value{v.Value, v.Count})
	}
	return struct {
		Profile []value `json:"Profile"`
	}{list}, nil
}

func (m *Module) endProfile(_ context.Context, a *rpc.Args) (any, error) {
	list, err := m.ofCommand(a)
	if err != nil {
		return nil, err
	}
	for _, d := range list {
		m.terminate(d, core.ByManagement, "")
	}
	return "OK", nil
}

func (m *Module) allProfiles(context.Context, *rpc.Args) (any, error) {
	type profile struct {
		Name     string `json:"name"`
		HasValue int    `json:"has value"`
	}
	list := []profile{}
	for _, name := range m.order {
		p := profile{Name: name}
		if m.profiles[name].HasValue {
			p.HasValue = 1
		}
		list = append(list, p)
	}
	return struct {
		Profiles []profile `json:"Profiles"`
	}{list}, nil
}

func (m *Module) joinProfile(_ context.Context, a *rpc.Args) (any, error) {
	d := m.byName(a.Text("dlg_id"))
	p, err := m.profileOf(a)
	switch {
	case err != nil:
		return nil, err
	case d == nil:
		return nil, errNoDialog
	case a.Int("clear_values") != 0:
		d.Leave(p, "", true)
	}
	d.Join(p, a.Text("value"))
	return "OK", nil
}

func (m *Module) leaveProfile(_ context.Context, a *rpc.Args) (any, error) {
	d := m.byName(a.Text("dlg_id"))
	p, err := m.profileOf(a)
	switch {
	case err != nil:
		return nil, err
	case d == nil:
		return nil, errNoDialog
	}
	d.Leave(p, a.Text("value"), !a.Has("value"))
	return "OK", nil
}
