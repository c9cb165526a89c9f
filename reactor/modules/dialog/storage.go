package dialog

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"sipreactor/reactor"
	core "sipreactor/reactor/dialog"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
	"sipreactor/sipframe"
)

// batch is how many dialogs are written in one transaction.
const batch = 200

// columns are the names of the columns of the table.
type columns struct {
	id, callID, fromURI, fromTag, toURI, toTag, mangledFrom, mangledTo, callerCSeq, calleeCSeq, callerPing, calleePing,
	callerRoutes, calleeRoutes, callerContact, calleeContact, callerSocket, calleeSocket, state, started, timeout, vars,
	profiles, scriptFlags, moduleFlags, flags, onAnswer, onTimeout, onHangup string
}

func defaultColumns() columns {
	return columns{id: "dlg_id", callID: "callid", fromURI: "from_uri", fromTag: "from_tag", toURI: "to_uri", toTag: "to_tag",
		mangledFrom: "mangled_from_uri", mangledTo: "mangled_to_uri", callerCSeq: "caller_cseq", calleeCSeq: "callee_cseq",
		callerPing: "caller_ping_cseq", calleePing: "callee_ping_cseq", callerRoutes: "caller_route_set", calleeRoutes: "callee_route_set",
		callerContact: "caller_contact", calleeContact: "callee_contact", callerSocket: "caller_sock", calleeSocket: "callee_sock",
		state: "state", started: "start_time", timeout: "timeout", vars: "vars", profiles: "profiles", scriptFlags: "script_flags",
		moduleFlags: "module_flags", flags: "flags",
		onAnswer: "rt_on_answer", onTimeout: "rt_on_timeout", onHangup: "rt_on_hangup"}
}

func (c *columns) byParam() map[string]*string {
	return map[string]*string{"dlg_id_column": &c.id, "call_id_column": &c.callID, "from_uri_column": &c.fromURI, "from_tag_column": &c.fromTag,
		"to_uri_column": &c.toURI, "to_tag_column": &c.toTag, "from_cseq_column": &c.callerCSeq, "to_cseq_column": &c.calleeCSeq,
		"from_route_column": &c.callerRoutes, "to_route_column": &c.calleeRoutes, "from_contact_column": &c.callerContact,
		"to_contact_column": &c.calleeContact, "from_sock_column": &c.callerSocket, "to_sock_column": &c.calleeSocket,
		"state_column": &c.state, "start_time_column": &c.started, "timeout_column": &c.timeout, "vars_column": &c.vars,
		"profiles_column": &c.profiles, "sflags_column": &c.scriptFlags, "mflags_column": &c.moduleFlags, "flags_column": &c.flags}
}

func (c *columns) names() []string {
	return []string{c.id, c.callID, c.fromURI, c.fromTag, c.toURI, c.toTag, c.mangledFrom, c.mangledTo, c.callerCSeq, c.calleeCSeq,
		c.callerPing, c.calleePing, c.callerRoutes, c.calleeRoutes, c.callerContact, c.calleeContact, c.callerSocket, c.calleeSocket,
		c.state, c.started, c.timeout, c.vars, c.profiles, c.scriptFlags, c.moduleFlags, c.flags, c.onAnswer, c.onTimeout, c.onHangup}
}

// read reads the table as the module starts. A database that is away is a warning: it is read once it is back.
func (m *Module) read() {
	if err := m.load(); err != nil {
		m.unread.Store(true)
		m.env.Log.Warn("dialog: dialogs were not read: they are, as soon as the database is back", "error", err)
	}
}

// readLater does what read could not.
func (m *Module) readLater(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for m.unread.Load() {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if m.forget(ctx) == nil && m.readMore() == nil { // a call that has ended is not to come back
			m.unread.Store(false)
		}
	}
}

// readMore is load while the program runs.
func (m *Module) readMore() error {
	err := m.load()
	if err == nil {
		for _, f := range m.onRead {
			f()
		}
	}
	return err
}

// load reads the table. A row that cannot be read is left out with a warning.
func (m *Module) load() error {
	m.flush.Lock()
	defer m.flush.Unlock()
	loaded := 0
	ended, err := m.tombstones.read()
	if err != nil {
		m.env.Log.Warn("dialog: which calls had ended is not known", "error", err)
	}
	m.readWaiting(ended) // first: it is newer
	err = m.db.LoadPages(context.Background(), m.env.Log, store.Select{Table: m.table, Columns: m.columns.names(), Key: m.columns.id}, func(r *store.Row) error {
		row := m.rowOf(r)
		if err := r.Err(); err != nil {
			m.env.Log.Warn("dialog: a row is left out", "error", err)
			return nil
		}
		if !ended[row.ID] && m.dialogs.Restore(row) {
			loaded++
			m.rearm(row.ID, armedOf(r))
		}
		return nil
	})
	if err == nil {
		err = m.pay(context.Background(), ended)
	}
	if err != nil {
		return err
	}
	m.tombstones.clear()
	m.env.Log.Info("dialog: dialogs were read", "dialogs", loaded)
	return nil
}

// rowOf reads a row of the table, whose errors are Err's.
func (m *Module) rowOf(r *store.Row) *core.Row {
	return &core.Row{
		ID: core.IDOfInt(r.Int(0)), CallID: r.Text(1), FromURI: r.Text(2), FromTag: r.Text(3), ToURI: r.Text(4),
		State: core.State(r.IntIn(18, 1, 5)), Started: r.Int(19), Expires: r.Int(20), Script: m.parseFlagText(r.Text(23)), Flags: core.Flag(r.Int(25)),
		Caller: core.Leg{Tag: r.Text(3), Contact: r.Text(14), Routes: r.Text(12), CSeq: number(r.Text(8)), Own: number(r.Text(10)), Socket: m.socket(r.Text(16))},
		Callee: core.Leg{Tag: r.Text(5), Contact: r.Text(15), Routes: r.Text(13), CSeq: number(r.Text(9)), Own: number(r.Text(11)), Socket: m.socket(r.Text(17))},
		Values: parseValues(r.Text(21)), Profiles: m.parseProfiles(r.Text(22)),
		Parties: core.Parties{From: r.Text(6), To: r.Text(7)},
	}
}

// armedOf reads the names of the routes that a dialog has armed.
func armedOf(r *store.Row) [3]string { return [...]string{r.Text(26), r.Text(27), r.Text(28)} }

// rearm has a dialog's routes armed again, and its pings go on.
func (m *Module) rearm(id core.ID, routes [3]string) {
	d := m.dialogs.ByID(id)
	if d == nil {
		return
	}
	for i, what := range []armed{onAnswer, onTimeout, onHangup} {
		if name := routes[i]; name != "" {
			if route := m.env.Program.Route(script.RequestRoute, name); route != nil {
				d.Attach(what, route)
			} else {
				m.env.Log.Warn("dialog: a route that a dialog has armed is not there", "route", name, "dialog", id.String())
			}
		}
	}
	m.pings.begin(m, d, time.Now().Unix())
}

// armedName is the name of the route that a dialog has armed for an occasion, NULL without one.
func armedName(d *core.Dialog, what armed) store.Value {
	if r, ok := d.Attachment(what).(*script.Routine); ok && r != nil {
		return store.String(r.Name())
	}
	return store.Null
}

func number(text string) uint32 {
	n, _ := strconv.ParseUint(strings.TrimSpace(text), 10, 32)
	return uint32(n)
}

// socket finds a listener by proto:address:port.
func (m *Module) socket(text string) *reactor.Socket {
	if m.env.Engine == nil {
		return nil
	}
	for _, s := range m.env.Engine.Sockets() {
		if socketText(s) == text {
			return s
		}
	}
	return nil
}

func socketText(s *reactor.Socket) string {
	if s == nil {
		return ""
	}
	return s.Proto.String() + ":" + s.Addr.String()
}

// writeBack writes what has changed, until the program ends. Rows of calls that have ended go within a second in any mode:
// a program that dies brings no call back that has its record.
func (m *Module) writeBack(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	written, away := time.Now(), false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-m.wake:
			if away { // once a second is enough
				continue
			}
		}
		err := m.forget(ctx)
		if m.dbMode == realtime || time.Since(written) >= m.period {
			err = errors.Join(err, m.write(ctx))
			written = time.Now()
		}
		away = err != nil
		if err != nil && ctx.Err() == nil {
			m.env.Log.Warn("dialog: the database takes no dialogs: they wait", "error", err, "dialogs", m.dialogs.Waiting())
		}
	}
}

// forget removes the rows of calls that have ended.
func (m *Module) forget(ctx context.Context) error {
	m.flush.Lock()
	defer m.flush.Unlock()
	err := m.dialogs.Gone(batch, func(list []*core.Dialog) error {
		ids := make([]store.Value, len(list))
		for i, d := range list {
			ids[i] = store.Int(d.ID.Int())
		}
		_, err := m.db.Delete(ctx, m.table, store.Cond{Column: m.columns.id, Any: ids})
		return err
	})
	if err != nil {
		if err := m.tombstones.keep(m.dialogs.GoneIDs()); err != nil {
			m.env.Log.Warn("dialog: which calls have ended is not kept for another life of the program", "error", err)
		}
	} else if !m.unread.Load() { // or some are another life's
		m.tombstones.clear()
	}
	return err
}

// write writes what has changed, or keeps it while the database is away.
func (m *Module) write(ctx context.Context) error {
	m.flush.Lock()
	defer m.flush.Unlock()
	some := false
	err := m.dialogs.Changed(batch, func(list []core.Stored) error {
		err := store.Singly(ctx, list, m.apply, func(x *core.Stored, err error) {
			m.env.Log.Warn("dialog: the database refuses a call, which is not stored", "dialog", x.ID.String(), "error", err)
		})
		some = some || err == nil
		return err
	})
	if err == nil {
		m.waiting.drop()
	} else {
		m.keepWaiting(some)
	}
	return err
}

// apply writes dialogs, all or none of them.
func (m *Module) apply(ctx context.Context, list []core.Stored) error {
	ids := make([]store.Value, 0, len(list))
	var rows [][]store.Value
	for i := range list {
		ids = append(ids, store.Int(list[i].ID.Int()))
		if !list[i].Delete {
			rows = append(rows, m.row(&list[i].Summary))
		}
	}
	changes := []store.Change{{Verb: store.VerbDelete, Table: m.table, Where: []store.Cond{{Column: m.columns.id, Any: ids}}}}
	if len(rows) > 0 {
		changes = append(changes, store.Change{Verb: store.VerbInsert, Table: m.table, Columns: m.columns.names(), Rows: rows})
	}
	_, err := m.db.Apply(ctx, changes...)
	return err
}

// partyRoom is how long the URIs of parties may be in the table.
const partyRoom = 255

// party is the URI of a party as the table has room for it: without its parameters if it is longer, then without its user. It
// stands in From and To of our requests, where tags say which call they are of (RFC 3261 12.2.1.1).
func party(uri string) string {
	if len(uri) <= partyRoom {
		return uri
	}
	var u sipframe.URI
	if err := sipframe.ParseURI([]byte(uri), &u); err != nil || u.Host.Len == 0 {
		return strings.ToValidUTF8(uri[:min(strings.IndexByte(uri+";", ';'), partyRoom)], "")
	}
	end := int(u.Host.Off + u.Host.Len)
	if u.Port != 0 {
		end += strings.IndexAny(uri[end:]+";", ";?")
	}
	if end <= partyRoom {
		return uri[:end]
	}
	scheme, _, _ := strings.Cut(uri, ":")
	place := scheme + ":" + uri[u.Host.Off:end]
	return place[:min(len(place), partyRoom)]
}

// given is a text, NULL where it is empty.
func given(text string) store.Value {
	if text == "" {
		return store.Null
	}
	return store.String(text)
}

func (m *Module) row(s *core.Summary) []store.Value {
	var callee core.Leg
	if s.Callee >= 0 {
		callee = s.Callees[s.Callee]
	}
	text := store.String
	seq := func(n uint32) store.Value { return text(strconv.FormatUint(uint64(n), 10)) }
	return []store.Value{
		store.Int(s.ID.Int()), text(s.CallID), text(party(s.FromURI)), text(s.FromTag), text(party(s.ToURI)), text(callee.Tag),
		given(party(s.Parties.From)), given(party(s.Parties.To)),
		seq(s.Caller.CSeq), seq(callee.CSeq), store.Int(int64(s.Caller.Own)), store.Int(int64(callee.Own)),
		text(s.Caller.Routes), text(callee.Routes), text(s.Caller.Contact), text(callee.Contact),
		text(socketText(s.Caller.Socket)), text(socketText(callee.Socket)), store.Int(int64(s.State)), store.Int(s.Started), store.Int(s.Expires),
		text(formatValues(s.Values)), text(formatProfiles(s.Profiles)), text(m.flagText(s.Script)), store.Int(0), store.Int(int64(s.Flags)),
		armedName(s.Dialog, onAnswer), armedName(s.Dialog, onTimeout), armedName(s.Dialog, onHangup),
	}
}
