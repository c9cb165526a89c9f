package registrar

import "sipreactor/reactor/location"

// Registration is what a REGISTER says, in scratch that is used again.
type Registration struct {
	location.Update
	Query  bool    // no Contact at all
	Wanted []int64 // seconds that each binding asks for, before they are bounded; -1: it says none

	aor      []byte
	contacts []byte // of the response
	headers  []byte
	path     []byte
	user     []byte // URI that GRUUs are made of; empty: the phone wants none
	scheme   []byte // of it
	host     []byte
	outbound bool // some contact is one of RFC 5626
	only     bool // the response has the contacts of the request alone
	short    bool // some expiry is below the minimum
	keep     bool // the connection lives as long as the contacts
	last     int64

	pns   []byte // provider of push notifications that the phone has, or asks for
	wakes bool   // it wakes by itself to register (+sip.pnsreg)
	purr  uint64 // reference of its registration; 0 none

	knowsPath, knowsOutbound bool // options that the phone supports
}

// Take returns one whose memory was used before.
func (m *Core) Take() *Registration { return m.scratch.Get().(*Registration) }

// Give takes one back.
func (m *Core) Give(r *Registration) { m.scratch.Put(r) }

// Copy returns a copy that shares no memory with r, nor with the message that r was read from.
func (r *Registration) Copy() *Registration {
	n := *r
	room := make([]byte, 0, r.bytes())
	own := func(b []byte) []byte {
		if len(b) == 0 {
			return nil
		}
		at := len(room)
		room = append(room, b...)
		return room[at:len(room):len(room)]
	}
	n.contacts, n.headers = nil, nil
	n.aor, n.path, n.user, n.scheme, n.host = own(r.aor), own(r.path), own(r.user), own(r.scheme), own(r.host)
	n.pns = own(r.pns)
	n.AOR, n.CallID, n.Wanted = n.aor, own(r.CallID), append([]int64(nil), r.Wanted...)
	n.Bindings = append([]location.Binding(nil), r.Bindings...)
	for i := range n.Bindings {
		for _, text := range n.Bindings[i].All() {
			*text = own(*text)
		}
	}
	return &n
}

// bytes is how many the texts have.
func (r *Registration) bytes() int {
	n := len(r.aor) + len(r.path) + len(r.user) + len(r.scheme) + len(r.host) + len(r.CallID) + len(r.pns)
	for i := range r.Bindings {
		for _, text := range r.Bindings[i].All() {
			n += len(*text)
		}
	}
	return n
}

// Reckon makes up for changes of the bindings' expiries.
func (r *Registration) Reckon() {
	r.last = 0
	for i := range r.Bindings {
		r.last = max(r.last, r.Bindings[i].Expires)
	}
}

// Contacts are the values of the Contact header of a 2xx, with commas between them, once Write or List was called.
func (r *Registration) Contacts() []byte { return r.contacts }

// Path are the values of Path that are kept with the contacts.
func (r *Registration) Path() []byte { return r.path }
