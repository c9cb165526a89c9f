package registrar

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"sipreactor/reactor/location"
	"sipreactor/reactor/modules/signaling"
	"sipreactor/reactor/modules/usrloc"
	"sipreactor/reactor/script"
	"sipreactor/sipframe"
)

// module is registrar of one configuration.
type module struct {
	defaultExpires, minExpires, maxExpires int64
	deviation                              int64
	defaultQ                               int64
	maxContacts                            int64
	retryAfter                             int64
	maxUser, maxDomain, maxAOR, maxContact int64
	caseSensitive                          bool
	repeats                                bool
	refuseShort                            bool
	realmPrefix                            string
	receivedParam                          string
	socketHeader                           string
	persistFlagName                        script.Literal
	persistFlag                            int // message flag, -1 none
	receivedAVP, attrAVP                   script.Literal
	received, attr                         *script.AVP
	attrName                               string
	noGRUU                                 bool
	gruuSecret                             string
	gruu                                   *gruus // nil: there are none
	serviceRoute                           string // of the 200; "" none
	flowTimer                              int64  // of the 200 to outbound phones; 0 none
	pushServices                           []string

	places             *usrloc.Module
	signaling          *signaling.Module
	env                *script.Env
	accepted, rejected atomic.Uint64
	scratch            sync.Pool // of *registration
}

// New returns the module for a configuration.
func New(cfg *script.Config) *script.Module {
	m := &module{
		defaultExpires: 3600, minExpires: 60, defaultQ: -1, maxUser: 64, maxDomain: 64, maxAOR: 256, maxContact: 255,
		caseSensitive: true, receivedParam: "received", persistFlag: -1, noGRUU: true,
	}
	m.scratch.New = func() any { return new(registration) }
	value := func(of *int64) func() uint64 { return func() uint64 { return uint64(max(*of, 0)) } }
	return &script.Module{
		Name: "registrar", Help: "Keeps what REGISTER says and finds whom a request is for.", Instance: m,
		Needs:      []string{"usrloc", "signaling"},
		Parameters: m.parameters(), Functions: m.functions(cfg),
		Statistics: []script.Statistic{
			{Name: "max_expires", Gauge: true, Help: "The parameter max_expires.", Value: value(&m.maxExpires)},
			{Name: "max_contacts", Gauge: true, Help: "The parameter max_contacts.", Value: value(&m.maxContacts)},
			{Name: "default_expire", Gauge: true, Help: "The parameter default_expires.", Value: value(&m.defaultExpires)},
			{Name: "accepted_regs", Help: "Registrations that were accepted.", Value: m.accepted.Load},
			{Name: "rejected_regs", Help: "Registrations that were refused.", Value: m.rejected.Load},
		},
		Check: m.check,
		Start: m.start,
	}
}

func (m *module) parameters() []script.Parameter {
	number := func(name, unit, help string, low, high int64, into *int64) script.Parameter {
		return script.Parameter{Name: name, Help: help, Type: script.IntParam, Min: low, Max: high, Unit: unit,
			Default: fmt.Sprint(*into), Set: script.Into(into)}
	}
	text := func(name, help string, into *string) script.Parameter {
		return script.Parameter{Name: name, Help: help, Type: script.StringParam, Default: *into, Set: script.Into(into)}
	}
	keep := func(name, help string, into *script.Literal) script.Parameter {
		return script.Parameter{Name: name, Help: help, Type: script.StringParam, Set: func(v script.Literal) error { *into = v; return nil }}
	}
	refused := func(name, help, why string) script.Parameter {
		return script.Parameter{Name: name, Help: help, Type: script.AnyParam, Set: func(v script.Literal) error {
			if v.Text == "" && v.Int == 0 {
				return nil
			}
			return fmt.Errorf("is not supported: %s", why)
		}}
	}
	const noPush = "push notifications are not sent"
	const year = 366 * 86400
	return []script.Parameter{
		number("default_expires", "seconds", "Expiry of a contact that says none.", 1, year, &m.defaultExpires),
		number("min_expires", "seconds", "The shortest expiry; a shorter one is raised. 0 is none.", 0, year, &m.minExpires),
		number("max_expires", "seconds", "The longest expiry; a longer one is lowered. 0 is none.", 0, year, &m.maxExpires),
		{Name: "refuse_short_expires", Type: script.BoolParam, Default: "0", Set: script.Into(&m.refuseShort),
			Help: "An expiry below min_expires is answered 423 (ours)."},
		number("expires_max_deviation", "seconds", "Bound of a random difference of expiries.", 0, 86400, &m.deviation),
		number("default_q", "thousandths", "q of a contact that says none; -1 leaves it without.", -1, 1000, &m.defaultQ),
		number("max_contacts", "contacts", "How many an address of record may have; 0 is any number.", 0, 10000, &m.maxContacts),
		number("retry_after", "seconds", "Retry-After of a 503; 0 is none.", 0, 86400, &m.retryAfter),
		number("max_username_len", "bytes", "Bound of the user of an address of record.", 1, 1024, &m.maxUser),
		number("max_domain_len", "bytes", "Bound of its host.", 1, 1024, &m.maxDomain),
		number("max_aor_len", "bytes", "Bound of an address of record.", 1, 4096, &m.maxAOR),
		number("max_contact_len", "bytes", "Bound of the URI of a contact.", 1, 8192, &m.maxContact),
		{Name: "case_sensitive", Type: script.BoolParam, Default: "1", Set: script.Into(&m.caseSensitive),
			Help: "The case of a user counts."},
		{Name: "allow_dup_cseq", Type: script.BoolParam, Default: "0", Set: script.Into(&m.repeats),
			Help: "A REGISTER with the same Call-ID and CSeq changes contacts; else it is a retransmission."},
		text("realm_prefix", "Prefix of hosts that is left out.", &m.realmPrefix),
		text("received_param", "Parameter of a Contact in the 200 that tells where it is reached.", &m.receivedParam),
		text("sock_hdr_name", "Header that names the listener, with the flag socket-header.", &m.socketHeader),
		keep("tcp_persistent_flag", "Message flag: the connection lives as long as the contact.", &m.persistFlagName),
		keep("received_avp", "AVP with the URI of where the REGISTER came from, as fix_nated_register() sets it.", &m.receivedAVP),
		keep("attr_avp", "AVP with what is kept with a contact; lookup() gives it back as a branch's attribute.", &m.attrAVP),
		refused("mcontact_avp", "Contact of a REGISTER that was forwarded.", "save() is for requests"),
		text("gruu_secret", "Secret that temporary GRUUs are sealed with; without one they are good until the program ends.", &m.gruuSecret),
		{Name: "disable_gruu", Help: "Phones that support GRUUs get none.", Type: script.BoolParam, Default: "1", Set: script.Into(&m.noGRUU)},
		{Name: "service_route", Type: script.StringParam, Set: m.setServiceRoute,
			Help: "Service-Route of the 200 (RFC 3608): URIs in <>, with commas between them (ours)."},
		number("flow_timer", "seconds", "Flow-Timer of the 200 to a phone with outbound (RFC 5626): it pings at least so often (ours). 0 is none.", 0, 3600, &m.flowTimer),
		refused("pn_enable", "Push notifications.", noPush),
		{Name: "pn_providers", Help: "Providers of push notifications: a contact with another one is refused with 555 (RFC 8599). None are sent.",
			Type: script.StringParam, Set: m.setPushServices},
		{Name: "pn_ct_match_params", Help: "Parameters that match contacts.", Type: script.StringParam, Note: noPush},
		{Name: "pn_pnsreg_interval", Help: "When devices register again.", Type: script.IntParam, Note: noPush},
		{Name: "pn_trigger_interval", Help: "When a notification is sent.", Type: script.IntParam, Note: noPush},
		{Name: "pn_skip_pn_interval", Help: "When none is needed.", Type: script.IntParam, Note: noPush},
		{Name: "pn_refresh_timeout", Help: "How long a device may take.", Type: script.IntParam, Note: noPush},
		refused("pn_enable_purr", "Notifications within dialogs.", noPush),
	}
}

// setPushServices takes pn_providers: names with commas between them.
func (m *module) setPushServices(v script.Literal) error {
	m.pushServices = nil
	for name := range strings.SplitSeq(v.Text, ",") {
		if name = strings.TrimSpace(name); name != "" {
			m.pushServices = append(m.pushServices, name)
		}
	}
	return nil
}

// setServiceRoute takes service_route.
func (m *module) setServiceRoute(v script.Literal) error {
	for one := range strings.SplitSeq(v.Text, ",") {
		text := []byte(strings.TrimSpace(one))
		var a sipframe.NameAddr
		var u sipframe.URI
		if sipframe.ParseNameAddr(text, &a) != nil || !a.Angle || sipframe.ParseURI(a.URI.In(text), &u) != nil {
			return fmt.Errorf("wants URIs in <>, not %q", one)
		}
	}
	m.serviceRoute = v.Text
	return nil
}

// start makes GRUUs, or goes on with those of the instance that this one replaces.
func (m *module) start(e *script.Env) error {
	m.env = e
	old, _ := e.Previous.(*module)
	switch {
	case m.noGRUU:
	case m.gruuSecret == "" && old != nil && old.gruu != nil && old.gruuSecret == "":
		m.gruu = old.gruu
	default:
		m.gruu = newGRUUs(m.gruuSecret)
	}
	return nil
}

// check resolves what the parameters name.
func (m *module) check(l *script.Loading) {
	m.places, _ = l.Instance("usrloc").(*usrloc.Module)
	m.signaling, _ = l.Instance("signaling").(*signaling.Module)
	if m.places == nil || m.signaling == nil {
		return // Needs has said so
	}
	m.places.CaseSensitive, m.places.RealmPrefix = m.caseSensitive, m.realmPrefix
	if m.persistFlagName.Text != "" {
		m.persistFlag = int(l.Flag(m.persistFlagName))
	}
	m.received, _ = avpOf(l, m.receivedAVP)
	m.attr, m.attrName = avpOf(l, m.attrAVP)
	if m.minExpires > 0 && m.maxExpires > 0 && m.minExpires > m.maxExpires {
		l.Errorf(l.Place("max_expires"), "max_expires %d is below min_expires %d", m.maxExpires, m.minExpires)
	}
}

// avpOf resolves a parameter that names an AVP: $avp(name).
func avpOf(l *script.Loading, v script.Literal) (*script.AVP, string) {
	if v.Text == "" {
		return nil, ""
	}
	name := v.Text
	if len(name) > 6 && name[:5] == "$avp(" && name[len(name)-1] == ')' {
		name = name[5 : len(name)-1]
	}
	return l.AVP(v), name
}

// qOf is default_q as a table has it.
func (m *module) qOf() int16 {
	if m.defaultQ < 0 {
		return location.NoQ
	}
	return int16(m.defaultQ)
}
