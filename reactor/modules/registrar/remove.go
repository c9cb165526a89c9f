package registrar

import (
	"strconv"

	"sipreactor/reactor/location"
	"sipreactor/reactor/modules/usrloc"
	"sipreactor/reactor/script"
	"sipreactor/sipframe"
)

// remove builds remove(): 1 if a contact went, else -1.
func (m *Core) remove(a *script.Args) script.Action {
	table := m.Table(a, 0)
	if table == nil {
		return nil
	}
	aor := m.aorArg(a, 1, func(*script.Machine) []byte { return nil })
	contact, hop, instance, at := a.Text(2), a.Text(3), a.Text(4), a.Site()
	var bit uint32
	if a.Given(5) {
		bit = 1 << a.Flag(5)
	}
	return func(x *script.Machine) int {
		var room [256]byte
		user, bad := aor(x, room[:0])
		if bad != nil {
			return -1
		}
		uri, _ := contact(x)
		next, _ := hop(x)
		id, _ := instance(x)
		n, err := removeWhere(x, table, user, func(c *location.Contact) bool {
			host := ""
			if len(next) > 0 {
				host = nextHop(c)
			}
			return (len(uri) == 0 || c.URI() == string(uri)) && (len(next) == 0 || sipframe.EqualFold(next, host)) &&
				(len(id) == 0 || c.Instance() == string(id)) && (bit == 0 || m.places.Flags(c)&bit != 0)
		})
		if err != nil {
			return x.Fail(at, err.Error())
		}
		return script.Yes(n > 0)
	}
}

// removeWhere drops the contacts of an address of record that which reports true for, and returns how many.
func removeWhere(x *script.Machine, table *usrloc.Place, aor []byte, which func(*location.Contact) bool) (n int, err error) {
	if !table.Waits() {
		return table.Table().RemoveWhere(aor, which), nil
	}
	err = table.Do(x, aor, true, func() { n = table.Table().RemoveWhere(aor, which) })
	return n, err
}

// nextHop returns the host that a request to the contact goes to first.
func nextHop(c *location.Contact) string {
	if path := c.Path(); path != "" {
		uri := []byte(firstURI(path))
		var u sipframe.URI
		if sipframe.ParseURI(uri, &u) == nil {
			return string(u.Host.In(uri))
		}
	}
	host, _ := placeOf(c)
	return host
}

// removeAddress builds remove_ip_port(): 1 if a contact went, else -1.
func (m *Core) removeAddress(a *script.Args) script.Action {
	table := m.Table(a, 2)
	if table == nil {
		return nil
	}
	address, port, at := a.Text(0), a.Int(1), a.Site()
	only := a.Given(3)
	aor := m.aorArg(a, 3, func(*script.Machine) []byte { return nil })
	return func(x *script.Machine) int {
		host, _ := address(x)
		p, ok := port(x)
		if !ok {
			return x.Fail(at, "the port is no number")
		}
		number := strconv.FormatInt(p, 10)
		there := func(c *location.Contact) bool {
			h, n := placeOf(c)
			return sipframe.EqualFold(host, h) && n == number
		}
		var users [][]byte
		if only {
			user, bad := aor(x, nil)
			if bad != nil {
				return -1
			}
			users = append(users, user)
		} else {
			table.Table().Each(func(c *location.Contact) bool {
				if there(c) {
					users = append(users, []byte(c.AOR()))
				}
				return true
			})
		}
		gone := 0
		for _, u := range users {
			n, err := removeWhere(x, table, u, there)
			if err != nil {
				return x.Fail(at, err.Error())
			}
			gone += n
		}
		return script.Yes(gone > 0)
	}
}
