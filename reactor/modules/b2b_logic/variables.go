package b2b_logic

import (
	"maps"

	"sipreactor/reactor/script"
)

// callKey attaches the call that began with a message, valuesKey what is kept before it has.
type (
	callKey   struct{}
	valuesKey struct{}
)

// callOf gives the call that a message is of; nil: of none.
func callOf(x *script.Machine) *call {
	if now := currentOf(x); now != nil {
		return now.leg.call
	}
	c, _ := x.Context().Attachment(callKey{}).(*call)
	return c
}

func (m *Module) variables() []script.Variable {
	text := func(get func(c *call) string) func(*script.Use) script.Getter {
		return script.Simple(func(x *script.Machine) script.Value {
			if c := callOf(x); c != nil {
				return script.Text(x.KeepString(get(c)))
			}
			return script.Value{}
		})
	}
	return []script.Variable{
		{Name: "b2b_logic.key", Help: "The key of the call that the message is of.", Get: text(func(c *call) string { return c.key })},
		{Name: "b2b_logic.scenario", Help: "The id that b2b_init_request() gave its call.", Get: text(func(c *call) string { return c.scenario })},
		{Name: "b2b_logic.entity", Help: "Of the leg that the message is of, or of leg 0 or 1: its key, or callid, id, fromtag or totag.", Inner: script.OptionalInner, Index: true, Get: m.entity},
		{Name: "b2b_logic.ctx", Help: "A value that is kept with the call, from before b2b_init_request() on; NULL takes it away.", Inner: script.AnyInner, Get: m.value, Set: m.setValue},
	}
}

func (m *Module) entity(u *script.Use) script.Getter {
	field, _ := u.Fixed()
	switch field {
	case "", "key", "callid", "id", "fromtag", "totag":
	default:
		u.Errorf("found %q, expected key, callid, id, fromtag or totag", field)
		return nil
	}
	indexed := u.Indexed()
	return func(x *script.Machine, i int) script.Value {
		c, now := callOf(x), currentOf(x)
		if c == nil {
			return script.Value{}
		}
		c.mu.Lock()
		var l *leg
		switch {
		case indexed && i >= 0 && i < min(2, len(c.legs)):
			l = c.legs[i]
		case !indexed && now != nil:
			l = now.leg
		case !indexed && len(c.legs) > 0:
			l = c.legs[0]
		}
		c.mu.Unlock()
		if l == nil || l.session == nil && field != "id" {
			return script.Value{}
		}
		text := l.id
		switch from, to := "", ""; field {
		case "id":
		case "callid":
			text = l.session.CallID()
		case "fromtag", "totag":
			if from, to = l.session.RemoteTag(), l.session.Key(); l.client {
				from, to = to, from
			}
			if text = from; field == "totag" {
				text = to
			}
		default:
			text = l.session.Key()
		}
		return script.Text(x.KeepString(text))
	}
}

func (m *Module) value(u *script.Use) script.Getter {
	name := u.Inner()
	if name == nil {
		return nil
	}
	return func(x *script.Machine, _ int) script.Value {
		key := string(name(x))
		c := callOf(x)
		if c == nil {
			list, _ := x.Context().Attachment(valuesKey{}).(map[string]string)
			return found(x, list, key)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		return found(x, c.values, key)
	}
}

func found(x *script.Machine, list map[string]string, key string) script.Value {
	if v, ok := list[key]; ok {
		return script.Text(x.KeepString(v))
	}
	return script.Value{}
}

// maxValue bounds a value.
const maxValue = 4096

func (m *Module) setValue(u *script.Use) script.Setter {
	name, at := u.Inner(), u.Site()
	if name == nil {
		return nil
	}
	return func(x *script.Machine, v script.Value) int {
		key, text := string(name(x)), string(x.Text(v))
		c := callOf(x)
		list, _ := x.Context().Attachment(valuesKey{}).(map[string]string)
		if c != nil {
			c.mu.Lock()
			defer c.mu.Unlock()
			list = c.values
		}
		if list = maps.Clone(list); list == nil {
			list = map[string]string{}
		}
		if list[key] = text; v.IsNull() {
			delete(list, key)
		}
		if len(list) > maxValues || len(key)+len(text) > maxValue {
			return x.Fail(at, "a call keeps few values, and short ones")
		}
		if c != nil {
			c.values = list
		} else {
			x.Context().Attach(valuesKey{}, list)
		}
		return 1
	}
}
