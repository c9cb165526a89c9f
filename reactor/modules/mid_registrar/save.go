package mid_registrar

import (
	"fmt"

	"sipreactor/reactor/location"
	"sipreactor/reactor/modules/registrar"
	"sipreactor/reactor/modules/usrloc"
	"sipreactor/reactor/script"
	"sipreactor/reactor/transaction"
	"sipreactor/sipframe"
)

// What mid_registrar_save() returns, besides -1.
const (
	toRelay  = 1
	answered = 2
)

// save builds mid_registrar_save().
func (m *module) save(a *script.Args) script.Action {
	table := m.core.Filled(a, 0)
	flags, ok := m.core.FlagsArg(a, 1)
	if table == nil || !ok {
		return nil
	}
	aor, outgoing, at := m.core.AORArg(a, 2), a.Int(3), a.Site()
	return func(x *script.Machine) int {
		c := x.Context()
		if c.Msg.Method() != sipframe.REGISTER {
			return x.Fail(at, "it is for REGISTER")
		}
		f, err := flags(x)
		if err != nil {
			return x.Fail(at, err.Error())
		}
		extra, err := m.extraParams(x)
		if err != nil {
			return x.Fail(at, err.Error())
		}
		r := m.core.Take()
		defer m.core.Give(r)
		bad := m.core.Read(x, r, f, aor)
		var plan decision
		if bad == nil {
			plan, bad = m.decide(table, r)
			plan.relay = plan.relay || len(m.foreign(c.Msg, f)) > 0
		}
		if bad == nil && !plan.relay {
			if bad, _ = m.core.WriteStored(x, table, r); bad == nil { // what the database does not take waits
				m.absorbed.Add(1)
				m.core.Respond(x, at, r, f, nil)
				return answered
			}
		}
		if bad != nil {
			if rc := m.tm.StartTransaction(x); rc <= 0 { // what the script answers besides goes nowhere then
				return rc
			}
			m.core.Respond(x, at, r, f, bad)
			return -1
		}
		p := &pending{of: m, table: table, r: r.Copy(), flags: f, last: plan.last, outgoing: m.outgoing, extra: extra}
		if n, ok := outgoing(x); ok && n > 0 {
			p.outgoing = n
		}
		p.to = string(to(c.Msg))
		c.Attach(pendingKey{}, p)
		if e := transaction.Of(c); e != nil {
			e.Listen(p.happens)
		}
		return toRelay
	}
}

// extraParams returns the parameters that the script has for the URIs of our Contacts.
func (m *module) extraParams(x *script.Machine) (string, error) {
	if m.extraAVP == nil {
		return "", nil
	}
	v := m.extraAVP.Get(x, 0)
	if v.IsNull() {
		return "", nil
	}
	text := string(x.Text(v))
	var u sipframe.URI
	if text != "" && text[0] != ';' || sipframe.ParseURI([]byte("sip:x@y"+text), &u) != nil || u.Headers.Len > 0 {
		return "", fmt.Errorf("extra_contact_params_avp has %q, which is not ;name=value", text)
	}
	return text, nil
}

// foreign are the options of Require that the main registrar has to know, as they are not ours: it decides about them. So is
// path where nothing stores it here.
func (m *module) foreign(msg *sipframe.Message, f *registrar.SaveFlags) (list []byte) {
	it := msg.Values(sipframe.HeaderRequire)
	for v, ok := it.Next(); ok; v, ok = it.Next() {
		option := msg.Bytes(v)
		if !oneOf(option, m.core.Extensions()...) || oneOf(option, "path") && !f.StoresPath() {
			if len(list) > 0 {
				list = append(list, ", "...)
			}
			list = append(list, option...)
		}
	}
	return list
}

// to returns the URI in To.
func to(msg *sipframe.Message) []byte {
	a, err := msg.To()
	if err != nil {
		return nil
	}
	return msg.Bytes(a.URI)
}

// decision is what becomes of a REGISTER.
type decision struct {
	relay bool
	last  bool // of mode 2: no contact is left behind it
}

// decide tells whether a REGISTER goes to the main registrar, or why it is refused. Bindings get the IDs of their contacts,
// and what is kept with those.
func (m *module) decide(table *usrloc.Place, r *registrar.Registration) (decision, *registrar.Refusal) {
	if r.Query {
		known := false
		if m.mode != mirroring {
			table.Table().Lookup(r.AOR, r.Now, func(*location.Contact) bool { known = true; return false })
		}
		return decision{relay: !known}, nil
	}
	t := tally{m: m, table: table.Table(), r: r}
	bad := m.core.Check(table, r, t.visit)
	if bad != nil {
		return decision{}, bad
	}
	switch m.mode {
	case byContact:
		return decision{relay: r.All || t.stale}, nil
	case byAOR:
		return t.ofAOR()
	default:
		return decision{relay: true}, nil
	}
}

// tally is what the bindings of a REGISTER mean for the main registrar.
type tally struct {
	m       *module
	table   *location.Table
	r       *registrar.Registration
	stale   bool  // some contact has to be registered, or removed, there
	foreign bool  // some contact is new, or comes from elsewhere
	removed int   // contacts that go
	end     int64 // the latest second that some contact is to live to
}

// visit looks at the binding i, of the contact c.
func (t *tally) visit(i int, c *location.Contact) {
	b := &t.r.Bindings[i]
	if c == nil {
		b.ID = t.table.NewID()
	} else {
		b.ID, b.Kept = c.ID, []byte(c.Kept())
	}
	if b.Expires <= t.r.Now {
		if c != nil {
			t.removed++
			t.stale = true
		}
		return
	}
	t.end = max(t.end, b.Expires)
	if c == nil || c.Flow != t.r.Flow || c.Received() != string(b.Received) || c.Socket() != string(b.Socket) {
		t.foreign, t.stale = true, true
		return
	}
	if c.Q != b.Q || keptUntil(c.Kept()) < b.Expires {
		t.stale = true
	}
}

// ofAOR decides in mode 2: the contacts of an address of record count together.
func (t *tally) ofAOR() (decision, *registrar.Refusal) {
	var until int64
	state := ""
	alive := t.table.Lookup(t.r.AOR, t.r.Now, func(c *location.Contact) bool {
		if n := keptUntil(c.Kept()); n > until {
			until, state = n, c.Kept()
		}
		return true
	})
	switch {
	case t.r.All:
		return decision{relay: true, last: true}, nil
	case t.end == 0: // nothing but removals
		return decision{relay: alive == t.removed, last: alive == t.removed}, nil
	case until < t.end, t.foreign && !t.m.absorbNew:
		return decision{relay: true}, nil
	}
	for i := range t.r.Bindings {
		t.r.Bindings[i].Kept = []byte(state)
	}
	return decision{}, nil
}
