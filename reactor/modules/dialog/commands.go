package dialog

import (
	"context"

	core "sipreactor/reactor/dialog"
	"sipreactor/reactor/rpc"
)

func (m *Module) commands() []rpc.Command {
	text := func(name string) rpc.Param { return rpc.Param{Name: name, Optional: true} }
	must := func(name string) rpc.Param { return rpc.Param{Name: name} }
	number := func(name string) rpc.Param { return rpc.Param{Name: name, Kind: rpc.Integer, Optional: true} }
	which := []rpc.Param{text("callid"), text("from_tag"), number("index"), number("counter")}
	noCluster := func(context.Context, *rpc.Args) (any, error) {
		return nil, &rpc.Error{Code: 400, Message: "Clustering not enabled"}
	}
	return []rpc.Command{
		m.findCommand(),
		{Name: "dlg_list", Aliases: []string{"dialog:list"}, Module: "dialog", Help: "Lists dialogs.", Params: which,
			Func: func(_ context.Context, a *rpc.Args) (any, error) { return m.list(a, false) }},
		{Name: "dlg_list_ctx", Aliases: []string{"dialog:list_ctx"}, Module: "dialog", Help: "Lists dialogs with their values and profiles.", Params: which,
			Func: func(_ context.Context, a *rpc.Args) (any, error) { return m.list(a, true) }},
		{Name: "dlg_end_dlg", Aliases: []string{"dialog:end_dlg"}, Module: "dialog", Help: "Ends a call.",
			Params: []rpc.Param{must("dialog_id"), text("extra_hdrs")}, Func: m.endCall},
		{Name: "profile_get_size", Aliases: []string{"dialog:profile_get_size"}, Module: "dialog", Help: "Counts the dialogs of a profile.",
			Params: []rpc.Param{must("profile"), text("value")}, Func: m.sizeOf},
		{Name: "profile_list_dlgs", Aliases: []string{"dialog:profile_list_dlgs"}, Module: "dialog", Help: "Lists the dialogs of a profile.",
			Params: []rpc.Param{must("profile"), text("value")}, Func: m.listProfile},
		{Name: "profile_get_values", Aliases: []string{"dialog:profile_get_values"}, Module: "dialog", Help: "Lists the values of a profile.",
			Params: []rpc.Param{must("profile")}, Func: m.valuesOf},
		{Name: "profile_end_dlgs", Aliases: []string{"dialog:profile_end_dlgs"}, Module: "dialog", Help: "Ends the calls of a profile.",
			Params: []rpc.Param{must("profile"), text("value")}, Func: m.endProfile},
		{Name: "list_all_profiles", Aliases: []string{"dialog:list_all_profiles"}, Module: "dialog", Help: "Lists the profiles, and whether they have values.", Func: m.allProfiles},
		{Name: "dlg_push_var", Aliases: []string{"dialog:push_var"}, Module: "dialog", Help: "Sets a value of dialogs.",
			Params: []rpc.Param{must("dlg_val_name"), must("dlg_val_value"), {Name: "DID", Kind: rpc.List}}, Func: m.pushValue},
		{Name: "set_dlg_profile", Aliases: []string{"dialog:set_profile"}, Module: "dialog", Help: "Puts a dialog into a profile.",
			Params: []rpc.Param{must("dlg_id"), must("profile"), text("value"), number("clear_values")}, Func: m.joinProfile},
		{Name: "unset_dlg_profile", Aliases: []string{"dialog:unset_profile"}, Module: "dialog", Help: "Takes a dialog out of a profile.",
			Params: []rpc.Param{must("dlg_id"), must("profile"), text("value")}, Func: m.leaveProfile},
		{Name: "dlg_send_sequential", Aliases: []string{"dialog:send_sequential"}, Module: "dialog", Help: "Sends a request within a call and tells its answer; with mode challenge, what one side offers goes to the other.",
			Params: []rpc.Param{must("callid"), text("method"), text("mode"), text("body"), text("headers")}, Func: m.sendSequential},
		{Name: "dlg_restore_db", Aliases: []string{"dialog:restore_db"}, Module: "dialog", Help: "Empties the table and writes all dialogs to it.", Func: m.restoreDB},
		{Name: "dlg_db_sync", Aliases: []string{"dialog:db_sync"}, Module: "dialog", Help: "Reads the dialogs of the table that are not here.", Func: m.syncDB},
		{Name: "dlg_cluster_sync", Aliases: []string{"dialog:cluster_sync"}, Module: "dialog", Help: "Is for clusters, and there is none.", Params: []rpc.Param{text("sharing_tag")}, Func: noCluster},
	}
}

var (
	errNoDialog  = &rpc.Error{Code: rpc.CodeNotFound, Message: "No such dialog"}
	errNotFound  = &rpc.Error{Code: rpc.CodeNotFound, Message: "Requested Dialog not found"}
	errNoProfile = &rpc.Error{Code: rpc.CodeNotFound, Message: "Profile not found"}
	errNoDB      = &rpc.Error{Code: 400, Message: "No database is used"}
)

// byName finds a dialog by its ID or Call-ID.
func (m *Module) byName(name string) *core.Dialog {
	if d := m.find(name, false); d != nil {
		return d
	}
	return m.find(name, true)
}

func (m *Module) endCall(_ context.Context, a *rpc.Args) (any, error) {
	return m.end(a.Text("dialog_id"), core.ByManagement, lines(a.Text("extra_hdrs")))
}

func (m *Module) end(name string, why core.Reason, headers string) (any, error) {
	d := m.byName(name)
	if d == nil || d.State() == core.Ended || !m.terminate(d, why, headers) {
		return nil, errNotFound
	}
	return "OK", nil
}

// EndCall ends a call by its Call-ID, as dlg_end_dlg does, for another module's command.
func (m *Module) EndCall(callID string, why core.Reason) (any, error) { return m.end(callID, why, "") }

func (m *Module) pushValue(_ context.Context, a *rpc.Args) (any, error) {
	found := false
	for _, name := range a.List("DID") {
		if d := m.byName(name); d != nil {
			found = d.Set(core.Value{Name: a.Text("dlg_val_name"), Text: a.Text("dlg_val_value")}) || found
		}
	}
	if !found {
		return nil, errNoDialog
	}
	return "OK", nil
}

func (m *Module) restoreDB(ctx context.Context, _ *rpc.Args) (any, error) {
	if m.db == nil {
		return nil, errNoDB
	}
	if _, err := m.db.Delete(ctx, m.table); err != nil {
		return nil, rpc.Failed(err.Error(), nil)
	}
	m.dialogs.Each(func(d *core.Dialog) bool { d.Touch(); return true })
	if err := m.write(ctx); err != nil {
		return nil, rpc.Failed(err.Error(), nil)
	}
	return "OK", nil
}

func (m *Module) syncDB(context.Context, *rpc.Args) (any, error) {
	if m.db == nil {
		return nil, errNoDB
	}
	if err := m.readMore(); err != nil {
		return nil, rpc.Failed(err.Error(), nil)
	}
	return "OK", nil
}
