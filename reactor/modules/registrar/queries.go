package registrar

import (
	"strconv"

	"sipreactor/reactor/location"
	"sipreactor/reactor/script"
	"sipreactor/sipframe"
)

// isRegistered builds is_registered().
func (m *Core) isRegistered(a *script.Args) script.Action {
	return m.anyContact(a, 1, func(*script.Args) func(*script.Machine) func(*location.Contact) bool {
		return func(*script.Machine) func(*location.Contact) bool {
			return func(*location.Contact) bool { return true }
		}
	})
}

// isContactRegistered builds is_contact_registered().
func (m *Core) isContactRegistered(a *script.Args) script.Action {
	return m.anyContact(a, 1, func(a *script.Args) func(*script.Machine) func(*location.Contact) bool {
		contact, callID := a.Text(2), a.Text(3)
		return func(x *script.Machine) func(*location.Contact) bool {
			uri, byURI := contact(x)
			id, byID := callID(x)
			if !byURI && !byID {
				uri, byURI = contactURI(x.Message())
			}
			return func(c *location.Contact) bool {
				return (!byURI || c.URI() == string(uri)) && (!byID || c.CallID() == string(id))
			}
		}
	})
}

func contactURI(msg *sipframe.Message) ([]byte, bool) {
	a, err := msg.Contact()
	if err != nil || a.Star {
		return nil, false
	}
	return msg.Bytes(a.URI), true
}

// isAddressRegistered builds is_ip_registered().
func (m *Core) isAddressRegistered(a *script.Args) script.Action {
	if !a.Given(2) {
		a.Errorf(2, "the address must be given")
		return nil
	}
	return m.anyContact(a, 1, func(a *script.Args) func(*script.Machine) func(*location.Contact) bool {
		address, port, list := a.Text(2), a.Text(3), a.WholeAVP(2)
		return func(x *script.Machine) func(*location.Contact) bool {
			host, _ := address(x)
			p, byPort := port(x)
			return func(c *location.Contact) bool {
				h, n := placeOf(c)
				if list == nil {
					return sipframe.EqualFold(host, h) && (!byPort || n == string(p))
				}
				return has(x, list, h) && (!byPort || n == string(p))
			}
		}
	})
}

// isOtherContact builds is_other_contact().
func (m *Core) isOtherContact(a *script.Args) script.Action {
	return m.anyContact(a, -1, func(a *script.Args) func(*script.Machine) func(*location.Contact) bool {
		list := a.AVP(1)
		return func(x *script.Machine) func(*location.Contact) bool {
			return func(c *location.Contact) bool {
				host, _ := placeOf(c)
				return !has(x, list, host)
			}
		}
	})
}

// has reports whether a value of the AVP is the host.
func has(x *script.Machine, list *script.AVP, host string) bool {
	for i := range list.Len(x) {
		if sipframe.EqualFold(x.Text(list.Get(x, i)), host) {
			return true
		}
	}
	return false
}

// placeOf returns the host and port that a contact is reached at.
func placeOf(c *location.Contact) (host, port string) {
	uri := []byte(c.URI())
	if r := c.Received(); r != "" {
		uri = []byte(r)
	}
	var u sipframe.URI
	if sipframe.ParseURI(uri, &u) != nil {
		return "", ""
	}
	if u.Port == 0 {
		return string(u.Host.In(uri)), ""
	}
	return string(u.Host.In(uri)), strconv.Itoa(u.Port)
}

// anyContact builds a function that looks for a contact of the user in an argument; -1: it has none.
func (m *Core) anyContact(a *script.Args, user int, build func(*script.Args) func(*script.Machine) func(*location.Contact) bool) script.Action {
	table := m.Table(a, 0)
	if table == nil {
		return nil
	}
	aor, test, at := m.aorArg(a, user, registeringURI), build(a), a.Site()
	return func(x *script.Machine) int {
		var room [256]byte
		user, bad := aor(x, room[:0])
		if bad != nil {
			return -1
		}
		found := false
		is := test(x)
		look := func() {
			table.Table().Lookup(user, x.Now().Unix(), func(c *location.Contact) bool {
				found = is(c)
				return !found
			})
		}
		if !table.Shared() {
			look()
		} else if err := table.Do(x, user, false, look); err != nil {
			return x.Fail(at, err.Error())
		}
		return script.Yes(found)
	}
}
