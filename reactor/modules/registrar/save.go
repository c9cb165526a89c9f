package registrar

import (
	"bytes"
	"errors"
	"strconv"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/location"
	"sipreactor/reactor/modules/signaling"
	"sipreactor/reactor/modules/usrloc"
	"sipreactor/reactor/script"
	"sipreactor/sipframe"
)

// save builds save(): 1 if the REGISTER was accepted, -2 if it was refused; both are answered. -1 it is none.
func (m *Core) save(a *script.Args) script.Action {
	table := m.Filled(a, 0)
	flags, ok := m.FlagsArg(a, 1)
	if table == nil || !ok {
		return nil
	}
	aor, at := m.AORArg(a, 2), a.Site()
	return func(x *script.Machine) int {
		f, err := flags(x)
		if err != nil {
			return x.Fail(at, err.Error())
		}
		if !x.Context().Msg.IsRequest() {
			return m.keepGranted(x, at, table, f, aor)
		}
		if x.Context().Msg.Method() != sipframe.REGISTER {
			return x.Fail(at, "it is for REGISTER")
		}
		r := m.Take()
		defer m.Give(r)
		bad := m.required(x.Message())
		if bad == nil {
			bad = m.Read(x, r, f, aor)
		}
		if bad == nil {
			var err error
			if bad, err = m.WriteStored(x, table, r); bad == notStored {
				x.Say(at, script.LevelError, m.name+": the database failed", "error", err)
			}
		}
		m.Respond(x, at, r, f, bad)
		if bad != nil {
			return -2
		}
		return 1
	}
}

// required refuses a REGISTER that needs what is not here (RFC 3261 10.3, step 2).
func (m *Core) required(msg *sipframe.Message) *Refusal {
	if msg.Find(sipframe.HeaderRequire) < 0 {
		return nil
	}
	if more := signaling.Unsupported(msg, m.Extensions()...); more != "" {
		return &Refusal{code: 420, why: "Unsupported extension", more: more}
	}
	return nil
}

var extensions = [...]string{"path", "outbound", "gruu"}

// Extensions are the options that a REGISTER may require here.
func (m *Core) Extensions() []string {
	if m.gruu == nil {
		return extensions[:len(extensions)-1]
	}
	return extensions[:]
}

// FlagsArg reads argument i as flags of save(), once where they are constant.
func (m *Core) FlagsArg(a *script.Args, i int) (func(x *script.Machine) (*SaveFlags, error), bool) {
	fixed, constant := a.Fixed(i)
	if constant || !a.Given(i) {
		f, err := parseSaveFlags(fixed)
		if err != nil {
			a.Errorf(i, "%v", err)
			return nil, false
		}
		return func(*script.Machine) (*SaveFlags, error) { return &f, nil }, true
	}
	text := a.Text(i)
	return func(x *script.Machine) (*SaveFlags, error) {
		b, _ := text(x)
		f, err := parseSaveFlags(string(b))
		return &f, err
	}, true
}

// AOR appends the address of record of a call, or tells why it has none.
type AOR func(x *script.Machine, dst []byte) ([]byte, *Refusal)

// AORArg returns what gives the address of record that a REGISTER is for: argument i, or the URI in To.
func (m *Core) AORArg(a *script.Args, i int) AOR { return m.aorArg(a, i, toURI) }

func toURI(x *script.Machine) []byte {
	to, err := x.Message().To()
	if err != nil {
		return nil
	}
	return x.Message().Bytes(to.URI)
}

// Read reads the REGISTER at hand into r, or tells why it is refused. Nothing is changed yet.
func (m *Core) Read(x *script.Machine, r *Registration, f *SaveFlags, aor AOR) *Refusal {
	c := x.Context()
	now := x.Now().Unix()
	r.contacts, r.path = r.contacts[:0], r.path[:0]
	var bad *Refusal
	if r.aor, bad = aor(x, r.aor[:0]); bad != nil {
		return bad
	}
	if bad = m.readContacts(r, c.Msg, f, now); bad != nil {
		return bad
	}
	seq, _, _ := c.Msg.CSeq()
	path, bad := m.readPath(r, c.Msg, f)
	switch {
	case bad != nil:
		return bad
	case r.short && m.refuseShort:
		low := m.minExpires
		if f.minExpires >= 0 {
			low = f.minExpires
		}
		return &Refusal{code: 423, why: "Expires is too short", more: "Min-Expires: " + strconv.FormatInt(low, 10) + "\r\n"}
	case r.outbound && len(path) == 0 && severalHops(c.Msg):
		return noOutbound
	}
	r.knowsPath, r.knowsOutbound = supports(c.Msg, sipframe.HeaderSupported, "path"), supports(c.Msg, sipframe.HeaderSupported, "outbound")
	m.fill(x, r, f, path, now, seq)
	r.readUser(m, c.Msg)
	return nil
}

// Write does what r asks for, or tells why not. r has the contacts for the response then.
func (m *Core) Write(table *usrloc.Place, r *Registration) *Refusal {
	r.contacts = r.contacts[:0]
	if r.Query {
		m.List(table, r)
		return nil
	}
	bad := refusalOf(table.Table().Save(&r.Update, func(c *location.Contact) { m.show(r, c) }))
	switch bad {
	case nil:
		m.persist(r)
	case lowCSeq:
		r.contacts = r.contacts[:0]
	}
	return bad
}

// WriteStored is Write before the answer: in a mode that stores what a REGISTER does before that is answered, the message
// of w waits for it. With usrloc.ErrBusy too many do, and nothing was done; with another error the database failed.
func (m *Core) WriteStored(w usrloc.Waiter, table *usrloc.Place, r *Registration) (bad *Refusal, err error) {
	if !table.Waits() {
		return m.Write(table, r), nil
	}
	err = table.Do(w, r.aor, !r.Query, func() { bad = m.Write(table, r) })
	switch {
	case err == nil:
	case errors.Is(err, usrloc.ErrBusy):
		bad = busy
	default:
		bad = notStored
	}
	return bad, err
}

// Check tells why Write would refuse r, and calls visit as location.Table.Check does.
func (m *Core) Check(table *usrloc.Place, r *Registration, visit func(i int, c *location.Contact)) *Refusal {
	return refusalOf(table.Table().Check(&r.Update, visit))
}

// List makes the contacts for the response of those that the address of record has.
func (m *Core) List(table *usrloc.Place, r *Registration) {
	r.contacts = r.contacts[:0]
	table.Table().Lookup(r.aor, r.Now, func(c *location.Contact) bool { m.show(r, c); return true })
}

// show adds a contact to those of the response.
func (m *Core) show(r *Registration, c *location.Contact) {
	if r.purr == 0 && m.push.purr && c.Flags&location.Pushed != 0 && r.names(c) {
		r.purr = c.ID
	}
	if !r.only || r.names(c) {
		r.contacts = m.appendContact(r.contacts, r, c, r.Now)
	}
}

// names reports whether a contact is among those of the request.
func (r *Registration) names(c *location.Contact) bool {
	for i := range r.Bindings {
		if string(r.Bindings[i].URI) == c.URI() {
			return true
		}
	}
	return false
}

func refusalOf(err error) *Refusal {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, location.ErrOutOfOrder):
		return lowCSeq
	case errors.Is(err, location.ErrTooMany):
		return tooMany
	case errors.Is(err, location.ErrFull):
		return tableFull
	default:
		return longURI
	}
}

// readUser reads the URI that GRUUs are made of, for a phone that wants them.
func (r *Registration) readUser(m *Core, msg *sipframe.Message) {
	r.user = r.user[:0]
	if m.gruu == nil || !supports(msg, sipframe.HeaderSupported, "gruu") {
		return
	}
	to, err := msg.To()
	var u sipframe.URI
	if err != nil || sipframe.ParseURI(msg.Bytes(to.URI), &u) != nil {
		return
	}
	uri := msg.Bytes(to.URI)
	r.scheme, _, _ = bytes.Cut(uri, []byte{':'})
	r.host = u.Host.In(uri)
	r.user = append(append(append(append(append(r.user, r.scheme...), ':'), u.User.In(uri)...), '@'), r.host...)
}

// fill completes the update with what is the same for all contacts.
func (m *Core) fill(x *script.Machine, r *Registration, f *SaveFlags, path []byte, now int64, seq uint32) {
	c := x.Context()
	u := &r.Update
	u.AOR, u.CSeq, u.Now, u.CallID = r.aor, seq, now, c.Msg.CallID()
	u.PushParams = m.push.params
	u.Repeats, u.RepeatWithin, u.Param, r.only = m.repeats, m.places.RepeatWithin(), f.matchParam, f.only
	u.Matching = m.places.Matching
	if f.matchGiven {
		u.Matching = f.matching
	}
	u.Max, u.Evict, u.Flags = int(m.maxContacts), f.force, 0
	if f.memoryOnly {
		u.Flags = location.MemoryOnly
	}
	if f.max >= 0 {
		u.Max = int(f.max)
	}
	u.Flow = c.Src.Conn
	r.keep = m.persistFlag >= 0 && c.IsFlagSet(uint(m.persistFlag))
	u.BranchFlags, u.Era = uint32(c.Branch(0).Flags()), m.places.Era()
	received := m.receivedFrom(x, f, path, u)
	u.Bound = u.Flow != 0 && (r.outbound || len(received) > 0 || u.BranchFlags&m.natBit() != 0 || x.Program().NoNewConn(c.Branch(0).Flags()))
	common := location.Texts{CallID: u.CallID, Path: path, Received: received, Agent: c.Msg.Value(sipframe.HeaderUserAgent)}
	common.Agent = common.Agent[:min(len(common.Agent), maxAgent)]
	if m.attr != nil {
		if v := m.attr.Get(x, 0); !v.IsNull() {
			common.Attr = x.Text(v)
		}
	}
	r.headers = appendSocket(r.headers[:0], c.Src.Socket)
	common.Socket = r.headers
	if f.socketHeader && m.socketHeader != "" {
		if i := c.Msg.FindName([]byte(m.socketHeader)); i >= 0 {
			common.Socket = c.Msg.Bytes(c.Msg.Header(i).Value)
		}
	}
	for i := range u.Bindings {
		b := &u.Bindings[i]
		uri, instance := b.URI, b.Instance
		b.Texts = common
		b.URI, b.Instance = uri, instance
	}
}

// maxAgent is how much of a User-Agent is kept, in bytes: what the column of the table takes.
const maxAgent = 255

// appendSocket appends a listener as proto:address:port.
func appendSocket(dst []byte, s *reactor.Socket) []byte {
	if s == nil {
		return dst
	}
	dst = append(dst, s.Proto.String()...)
	dst = append(dst, ':')
	return s.Addr.AppendTo(dst)
}

// persist has requests of dialogs go by the connection, whose user is known now, and the connection live as long as its
// contacts.
func (m *Core) persist(r *Registration) {
	if r.Flow == 0 || r.last <= r.Now || m.env == nil || m.env.Engine == nil {
		return
	}
	left := time.Duration(r.last-r.Now+keepBeyond) * time.Second
	m.env.Engine.Know(r.Flow, left)
	if r.keep {
		m.env.Engine.KeepFor(r.Flow, left)
	}
}

// keepBeyond is how many seconds a connection outlives the contact that came by it, for the REGISTER that refreshes it.
const keepBeyond = 10
