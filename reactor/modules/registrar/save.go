package registrar

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/location"
	"sipreactor/reactor/modules/usrloc"
	"sipreactor/reactor/script"
	"sipreactor/sipframe"
)

// save builds save(): 1 if the REGISTER was accepted, -2 if it was refused; both are answered. -1 it is none.
func (m *module) save(a *script.Args) script.Action {
	table := m.table(a, 0)
	flags, ok := m.flagsArg(a)
	if table == nil || !ok {
		return nil
	}
	aor, at := m.aorArg(a, 2, toURI), a.Site()
	return func(x *script.Machine) int {
		c := x.Context()
		if c.Msg.Method() != sipframe.REGISTER {
			return x.Fail(at, "it is for REGISTER")
		}
		f, err := flags(x)
		if err != nil {
			return x.Fail(at, err.Error())
		}
		r := m.scratch.Get().(*registration)
		defer m.scratch.Put(r)
		bad := m.register(x, r, table, f, aor)
		if bad == nil {
			m.accepted.Add(1)
		} else {
			m.rejected.Add(1)
		}
		if !f.noReply {
			if err := m.reply(x, r, f, bad); err != nil {
				x.Say(at, script.LevelError, "registrar: the reply cannot be sent", "error", err)
			}
		}
		if bad != nil {
			return -2
		}
		return 1
	}
}

// flagsArg reads the flags of save(), once where they are constant.
func (m *module) flagsArg(a *script.Args) (func(x *script.Machine) (*saveFlags, error), bool) {
	fixed, constant := a.Fixed(1)
	if constant || !a.Given(1) {
		f, err := parseSaveFlags(fixed)
		if err != nil {
			a.Errorf(1, "%v", err)
			return nil, false
		}
		return func(*script.Machine) (*saveFlags, error) { return &f, nil }, true
	}
	text := a.Text(1)
	return func(x *script.Machine) (*saveFlags, error) {
		b, _ := text(x)
		f, err := parseSaveFlags(string(b))
		return &f, err
	}, true
}

func toURI(x *script.Machine) []byte {
	to, err := x.Message().To()
	if err != nil {
		return nil
	}
	return x.Message().Bytes(to.URI)
}

// register does what the REGISTER asks for, or tells why not. r has the contacts for the reply then.
func (m *module) register(x *script.Machine, r *registration, table *usrloc.Place, f *saveFlags,
	aor func(*script.Machine, []byte) ([]byte, *refusal)) *refusal {
	c := x.Context()
	now := x.Now().Unix()
	r.contacts, r.path = r.contacts[:0], r.path[:0]
	var bad *refusal
	if r.aor, bad = aor(x, r.aor[:0]); bad != nil {
		return bad
	}
	if bad = m.readContacts(r, c.Msg, f, now); bad != nil {
		return bad
	}
	seq, _, _ := c.Msg.CSeq()
	path, bad := readPath(r, c.Msg, f)
	switch {
	case bad != nil:
		return bad
	case r.short && m.refuseShort:
		low := m.minExpires
		if f.minExpires >= 0 {
			low = f.minExpires
		}
		return &refusal{code: 423, why: "Expires is too short", more: "Min-Expires: " + strconv.FormatInt(low, 10) + "\r\n"}
	case r.outbound && len(path) == 0 && severalHops(c.Msg):
		return noOutbound
	}
	m.fill(x, r, f, path, now, seq)
	r.readUser(m, c.Msg)
	show := func(b *location.Contact) { r.contacts = m.appendContact(r.contacts, r, b, now) }
	if r.query {
		table.Table().Lookup(r.aor, now, func(b *location.Contact) bool { show(b); return true })
		return nil
	}
	err := table.Table().Save(&r.Update, show)
	switch {
	case errors.Is(err, location.ErrOutOfOrder):
		r.contacts = r.contacts[:0]
		return lowCSeq
	case errors.Is(err, location.ErrTooMany):
		return tooMany
	case errors.Is(err, location.ErrFull):
		return tableFull
	case err != nil:
		return longURI
	}
	m.persist(x, r, now)
	return nil
}

// readUser reads the URI that GRUUs are made of, for a phone that wants them.
func (r *registration) readUser(m *module, msg *sipframe.Message) {
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
func (m *module) fill(x *script.Machine, r *registration, f *saveFlags, path []byte, now int64, seq uint32) {
	c := x.Context()
	u := &r.Update
	u.AOR, u.CSeq, u.Now, u.CallID = r.aor, seq, now, c.Msg.CallID()
	u.Only, u.Repeats, u.Param = f.only, m.repeats, f.matchParam
	u.Matching = m.places.Matching
	if f.matchGiven {
		u.Matching = f.matching
	}
	u.Max, u.Evict = int(m.maxContacts), f.force
	if f.max >= 0 {
		u.Max = int(f.max)
	}
	u.Flow = c.Src.Conn
	u.BranchFlags = uint32(c.Branch(0).Flags())
	received := m.receivedFrom(x, f, path, u)
	u.Bound = u.Flow != 0 && (r.outbound || len(received) > 0 || u.BranchFlags&m.natBit() != 0 || x.Program().NoNewConn(c.Branch(0).Flags()))
	common := location.Texts{CallID: u.CallID, Path: path, Received: received, Agent: c.Msg.Value(sipframe.HeaderUserAgent)}
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

func (m *module) natBit() uint32 {
	if n := m.places.NATFlag(); n >= 0 {
		return 1 << n
	}
	return 0
}

// receivedFrom tells where the REGISTER came from, if contacts are to be reached there.
func (m *module) receivedFrom(x *script.Machine, f *saveFlags, path []byte, u *location.Update) []byte {
	if f.pathReceived && len(path) > 0 {
		if v := pathReceived(x, path); len(v) > 0 {
			u.BranchFlags |= m.natBit()
			return v
		}
	}
	if m.received != nil {
		if v := m.received.Get(x, 0); !v.IsNull() {
			return x.Text(v)
		}
	}
	if src := x.Context().Src; src.Proto.Web() && len(path) == 0 && !severalHops(x.Message()) {
		// The name in the Contact leads nowhere (RFC 7118 5.2.4).
		return x.Keep(fmt.Appendf(nil, "sip:%v;transport=%v", src.Remote, src.Proto))
	}
	return nil
}

// pathReceived returns the parameter received of the first URI of a Path, unescaped.
func pathReceived(x *script.Machine, path []byte) []byte {
	open, end := bytes.IndexByte(path, '<'), bytes.IndexByte(path, '>')
	if open < 0 || end < open {
		return nil
	}
	uri := path[open+1 : end]
	var u sipframe.URI
	if sipframe.ParseURI(uri, &u) != nil {
		return nil
	}
	v, _ := u.Param(uri, "received")
	v = x.Keep(sipframe.UnescapeURI(nil, v))
	if sipframe.ParseURI(v, &u) != nil {
		return nil
	}
	return v
}

// readPath reads the Path headers as the flags want them: the values joined by commas.
func readPath(r *registration, msg *sipframe.Message, f *saveFlags) ([]byte, *refusal) {
	if f.path == pathIgnored || f.path == pathOff || msg.Find(sipframe.HeaderPath) < 0 {
		return nil, nil
	}
	if f.path == pathStrict && !supports(msg, sipframe.HeaderSupported, "path") {
		return nil, noPath
	}
	it := msg.Values(sipframe.HeaderPath)
	for v, ok := it.Next(); ok; v, ok = it.Next() {
		if len(r.path) > 0 {
			r.path = append(r.path, ", "...)
		}
		r.path = append(r.path, msg.Bytes(v)...)
	}
	return r.path, nil
}

// severalHops reports whether the request passed others on its way.
func severalHops(msg *sipframe.Message) bool {
	it := msg.Values(sipframe.HeaderVia)
	it.Next()
	_, more := it.Next()
	return more
}

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
func (m *module) persist(x *script.Machine, r *registration, now int64) {
	c := x.Context()
	if c.Src.Conn == 0 || r.last <= now || m.env == nil || m.env.Engine == nil {
		return
	}
	left := time.Duration(r.last-now+keepBeyond) * time.Second
	m.env.Engine.Know(c.Src.Conn, left)
	if m.persistFlag >= 0 && c.IsFlagSet(uint(m.persistFlag)) {
		m.env.Engine.KeepFor(c.Src.Conn, left)
	}
}

// keepBeyond is how many seconds a connection outlives the contact that came by it, for the REGISTER that refreshes it.
const keepBeyond = 10
