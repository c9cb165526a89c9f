package topology_hiding

import (
	"errors"
	"fmt"
	"strings"

	"sipreactor/reactor/modules/dialog"
	"sipreactor/reactor/modules/tm"
	"sipreactor/reactor/script"
)

type module struct {
	uriParams, params []string // of Contacts, that are passed on
	// Values of the dialog: which user names each side is shown.
	callerUser, calleeUser string

	callIDs callIDs
	keySet  bool

	tm     *tm.Module
	dialog *dialog.Module
	stop   func()
}

// New returns the module for a configuration.
func New(*script.Config) *script.Module {
	m := &module{callerUser: "_th_contact_caller_username_var_", calleeUser: "_th_contact_callee_username_var_",
		callIDs: callIDs{prefix: "DLGCH_", key: newKey()}}
	return &script.Module{
		Name: "topology_hiding", Help: "Hides each side of a call from the other.", Instance: m, Needs: []string{"tm", "dialog"},
		Parameters: m.parameters(), Check: m.check, Start: m.start, Stop: m.end,
		Functions: []script.Function{
			{Name: "topology_hiding", Usage: `topology_hiding(["flags"][, "user" or "/caller/callee"])`, Args: []script.ArgKind{script.FixedArg, script.TextArg}, Routes: script.Requests,
				Help: "Hides the sides of the INVITE's call. Flags: U the users of Contacts stay, C the callee sees another Call-ID, D the dialog is named by the user.", Build: m.hide},
			{Name: "topology_hiding_match", Usage: `topology_hiding_match(["DID_ONLY" or "DID_FALLBACK" or "DID_NONE"])`, Args: []script.ArgKind{script.FixedArg}, Routes: script.Requests,
				Help: "Has a later request of such a call go to the other side, and reports whether it is one.", Build: m.match},
		},
		Variables: []script.Variable{{Name: "TH_callee_callid", Help: "Call-ID that the callee sees, with the flag C.", Get: script.Simple(m.calleeCallID)}},
	}
}

func (m *module) parameters() []script.Parameter {
	list := func(name, help string, into *[]string) script.Parameter {
		return script.Parameter{Name: name, Help: help, Type: script.StringParam, Set: func(v script.Literal) error {
			*into = nil
			for s := range strings.SplitSeq(v.Text, ";") {
				if s = strings.TrimSpace(s); s == "" {
					continue
				}
				if strings.ContainsAny(s, "=,<>\"? ") {
					return fmt.Errorf("%q is no name of a parameter", s)
				}
				*into = append(*into, s)
			}
			return nil
		}}
	}
	name := func(name, help string, into *string) script.Parameter {
		return script.Parameter{Name: name, Help: help, Type: script.StringParam, Default: *into, Set: func(v script.Literal) error {
			if v.Text == "" {
				return errors.New("is empty")
			}
			*into = v.Text
			return nil
		}}
	}
	idle := func(name, help, why string) script.Parameter {
		return script.Parameter{Name: name, Help: help, Type: script.AnyParam, Note: why}
	}
	const noInfo = "calls are hidden by their dialogs: nothing is encoded into Contacts"
	return []script.Parameter{
		idle("force_dialog", "Whether a dialog is made where there is none.", "it always is: hiding without dialogs is not supported"),
		list("th_passed_contact_uri_params", "Parameters of Contacts' URIs that are passed on, with ; between them.", &m.uriParams),
		list("th_passed_contact_params", "Parameters of Contacts that are passed on, with ; between them.", &m.params),
		name("th_contact_caller_username_var", "Value of the dialog with the user that the caller is shown.", &m.callerUser),
		name("th_contact_callee_username_var", "Value of the dialog with the user that the callee is shown.", &m.calleeUser),
		{Name: "th_callid_passwd", Type: script.StringParam, Default: "a new one at each start", Help: "Secret that Call-IDs are encoded with.", Set: func(v script.Literal) error {
			if v.Text == "" {
				return errors.New("is empty")
			}
			m.callIDs.key, m.keySet = []byte(v.Text), true
			return nil
		}},
		{Name: "th_callid_prefix", Type: script.StringParam, Default: m.callIDs.prefix, Help: "What encoded Call-IDs begin with.", Set: func(v script.Literal) error {
			if v.Text == "" || strings.Trim(v.Text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") != "" {
				return errors.New("has to be letters, digits, -, _ and dots")
			}
			m.callIDs.prefix = v.Text
			return nil
		}},
		idle("th_callid_loop_protection", "From tags in encoded Call-IDs.", "a MAC tells encoded Call-IDs from others"),
		idle("th_contact_encode_passwd", "Secret of encoded Contacts.", noInfo), idle("th_contact_encode_param", "Parameter of encoded Contacts.", noInfo),
		idle("th_contact_encode_scheme", "Alphabet of encoded Contacts.", noInfo),
	}
}

func (m *module) check(l *script.Loading) {
	m.tm, _ = l.Instance("tm").(*tm.Module)
	m.dialog, _ = l.Instance("dialog").(*dialog.Module)
}

func (m *module) start(e *script.Env) error {
	if old, ok := e.Previous.(*module); ok && !m.keySet {
		m.callIDs.key = old.callIDs.key
	}
	m.stop = m.tm.Layer().Listen(m.happened)
	return nil
}

// end leaves the calls to the next configuration, whose instance listens already.
func (m *module) end(any) { m.stop() }
