package dialog

import (
	"context"
	"sort"
	"strconv"
	"time"

	core "sipreactor/reactor/dialog"
	"sipreactor/reactor/mi"
)

func (m *Module) commands() []mi.Command {
	text := func(name string) mi.Param { return mi.Param{Name: name, Optional: true} }
	must := func(name string) mi.Param { return mi.Param{Name: name} }
	number := func(name string) mi.Param { return mi.Param{Name: name, Kind: mi.Integer, Optional: true} }
	which := []mi.Param{text("callid"), text("from_tag"), number("index"), number("counter")}
	noCluster := func(context.Context, *mi.Args) (any, error) {
		return nil, &mi.Error{Code: 400, Message: "Clustering not enabled"}
	}
	return []mi.Command{
		{Name: "dlg_list", Aliases: []string{"dialog:list"}, Module: "dialog", Help: "Lists dialogs.", Params: which,
			Func: func(_ context.Context, a *mi.Args) (any, error) { return m.list(a, false) }},
		{Name: "dlg_list_ctx", Aliases: []string{"dialog:list_ctx"}, Module: "dialog", Help: "Lists dialogs with their values and profiles.", Params: which,
			Func: func(_ context.Context, a *mi.Args) (any, error) { return m.list(a, true) }},
		{Name: "dlg_end_dlg", Aliases: []string{"dialog:end_dlg"}, Module: "dialog", Help: "Ends a call.",
			Params: []mi.Param{must("dialog_id"), text("extra_hdrs")}, Func: m.endCall},
		{Name: "profile_get_size", Aliases: []string{"dialog:profile_get_size"}, Module: "dialog", Help: "Counts the dialogs of a profile.",
			Params: []mi.Param{must("profile"), text("value")}, Func: m.sizeOf},
		{Name: "profile_list_dlgs", Aliases: []string{"dialog:profile_list_dlgs"}, Module: "dialog", Help: "Lists the dialogs of a profile.",
			Params: []mi.Param{must("profile"), text("value")}, Func: m.listProfile},
		{Name: "profile_get_values", Aliases: []string{"dialog:profile_get_values"}, Module: "dialog", Help: "Lists the values of a profile.",
			Params: []mi.Param{must("profile")}, Func: m.valuesOf},
		{Name: "profile_end_dlgs", Aliases: []string{"dialog:profile_end_dlgs"}, Module: "dialog", Help: "Ends the calls of a profile.",
			Params: []mi.Param{must("profile"), text("value")}, Func: m.endProfile},
		{Name: "list_all_profiles", Aliases: []string{"dialog:list_all_profiles"}, Module: "dialog", Help: "Lists the profiles, and whether they have values.", Func: m.allProfiles},
		{Name: "dlg_push_var", Aliases: []string{"dialog:push_var"}, Module: "dialog", Help: "Sets a value of dialogs.",
			Params: []mi.Param{must("dlg_val_name"), must("dlg_val_value"), {Name: "DID", Kind: mi.List}}, Func: m.pushValue},
		{Name: "set_dlg_profile", Aliases: []string{"dialog:set_profile"}, Module: "dialog", Help: "Puts a dialog into a profile.",
			Params: []mi.Param{must("dlg_id"), must("profile"), text("value"), number("clear_values")}, Func: m.joinProfile},
		{Name: "unset_dlg_profile", Aliases: []string{"dialog:unset_profile"}, Module: "dialog", Help: "Takes a dialog out of a profile.",
			Params: []mi.Param{must("dlg_id"), must("profile"), text("value")}, Func: m.leaveProfile},
		{Name: "dlg_send_sequential", Aliases: []string{"dialog:send_sequential"}, Module: "dialog", Help: "Sends a request within a call and tells its answer; with mode challenge, what one side offers goes to the other.",
			Params: []mi.Param{must("callid"), text("method"), text("mode"), text("body"), text("headers")}, Func: m.sendSequential},
		{Name: "dlg_restore_db", Aliases: []string{"dialog:restore_db"}, Module: "dialog", Help: "Empties the table and writes all dialogs to it.", Func: m.restoreDB},
		{Name: "dlg_db_sync", Aliases: []string{"dialog:db_sync"}, Module: "dialog", Help: "Reads the dialogs of the table that are not here.", Func: m.syncDB},
		{Name: "dlg_cluster_sync", Aliases: []string{"dialog:cluster_sync"}, Module: "dialog", Help: "Is for clusters, and there is none.", Params: []mi.Param{text("sharing_tag")}, Func: noCluster},
	}
}

// Callee is a callee as management shows it.
type Callee struct {
	Tag        string `json:"callee_tag"`
	Contact    string `json:"callee_contact"`
	CallerCSeq string `json:"caller_cseq"`
	Routes     string `json:"callee_route_set"`
	Bind       string `json:"callee_bind_addr"`
}

// Pair is a value of a dialog, or its place in a profile, as {name: value}.
type Pair map[string]any

// Context is what dlg_list_ctx adds.
type Context struct {
	Values   []Pair `json:"values,omitempty"`
	Profiles []Pair `json:"profiles,omitempty"`
}

// Call is a dialog as management shows it.
type Call struct {
	ID            string   `json:"ID"`
	DBID          string   `json:"db_id"`
	State         int      `json:"state"`
	UserFlags     uint32   `json:"user_flags"`
	Start         int64    `json:"timestart"`
	StartDate     string   `json:"datestart,omitempty"`
	Timeout       int64    `json:"timeout"`
	TimeoutDate   string   `json:"dateout,omitempty"`
	CallID        string   `json:"callid"`
	FromURI       string   `json:"from_uri"`
	ToURI         string   `json:"to_uri"`
	CallerTag     string   `json:"caller_tag"`
	CallerContact string   `json:"caller_contact"`
	CalleeCSeq    string   `json:"callee_cseq"`
	CallerRoutes  string   `json:"caller_route_set"`
	CallerBind    string   `json:"caller_bind_addr"`
	Callees       []Callee `json:"CALLEES"`
	Context       *Context `json:"context,omitempty"`
}

// dateForm is how management writes a time.
const dateForm = "2006-01-02 15:04:05"

func (m *Module) describe(d *core.Dialog, context bool, _ int64) Call {
	s := d.Summary()
	c := Call{ID: d.ID.String(), DBID: strconv.FormatInt(d.ID.Int(), 10), State: int(s.State), UserFlags: s.Script, Start: s.Started, Timeout: s.Expires,
		CallID: d.CallID, FromURI: d.FromURI, ToURI: d.ToURI, CallerTag: d.FromTag, CallerContact: s.Caller.Contact,
		CallerRoutes: s.Caller.Routes, CallerBind: socketText(s.Caller.Socket), Callees: []Callee{}}
	if s.Started != 0 {
		c.StartDate = time.Unix(s.Started, 0).Format(dateForm)
	}
	if s.Expires != 0 {
		c.TimeoutDate = time.Unix(s.Expires, 0).Format(dateForm)
	}
	seq := uint32(0)
	for _, l := range s.Callees {
		c.Callees = append(c.Callees, Callee{Tag: l.Tag, Contact: l.Contact, CallerCSeq: strconv.FormatUint(uint64(s.Caller.CSeq), 10), Routes: l.Routes, Bind: socketText(l.Socket)})
		seq = max(seq, l.CSeq)
	}
	c.CalleeCSeq = strconv.FormatUint(uint64(seq), 10)
	if context {
		c.Context = &Context{}
		for _, v := range s.Values {
			if v.IsInt {
				c.Context.Values = append(c.Context.Values, Pair{v.Name: v.Int})
			} else {
				c.Context.Values = append(c.Context.Values, Pair{v.Name: v.Text})
			}
		}
		for _, p := range s.Profiles {
			c.Context.Profiles = append(c.Context.Profiles, Pair{p.Profile.Name: p.Value})
		}
	}
	return c
}

var (
	errNoDialog  = &mi.Error{Code: 404, Message: "No such dialog"}
	errNotFound  = &mi.Error{Code: 404, Message: "Requested Dialog not found"}
	errNoProfile = &mi.Error{Code: 404, Message: "Profile not found"}
	errNoDB      = &mi.Error{Code: 400, Message: "No database is used"}
)

// maxListed bounds the dialogs of one answer.
const maxListed = 200_000

func (m *Module) list(a *mi.Args, context bool) (any, error) {
	now := time.Now().Unix()
	if a.Has("callid") {
		d := m.dialogs.ByCallID([]byte(a.Text("callid")))
		if d == nil || a.Has("from_tag") && d.FromTag != a.Text("from_tag") {
			return nil, errNoDialog
		}
		return struct {
			Dialog Call `json:"Dialog"`
		}{m.describe(d, context, now)}, nil
	}
	var all []*core.Dialog
	m.dialogs.Each(func(d *core.Dialog) bool { all = append(all, d); return len(all) < maxListed })
	sort.Slice(all, func(i, j int) bool { return all[i].ID.Number < all[j].ID.Number })
	var out struct {
		Count   *int   `json:"count,omitempty"`
		Dialogs []Call `json:"Dialogs"`
	}
	if a.Has("index") || a.Has("counter") {
		n := len(all)
		out.Count = &n
		all = all[min(max(a.Int("index"), 0), len(all)):]
		if a.Has("counter") {
			all = all[:min(max(a.Int("counter"), 0), len(all))]
		}
	}
	out.Dialogs = make([]Call, 0, len(all))
	for _, d := range all {
		out.Dialogs = append(out.Dialogs, m.describe(d, context, now))
	}
	return out, nil
}

// byName finds a dialog by its ID or Call-ID.
func (m *Module) byName(name string) *core.Dialog {
	if d := m.find(name, false); d != nil {
		return d
	}
	return m.find(name, true)
}

func (m *Module) endCall(_ context.Context, a *mi.Args) (any, error) {
	d := m.byName(a.Text("dialog_id"))
	if d == nil || d.State() == core.Ended || !m.terminate(d, core.ByManagement, lines(a.Text("extra_hdrs"))) {
		return nil, errNotFound
	}
	return "OK", nil
}

func (m *Module) profileOf(a *mi.Args) (*core.Profile, error) {
	if p := m.profiles[a.Text("profile")]; p != nil {
		return p, nil
	}
	return nil, errNoProfile
}

func (m *Module) sizeOf(_ context.Context, a *mi.Args) (any, error) {
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
func (m *Module) ofCommand(a *mi.Args) (list []*core.Dialog, err error) {
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

func (m *Module) listProfile(_ context.Context, a *mi.Args) (any, error) {
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

func (m *Module) valuesOf(_ context.Context, a *mi.Args) (any, error) {
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

func (m *Module) endProfile(_ context.Context, a *mi.Args) (any, error) {
	list, err := m.ofCommand(a)
	if err != nil {
		return nil, err
	}
	for _, d := range list {
		m.terminate(d, core.ByManagement, "")
	}
	return "OK", nil
}

func (m *Module) allProfiles(context.Context, *mi.Args) (any, error) {
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

func (m *Module) pushValue(_ context.Context, a *mi.Args) (any, error) {
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

func (m *Module) joinProfile(_ context.Context, a *mi.Args) (any, error) {
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

func (m *Module) leaveProfile(_ context.Context, a *mi.Args) (any, error) {
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

func (m *Module) restoreDB(ctx context.Context, _ *mi.Args) (any, error) {
	if m.db == nil {
		return nil, errNoDB
	}
	if _, err := m.db.Delete(ctx, m.table); err != nil {
		return nil, &mi.Error{Code: 500, Message: err.Error()}
	}
	m.dialogs.Each(func(d *core.Dialog) bool { d.Touch(); return true })
	if err := m.write(ctx); err != nil {
		return nil, &mi.Error{Code: 500, Message: err.Error()}
	}
	return "OK", nil
}

func (m *Module) syncDB(context.Context, *mi.Args) (any, error) {
	if m.db == nil {
		return nil, errNoDB
	}
	if err := m.load(); err != nil {
		return nil, &mi.Error{Code: 500, Message: err.Error()}
	}
	return "OK", nil
}
