// Package pua_dialoginfo is OpenSIPS' module pua_dialoginfo: the states of calls are published
// (RFC 4235), for lamps of phones. It follows the dialogs for which dialoginfo_set() was called; what that
// said is kept with the dialog, over a restart, too.
package pua_dialoginfo

import (
	"encoding/json"
	"strings"
	"time"

	core "sipreactor/reactor/dialog"
	"sipreactor/reactor/modules/dialog"
	"sipreactor/reactor/modules/pua"
	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
	"sipreactor/sipframe"
)

type module struct {
	callID, tags, parties, callerConfirmed, trying bool
	server                                         string
	callerName, calleeName                         script.Literal
	caller, callee                                 func(x *script.Machine) script.Value // nil: From, and To's name with the Request-URI
	pua                                            *pua.Module
	dialog                                         *dialog.Module
	env                                            *script.Env
}

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := &module{callID: true, tags: true, parties: true}
	onOff := func(name, otherwise, help string, to *bool) script.Parameter {
		return script.Parameter{Name: name, Type: script.BoolParam, Default: otherwise, Help: help, Set: script.Into(to)}
	}
	party := func(name, help string, to *script.Literal) script.Parameter {
		return script.Parameter{Name: name, Type: script.StringParam, Help: help, Set: func(v script.Literal) error {
			*to = v
			return nil
		}}
	}
	return &script.Module{
		Name: "pua_dialoginfo", Help: "Publishes the states of calls.", Needs: []string{"dialog", "pua"}, Instance: m,
		Parameters: []script.Parameter{
			onOff("include_callid", "1", "Whether a document has the Call-ID.", &m.callID),
			onOff("include_tags", "1", "Whether it has the tags.", &m.tags),
			onOff("include_localremote", "1", "Whether it has who speaks with whom.", &m.parties),
			onOff("caller_confirmed", "0", "Whether the caller's call is told as confirmed from the start, for phones whose lamp would blink.", &m.callerConfirmed),
			onOff("publish_on_trying", "0", "Whether a call is published before it rings.", &m.trying),
			{Name: "presence_server", Type: script.StringParam, Help: "URI of the server that PUBLISH is sent to; by default by the party's URI.", Set: pua.Server(&m.server)},
			party("caller_spec_param", "The variable with the caller, a URI or a name with one; by default From.", &m.callerName),
			party("callee_spec_param", "The variable with the callee; by default the Request-URI, with To's name.", &m.calleeName),
			{Name: "nopublish_flag", Type: script.WordParam, Help: "Flag of INVITEs in a call that publish nothing.", Note: "no later request publishes anything: the state that it would tell is known"},
			{Name: "osips_ps", Type: script.BoolParam, Help: "Whether documents have a version that OpenSIPS replaces.", Note: "a document has a version that counts"},
		},
		Functions: []script.Function{{Name: "dialoginfo_set", Usage: `dialoginfo_set(["A"|"B"])`, Help: "Publishes the states of the INVITE's call, for both parties, or for the caller (A) or the callee (B) alone. create_dialog() comes before it.",
			Args: []script.ArgKind{script.FixedArg}, Routes: script.Routes(script.RequestRoute), Build: m.set}},
		Lacks: []script.Lack{{Kind: script.LacksFunction, Names: "dialoginfo_set_branch_callee dialoginfo_mute_branch", Why: "a call is published once, and not by branch; dialoginfo_set() says for whom"}},
		Check: m.check,
		Start: func(e *script.Env) error {
			m.env = e
			return nil
		},
	}
}

func (m *module) check(l *script.Loading) {
	m.pua, _ = l.Instance("pua").(*pua.Module)
	if m.dialog, _ = l.Instance("dialog").(*dialog.Module); m.dialog != nil {
		m.dialog.Watch(m.changed)
	}
	if m.callerName.Text != "" {
		m.caller = l.Variable(m.callerName)
	}
	if m.calleeName.Text != "" {
		m.callee = l.Variable(m.calleeName)
	}
}

// party is a side of a call.
type party struct {
	Name string `json:"n,omitempty"`
	URI  string `json:"u"`
}

// told is what is published of a call, as it is kept with its dialog.
type told struct {
	Sides  string `json:"s"` // "AB", "A" or "B"
	Caller party  `json:"a"`
	Callee party  `json:"b"`
}

// keptAs is the name of the dialog's value.
const keptAs = "pua_dialoginfo"

func (m *module) set(a *script.Args) script.Action {
	at := a.Site()
	sides := "AB"
	if text, ok := a.Fixed(0); ok && a.Given(0) {
		if sides = strings.ToUpper(text); sides == "BA" {
			sides = "AB"
		}
		if sides != "A" && sides != "B" && sides != "AB" {
			a.Errorf(0, "found %q, expected A or B", text)
			return nil
		}
	}
	return func(x *script.Machine) int {
		d := m.dialog.Of(x.Context())
		if d == nil || x.Message().Method() != sipframe.INVITE {
			return x.Fail(at, "dialoginfo_set() is for an INVITE, behind create_dialog()")
		}
		t, ok := m.of(x)
		if !ok {
			return x.Fail(at, "the caller or the callee is no URI")
		}
		t.Sides = sides
		b, err := json.Marshal(t)
		if err != nil || !d.Set(core.Value{Name: keptAs, Text: string(b)}) {
			x.Say(at, script.LevelWarn, "pua_dialoginfo: the dialog has too many values")
			return -1
		}
		if m.trying {
			m.publish(x.Context(), d, &t, "trying")
		}
		return 1
	}
}

// of reads who calls whom.
func (m *module) of(x *script.Machine) (t told, ok bool) {
	msg := x.Message()
	from, err := msg.From()
	to, err2 := msg.To()
	if err != nil || err2 != nil {
		return t, false
	}
	t.Caller = party{display(msg.Bytes(from.Display)), string(msg.Bytes(from.URI))}
	t.Callee = party{display(msg.Bytes(to.Display)), string(x.Context().RequestURI())}
	for _, o := range []struct {
		get func(*script.Machine) script.Value
		to  *party
	}{{m.caller, &t.Caller}, {m.callee, &t.Callee}} {
		if o.get == nil {
			continue
		}
		if v := o.get(x); !v.IsNull() {
			*o.to = partyOf(string(x.Text(v)))
		}
	}
	var u sipframe.URI
	return t, sipframe.ParseURI([]byte(t.Caller.URI), &u) == nil && sipframe.ParseURI([]byte(t.Callee.URI), &u) == nil
}

// partyOf reads "name" <uri>, or a URI.
func partyOf(text string) party {
	name, rest, ok := strings.Cut(text, "<")
	if !ok {
		return party{URI: strings.TrimSpace(text)}
	}
	uri, _, _ := strings.Cut(rest, ">")
	return party{display([]byte(name)), uri}
}

// display gives a display name without its quotes.
func display(b []byte) string { return strings.Trim(strings.TrimSpace(string(b)), `"`) }

// changed is told of each change of a dialog's state.
func (m *module) changed(c core.Change) {
	if c.Dialog == nil || m.env == nil {
		return
	}
	v, ok := c.Dialog.Get(keptAs)
	if !ok {
		return
	}
	var t told
	if json.Unmarshal([]byte(v.Text), &t) != nil {
		return
	}
	switch c.New {
	case core.Early:
		m.publish(nil, c.Dialog, &t, "early")
	case core.Answered:
		m.publish(nil, c.Dialog, &t, "confirmed")
	case core.Ended:
		if c.Old == core.Unconfirmed { // nothing was published but that the caller tries
			if !m.trying || !strings.Contains(t.Sides, "A") {
				return
			}
			t.Sides = "A"
		}
		m.publish(nil, c.Dialog, &t, "terminated")
	default:
	}
}

// overFor is how long it stays published that a call is over, in seconds, or pua's min_expires.
const overFor = 60

// publish tells the state of a call to those who watch its parties.
func (m *module) publish(by *proxy.Context, d *core.Dialog, t *told, state string) {
	expires := int64(overFor)
	if state != "terminated" {
		expires = max(d.Left(time.Now().Unix()), 1)
	}
	toTag := ""
	if s := d.Summary(); len(s.Callees) > 0 {
		toTag = s.Callees[max(s.Callee, 0)].Tag
	}
	of := view{id: d.CallID, toTag: toTag, fromTag: d.FromTag}
	if strings.Contains(t.Sides, "A") {
		said := state
		if m.callerConfirmed && (state == "trying" || state == "early") {
			said = "confirmed"
		}
		m.send(by, t.Caller, t.Callee, of, "initiator", said, expires)
	}
	if strings.Contains(t.Sides, "B") && state != "trying" {
		m.send(by, t.Callee, t.Caller, of, "recipient", state, expires)
	}
}

// send publishes the state of one party.
func (m *module) send(by *proxy.Context, who, other party, of view, direction, state string, expires int64) {
	err := m.pua.Publish(by, pua.Publication{URI: bare(who.URI), Event: "dialog", ID: of.id + direction[:1], Type: "application/dialog-info+xml",
		Body: m.document(who, other, of, direction, state), Expires: expires, Proxy: m.server})
	if err != nil {
		m.env.Log.Warn("pua_dialoginfo: a call is not published", "party", who.URI, "error", err)
	}
}

// bare is a URI without parameters: who is watched.
func bare(uri string) string {
	var u sipframe.URI
	if sipframe.ParseURI([]byte(uri), &u) != nil {
		return uri
	}
	b := []byte(uri)
	if !u.HasUser() {
		return "sip:" + string(u.Host.In(b))
	}
	return "sip:" + string(u.User.In(b)) + "@" + string(u.Host.In(b))
}
