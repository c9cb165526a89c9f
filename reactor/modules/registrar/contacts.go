package registrar

import (
	"bytes"
	"math/rand/v2"
	"strconv"

	"sipreactor/reactor/location"
	"sipreactor/sipframe"
)

// Refusal is why a REGISTER is not accepted.
type Refusal struct {
	code int
	why  string // of P-Registrar-Error
	more string // another header, with its CRLF
}

var (
	badContact = &Refusal{code: 400, why: "Contact HF couldn't be parsed"}
	manyAsked  = &Refusal{code: 400, why: "More than 64 contacts"}
	badStar    = &Refusal{code: 400, why: "* used in contact and expires is not zero"}
	manyStars  = &Refusal{code: 400, why: "* used in contact more than once"}
	badQ       = &Refusal{code: 400, why: "Invalid q parameter in Contact HF"}
	badExpires = &Refusal{code: 400, why: "Invalid Expires HF"}
	longURI    = &Refusal{code: 400, why: "Contact is too long"}
	longPath   = &Refusal{code: 400, why: "Path is too long"}
	longCallID = &Refusal{code: 400, why: "Call-ID is too long"}
	longID     = &Refusal{code: 400, why: "The instance of a contact is too long"}
	badAOR     = &Refusal{code: 400, why: "Username not found in AOR"}
	longAOR    = &Refusal{code: 400, why: "Address of record is too long"}
	lowCSeq    = &Refusal{code: 400, why: "Invalid CSeq number"}
	manyFlows  = &Refusal{code: 400, why: "reg-id with more than one contact"}
	noPush     = &Refusal{code: 555, why: "Push Notification Service Not Supported"}
	noPath     = &Refusal{code: 420, why: "No support for found Path indicated", more: "Unsupported: path\r\n"}
	noOutbound = &Refusal{code: 439, why: "The first hop does not support outbound"}
	tooMany    = &Refusal{code: 503, why: "Too many registered contacts"}
	busy       = &Refusal{code: 503, why: "Too many wait for the database"}
	notStored  = &Refusal{code: 500, why: "The database failed"}
	tableFull  = &Refusal{code: 503, why: "No room for another contact"}
)

const (
	// maxBindings bounds the contacts of one REGISTER, as manyAsked says.
	maxBindings = 64
	// maxID bounds the Call-ID and the instance that are kept with each of them, in bytes: what their columns take.
	maxID = 255
)

// readContacts reads the Contact headers.
func (m *Core) readContacts(r *Registration, msg *sipframe.Message, f *SaveFlags, now int64) *Refusal {
	r.Bindings, r.Wanted, r.outbound, r.Query, r.short, r.last = r.Bindings[:0], r.Wanted[:0], false, true, false, 0
	r.pns, r.wakes, r.purr = r.pns[:0], false, 0
	common, given, bad := expiresHeader(msg)
	if bad {
		return badExpires
	}
	if len(msg.CallID()) > maxID {
		return longCallID
	}
	star := false
	it := msg.Values(sipframe.HeaderContact)
	for v, ok := it.Next(); ok; v, ok = it.Next() {
		r.Query = false
		var a sipframe.NameAddr
		if msg.NameAddr(v, &a) != nil {
			return badContact
		}
		if len(r.Bindings) == maxBindings {
			return manyAsked
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
func (r *Registration) flows() *Refusal {
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

func (m *Core) readContact(r *Registration, msg *sipframe.Message, a *sipframe.NameAddr, f *SaveFlags, now, common int64, given bool) *Refusal {
	uri := msg.Bytes(a.URI)
	var u sipframe.URI
	switch {
	case int64(len(uri)) > m.maxContact:
		return longURI
	case sipframe.ParseURI(uri, &u) != nil:
		return badContact
	}
	b := location.Binding{Q: m.qOf(), Methods: r.methods(msg)}
	b.URI = uri
	expires, wanted := m.defaultExpires, int64(-1)
	if given {
		expires, wanted = common, common
	}
	it := sipframe.Params(msg.Bytes(a.Params))
	for p, ok := it.Next(); ok; p, ok = it.Next() {
		switch {
		case is(p.Name, "expires"):
			if n, ok := sipframe.ParseUint(p.Value, 1<<32-1); ok {
				expires, wanted = int64(n), int64(n)
			} else {
				expires, wanted = m.defaultExpires, -1
			}
		case is(p.Name, "q"):
			q, ok := parseQ(p.Value)
			if !ok {
				return badQ
			}
			b.Q = q
		case is(p.Name, "+sip.instance"):
			if b.Instance = bytes.Trim(p.Value, `"`); len(b.Instance) > maxID {
				return longID
			}
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
	if bad := m.readPush(r, &b, &u, msg.Bytes(a.Params)); bad != nil {
		return bad
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
	r.Bindings, r.Wanted = append(r.Bindings, b), append(r.Wanted, wanted)
	return nil
}

// bounded brings an expiry between the bounds.
func (m *Core) bounded(r *Registration, f *SaveFlags, n int64) int64 {
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
