package script

import (
	"maps"
	"slices"
	"strings"
)

// vocabulary is what modules declare, loaded or not. A nil one is empty.
type vocabulary struct {
	modules   map[string]*Module
	functions map[string][]*Function // by their names and other names
	variables map[string][]*Variable
	dotted    map[string]bool // names of variables that have a dot
}

// newVocabulary makes the modules of a configuration.
func newVocabulary(constructors []Constructor, cfg *Config) *vocabulary {
	v := &vocabulary{modules: make(map[string]*Module), functions: make(map[string][]*Function), variables: make(map[string][]*Variable), dotted: make(map[string]bool)}
	for _, construct := range constructors {
		m := construct(cfg)
		v.modules[m.Name] = m
		for i := range m.Functions {
			f := &m.Functions[i]
			f.module = m.Name
			for _, name := range append([]string{f.Name}, f.Aliases...) {
				v.functions[name] = append(v.functions[name], f)
			}
		}
		for i := range m.Variables {
			x := &m.Variables[i]
			x.module = m.Name
			for _, name := range append([]string{x.Name}, x.Aliases...) {
				v.variables[name] = append(v.variables[name], x)
				if strings.Contains(name, ".") {
					v.dotted[name] = true
				}
			}
		}
	}
	return v
}

// module returns a module by its name, nil if there is none.
func (v *vocabulary) module(name string) *Module {
	if v == nil {
		return nil
	}
	return v.modules[name]
}

// isDotted reports whether a name with a dot is that of a variable.
func (v *vocabulary) isDotted(name []byte) bool {
	if _, ok := dottedNames[string(name)]; ok {
		return true
	}
	return v != nil && v.dotted[string(name)]
}

// hasModule reports whether loadmodule can name a module.
func (c *settings) hasModule(name string) bool {
	return c.words.module(name) != nil
}

func (c *settings) moduleNames() []string {
	return slices.Sorted(maps.Keys(c.words.modules))
}

// function returns a function of the core or of a module, first of one that is
// loaded; nil if there is none.
func (c *settings) function(name string) *Function {
	f := functions[name]
	if f != nil && (f.module == "" || c.loaded(f.module)) {
		return f
	}
	if other := firstLoaded(c, c.words.functions[name], func(f *Function) string { return f.module }); other != nil && (f == nil || c.loaded(other.module)) {
		return other
	}
	return f
}

// variable is function for variables.
func (c *settings) variableNamed(name string) *Variable {
	if v := variables[name]; v != nil {
		return v
	}
	return firstLoaded(c, c.words.variables[name], func(v *Variable) string { return v.module })
}

func firstLoaded[T any](c *settings, list []*T, module func(*T) string) *T {
	if len(list) == 0 {
		return nil
	}
	for _, x := range list {
		if c.loaded(module(x)) {
			return x
		}
	}
	return list[0]
}

// functionNames lists the functions of the core and of all modules.
func (v *vocabulary) functionNames() []string {
	names := slices.Collect(maps.Keys(functions))
	if v != nil {
		names = slices.AppendSeq(names, maps.Keys(v.functions))
	}
	slices.Sort(names)
	return names
}

func (c *settings) variableNames() []string {
	names := slices.Collect(maps.Keys(variables))
	return slices.AppendSeq(names, maps.Keys(c.words.variables))
}

// writable lists the variables that can be assigned to.
func (c *settings) writable() (names []string) {
	for _, n := range c.variableNames() {
		if c.variableNamed(n).Set != nil {
			names = append(names, "$"+n)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// event returns the parameters of an event of the core or of a loaded module.
func (c *settings) event(name string) (params []string, known bool) {
	if params, known = eventParams[name]; known {
		return params, true
	}
	for _, m := range c.modules {
		for i := range m.Events {
			if m.Events[i].Name == name {
				return m.Events[i].Params, true
			}
		}
	}
	return nil, false
}

func (c *settings) eventNames() []string {
	names := slices.Collect(maps.Keys(eventParams))
	for _, m := range c.modules {
		for i := range m.Events {
			names = append(names, m.Events[i].Name)
		}
	}
	slices.Sort(names)
	return names
}
