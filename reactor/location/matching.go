package location

import (
	"strings"

	"sipreactor/sipframe"
)

// Matching says which contact of an address a binding is a refreshed one of. One with an instance and a reg-id is always
// matched by those (RFC 5626 6).
type Matching uint8

// The ways of matching.
const (
	ByURI          Matching = iota // the URIs are equal, byte by byte
	ByURIAndCallID                 // and the Call-IDs
	ByParam                        // a parameter of the URI is equal, and nothing else is looked at
	ByRFC                          // the URIs are equal by RFC 3261 19.1.4
)

// match finds the contact that a binding is of.
func (r *record) match(u *Update, b *Binding) *node {
	for c := r.first; c != nil; c = c.next {
		if c.matches(u, b) {
			return c
		}
	}
	return nil
}

func (c *Contact) matches(u *Update, b *Binding) bool {
	if b.RegID != 0 && len(b.Instance) > 0 { // a row has no reg-id: one that was restored is the phone's that comes back first
		return c.Instance() == string(b.Instance) && (c.RegID == b.RegID || c.RegID == 0 && c.restored)
	}
	if b.Pushed {
		return c.pushedAs(u.PushParams, string(b.URI))
	}
	switch u.Matching {
	case ByURIAndCallID:
		return c.URI() == string(b.URI) && c.CallID() == string(b.CallID)
	case ByParam:
		mine, ok := uriParam(c.URI(), u.Param)
		theirs, too := uriParam(string(b.URI), u.Param)
		if ok || too {
			return ok && too && mine == theirs
		}
		return c.URI() == string(b.URI)
	case ByRFC:
		return c.URI() == string(b.URI) || sipframe.EqualURI([]byte(c.URI()), b.URI)
	default:
		return c.URI() == string(b.URI)
	}
}

// pushedAs reports whether the contact's URI has all of the parameters, and as another one has them.
func (c *Contact) pushedAs(names []string, uri string) bool {
	for _, name := range names {
		mine, ok := uriParam(c.URI(), name)
		if theirs, too := uriParam(uri, name); !ok || !too || mine != theirs {
			return false
		}
	}
	return len(names) > 0
}

// uriParam finds a parameter of a URI that was parsed when it came.
func uriParam(uri, name string) (string, bool) {
	if i := strings.IndexByte(uri, '@'); i >= 0 {
		uri = uri[i:]
	}
	_, params, ok := strings.Cut(uri, ";")
	if !ok {
		return "", false
	}
	params, _, _ = strings.Cut(params, "?")
	for p := range strings.SplitSeq(params, ";") {
		if key, v, _ := strings.Cut(p, "="); strings.EqualFold(key, name) {
			return v, true
		}
	}
	return "", false
}
