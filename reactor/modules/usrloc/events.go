package usrloc

import (
	"sipreactor/reactor/location"
	"sipreactor/reactor/script"
)

// Names of events.
const (
	eventAORInsert     = "E_UL_AOR_INSERT"
	eventAORDelete     = "E_UL_AOR_DELETE"
	eventContactInsert = "E_UL_CONTACT_INSERT"
	eventContactDelete = "E_UL_CONTACT_DELETE"
	eventContactUpdate = "E_UL_CONTACT_UPDATE"
	eventLatency       = "E_UL_LATENCY_UPDATE"
)

var (
	aorParams     = []string{"domain", "aor"}
	contactParams = []string{"domain", "aor", "uri", "received", "path", "qval", "user_agent", "socket", "bflags", "expires",
		"callid", "cseq", "attr", "latency", "shtag"}
	events = []script.Event{
		{Name: eventAORInsert, Help: "An address of record has its first contact.", Params: aorParams},
		{Name: eventAORDelete, Help: "An address of record has lost its last contact.", Params: aorParams},
		{Name: eventContactInsert, Help: "A contact was registered.", Params: contactParams},
		{Name: eventContactDelete, Help: "A contact was removed, or is over.", Params: contactParams},
		{Name: eventContactUpdate, Help: "A contact was registered again.", Params: contactParams},
		{Name: eventLatency, Help: "A contact has answered a ping.", Params: contactParams},
	}
)

var eventOf = [...]string{
	location.Inserted: eventContactInsert, location.Updated: eventContactUpdate, location.Deleted: eventContactDelete,
	location.AORInserted: eventAORInsert, location.AORDeleted: eventAORDelete,
}

// changed raises the event of a change and has it written.
func (m *Module) changed(t *table, c *location.Change) {
	if m.mode == writeThrough {
		select {
		case m.wake <- struct{}{}:
		default:
		}
	}
	for _, f := range m.watchers {
		f(t.name, c)
	}
	name := eventOf[c.Kind]
	if m.env == nil || !m.env.Heard(name) {
		return
	}
	if c.Kind == location.AORInserted || c.Kind == location.AORDeleted {
		m.env.Raise(name, script.TextParam("domain", t.name), script.TextParam("aor", c.AOR))
		return
	}
	m.raise(name, t.name, &c.Contact)
}

// raise raises an event of a contact.
func (m *Module) raise(name, table string, x *location.Contact) {
	agent := x.Agent()
	if agent == "" {
		agent = noAgent
	}
	m.env.Raise(name,
		script.TextParam("domain", table), script.TextParam("aor", x.AOR()), script.TextParam("uri", x.URI()),
		script.TextParam("received", x.Received()), script.TextParam("path", x.Path()),
		script.NumberParam("qval", int64(x.Q)), script.TextParam("user_agent", agent),
		script.TextParam("socket", x.Socket()), script.NumberParam("bflags", int64(m.Flags(x))),
		script.NumberParam("expires", x.Expires), script.TextParam("callid", x.CallID()),
		script.NumberParam("cseq", int64(x.CSeq)), script.TextParam("attr", x.Attr()),
		script.NumberParam("latency", int64(x.Latency)), script.TextParam("shtag", ""))
}

// noAgent is the User-Agent of a contact that told none.
const noAgent = "n/a"
