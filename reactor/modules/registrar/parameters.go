package registrar

import (
	"fmt"
	"strings"

	"sipreactor/reactor/script"
	"sipreactor/sipframe"
)

// Parameters are those that both modules have.
func (m *Core) Parameters() []script.Parameter {
	const year = 366 * 86400
	return []script.Parameter{
		number("default_expires", "seconds", "Expiry of a contact that says none.", 1, year, &m.defaultExpires),
		number("min_expires", "seconds", "The shortest expiry; a shorter one is raised. 0 is none.", 0, year, &m.minExpires),
		number("max_expires", "seconds", "The longest expiry; a longer one is lowered. 0 is none.", 0, year, &m.maxExpires),
		number("default_q", "thousandths", "q of a contact that says none; -1 leaves it without.", -1, 1000, &m.defaultQ),
		number("max_contacts", "contacts", "How many an address of record may have; 0 is any number.", 0, 10000, &m.maxContacts),
		number("retry_after", "seconds", "Retry-After of a 503; 0 is none.", 0, 86400, &m.retryAfter),
		number("max_username_len", "bytes", "Bound of the user of an address of record.", 1, 1024, &m.maxUser),
		number("max_domain_len", "bytes", "Bound of its host.", 1, 1024, &m.maxDomain),
		number("max_aor_len", "bytes", "Bound of an address of record.", 1, 4096, &m.maxAOR),
		number("max_contact_len", "bytes", "Bound of the URI of a contact.", 1, 8192, &m.maxContact),
		number("max_path_len", "bytes", "Bound of the Path headers of a REGISTER, which each of its contacts keeps (ours).", 1, 8192, &m.maxPath),
		{Name: "case_sensitive", Type: script.BoolParam, Default: "1", Set: script.Into(&m.caseSensitive),
			Help: "The case of a user counts."},
		text("realm_prefix", "Prefix of hosts that is left out.", &m.realmPrefix),
		{Name: "received_param", Type: script.StringParam, Default: m.receivedParam, Set: tokenInto(&m.receivedParam),
			Help: "Parameter of a Contact in the 200 that tells where it is reached; \"\" none."},
		keep("tcp_persistent_flag", "Message flag: the connection lives as long as the contact.", &m.persistFlagName),
		keep("received_avp", "AVP with the URI of where the REGISTER came from, as fix_nated_register() sets it.", &m.receivedAVP),
		keep("attr_avp", "AVP with what is kept with a contact; lookup() gives it back as a branch's attribute.", &m.attrAVP),
		{Name: "gruu_secret", Type: script.StringParam, Set: script.Checked(script.CheckGiven, &m.gruuSecret),
			Help: "Secret that temporary GRUUs are sealed with; without one they are good until the program ends."},
		{Name: "disable_gruu", Help: "Phones that support GRUUs get none.", Type: script.BoolParam, Default: "1", Set: script.Into(&m.noGRUU)},
		{Name: "pn_enable", Type: script.BoolParam, Default: "0", Set: script.Into(&m.push.on),
			Help: "Phones with push parameters (RFC 8599) are woken by E_UL_CONTACT_REFRESH."},
		{Name: "pn_providers", Help: "Providers of push notifications, with commas: a contact with another one is refused with 555.",
			Type: script.StringParam, Set: list(&m.push.providers)},
		{Name: "pn_ct_match_params", Help: "Parameters of the URI that contacts with all of them are matched by, with commas.",
			Default: "pn-provider, pn-prid, pn-param", Type: script.StringParam, Set: list(&m.push.params)},
		number("pn_pnsreg_interval", "seconds", "How long before its end a device that wakes by itself refreshes its registration.", 1, year, &m.push.pnsreg),
		number("pn_trigger_interval", "seconds", "How long before its end a device is woken that has not registered again, with usrloc's contact_refresh_timer.", 0, year, &m.push.trigger),
		number("pn_skip_pn_interval", "seconds", "How long behind a registration a device counts as awake.", 0, year, &m.push.skip),
		number("pn_refresh_timeout", "seconds", "How long a device may take to register for a request.", 1, 600, &m.push.timeout),
		{Name: "pn_enable_purr", Type: script.BoolParam, Default: "0", Set: script.Into(&m.push.purr),
			Help: "Registrations get a reference (PURR) that later requests of dialogs wake their phone by."},
	}
}

// list takes names with commas between them.
func list(into *[]string) func(v script.Literal) error {
	return func(v script.Literal) error {
		*into = nil
		for name := range strings.SplitSeq(v.Text, ",") {
			if name = strings.TrimSpace(name); name != "" {
				*into = append(*into, name)
			}
		}
		return nil
	}
}

// setServiceRoute takes service_route.
func (m *Core) setServiceRoute(v script.Literal) error {
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

func number(name, unit, help string, low, high int64, into *int64) script.Parameter {
	return script.Parameter{Name: name, Help: help, Type: script.IntParam, Min: low, Max: high, Unit: unit,
		Default: fmt.Sprint(*into), Set: script.Into(into)}
}

func text(name, help string, into *string) script.Parameter {
	return script.Parameter{Name: name, Help: help, Type: script.StringParam, Default: *into, Set: script.Into(into)}
}

func keep(name, help string, into *script.Literal) script.Parameter {
	return script.Parameter{Name: name, Help: help, Type: script.StringParam, Set: func(v script.Literal) error { *into = v; return nil }}
}

// tokenInto takes the name of a header or of a parameter, or none.
func tokenInto(to *string) func(script.Literal) error {
	return func(v script.Literal) error {
		if v.Text != "" && !sipframe.IsToken([]byte(v.Text)) {
			return fmt.Errorf("%q is no name: letters, digits and -.!%%*_+`'~ are allowed", v.Text)
		}
		*to = v.Text
		return nil
	}
}
