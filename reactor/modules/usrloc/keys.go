package usrloc

import (
	"bytes"

	"sipreactor/reactor/script"
	"sipreactor/sipframe"
)

// functions are those that keep texts with addresses of record.
func (m *Module) functions() []script.Function {
	kinds := func(k ...script.ArgKind) []script.ArgKind { return k }
	const (
		text  = script.TextArg
		fixed = script.FixedArg
		none  = " -1: the user has no contacts."
	)
	return []script.Function{
		{Name: "ul_add_key", Usage: `ul_add_key("table", "aor", "key"[, "value"])`, Min: 3, Routes: script.Anywhere,
			Help: "Keeps a text with a user, by a key, until the last contact goes; without a value the key goes." + none,
			Args: kinds(fixed, text, text, text), Build: func(a *script.Args) script.Action { return m.setKey(a, a.Text(3)) }},
		{Name: "ul_get_key", Usage: `ul_get_key("table", "aor", "key", $var(x))`, Min: 4, Routes: script.Anywhere,
			Help: "Puts the text that a user has by a key into a variable. -1: there is none.",
			Args: kinds(fixed, text, text, script.SetArg), Build: m.getKey},
		{Name: "ul_del_key", Usage: `ul_del_key("table", "aor", "key")`, Min: 3, Routes: script.Anywhere,
			Help: "Removes a key of a user." + none,
			Args: kinds(fixed, text, text), Build: func(a *script.Args) script.Action {
				return m.setKey(a, func(*script.Machine) ([]byte, bool) { return nil, false })
			}},
	}
}

// owner returns what gives the table and the address of record of a call; nil: there is no table.
func (m *Module) owner(a *script.Args) func(x *script.Machine) (*table, []byte) {
	name, _ := a.Fixed(0)
	if name == "" {
		a.Errorf(0, "the name of a table cannot be empty")
		return nil
	}
	place, aor := m.Table(name, a.Pos(0), false), a.Text(1)
	return func(x *script.Machine) (*table, []byte) {
		b, _ := aor(x)
		for _, scheme := range []string{"sips:", "sip:"} {
			b = bytes.TrimPrefix(b, []byte(scheme))
		}
		user, host, _ := bytes.Cut(b, []byte{'@'})
		return place.at.Load(), m.AppendAOR(nil, sipframe.UnescapeURI(nil, user), host)
	}
}

func (m *Module) setKey(a *script.Args, value func(*script.Machine) ([]byte, bool)) script.Action {
	owner, key, at := m.owner(a), a.Text(2), a.Site()
	if owner == nil {
		return nil
	}
	return func(x *script.Machine) int {
		t, aor := owner(x)
		name, _ := key(x)
		text, _ := value(x)
		return x.Reported(at, t.SetKey(aor, string(name), string(text)))
	}
}

func (m *Module) getKey(a *script.Args) script.Action {
	owner, key, set := m.owner(a), a.Text(2), a.Setter(3)
	if owner == nil || set == nil {
		return nil
	}
	return func(x *script.Machine) int {
		t, aor := owner(x)
		name, _ := key(x)
		text := t.Key(aor, string(name))
		if text == "" {
			return -1
		}
		set(x, script.Text(x.KeepString(text)))
		return 1
	}
}
