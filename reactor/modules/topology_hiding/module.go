package topology_hiding

import (
	"errors"
	"fmt"
	"strings"

	"sipreactor/reactor/modules/dialog"
	"sipreactor/reactor/modules/tm"
	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
)

type module struct {
	uriParams, params []string // of Contacts, that are passed on
	// Values of the dialog: which user names each side is shown.
	callerUser, calleeUser string

	callIDs callIDs
	keySet  bool

	forceDialog  bool
	infoParam    string
	infoPassword string
	infoKey      *[32]byte // of a file
	infoCoding   string
	sealer       *sealer // of carriers without a password
	carriers     []carrier
	writtenParam string // of the carrier that is written; "" the first one
	written      int    // that one
	cfg          *script.Config

	tm     *tm.Module
	dialog *dialog.Module
	proxy  *proxy.Proxy
	stop   func()
}

// New returns the module for a configuration.
func New(cfg *script.Config) *script.Module {
	m := &module{cfg: cfg, infoParam: "thinfo", infoCoding: "base64", callerUser: "_th_contact_caller_username_var_", calleeUser: "_th_contact_callee_username_var_",
		callIDs: callIDs{prefix: "DLGCH_", key: newKey()}}
	return &script.Module{
		Name: "topology_hiding", Help: "Hides each side of a call from the other.", Instance: m, Needs: []string{"tm"},
		Parameters: m.parameters(), Check: m.check, Start: m.start, Stop: m.end,
		Functions: []script.Function{
			{Name: "topology_hiding", Usage: `topology_hiding(["flags"][, "user" or "/caller/callee"])`, Args: []script.ArgKind{script.FixedArg, script.TextArg}, Routes: script.Requests,
				Help: "Hides the sides of a call from each other: with its dialog, or without one by what our Contacts carry. Flags: U the users of Contacts stay, C the callee sees another Call-ID, D the dialog is named by the user, a and A the caller and the callee see the same Contact all along.", Build: m.hide},
			{Name: "topology_hiding_match", Usage: `topology_hiding_match(["DID_ONLY" or "DID_FALLBACK" or "DID_NONE"])`, Args: []script.ArgKind{script.FixedArg}, Routes: script.Requests,
				Help: "Has a later request of such a call go to the other side, and reports whether it is one.", Build: m.match},
		},
		Lacks: []script.Lack{{Kind: script.LacksParameter, Names: "th_internal_trusted_tag th_external_socket_tag th_auto_route_on_trusted_socket",
			Why: "they are of a version after 3.6, and have one side alone hidden, by the tags of sockets; here topology_hiding() hides both, and a request for which it is not called keeps its way"}},
		Variables: []script.Variable{{Name: "TH_callee_callid", Help: "Call-ID that the callee sees, with the flag C.", Get: script.Simple(m.calleeCallID)}},
	}
}

const paramChars = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."

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
	return []script.Parameter{
		{Name: "force_dialog", Type: script.BoolParam, Default: "0", Set: script.Into(&m.forceDialog), Help: "Whether a dialog is made of an INVITE that has none."},
		list("th_passed_contact_uri_params", "Parameters of Contacts' URIs that are passed on, with ; between them.", &m.uriParams),
		list("th_passed_contact_params", "Parameters of Contacts that are passed on, with ; between them.", &m.params),
		name("th_contact_caller_username_var", "Value of the dialog with the user that the caller is shown.", &m.callerUser),
		name("th_contact_callee_username_var", "Value of the dialog with the user that the callee is shown.", &m.calleeUser),
		{Name: "th_callid_passwd", Type: script.StringParam, Default: "of branch_secret_file", Help: "Secret that Call-IDs are encoded with.", Set: func(v script.Literal) error {
			if v.Text == "" {
				return errors.New("is empty")
			}
			m.callIDs.key, m.keySet = []byte(v.Text), true
			return nil
		}},
		{Name: "th_callid_prefix", Type: script.StringParam, Default: m.callIDs.prefix, Help: "What encoded Call-IDs begin with.", Set: func(v script.Literal) error {
			if v.Text == "" || strings.Trim(v.Text, paramChars) != "" {
				return errors.New("has to be letters, digits, -, _ and dots")
			}
			m.callIDs.prefix = v.Text
			return nil
		}},
		idle("th_callid_loop_protection", "From tags in encoded Call-IDs.", "a MAC tells encoded Call-IDs from others"),
		{Name: "th_contact_encode_passwd", Type: script.StringParam, Default: "of branch_secret_file", Help: "Secret that Contacts are encrypted with where there is no dialog. Nodes with the same one read each other's.", Set: func(v script.Literal) error {
			if v.Text == "" {
				return errors.New("is empty")
			}
			m.infoPassword = v.Text
			return nil
		}},
		{Name: "th_contact_encode_key_file", Type: script.StringParam, Help: "File with that secret: 32 bytes of text or more, readable by its owner (ours).", Set: func(v script.Literal) (err error) {
			m.infoKey, err = proxy.ReadSecret(v.Text)
			return err
		}},
		{Name: "th_contact_encode_param", Type: script.StringParam, Default: m.infoParam, Help: "Parameter of our Contacts that has what is encrypted.", Set: func(v script.Literal) error {
			if v.Text == "" || strings.Trim(v.Text, paramChars) != "" {
				return errors.New("has to be letters, digits, -, _ and dots")
			}
			m.infoParam = v.Text
			return nil
		}},
		{Name: "th_contact_encode_param_password", Type: script.StringParam, Set: m.addCarrier,
			Help: "A parameter of our Contacts with its password, as name[:password[:C or L]]; the layout is one whatever is asked for. Twice for a change of passwords: both are read, th_use_param is written."},
		{Name: "th_use_param", Type: script.StringParam, Help: "Which of these parameters is written; without, the first one.", Set: script.NonEmpty(&m.writtenParam)},
		{Name: "th_contact_encode_scheme", Type: script.StringParam, Default: m.infoCoding, Help: "How it is written: base64 or base32.", Set: func(v script.Literal) error {
			if codings[v.Text] == nil {
				return fmt.Errorf("is base64 or base32, not %q", v.Text)
			}
			m.infoCoding = v.Text
			return nil
		}},
	}
}

func (m *module) check(l *script.Loading) {
	m.tm, _ = l.Instance("tm").(*tm.Module)
	m.dialog, _ = l.Instance("dialog").(*dialog.Module)
	if m.forceDialog && m.dialog == nil {
		l.Errorf(l.Place("force_dialog"), "force_dialog needs the module dialog")
	}
	m.checkCarriers(l)
}

func (m *module) start(e *script.Env) error {
	old, reloaded := e.Previous.(*module)
	if !m.keySet && m.cfg.Proxy.Key != nil {
		m.callIDs.key = append([]byte("topology_hiding: Call-IDs\x00"), m.cfg.Proxy.Key[:]...)
	} else if reloaded && !m.keySet {
		m.callIDs.key = old.callIDs.key
	}
	switch coding := codings[m.infoCoding]; {
	case m.infoKey != nil:
		m.sealer = newSealer(m.infoKey[:], coding)
	case m.infoPassword != "":
		m.sealer = newSealer([]byte(m.infoPassword), coding)
	case m.cfg.Proxy.Key != nil:
		m.sealer = newSealer(m.cfg.Proxy.Key[:], coding)
	case reloaded && m.infoCoding == old.infoCoding:
		m.sealer = old.sealer
	default:
		m.sealer = newSealer(newKey(), coding)
	}
	for i := range m.carriers {
		c := &m.carriers[i]
		if c.sealer = m.sealer; c.password != "" {
			c.sealer = newSealer([]byte(c.password), codings[m.infoCoding])
		}
	}
	m.stop = m.tm.Layer().Listen(m.happened)
	m.proxy = e.Proxy
	m.rename()
	return nil
}

// maxNamed bounds a Call-ID that is decoded on a loop, which takes some microseconds then.
const maxNamed = 512

// rename has messages with a Call-ID of ours find the shard of the one that it hides.
func (m *module) rename() {
	m.proxy.SetCallIDs(func(id []byte) []byte {
		if len(id) > maxNamed {
			return id
		}
		if hidden, ok := m.callIDs.decode(id); ok {
			return hidden
		}
		return id
	})
}

// end leaves the calls to the next configuration, whose instance listens already. It may be the one before, as a later
// module has failed.
func (m *module) end(next any) {
	if m.stop(); next == nil {
		m.proxy.SetCallIDs(nil)
	} else if n, ok := next.(*module); ok {
		n.rename()
	}
}
