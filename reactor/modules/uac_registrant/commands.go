package uac_registrant

import (
	"context"
	"time"

	"sipreactor/reactor/modules/internal/manage"
	"sipreactor/reactor/rpc"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
)

// commands declares the module's management commands.
func (m *module) commands() []rpc.Command {
	needed := []rpc.Param{{Name: "aor"}, {Name: "contact"}, {Name: "registrar"}}
	optional := []rpc.Param{{Name: "aor", Optional: true}, {Name: "contact", Optional: true}, {Name: "registrar", Optional: true}}
	command := func(name, help string, params []rpc.Param, f func(context.Context, *rpc.Args) (any, error)) rpc.Command {
		return rpc.Command{Name: "reg_" + name, Aliases: []string{"uac_registrant:" + name}, Module: "uac_registrant", Help: help, Params: params, Func: f}
	}
	upsert := append([]rpc.Param(nil), needed...)
	for _, name := range []string{"proxy", "third_party_registrant", "username", "password", "binding_params"} {
		upsert = append(upsert, rpc.Param{Name: name, Optional: true})
	}
	upsert = append(upsert, rpc.Param{Name: "expiry", Kind: rpc.Integer, Optional: true}, rpc.Param{Name: "forced_socket", Optional: true},
		rpc.Param{Name: "cluster_shtag", Optional: true}, rpc.Param{Name: "state", Kind: rpc.Integer, Optional: true})
	return []rpc.Command{
		command("list", "Lists the accounts and their states, or one account.", optional, m.list),
		command("reload", "Reads the accounts again, or one account; what has not changed stays registered.", optional, m.reload),
		command("enable", "Enables an account, which registers at once.", needed, m.enable(false)),
		command("disable", "Disables an account, which unregisters at once.", needed, m.enable(true)),
		command("force_register", "Registers an account now.", needed, m.force),
		command("upsert", "Adds an account, or changes one, in memory alone.", upsert, m.upsert),
		command("delete", "Removes an account from memory alone; it unregisters.", needed, m.remove),
	}
}

var (
	errUnknown  = &rpc.Error{Code: rpc.CodeNotFound, Message: "Record not found"}
	errDisabled = &rpc.Error{Code: rpc.CodeCommandFailed, Message: "Record is disabled"}
	errKey      = &rpc.Error{Code: rpc.CodeParams, Message: "aor, contact and registrar are given together or not at all"}
	errNoDB     = &rpc.Error{Code: rpc.CodeCommandFailed, Message: "there is no database"}
)

// keyOf reads which account a command means; one is false if it means all.
func keyOf(a *rpc.Args) (k key, one bool, err error) {
	n := 0
	for _, name := range []string{"aor", "contact", "registrar"} {
		if a.Has(name) {
			n++
		}
	}
	if n != 0 && n != 3 {
		return k, false, errKey
	}
	return key{a.Text("aor"), a.Text("contact"), a.Text("registrar")}, n == 3, nil
}

// list is reg_list.
func (m *module) list(_ context.Context, a *rpc.Args) (any, error) {
	k, one, err := keyOf(a)
	if err != nil {
		return nil, err
	}
	t := m.table
	t.mu.Lock()
	defer t.mu.Unlock()
	if one {
		r := t.byKey[k]
		if r == nil {
			return nil, errUnknown
		}
		return rpc.Object{{Name: "Record", Value: r.show()}}, nil
	}
	records := []rpc.Object{}
	for _, r := range t.list {
		records = append(records, r.show())
	}
	return rpc.Object{{Name: "Records", Value: records}}, nil
}

// show is a registration as management shows it.
func (r *registration) show() rpc.Object {
	enabled := "yes"
	if r.disabled {
		enabled = "no"
	}
	expires := r.expiry
	if r.ask != 0 {
		expires = r.ask
	}
	o := rpc.Object{
		{Name: "AOR", Value: r.aor}, {Name: "expires", Value: expires}, {Name: "state", Value: r.state.String()}, {Name: "enabled", Value: enabled},
		{Name: "last_register_sent", Value: date(r.sent)}, {Name: "registration_t_out", Value: date(r.until)},
		{Name: "registrar", Value: r.registrar}, {Name: "binding", Value: r.binding},
	}
	for _, f := range []struct{ name, value string }{
		{"binding_params", r.params}, {"third_party_registrant", r.thirdParty}, {"proxy", r.proxy}, {"socket", r.socket}, {"cluster_shtag", r.tag},
	} {
		if f.value != "" {
			o = append(o, rpc.Field{Name: f.name, Value: f.value})
		}
	}
	return o
}

// date writes a time as C's ctime does; "" is none.
func date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.ANSIC)
}

// reload is reg_reload.
func (m *module) reload(ctx context.Context, a *rpc.Args) (any, error) {
	k, one, err := keyOf(a)
	if err != nil {
		return nil, err
	}
	if m.db == nil {
		return nil, errNoDB
	}
	if !one {
		list, tally, err := m.load(ctx)
		if err != nil {
			return nil, err
		}
		m.table.replace(list)
		return manage.Answer(&tally), nil
	}
	list, tally, err := m.load(ctx, m.rowOf(k)...)
	if err != nil {
		return nil, err
	}
	t := m.table
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.byKey[k]
	switch {
	case len(list) > 0:
		t.put(list[0], fromDatabase)
	case r == nil:
		return nil, errUnknown
	default:
		t.drop(r)
	}
	return manage.Answer(&tally), nil
}

// enable is reg_enable and reg_disable.
func (m *module) enable(off bool) func(context.Context, *rpc.Args) (any, error) {
	return func(ctx context.Context, a *rpc.Args) (any, error) {
		k, _, _ := keyOf(a)
		t := m.table
		t.mu.Lock()
		r := t.byKey[k]
		if r == nil {
			t.mu.Unlock()
			return nil, errUnknown
		}
		changed := r.disabled != off
		if changed {
			r.disabled, r.tries, r.due = off, 0, t.now()
		}
		stored := changed && r.from == fromDatabase
		t.mu.Unlock()
		if stored && m.db != nil {
			n := int64(0)
			if off {
				n = 1
			}
			if _, err := m.db.Update(ctx, m.name, []store.Set{{Column: m.columns[columnState], Value: store.Int(n)}}, m.rowOf(k)...); err != nil {
				return nil, err
			}
		}
		return "OK", nil
	}
}

// force is reg_force_register.
func (m *module) force(_ context.Context, a *rpc.Args) (any, error) {
	k, _, _ := keyOf(a)
	t := m.table
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.byKey[k]
	switch {
	case r == nil:
		return nil, errUnknown
	case r.disabled:
		return nil, errDisabled
	}
	r.due = t.now()
	return "OK", nil
}

// upsert is reg_upsert.
func (m *module) upsert(_ context.Context, a *rpc.Args) (any, error) {
	one := account{
		aor: a.Text("aor"), binding: a.Text("contact"), registrar: a.Text("registrar"), proxy: a.Text("proxy"),
		thirdParty: a.Text("third_party_registrant"), user: a.Text("username"), password: a.Text("password"),
		params: a.Text("binding_params"), socket: a.Text("forced_socket"), tag: a.Text("cluster_shtag"), disabled: a.Int("state") != 0,
	}
	if n := a.Int("expiry"); n > 0 && n <= maxExpiry {
		one.expiry = uint32(n)
	} else if a.Has("expiry") && n != 0 {
		return nil, &rpc.Error{Code: rpc.CodeParams, Message: "expiry is a number of seconds"}
	}
	if err := one.check(); err != nil {
		return nil, &rpc.Error{Code: rpc.CodeParams, Message: err.Error()}
	}
	if one.socket != "" {
		if err := script.NoSocket(one.socket, m.env.Sockets); err != nil {
			return nil, &rpc.Error{Code: rpc.CodeParams, Message: "forced_socket: " + err.Error()}
		}
	}
	t := m.table
	t.mu.Lock()
	defer t.mu.Unlock()
	t.put(one, fromManagement)
	return "OK", nil
}

// remove is reg_delete.
func (m *module) remove(_ context.Context, a *rpc.Args) (any, error) {
	k, _, _ := keyOf(a)
	t := m.table
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.byKey[k]
	if r == nil || r.gone {
		return nil, errUnknown
	}
	t.drop(r)
	return "OK", nil
}
