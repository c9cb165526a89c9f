package topology_hiding

import (
	"strings"
	"sync"

	core "sipreactor/reactor/dialog"
	"sipreactor/reactor/modules/dialog"
	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
	"sipreactor/reactor/transaction"
	"sipreactor/sipframe"
)

// flagsKept is the value of the dialog with the flags of topology_hiding().
const flagsKept = "_th_flags_"

// passage is a request that passes hidden.
type passage struct {
	dialog *core.Dialog // nil: there is none
	alone  *alone       // what there is then
	dir    core.Direction
	trail  []byte // Via and Record-Route, as responses have them
}

// passageKey is the key of a passage, the same for all configurations: transactions outlive theirs.
type passageKey struct{}

// hide builds topology_hiding(): 1, -1 where it cannot be.
func (m *module) hide(a *script.Args) script.Action {
	flags, _ := a.Fixed(0)
	for _, f := range flags {
		switch f {
		case 'U', 'C', 'D', 'a', 'A':
		default:
			a.Errorf(0, "unknown flag %q: U, C, D, a, A", string(f))
			return nil
		}
	}
	users, at := a.Text(1), a.Site()
	return func(x *script.Machine) int {
		c := x.Context()
		if !c.Msg.IsRequest() || c.HasToTag() {
			return x.Fail(at, "it is for requests that begin a call")
		}
		caller, callee := "", ""
		if text, given := users(x); given {
			caller, callee = usersOf(string(text))
		}
		if m.dialog == nil || m.dialog.Of(c) == nil && (!m.forceDialog || c.Msg.Method() != sipframe.INVITE) {
			return m.hideAlone(x, at, flags, caller, callee)
		}
		if rc := m.dialog.Create(x, at, core.HideTopology); rc <= 0 {
			return rc
		}
		d := m.dialog.Of(c)
		ok := d.Set(core.Value{Name: flagsKept, Text: flags})
		if strings.Contains(flags, "C") {
			ok = set(d, dialog.CalleeCallID, m.callIDs.encode(d.CallID)) && ok
		}
		ok = set(d, m.callerUser, caller) && set(d, m.calleeUser, callee) && ok
		if !ok {
			return x.Fail(at, "the dialog has too many values")
		}
		return m.pass(x, at, d, core.Downstream)
	}
}

func set(d *core.Dialog, name, value string) bool {
	return value == "" || d.Set(core.Value{Name: name, Text: value})
}

// usersOf reads the second argument: a user for both sides, or /caller/callee.
func usersOf(text string) (caller, callee string) {
	rest, two := strings.CutPrefix(text, "/")
	if !two {
		return text, text
	}
	caller, callee, _ = strings.Cut(rest, "/")
	return caller, callee
}

// match builds topology_hiding_match(): 1, -1 if there is no such call.
func (m *module) match(a *script.Args) script.Action {
	mode, _ := a.Fixed(0)
	if a.Given(0) && !dialog.MatchModes(mode) {
		a.Errorf(0, `the mode is "DID_ONLY", "DID_FALLBACK" or "DID_NONE", not %q`, mode)
		return nil
	}
	at := a.Site()
	return func(x *script.Machine) int {
		if m.dialog == nil {
			return m.matchAlone(x, at)
		}
		callID, did := x.Message().CallID(), m.did(x.Context().RequestURI())
		d, dir := m.dialog.MatchHidden(x, at, did, callID, mode) // as it is first: a call may pass twice, with ours from the other side
		if id, ok := m.callIDs.decode(callID); d == nil && ok {
			d, dir = m.dialog.MatchHidden(x, at, did, id, mode)
		}
		if d == nil {
			return m.matchAlone(x, at)
		}
		return m.pass(x, at, d, dir)
	}
}

// did returns what the URI of our Contact says of the dialog.
func (m *module) did(uri []byte) []byte {
	var u sipframe.URI
	if sipframe.ParseURI(uri, &u) != nil {
		return nil
	}
	if v, ok := u.Param(uri, m.dialog.Param()); ok {
		return v
	}
	return u.User.In(uri)
}

// pass has the request at hand pass hidden.
func (m *module) pass(x *script.Machine, at *script.Site, d *core.Dialog, dir core.Direction) int {
	c := x.Context()
	c.SetCallID(d.CallID)
	own := contacts.Get().(*proxy.OwnContact)
	defer contacts.Put(own)
	m.contact(c, d, dir, own)
	if c.Attachment(passageKey{}) == nil { // not yet
		if err := rename(c, d, dir); err != nil {
			return x.Fail(at, err.Error())
		}
	}
	return m.begin(x, at, &passage{dialog: d, dir: dir}, own)
}

// begin has the request at hand pass hidden, with a Contact of ours.
func (m *module) begin(x *script.Machine, at *script.Site, p *passage, own *proxy.OwnContact) int {
	c := x.Context()
	if c.HideTopology(own) != nil {
		own.User = own.User[:0] // nothing but what the script has given can be wrong
		if err := c.HideTopology(own); err != nil {
			return x.Fail(at, err.Error())
		}
	}
	if c.Attachment(passageKey{}) == nil { // not yet
		m.nameCalls(c, p.dir)
	}
	if c.Msg.Method() != sipframe.ACK { // which has no response
		p.trail = c.AppendTrail(make([]byte, 0, 256))
	}
	c.Attach(passageKey{}, p)
	if e := transaction.Of(c); e != nil {
		e.Attach(passageKey{}, p)
	}
	return 1
}

// contacts are some to make ours in: who gets one copies it.
var contacts = sync.Pool{New: func() any { return new(proxy.OwnContact) }}

// contact makes our Contact of the one in the message, which goes one way.
func (m *module) contact(c *proxy.Context, d *core.Dialog, dir core.Direction, own *proxy.OwnContact) {
	own.User, own.URIParams, own.Params = own.User[:0], own.URIParams[:0], own.Params[:0]
	a, err := c.Msg.Contact()
	if err != nil || a.Star {
		a = nil
	}
	flags, _ := d.Get(flagsKept)
	shown := m.calleeUser
	if dir == core.Upstream {
		shown = m.callerUser
	}
	user, named := d.Get(shown)
	var uri []byte
	var u sipframe.URI
	if a != nil {
		uri = c.Msg.Bytes(a.URI)
		if sipframe.ParseURI(uri, &u) != nil {
			uri = nil
		}
	}
	byUser := strings.Contains(flags.Text, "D")
	switch {
	case byUser:
		own.User = d.ID.AppendTo(own.User)
	case named:
		own.User = append(own.User, user.Text...)
	case strings.Contains(flags.Text, "U") && uri != nil:
		own.User = append(own.User, u.User.In(uri)...)
	}
	if !byUser {
		own.URIParams = d.ID.AppendTo(append(append(append(own.URIParams, ';'), m.dialog.Param()...), '='))
	}
	if uri != nil {
		own.URIParams = passed(own.URIParams, u.Params.In(uri), m.uriParams)
	}
	if a != nil {
		own.Params = passed(own.Params, c.Msg.Bytes(a.Params), m.params)
	}
	if kept := shownFirst(flags.Text, dir); kept != "" && a != nil {
		same(d, kept, own)
	}
}

// shownFirst names the value of the dialog with the Contact that a side was shown first, where that is to stay; "" where
// it is not.
func shownFirst(flags string, dir core.Direction) string {
	switch {
	case dir == core.Upstream && strings.Contains(flags, "a"):
		return "_th_shown_caller_"
	case dir == core.Downstream && strings.Contains(flags, "A"):
		return "_th_shown_callee_"
	default:
		return ""
	}
}

// same makes own the Contact that was kept, or keeps it.
func same(d *core.Dialog, name string, own *proxy.OwnContact) {
	v, ok := d.Get(name)
	if !ok {
		set(d, name, string(own.User)+"\n"+string(own.URIParams)+"\n"+string(own.Params))
		return
	}
	if f := strings.SplitN(v.Text, "\n", 3); len(f) == 3 {
		own.User, own.URIParams, own.Params = append(own.User[:0], f[0]...), append(own.URIParams[:0], f[1]...), append(own.Params[:0], f[2]...)
	}
}

// passed appends the parameters that are passed on.
func passed(dst, params []byte, names []string) []byte {
	for _, name := range names {
		v, ok := sipframe.FindParam(params, name)
		if !ok {
			continue
		}
		dst = append(append(dst, ';'), name...)
		if v != nil {
			dst = append(append(dst, '='), v...)
		}
	}
	return dst
}

// elsewhere reports whether the Contacts of a response are not where its sender is, but where else to go (RFC 3261 20.10):
// these are passed on.
func elsewhere(code int) bool { return code >= 300 && code < 400 || code == 485 }

// happened follows the transactions of hidden requests: transaction.Listener.
func (m *module) happened(h *transaction.Happening) {
	switch h.What {
	case transaction.Created:
		if p, ok := h.Context.Attachment(passageKey{}).(*passage); ok {
			h.Exchange.Attach(passageKey{}, p)
		}
	case transaction.ResponseIn:
		p, ok := h.Exchange.Attachment(passageKey{}).(*passage)
		if !ok {
			return
		}
		back := core.Upstream
		if p.dir == core.Upstream {
			back = core.Downstream
		}
		if p.dialog != nil {
			_ = rename(h.Context, p.dialog, back) // only a script that writes Call-IDs itself keeps it from that
		}
		own := contacts.Get().(*proxy.OwnContact)
		defer contacts.Put(own)
		with := own
		switch {
		case elsewhere(h.Code):
			with = nil
		case p.dialog != nil:
			m.contact(h.Context, p.dialog, back, own)
		default:
			p.alone.answered(m, h.Context, own)
		}
		if h.Context.RestoreTrail(p.trail, h.Exchange.Source(), with) != nil {
			own.User = own.User[:0]
			_ = h.Context.RestoreTrail(p.trail, h.Exchange.Source(), with)
		}
	default:
	}
}
