package usrloc

import (
	"cmp"
	"context"
	"strconv"
	"strings"
	"time"

	"sipreactor/reactor/location"
	"sipreactor/reactor/rpc"
	"sipreactor/sipframe"
)

func (m *Module) commands() []rpc.Command {
	text := func(name string) rpc.Param { return rpc.Param{Name: name} }
	table, aor := text("table_name"), text("aor")
	optional := func(p rpc.Param) rpc.Param { p.Optional = true; return p }
	return []rpc.Command{
		{Name: "ul_dump", Aliases: []string{"usrloc:dump"}, Module: "usrloc", Help: "Lists all contacts.",
			Params: []rpc.Param{{Name: "brief", Optional: true}}, Func: m.dump},
		{Name: "ul_show_contact", Aliases: []string{"usrloc:show_contact"}, Module: "usrloc", Help: "Lists the contacts of a user.",
			Params: []rpc.Param{table, aor}, Func: m.show},
		{Name: "ul_add", Aliases: []string{"usrloc:add"}, Module: "usrloc", Help: "Adds a contact.",
			Params: []rpc.Param{table, aor, text("contact"), {Name: "expires", Kind: rpc.Integer},
				text("q"), {Name: "flags", Kind: rpc.Integer},
				{Name: "cflags", Kind: rpc.Integer}, {Name: "methods", Kind: rpc.Integer}},
			Func: m.add},
		{Name: "ul_rm", Aliases: []string{"usrloc:rm"}, Module: "usrloc", Help: "Removes all contacts of a user.",
			Params: []rpc.Param{table, aor}, Func: m.remove},
		{Name: "ul_rm_contact", Aliases: []string{"usrloc:rm_contact"}, Module: "usrloc", Help: "Removes a contact of a user.",
			Params: []rpc.Param{table, aor, text("contact")}, Func: m.removeContact},
		{Name: "ul_flush", Aliases: []string{"usrloc:flush"}, Module: "usrloc", Help: "Writes changes to the database now.",
			Func: m.flushNow},
		{Name: "ul_sync", Aliases: []string{"usrloc:sync"}, Module: "usrloc", Help: "Empties a table of the database and writes all contacts to it.",
			Params: []rpc.Param{table, optional(aor)}, Func: m.sync},
		{Name: "ul_cluster_sync", Aliases: []string{"usrloc:cluster_sync"}, Module: "usrloc", Help: "Is for clusters, and there is none.",
			Func: func(context.Context, *rpc.Args) (any, error) {
				return nil, &rpc.Error{Code: 400, Message: "Clustering not enabled"}
			}},
		m.findCommand(),
	}
}

// Contact is a contact as management shows it.
type Contact struct {
	Contact   string `json:"Contact"`
	ContactID string `json:"ContactID"`
	Expires   any    `json:"Expires"` // seconds that are left, "permanent", "expired"
	Q         string `json:"Q"`
	CallID    string `json:"Callid"`
	CSeq      uint32 `json:"Cseq"`
	Agent     string `json:"User-agent"`
	Received  string `json:"Received,omitempty"`
	Path      string `json:"Path,omitempty"`
	State     string `json:"State"`
	Flags     uint32 `json:"Flags"`
	CFlags    string `json:"Cflags"`
	Socket    string `json:"Socket,omitempty"`
	Methods   uint32 `json:"Methods"`
	Instance  string `json:"SIP_instance,omitempty"`
	Latency   uint32 `json:"Latency,omitempty"` // microseconds
	Attr      string `json:"Attr,omitempty"`
	Kept      string `json:"KV-Store,omitempty"`
	// Connection is the id of the one it came by (ours), Lost tells that it has ended.
	Connection uint64 `json:"Connection,omitempty"`
	Lost       bool   `json:"ConnectionLost,omitempty"`
}

// Record is an address of record as management shows it.
type Record struct {
	AOR      string            `json:"AOR"`
	Contacts []Contact         `json:"Contacts,omitempty"`
	Keys     map[string]string `json:"KV-Store,omitempty"`
}

func (m *Module) describe(c *location.Contact, now int64) Contact {
	x := Contact{
		Contact: c.URI(), ContactID: strconv.FormatUint(c.ID, 10), CallID: c.CallID(), CSeq: c.CSeq, Agent: c.Agent(),
		Received: c.Received(), Path: c.Path(), State: c.State().String(), Flags: c.Flags &^ (1 << 31), CFlags: m.flagNames(m.Flags(c)),
		Socket: c.Socket(), Methods: c.Methods, Instance: c.Instance(), Attr: c.Attr(), Latency: c.Latency,
		Connection: uint64(c.Flow), Lost: c.FlowLost,
	}
	if m.showKept {
		x.Kept = c.Kept()
	}
	if x.Agent == "" {
		x.Agent = noAgent
	}
	switch {
	case c.Expires == 0:
		x.Expires = "permanent"
	case c.Expires <= now:
		x.Expires = "expired"
	default:
		x.Expires = c.Expires - now
	}
	if c.Q != location.NoQ {
		x.Q = strconv.FormatFloat(float64(c.Q)/1000, 'g', -1, 64)
	}
	return x
}

// maxDump bounds the contacts of a dump: an answer is put together in memory.
const maxDump = 1_000_000

func (m *Module) dump(_ context.Context, a *rpc.Args) (any, error) {
	brief := a.Text("brief") != "" && a.Text("brief") != "0"
	now := time.Now().Unix()
	type domain struct {
		Name string   `json:"name"`
		Size int      `json:"hash_size"`
		AORs []Record `json:"AORs"`
	}
	domains := []domain{}
	n := 0
	for _, t := range m.list() {
		d := domain{Name: t.name, Size: 128, AORs: []Record{}}
		t.Each(func(c *location.Contact) bool {
			if last := len(d.AORs) - 1; last < 0 || d.AORs[last].AOR != c.AOR() {
				d.AORs = append(d.AORs, Record{AOR: c.AOR()})
			}
			if !brief {
				r := &d.AORs[len(d.AORs)-1]
				r.Contacts = append(r.Contacts, m.describe(c, now))
			}
			n++
			return n < maxDump
		})
		domains = append(domains, d)
	}
	return struct {
		Domains []domain `json:"Domains"`
	}{domains}, nil
}

var (
	errTable   = &rpc.Error{Code: rpc.CodeNotFound, Message: "Table not found"}
	errAOR     = &rpc.Error{Code: rpc.CodeNotFound, Message: "AOR not found"}
	errContact = &rpc.Error{Code: rpc.CodeNotFound, Message: "Contact not found"}
	errDomain  = &rpc.Error{Code: 400, Message: "Domain missing in AOR"}
	errNoDB    = &rpc.Error{Code: 400, Message: "No database is used"}
	errShared  = &rpc.Error{Code: 400, Message: "The table is the only place of the contacts (sql-only)"}
)

// find reads the two parameters that most commands begin with.
func (m *Module) find(a *rpc.Args) (*table, []byte, error) {
	m.mu.Lock()
	t := m.tables[a.Text("table_name")]
	m.mu.Unlock()
	if t == nil {
		return nil, nil, errTable
	}
	user, host, has := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(a.Text("aor"), "sips:"), "sip:"), "@")
	if m.UseDomain && !has {
		return nil, nil, errDomain
	}
	return t, m.AppendAOR(nil, []byte(user), []byte(host)), nil
}

func (m *Module) show(ctx context.Context, a *rpc.Args) (any, error) {
	t, aor, err := m.find(a)
	if err != nil {
		return nil, err
	}
	now := time.Now().Unix()
	r := Record{AOR: string(aor)}
	err = t.do(ctx, aor, false, func() {
		t.Lookup(aor, now, func(c *location.Contact) bool {
			r.Contacts = append(r.Contacts, m.describe(c, now))
			return true
		})
		if m.showKept {
			r.Keys = t.Keys(aor)
		}
	})
	switch {
	case err != nil:
		return nil, failure(err)
	case len(r.Contacts) == 0:
		return nil, errAOR
	}
	return r, nil
}

// failure is the answer to a command that the database failed.
func failure(err error) error { return rpc.Failed(err.Error(), nil) }

// What a contact that management adds is registered by.
const (
	addedCallID = "dfjrewr12386fd6-343@OpenSIPS.mi"
	addedAgent  = "OpenSIPS MI Server"
)

func (m *Module) add(ctx context.Context, a *rpc.Args) (any, error) {
	t, aor, err := m.find(a)
	if err != nil {
		return nil, err
	}
	now := time.Now().Unix()
	b := location.Binding{
		Texts: location.Texts{URI: []byte(a.Text("contact")), CallID: []byte(addedCallID), Agent: []byte(addedAgent)},
		Q:     location.NoQ, Methods: uint32(a.Int("methods")),
	}
	if b.Methods == 0 || b.Methods == 32767 {
		b.Methods = location.AllMethods
	}
	var uri sipframe.URI
	if sipframe.ParseURI(b.URI, &uri) != nil {
		return nil, &rpc.Error{Code: rpc.CodeParams, Message: "contact is no URI"}
	}
	switch e := a.Int("expires"); {
	case e < 0:
		return nil, &rpc.Error{Code: rpc.CodeParams, Message: "expires is a number of seconds, or 0 for ever"}
	case e > 0:
		b.Expires = now + int64(e)
	}
	if text := a.Text("q"); text != "" {
		q, err := strconv.ParseFloat(text, 64)
		switch {
		case err != nil || !(q <= 1) || q < 0 && q != -1:
			return nil, &rpc.Error{Code: rpc.CodeParams, Message: "q is from 0 to 1"}
		case q >= 0:
			b.Q = int16(q*1000 + 0.5)
		}
	}
	u := &location.Update{AOR: aor, CSeq: 1, Now: now, Bindings: []location.Binding{b}, Matching: m.Matching, Repeats: true,
		Flags: uint32(a.Int("flags")), BranchFlags: uint32(a.Int("cflags")), Era: m.era}
	var bad error
	if err := t.do(ctx, aor, true, func() { bad = t.Save(u, nil) }); err != nil || bad != nil {
		return nil, failure(cmp.Or(bad, err))
	}
	return "OK", nil
}

func (m *Module) remove(ctx context.Context, a *rpc.Args) (any, error) {
	t, aor, err := m.find(a)
	if err != nil {
		return nil, err
	}
	known := false
	if err := t.do(ctx, aor, true, func() { known = t.Remove(aor) }); err != nil {
		return nil, failure(err)
	}
	if !known {
		return nil, errAOR
	}
	return "OK", nil
}

func (m *Module) removeContact(ctx context.Context, a *rpc.Args) (any, error) {
	t, aor, err := m.find(a)
	if err != nil {
		return nil, err
	}
	user, contact := false, false
	if err := t.do(ctx, aor, true, func() {
		user = t.Lookup(aor, time.Now().Unix(), func(*location.Contact) bool { return true }) > 0
		contact = t.RemoveContact(aor, a.Text("contact"))
	}); err != nil {
		return nil, failure(err)
	}
	switch {
	case !user:
		return nil, errAOR
	case !contact:
		return nil, errContact
	}
	return "OK", nil
}

func (m *Module) flushNow(ctx context.Context, _ *rpc.Args) (any, error) {
	if m.db == nil {
		return nil, errNoDB
	}
	if err := m.write(ctx); err != nil {
		return nil, rpc.Failed(err.Error(), nil)
	}
	return "OK", nil
}
