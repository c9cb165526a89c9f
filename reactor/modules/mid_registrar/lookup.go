package mid_registrar

import (
	"bytes"
	"strconv"

	"sipreactor/reactor/modules/registrar"
	"sipreactor/sipframe"
)

// nobody is an ID that no contact has.
const nobody = 1<<64 - 1

// whom reads the URI of a request of the main registrar, which is one of our Contacts.
func (m *module) whom(uri []byte) registrar.Whom {
	var u sipframe.URI
	if sipframe.ParseURI(uri, &u) != nil {
		return registrar.Whom{}
	}
	user := u.User.In(uri)
	switch {
	case m.mode == byAOR:
		return registrar.Whom{AOR: m.userOf(user)}
	case m.insertion == inUser:
		if id, ok := idOf(user); ok {
			return registrar.Whom{ID: id}
		}
	default:
		if v, has := u.Param(uri, m.idParam); has {
			id, ok := idOf(v)
			if !ok {
				id = nobody
			}
			return registrar.Whom{ID: id}
		}
	}
	return registrar.Whom{}
}

func idOf(text []byte) (uint64, bool) {
	id, err := strconv.ParseUint(string(text), 16, 64)
	return id, err == nil && id != 0
}

// userOf returns the address of record that the user of a Contact of mode 2 stands for; nil: it is a user alone.
func (m *module) userOf(user []byte) []byte {
	name, host, ok := bytes.Cut(user, []byte(m.at))
	if !ok {
		return nil
	}
	return m.core.Places().AppendAOR(nil, sipframe.UnescapeURI(nil, name), sipframe.UnescapeURI(nil, host))
}
