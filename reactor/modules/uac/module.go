package uac

import (
	"errors"

	"sipreactor/reactor/modules/dialog"
	"sipreactor/reactor/modules/rr"
	"sipreactor/reactor/modules/tm"
	"sipreactor/reactor/modules/uac_auth"
	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
	"sipreactor/reactor/transaction"
	"sipreactor/sipframe"
)

// restoring says what is put back by itself.
type restoring uint8

const (
	byRoute   restoring = iota // auto: responses, and requests in the dialog
	responses                  // manual
	nothing                    // none
)

type module struct {
	mode      restoring
	password  string
	fromParam string
	toParam   string

	tm   *tm.Module
	auth *uac_auth.Module

	forceDialog bool
	dialog      *dialog.Module // nil: not loaded

	env  *script.Env
	stop func()
}

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := &module{fromParam: "vsf", toParam: "vst"}
	param := func(name, help string, at *string) script.Parameter {
		return script.Parameter{Name: name, Type: script.StringParam, Default: *at, Help: help, Set: func(v script.Literal) error {
			if !sipframe.IsToken([]byte(v.Text)) {
				return errors.New("is no name of a parameter")
			}
			*at = v.Text
			return nil
		}}
	}
	routes := script.Routes(script.RequestRoute, script.BranchRoute, script.FailureRoute, script.LocalRoute)
	text := script.TextArg
	return &script.Module{
		Name: "uac", Help: "Other parties in From and To, and answers to challenges of other servers.", Instance: m, Needs: []string{"tm"},
		Parameters: []script.Parameter{
			{Name: "restore_mode", Type: script.WordParam, Default: "auto", Help: "Which messages get the client's From and To back: none, manual (responses) or auto (and requests in the dialog).", Set: func(v script.Literal) error {
				switch v.Text {
				case "auto":
					m.mode = byRoute
				case "manual":
					m.mode = responses
				case "none":
					m.mode = nothing
				default:
					return errors.New("is none, manual or auto")
				}
				return nil
			}},
			{Name: "restore_passwd", Type: script.StringParam, Help: "Password that what is kept in the Record-Route is encrypted with.", Set: script.Into(&m.password)},
			param("rr_from_store_param", "Parameter of the Record-Route that keeps From.", &m.fromParam),
			param("rr_to_store_param", "Parameter of the Record-Route that keeps To.", &m.toParam),
			{Name: "force_dialog", Type: script.BoolParam, Default: "0", Help: "Whether a call whose From or To is replaced gets a dialog, as by create_dialog(), which keeps them in the place of the Record-Route.", Set: script.Into(&m.forceDialog)},
		},
		Functions: []script.Function{
			{Name: "uac_replace_from", Usage: `uac_replace_from(["display"], "uri")`, Help: "Puts another party into From.", Args: []script.ArgKind{text, text}, Routes: routes, Build: m.replace(sipframe.HeaderFrom)},
			{Name: "uac_replace_to", Usage: `uac_replace_to(["display"], "uri")`, Help: "Puts another party into To.", Args: []script.ArgKind{text, text}, Routes: routes, Build: m.replace(sipframe.HeaderTo)},
			{Name: "uac_restore_from", Usage: "uac_restore_from()", Help: "Puts the URI that the Record-Route keeps back into From.", Routes: script.Routes(script.RequestRoute), Build: m.restore(sipframe.HeaderFrom)},
			{Name: "uac_restore_to", Usage: "uac_restore_to()", Help: "Puts the URI that the Record-Route keeps back into To.", Routes: script.Routes(script.RequestRoute), Build: m.restore(sipframe.HeaderTo)},
			{Name: "uac_auth", Usage: `uac_auth(["algorithms"])`, Help: "Answers the challenge of the branch that failed, for the next t_relay().", Args: []script.ArgKind{text}, Routes: script.Routes(script.FailureRoute), Build: m.answer},
			{Name: "uac_inc_cseq", Usage: "uac_inc_cseq(number)", Help: "Adds to CSeq; later requests in the dialog get the same.", Args: []script.ArgKind{script.IntArg}, Min: 1, Routes: routes, Build: m.incCSeq},
		},
		Check: m.check,
		Start: func(e *script.Env) error {
			m.env = e
			if m.tm != nil && m.tm.Layer() != nil {
				m.stop = m.tm.Layer().Listen(created)
			}
			return nil
		},
		Stop: func(any) {
			if m.stop != nil {
				m.stop()
			}
		},
	}
}

func (m *module) check(l *script.Loading) {
	m.tm, _ = l.Instance("tm").(*tm.Module)
	m.auth, _ = l.Instance("uac_auth").(*uac_auth.Module)
	if m.dialog, _ = l.Instance("dialog").(*dialog.Module); m.dialog == nil && m.forceDialog && !l.Partial() {
		l.Errorf(l.Place("force_dialog"), `force_dialog needs the module dialog: loadmodule "dialog.so"`)
	}
	if m.mode != byRoute {
		return
	}
	if m.dialog != nil {
		m.dialog.OnRequest(m.within)
	}
	if r, ok := l.Instance("rr").(*rr.Module); ok {
		r.OnRoute(m.routed)
	} else if l.IsSet("restore_mode") && !l.Partial() {
		l.Errorf(l.Place("restore_mode"), `the mode auto needs the module rr: loadmodule "rr.so"`)
	}
}

// changes are what was done to a request, for its responses.
type changes struct {
	from, to bool
	cseq     bool
	offset   uint32  // by how much CSeq differs
	asked    []asked // challenges that were answered
}

// asked is a challenge that was answered.
type asked struct {
	header, realm string
	challenge     []byte
	count         uint32 // nc of the last answer
}

type changesKey struct{}

// created takes what was done before there was a transaction.
func created(h *transaction.Happening) {
	if h.What != transaction.Created {
		return
	}
	if k, ok := h.Context.Attachment(changesKey{}).(*changes); ok {
		h.Exchange.Attach(changesKey{}, k)
		h.Exchange.Listen(k.happens)
	}
}

// changesOf gives what was done to the request in c.
func changesOf(c *proxy.Context) *changes {
	if x := transaction.Of(c); x != nil {
		k, ok := x.Attachment(changesKey{}).(*changes)
		if !ok {
			k = new(changes)
			x.Attach(changesKey{}, k)
			x.Listen(k.happens)
		}
		return k
	}
	k, ok := c.Attachment(changesKey{}).(*changes)
	if !ok {
		k = new(changes)
		c.Attach(changesKey{}, k)
	}
	return k
}

// happens gives responses what the request came with.
func (k *changes) happens(h *transaction.Happening) {
	if h.What != transaction.ResponseIn || !k.from && !k.to && !k.cseq {
		return
	}
	var request sipframe.Message
	if request.Parse(h.Exchange.Request()) != nil {
		return
	}
	c := h.Context
	back := func(kind sipframe.HeaderKind, get func() (*sipframe.NameAddr, error)) {
		if a, err := get(); err == nil {
			_ = c.SetParty(kind, proxy.Party{Display: request.Bytes(a.Display), URI: request.Bytes(a.URI)}) // what stood there can stand there
		}
	}
	if k.from {
		back(sipframe.HeaderFrom, request.From)
	}
	if k.to {
		back(sipframe.HeaderTo, request.To)
	}
	if k.cseq {
		if n, _, err := request.CSeq(); err == nil {
			_ = c.SetCSeq(n)
		}
	}
}

// changed notes what was done to the request, for its responses.
func (m *module) changed(c *proxy.Context, kind sipframe.HeaderKind) {
	if m.mode == nothing {
		return
	}
	if k := changesOf(c); kind == sipframe.HeaderFrom {
		k.from = true
	} else {
		k.to = true
	}
}

func (m *module) param(kind sipframe.HeaderKind) string {
	if kind == sipframe.HeaderFrom {
		return m.fromParam
	}
	return m.toParam
}

func (m *module) restore(kind sipframe.HeaderKind) func(a *script.Args) script.Action {
	return func(a *script.Args) script.Action {
		at := a.Site()
		return func(x *script.Machine) int {
			err := m.put(x.Context(), kind, m.param(kind))
			if err == errNoParam {
				return -1
			}
			return x.Reported(at, err)
		}
	}
}

// routed changes a request in a dialog as the first one was, or back.
func (m *module) routed(x *script.Machine) {
	c := x.Context()
	if !c.Msg.IsRequest() || len(c.RouteParams()) == 0 {
		return
	}
	fromHeader, toHeader := sipframe.HeaderFrom, sipframe.HeaderTo
	up := false
	if first, ok := routeParam(c, "ftag"); ok {
		if from, err := c.Msg.From(); err == nil {
			up = string(first) != string(c.Msg.Bytes(from.Tag))
		}
	}
	if up {
		fromHeader, toHeader = toHeader, fromHeader
	}
	_ = m.put(c, fromHeader, m.fromParam) // one that is not there, or was tampered with, changes nothing
	_ = m.put(c, toHeader, m.toParam)
	if v, ok := routeParam(c, cseqParam); ok && !up {
		if n, ok := sipframe.ParseUint(v, maxOffset); ok {
			_ = m.addCSeq(c, uint32(n))
		}
	}
}
