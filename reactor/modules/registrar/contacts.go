package registrar

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strconv"

	"sipreactor/reactor/location"
	"sipreactor/sipframe"
)

// refusal is why a REGISTER is not accepted.
type refusal struct {
	code int
	why  string // of P-Registrar-Error
	more string // another header, with its CRLF
}

var (
	badContact = &refusal{code: 400, why: "Contact HF couldn't be parsed"}
	badStar    = &refusal{code: 400, why: "* used in contact and expires is not zero"}
	manyStars  = &refusal{code: 400, why: "* used in contact more than once"}
	badQ       = &refusal{code: 400, why: "Invalid q parameter in Contact HF"}
	badExpires = &refusal{code: 400, why: "Invalid Expires HF"}
	longURI    = &refusal{code: 400, why: "Contact is too long"}
	badAOR     = &refusal{code: 400, why: "Username not found in AOR"}
	longAOR    = &refusal{code: 400, why: "Address of record is too long"}
	lowCSeq    = &refusal{code: 400, why: "Invalid CSeq number"}
	manyFlows  = &refusal{code: 400, why: "reg-id with more than one contact"}
	noPush     = &refusal{code: 555, why: "Push Notification Service Not Supported"}
	noPath     = &refusal{code: 420, why: "No support for found Path indicated", more: "Unsupported: path\r\n"}
	noOutbound = &refusal{code: 439, why: "The first hop does not support outbound"}
	tooMany    = &refusal{code: 503, why: "Too many registered contacts"}
	tableFull  = &refusal{code: 503, why: "No room for another contact"}
)

// maxBindings bounds the contacts of one REGISTER.
const maxBindings = 64

// registration is what a REGISTER says, in scratch that is used again.
type registration struct {
	location.Update
	aor      []byte
	contacts []byte // of the reply
	headers  []byte
	path     []byte
	user     []byte // URI that GRUUs are made of; empty: the phone wants none
	scheme   []byte // of it
	host     []byte
	outbound bool // some contact is one of RFC 5626
	query    bool // no Contact at all
	short    bool // some expiry is below the minimum
	last     int64
}

// readContacts reads the Contact headers.
func (m *module) readContacts(r *registration, msg *sipframe.Message, f *saveFlags, now int64) *refusal {
	r.Bindings, r.outbound, r.query, r.short, r.last = r.Bindings[:0], false, true, false, 0
	common, given, bad := expiresHeader(msg)
	if bad {
		return badExpires
	}
	star := false
	it := msg.Values(sipframe.HeaderContact)
	for v, ok := it.Next(); ok; v, ok = it.Next() {
		r.query = false
		var a sipframe.NameAddr
		if msg.NameAddr(v, &a) != nil || len(r.Bindings) == maxBindings {
			return badContact
		}
		switch {
		case star || a.Star && len(r.Bindings) > 0:
			return manyStars
		case a.Star:
			star = true
			if !given || common != 0 {
				return badStar
			}
			continue
		}
		if bad := m.readContact(r, msg, &a, f, now, common, given); bad != nil {
			return bad
		}
	}
	r.All = star
	return r.flows()
}

// flows reports what is wrong with the flows of RFC 5626 6 that are registered: a REGISTER is for one.
func (r *registration) flows() *refusal {
	if len(r.Bindings) < 2 {
		return nil
	}
	for i := range r.Bindings {
		if r.Bindings[i].RegID != 0 {
			return manyFlows
		}
	}
	return nil
}

// expiresHeader reads Expires; bad: it is there and is no number.
func expiresHeader(msg *sipframe.Message) (n int64, given, bad bool) {
	i := msg.Find(sipframe.HeaderExpires)
	if i < 0 {
		return 0, false, false
	}
	v, ok := sipframe.ParseUint(msg.Bytes(msg.Header(i).Value), 1<<32-1)
	return int64(v), ok, !ok
}

func (m *module) readContact(r *registration, msg *sipframe.Message, a *sipframe.NameAddr, f *saveFlags, now, common int64, given bool) *refusal {
	uri := msg.Bytes(a.URI)
	var u sipframe.URI
	switch {
	case int64(len(uri)) > m.maxContact:
		return longURI
	case sipframe.ParseURI(uri, &u) != nil:
		return &refusal{code: 500, why: "Contact cannot be parsed", more: m.retryLine()}
	}
	b := location.Binding{Q: m.qOf(), Methods: r.methods(msg)}
	b.URI = uri
	expires := m.defaultExpires
	if given {
		expires = common
	}
	it := sipframe.Params(msg.Bytes(a.Params))
	for p, ok := it.Next(); ok; p, ok = it.Next() {
		switch {
		case is(p.Name, "expires"):
			if n, ok := sipframe.ParseUint(p.Value, 1<<32-1); ok {
				expires = int64(n)
			} else {
				expires = m.defaultExpires
			}
		case is(p.Name, "q"):
			q, ok := parseQ(p.Value)
			if !ok {
				return badQ
			}
			b.Q = q
		case is(p.Name, "+sip.instance"):
			b.Instance = bytes.Trim(p.Value, `"`)
		case is(p.Name, "reg-id"):
			if n, ok := sipframe.ParseUint(p.Value, 1<<31); ok {
				b.RegID = uint32(n)
			}
		case is(p.Name, "methods"):
			b.Methods = methodBits(bytes.Trim(p.Value, `"`))
		}
	}
	if b.RegID != 0 && !supports(msg, sipframe.HeaderSupported, "outbound") {
		b.RegID = 0 // RFC 5626 6
	}
	if pns, has := u.Param(uri, "pn-provider"); has && len(m.pushServices) > 0 && !m.pushes(pns) {
		return noPush
	}
	_, ob := u.Param(uri, "ob")
	if b.RegID != 0 && len(b.Instance) > 0 || ob {
		r.outbound = true
	}
	if expires > 0 {
		b.Expires = now + m.bounded(r, f, expires)
	} else {
		b.Expires = now
	}
	r.last = max(r.last, b.Expires)
	r.Bindings = append(r.Bindings, b)
	return nil
}

// pushes reports whether pn_providers has a service.
func (m *module) pushes(pns []byte) bool {
	return slices.ContainsFunc(m.pushServices, func(name string) bool { return sipframe.EqualFold(pns, name) })
}

// bounded brings an expiry between the bounds.
func (m *module) bounded(r *registration, f *saveFlags, n int64) int64 {
	low, high := m.minExpires, m.maxExpires
	if f.minExpires >= 0 {
		low = f.minExpires
	}
	if f.maxExpires >= 0 {
		high = f.maxExpires
	}
	if low > 0 && n < low {
		r.short = true
		n = low
	}
	if high > 0 && n > high {
		n = high
	}
	if m.deviation > 0 {
		n = max(1, n+rand.Int64N(2*m.deviation+1)-m.deviation)
	}
	return n
}

func is(name []byte, want string) bool { return sipframe.EqualFold(name, want) }

// parseQ reads a qvalue (RFC 3261 25.1): 0 to 1 with up to three digits.
func parseQ(b []byte) (int16, bool) {
	whole, part, _ := bytes.Cut(b, []byte{'.'})
	if len(part) > 3 || len(whole) != 1 || whole[0] != '0' && whole[0] != '1' {
		return 0, false
	}
	n := 0
	for i := range 3 {
		n *= 10
		if i < len(part) {
			if part[i] < '0' || part[i] > '9' {
				return 0, false
			}
			n += int(part[i] - '0')
		}
	}
	if whole[0] == '1' {
		if n > 0 {
			return 0, false
		}
		n = 1000
	}
	return int16(n), true
}

func appendQ(dst []byte, q int16) []byte {
	return strconv.AppendFloat(dst, float64(q)/1000, 'g', -1, 64)
}

// methods returns what Allow says a contact takes.
func (r *registration) methods(msg *sipframe.Message) uint32 {
	i := msg.Find(sipframe.HeaderAllow)
	if i < 0 {
		return location.AllMethods
	}
	var bits uint32
	for ; i >= 0; i = msg.FindNext(sipframe.HeaderAllow, i) {
		bits |= methodBits(msg.Bytes(msg.Header(i).Value))
	}
	return bits
}

// methodBits returns the methods of a list as bits. What is not known is one bit.
func methodBits(list []byte) (bits uint32) {
	for one := range bytes.SplitSeq(list, []byte{','}) {
		if one = bytes.TrimSpace(one); len(one) > 0 {
			bits |= methodBit(sipframe.MethodOf(one))
		}
	}
	return bits
}

// methodBit is the bit of a method, as OpenSIPS numbers them.
func methodBit(m sipframe.Method) uint32 {
	switch m {
	case sipframe.INVITE:
		return 1
	case sipframe.CANCEL:
		return 2
	case sipframe.ACK:
		return 4
	case sipframe.BYE:
		return 8
	case sipframe.INFO:
		return 16
	case sipframe.OPTIONS:
		return 32
	case sipframe.UPDATE:
		return 64
	case sipframe.REGISTER:
		return 128
	case sipframe.MESSAGE:
		return 256
	case sipframe.SUBSCRIBE:
		return 512
	case sipframe.NOTIFY:
		return 1024
	case sipframe.PRACK:
		return 2048
	case sipframe.REFER:
		return 4096
	case sipframe.PUBLISH:
		return 8192
	case sipframe.OtherMethod:
		return 16384
	default:
		return 16384
	}
}

// supports reports whether a list header of the message, Supported or Require, has an option.
func supports(msg *sipframe.Message, kind sipframe.HeaderKind, option string) bool {
	it := msg.Values(kind)
	for v, ok := it.Next(); ok; v, ok = it.Next() {
		if is(msg.Bytes(v), option) {
			return true
		}
	}
	return false
}
