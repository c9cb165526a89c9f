package script

import (
	_ "embed" // the default configuration
	"regexp"
	"strings"
)

// loadPlace stands before the name of a module in settings.places.
const loadPlace = "loadmodule "

func (c *settings) loaded(name string) bool {
	for _, m := range c.Modules {
		if m == name {
			return true
		}
	}
	return false
}

func (c *settings) load(l *loadModuleItem) {
	name := l.Path.Text
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		name = name[i+1:]
	}
	name = c.moduleToday(l.Path.At, strings.TrimSuffix(name, ".so"))
	if !c.hasModule(name) {
		c.absent(l.Path.At, name, "")
		return
	}
	if c.loaded(name) {
		c.rep.notef(l.Path.At, "the module %s is loaded already", name)
		return
	}
	c.Modules = append(c.Modules, name)
	c.places[loadPlace+name] = l.Path.At
	m := c.words.module(name)
	c.Config.modules = append(c.Config.modules, m)
	if m.Note != "" {
		c.rep.notef(l.Path.At, "%s: %s", name, m.Note)
	}
	if m.Loaded != nil {
		m.Loaded()
	}
}

// modParam sets a parameter of each loaded module whose name matches.
func (c *settings) modParam(m *modParamItem) {
	m.Module.Text = c.moduleToday(m.Module.At, m.Module.Text)
	re, err := regexp.Compile("^(?:" + m.Module.Text + ")$")
	if err != nil {
		c.rep.errorf(m.Module.At, "%q is no module and no regular expression of modules", clip(m.Module.Text))
		return
	}
	var names []string
	for _, name := range c.Modules {
		if re.MatchString(name) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		name := m.Module.Text
		for missed, a := range c.missed {
			if re.MatchString(missed) {
				a.params++
				return
			}
		}
		if c.partial {
			return
		}
		switch {
		case c.hasModule(name):
			c.rep.errorf(m.Module.At, `the module %s is not loaded: loadmodule "%s.so" comes before its modparam`, name, name)
		case knownModule(name):
			c.absent(m.Module.At, name, "").params++
		default:
			c.rep.errorf(m.Module.At, "no loaded module is called %s%s", clip(name), hint(name, c.Modules))
		}
		return
	}
	known := false
	for _, name := range names {
		if now := oldParameters[name+"/"+m.Name.Text]; now != "" {
			c.rep.notef(m.Name.At, "%s is %s since OpenSIPS 3", m.Name.Text, now)
			m.Name.Text = now
		}
		spec := c.param(name, m.Name.Text)
		if spec == nil {
			continue
		}
		m.Value = c.flagNumber(spec, m.Name.Text, m.Value)
		known = true
		c.places[name+"/"+m.Name.Text] = m.Value.At
		c.say(said{module: name, name: m.Name.Text, value: m.Value, restart: spec.restart})
		if !c.assign(spec, m.Name.Text, m.Value) {
			c.broken[name] = true
			return
		}
		if spec.socket {
			c.nameSocket(m.Value.At, m.Value.Text)
		}
	}
	if !known && !c.unsupported(m.Name.At, LacksParameter, m.Name.Text) {
		params := c.paramNames(names)
		c.rep.errorf(m.Name.At, "the module %s has no parameter %s%s", strings.Join(names, ", "), clip(m.Name.Text), choices(m.Name.Text, params))
	}
}

// param returns a parameter of a loaded module; nil if it has none of that name.
func (c *settings) param(module, name string) *globalSpec {
	m := c.words.module(module)
	for i := range m.Parameters {
		if m.Parameters[i].Name == name {
			return m.Parameters[i].spec()
		}
	}
	return nil
}

func (c *settings) paramNames(loaded []string) (names []string) {
	for _, name := range loaded {
		m := c.words.module(name)
		for i := range m.Parameters {
			names = append(names, m.Parameters[i].Name)
		}
	}
	return names
}
