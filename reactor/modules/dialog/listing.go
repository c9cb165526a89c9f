package dialog

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	core "sipreactor/reactor/dialog"
	"sipreactor/reactor/rpc"
)

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

// maxListed bounds the dialogs of one answer.
const maxListed = 200_000

func (m *Module) list(a *rpc.Args, context bool) (any, error) {
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
	slices.SortFunc(all, func(a, b *core.Dialog) int { return cmp.Compare(a.ID.Int(), b.ID.Int()) })
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
