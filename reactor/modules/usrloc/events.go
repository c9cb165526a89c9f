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
	eventRefresh       = "E_UL_CONTACT_REFRESH"
)

var (
	aorParams     = []string{"domain", "aor"}
	contactParams = []string{"domain", "aor", "uri", "received", "path", "qval", "user_agent", "socket", "bflags", "expires",
		"callid", "cseq", "attr", "latency", "shtag"}
	refreshParams = []string{"domain", "aor", "uri", "received", "user_agent", "socket", "bflags", "expires", "callid", "attr", "shtag", "reason",
		"req_callid"}
	events = []script.Event{
		{Name: eventAORInsert, Help: "An address of record has its first contact.", Params: aorParams},
		{Name: eventAORDelete, Help: "An address of record has lost its last contact.", Params: aorParams},
		{Name: eventContactInsert, Help: "A contact was registered.", Params: contactParams},
		{Name: eventContactDelete, Help: "A contact was removed, or is over.", Params: contactParams},
		{Name: eventContactUpdate, Help: "A contact was registered again.", Params: contactParams},
		{Name: eventRefresh, Help: "A phone is to be woken by a push notification, so that it registers again.", Params: refreshParams},
		{Name: eventLatency, Help: "A contact has answered a ping.", Params: contactParams},
	}
)

var eventOf = [...]string{
	location.Inserted: eventContactInsert, location.Updated: eventContactUpdate, location.Deleted: eventContactDelete,
	location.AORInserted: eventAORInsert, location.AORDeleted: eventAORDelete,
}

// changed raises the event of a change and has it written.
func (m *Module) changed(t *table, c *location.Change) {
	if m.mode >= writeThrough {
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
	m.env.Raise(name,
		script.TextParam("domain", table), script.TextParam("aor", x.AOR()), script.TextParam("uri", x.URI()),
		script.TextParam("received", x.Received()), script.TextParam("path", x.Path()),
		script.NumberParam("qval", int64(x.Q)), script.TextParam("user_agent", agentOf(x)),
		script.TextParam("socket", x.Socket()), script.NumberParam("bflags", int64(m.Flags(x))),
		script.NumberParam("expires", x.Expires), script.TextParam("callid", x.CallID()),
		script.NumberParam("cseq", int64(x.CSeq)), script.TextParam("attr", x.Attr()),
		script.NumberParam("latency", int64(x.Latency)), script.TextParam("shtag", ""))
}

// Refresh has a phone be woken by a push notification, which is up to who hears the event: why tells the reason, callID
// the request that it is for; "" is none.
func (m *Module) Refresh(table string, x *location.Contact, why, callID string) {
	if m.env == nil || !m.env.Heard(eventRefresh) {
		return
	}
	m.env.Raise(eventRefresh,
		script.TextParam("domain", table), script.TextParam("aor", x.AOR()), script.TextParam("uri", x.URI()),
		script.TextParam("received", x.Received()), script.TextParam("user_agent", agentOf(x)), script.TextParam("socket", x.Socket()),
		script.NumberParam("bflags", int64(m.Flags(x))), script.NumberParam("expires", x.Expires), script.TextParam("callid", x.CallID()),
		script.TextParam("attr", x.Attr()), script.TextParam("shtag", ""), script.TextParam("reason", why), script.TextParam("req_callid", callID))
}

// refreshParts is how many seconds it takes to look at all contacts that may have to be woken.
const refreshParts = 10

// remind has phones woken whose registrations end soon, if RefreshWithin is set.
func (m *Module) remind(part int, now int64) {
	if !m.refreshes || m.RefreshWithin == 0 {
		return
	}
	for _, t := range m.list() {
		t.Refreshing(part, refreshParts, now, m.RefreshWithin+refreshParts, func(c location.Contact) { m.Refresh(t.name, &c, "reg-refresh", "") })
	}
}

func agentOf(x *location.Contact) string {
	if x.Agent() == "" {
		return noAgent
	}
	return x.Agent()
}

// noAgent is the User-Agent of a contact that told none.
const noAgent = "n/a"
