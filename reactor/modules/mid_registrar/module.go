package mid_registrar

import (
	"errors"
	"fmt"
	"strings"

	"sipreactor/reactor/modules/registrar"
	"sipreactor/reactor/modules/tm"
	"sipreactor/reactor/script"
	"sipreactor/reactor/transaction"
)

// Modes.
const (
	mirroring = iota
	byContact
	byAOR
)

// Names of the values of contact_id_insertion.
const (
	inParam = "ct-param"
	inUser  = "ct-username"
)

// module is mid_registrar of one configuration.
type module struct {
	core      *registrar.Core
	mode      int64
	insertion string
	idParam   string
	at        string // what stands for @ in a user
	outgoing  int64  // seconds
	extra     script.Literal
	extraAVP  *script.AVP
	absorbNew bool

	tm       *tm.Module
	env      *script.Env
	removals *removals
	stop     func()

	relayed, absorbed, unwritten script.Count
}

// New returns the module for a configuration.
func New(*script.Config) *script.Module {
	m := &module{core: registrar.NewCore("mid_registrar"), insertion: inParam, idParam: "ctid", at: "%40", outgoing: 3600, absorbNew: true}
	m.core.SetBounds(10, 3600, 0)
	const (
		text  = script.TextArg
		fixed = script.FixedArg
	)
	return &script.Module{
		Name: "mid_registrar", Help: "Registers phones here and, less often, at a main registrar.", Instance: m,
		Needs:      []string{"usrloc", "signaling", "tm"},
		Parameters: append(m.core.Parameters(), m.parameters()...),
		Functions: []script.Function{
			{Name: "mid_registrar_save", Usage: `mid_registrar_save("table"[, "flags"[, "aor"[, outgoing_expires[, "ownership tag"]]]])`, Min: 1,
				Help: "Prepares a REGISTER to be relayed to the main registrar (1), or answers it (2).",
				Args: []script.ArgKind{fixed, text, text, script.IntArg, text}, Routes: script.Routes(script.RequestRoute), Build: m.save},
			{Name: "mid_registrar_lookup", Usage: `mid_registrar_lookup("table"[, "flags"[, "aor"]])`, Min: 1,
				Help: "Makes the contacts that a request of the main registrar is for its destinations.",
				Args: []script.ArgKind{fixed, text, text}, Routes: script.Routes(script.RequestRoute),
				Build: func(a *script.Args) script.Action { return m.core.Lookup(a, m.whom) }},
			m.core.PurrFunction(),
		},
		Statistics: []script.Statistic{
			{Name: "relayed_regs", Help: "REGISTERs that the main registrar has accepted.", Count: &m.relayed},
			{Name: "absorbed_regs", Help: "REGISTERs that were accepted without it.", Count: &m.absorbed},
			{Name: "unwritten_regs", Help: "REGISTERs that were relayed with the phone's own Contacts, as ours did not fit: the log says why.", Count: &m.unwritten},
			{Name: "removed_regs", Help: "Removals at the main registrar that were sent as contacts were over here, by their time or MI; a phone's own removal is relayed.", Value: func() uint64 { return m.removals.sentOf() }},
			{Name: "lost_removals", Help: "Removals that there was no room for.", Value: func() uint64 { return m.removals.lostOf() }},
		},
		Check: m.check, Start: m.start, Stop: m.end,
	}
}

func (m *module) parameters() []script.Parameter {
	return []script.Parameter{
		{Name: "mode", Type: script.IntParam, Min: mirroring, Max: byAOR, Default: "0", Set: script.Into(&m.mode),
			Help: "0 every REGISTER is relayed, 1 contacts are throttled, 2 addresses of record are."},
		{Name: "outgoing_expires", Type: script.IntParam, Min: 1, Max: 366 * 86400, Unit: "seconds", Default: "3600", Set: script.Into(&m.outgoing),
			Help: "Least expiry at the main registrar, in modes 1 and 2."},
		{Name: "contact_id_insertion", Type: script.StringParam, Default: inParam, Help: "Where the ID of a contact stands: ct-param or ct-username.",
			Set: func(v script.Literal) error {
				if v.Text != inParam && v.Text != inUser {
					return fmt.Errorf("is %q or %q, not %q", inParam, inUser, v.Text)
				}
				m.insertion = v.Text
				return nil
			}},
		{Name: "contact_id_param", Type: script.StringParam, Default: m.idParam, Help: "Parameter of the URI with the ID of a contact.",
			Set: func(v script.Literal) error {
				if v.Text == "" || strings.Trim(v.Text, alphanumeric+"-_.") != "" {
					return errors.New("has to be letters, digits, -, _ and dots")
				}
				m.idParam = v.Text
				return nil
			}},
		{Name: "at_escape_str", Type: script.StringParam, Default: m.at, Help: "What stands for @ in the user of a Contact of mode 2.",
			Set: func(v script.Literal) error {
				if v.Text == "" || strings.Trim(v.Text, alphanumeric+"%-_.!~*'()&=+$,") != "" {
					return errors.New("could not stand in the user of a URI")
				}
				m.at = v.Text
				return nil
			}},
		{Name: "extra_contact_params_avp", Type: script.StringParam, Help: "AVP with parameters for the URIs of relayed Contacts: \";a=b\".",
			Set: func(v script.Literal) error { m.extra = v; return nil }},
		{Name: "absorb_new_contacts", Type: script.BoolParam, Default: "1", Set: script.Into(&m.absorbNew),
			Help: "In mode 2 a new contact of a registered user is accepted without the main registrar (ours)."},
	}
}

const alphanumeric = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

func (m *module) check(l *script.Loading) {
	m.core.Resolve(l)
	m.tm, _ = l.Instance("tm").(*tm.Module)
	if m.extra.Text != "" {
		m.extraAVP = l.AVP(m.extra)
	}
	if p := m.core.Places(); p != nil {
		if p.Shared() {
			l.Errorf(l.Place("working_mode_preset"), "mid_registrar is not for usrloc's sql-only: its contacts are in memory")
		}
		p.IndexIDs()
		if m.mode != mirroring {
			p.Watch(m.changed)
		}
	}
}

// start goes on with the removals that wait from the instance that this one replaces.
func (m *module) start(e *script.Env) error {
	m.env = e
	old, _ := e.Previous.(*module)
	if old != nil {
		m.core.Start(e, old.core)
		m.removals = old.removals
	} else {
		m.core.Start(e, nil)
		m.removals = newRemovals()
	}
	if layer := m.tm.Layer(); layer != nil {
		m.stop = layer.Listen(created)
		e.Go(m.remove)
	}
	return nil
}

func (m *module) end(next any) {
	if m.stop != nil {
		m.stop()
	}
	if other, ok := next.(*module); ok {
		m.core.Stop(other.core)
	} else {
		m.core.Stop(nil)
	}
}

// created has a transaction tell the registration that its request is of.
func created(h *transaction.Happening) {
	if h.What != transaction.Created {
		return
	}
	if p, ok := h.Context.Attachment(pendingKey{}).(*pending); ok {
		h.Exchange.Listen(p.happens)
	}
}

// ReceivedAVP is that of registrar.
func (m *module) ReceivedAVP() string { return m.core.ReceivedAVP() }
