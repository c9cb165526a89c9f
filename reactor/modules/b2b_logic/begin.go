package b2b_logic

import (
	"errors"
	"fmt"
	"strings"

	"sipreactor/reactor"
	"sipreactor/reactor/modules/uac_auth"
	"sipreactor/reactor/script"
	"sipreactor/sipframe"
)

// draft is a leg that the script has described and that has not begun.
type draft struct {
	id, uri, to, from, name, proxy, contact, headers string
	socket                                           *reactor.Socket
	keys                                             []uac_auth.Credential
	server                                           bool
}

type draftsKey struct{}

// draftOf finds a new leg that the script has described for the message at hand.
func draftOf(x *script.Machine, id string) *draft {
	list, _ := x.Context().Attachment(draftsKey{}).([]*draft)
	for _, d := range list {
		if d.id == id && !d.server {
			return d
		}
	}
	return nil
}

// keep notes a leg with the message; one of the same id is replaced.
func keep(x *script.Machine, d *draft) bool {
	list, _ := x.Context().Attachment(draftsKey{}).([]*draft)
	for i, o := range list {
		if o.id == d.id {
			list[i] = d
			return true
		}
	}
	if len(list) >= maxLegs {
		return false
	}
	x.Context().Attach(draftsKey{}, append(list, d))
	return true
}

// lines puts headers together of an AVP with names and one with values.
func lines(x *script.Machine, names, values *script.AVP) string {
	if names == nil || values == nil {
		return ""
	}
	var b strings.Builder
	for i := range min(names.Len(x), values.Len(x), 32) {
		fmt.Fprintf(&b, "%s: %s\r\n", x.Text(names.Get(x, i)), x.OneLine(values.Get(x, i)))
	}
	return b.String()
}

func (m *Module) serverNew(a *script.Args) script.Action {
	id, contact, names, values, at := a.Text(0), a.Text(1), a.AVP(2), a.AVP(3), a.Site()
	return func(x *script.Machine) int {
		name, _ := id(x)
		own, _ := contact(x)
		if len(name) == 0 || !keep(x, &draft{id: string(name), contact: string(own), headers: lines(x, names, values), server: true}) {
			return x.Fail(at, "a leg has an id, and there are few of them")
		}
		return 1
	}
}

func (m *Module) clientNew(a *script.Args) script.Action {
	id, uri, via, dname, contact, names, values, at := a.Text(0), a.Text(1), a.Text(2), a.Text(3), a.Text(4), a.AVP(5), a.AVP(6), a.Site()
	if text, fixed := a.Fixed(1); fixed && !isURI(bare(text)) {
		a.Errorf(1, "found %q, expected a URI such as sip:name@host", script.Clip(text))
		return nil
	}
	return func(x *script.Machine) int {
		name, _ := id(x)
		to, _ := uri(x)
		proxy, _ := via(x)
		own, _ := contact(x)
		d := &draft{id: string(name), uri: string(to), to: "<" + bare(string(to)) + ">", proxy: string(proxy), contact: string(own), headers: lines(x, names, values)}
		if d.uri = bare(d.uri); !isURI(d.uri) || len(name) == 0 {
			return x.Fail(at, "a leg has an id and a URI")
		}
		m.fill(x, d)
		if display, ok := dname(x); ok {
			d.name = strings.NewReplacer(`"`, "", `\`, "").Replace(string(x.OneLine(script.Text(display))))
		}
		if !keep(x, d) {
			return x.Fail(at, "there are too many legs")
		}
		return 1
	}
}

func isURI(text string) bool {
	var u sipframe.URI
	return sipframe.ParseURI([]byte(text), &u) == nil
}

// bare is the URI of a header's value.
func bare(value string) string {
	if _, rest, ok := strings.Cut(value, "<"); ok {
		uri, _, _ := strings.Cut(rest, ">")
		return uri
	}
	return value
}

// fill sets what a new leg has of the message: From, our Contact, socket and credentials. In a call all but those is as in the
// leg that it is joined with.
func (m *Module) fill(x *script.Machine, d *draft) {
	c, msg := x.Context(), x.Message()
	d.keys = m.entities.Credentials(x)
	if currentOf(x) != nil {
		return
	}
	if from, err := msg.From(); err == nil {
		d.from = strings.TrimSpace(string(msg.Bytes(from.Display)) + " <" + string(msg.Bytes(from.URI)) + ">")
	}
	if m.from != nil {
		if v := m.from(x); !v.IsNull() {
			d.from = string(x.OneLine(v))
		}
	}
	if d.contact == "" {
		d.contact = m.contact(x)
	}
	if d.proxy == "" {
		d.proxy = string(c.DestURI())
	}
	d.socket = c.SendSocket()
}

// contact is our Contact in the legs of a call.
func (m *Module) contact(x *script.Machine) string {
	if m.address != nil {
		if uri := string(m.address(x)); uri != "" {
			return uri
		}
	}
	uri := m.entities.Contact(x.Context())
	if from, err := x.Message().From(); err == nil && m.user != "" {
		var u sipframe.URI
		who := x.Message().Bytes(from.URI)
		if sipframe.ParseURI(who, &u) == nil && u.HasUser() {
			return strings.Replace(uri, "sip:", "sip:"+string(u.User.In(who))+"@", 1)
		}
	}
	return uri
}

const hiding = "top hiding"

var errDrafts = errors.New(`a call begins with a leg of b2b_server_new() and one of b2b_client_new(), or is of the scenario "top hiding"`)

func (m *Module) initRequest(a *script.Args) script.Action {
	id, at := a.Text(0), a.Site()
	text, _ := a.Fixed(1)
	f, err := parseFlags(text, "setup-timeout", "transparent-auth", "preserve-to")
	if err != nil {
		a.Errorf(1, "%v", err)
		return nil
	}
	onRequest, onReply := m.onRequest, m.onReply
	for i, to := range map[int]**script.Routine{2: &onRequest, 3: &onReply} {
		if a.Given(i) {
			*to = a.Loading().Route(script.RequestRoute, a.Literal(i))
		}
	}
	return func(x *script.Machine) int {
		name, _ := id(x)
		c := m.newCall(string(name), m.setup)
		if c.onRequest, c.onReply = onRequest, onReply; c.scenario == hiding && !a.Given(2) && !a.Given(3) {
			c.onRequest, c.onReply = nil, nil
		}
		if f.setup > 0 {
			c.until = c.since.Add(f.setup)
		}
		if !isInvite(x.Message()) || currentOf(x) != nil {
			return x.Fail(at, "a call begins with an INVITE that begins a dialog")
		}
		return outcome(x, at, m.start(x, c, &f))
	}
}

// start begins a call with the INVITE at hand.
func (m *Module) start(x *script.Machine, c *call, f *flags) error {
	server, client := m.drafts(x, c.scenario)
	if server == nil || client == nil {
		return errDrafts
	}
	by, msg := x.Context(), x.Message()
	forwards, ok := hops(by)
	if !ok {
		return m.refuse(x, c, server, 483)
	}
	if f.transparent {
		client.keys = nil
	}
	if to, err := msg.To(); err == nil && f.keepTo {
		client.to = strings.TrimSpace(string(msg.Bytes(to.Display)) + " <" + string(msg.Bytes(to.URI)) + ">")
	}
	more := forwards + m.passed(msg) + authorizations(msg, f.transparent)
	if m.callIDHeader != "" {
		more += m.callIDHeader + ": " + string(msg.CallID()) + "\r\n"
	}
	a, b := &leg{call: c, id: server.id, headers: server.headers}, &leg{call: c, id: client.id, client: true, headers: client.headers}
	c.join(a, b)
	c.values, _ = by.Attachment(valuesKey{}).(map[string]string)
	if !m.calls.add(c) {
		return m.refuse(x, c, server, 503)
	}
	if a.session = m.entities.Accept(x, a, server.contact); a.session == nil {
		m.calls.remove(c)
		return errDrafts
	}
	by.Attach(callKey{}, c)
	if err := c.begin(by, b, client, string(by.Body()), string(by.BodyType()), more); err != nil {
		_ = m.entities.Respond(by, a.session, "INVITE", 500, "", "", "", "")
		c.end(by)
		return err
	}
	return nil
}

// refuse answers an INVITE that no call begins with.
func (m *Module) refuse(x *script.Machine, c *call, server *draft, code int) error {
	if s := m.entities.Accept(x, &leg{call: c}, server.contact); s != nil {
		_ = m.entities.Respond(x.Context(), s, "INVITE", code, "", "", "", "")
	}
	return fmt.Errorf("the INVITE is answered %d", code)
}

// drafts gives the legs that a call begins with.
func (m *Module) drafts(x *script.Machine, scenario string) (server, client *draft) {
	list, _ := x.Context().Attachment(draftsKey{}).([]*draft)
	for _, d := range list {
		if d.server {
			server = d
		} else {
			client = d
		}
	}
	if scenario == hiding {
		if server == nil {
			server = &draft{id: "server", server: true, contact: m.contact(x)}
		}
		if client == nil {
			client = &draft{id: "client", uri: string(x.Context().RequestURI())}
			client.to = "<" + client.uri + ">"
			m.fill(x, client)
		}
	}
	if server != nil && server.contact == "" {
		server.contact = m.contact(x)
	}
	return server, client
}

// authorizations are the credentials of an INVITE, where they are for the callee.
func authorizations(msg *sipframe.Message, transparent bool) string {
	if !transparent {
		return ""
	}
	var b strings.Builder
	for i := range msg.NumHeaders() {
		if h := msg.Header(i); h.Kind == sipframe.HeaderAuthorization || h.Kind == sipframe.HeaderProxyAuthorization {
			b.Write(msg.Bytes(h.Line))
		}
	}
	return b.String()
}
