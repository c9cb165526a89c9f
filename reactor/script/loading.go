package script

import (
	"strings"
)

// Loading is a configuration between its parameters and its routes, as the Check
// of a module sees it. It is valid until Check returns.
type Loading struct {
	// Config is what the parameters have made; Check may change it.
	Config *Config

	k      *compiler
	module string
}

// Errorf reports what is wrong at a place.
func (l *Loading) Errorf(at Pos, format string, args ...any) {
	l.k.broken[l.module] = true
	l.k.rep.errorf(at, format, args...)
}

// Notef tells what has no effect, or another one than it seems.
func (l *Loading) Notef(at Pos, format string, args ...any) { l.k.rep.notef(at, format, args...) }

// Partial reports whether the configuration is wrong already, somewhere else: what
// is missing may be there once that is mended.
func (l *Loading) Partial() bool { return l.k.partial }

// Untried has Try pass over the module, which lacks something of which Partial says that it may be there later.
func (l *Loading) Untried() { l.k.broken[l.module] = true }

// Loaded reports whether a module is loaded.
func (l *Loading) Loaded(module string) bool { return l.k.loaded(module) }

// Instance returns the Instance of a loaded module; nil if it is not loaded or has
// none.
func (l *Loading) Instance(module string) any { return l.Config.Instance(module) }

// Place returns where a parameter of the module was set last, or where the module
// is loaded if it was not.
func (l *Loading) Place(param string) Pos {
	if at, ok := l.k.places[l.module+"/"+param]; ok {
		return at
	}
	return l.k.places[loadPlace+l.module]
}

// IsSet reports whether a parameter of the module was set.
func (l *Loading) IsSet(param string) bool {
	_, ok := l.k.places[l.module+"/"+param]
	return ok
}

// NameSocket notes that a part of a parameter names one of the listeners, as all of one with
// Parameter.Socket does. It is looked for when they are known. An empty text names none.
func (l *Loading) NameSocket(at Pos, text string) { l.k.nameSocket(at, text) }

// RunRoute tells that the module runs a route without a message, which is there and
// does nothing that needs one. at is where it is named.
func (l *Loading) RunRoute(at Pos, name string) {
	l.k.unattended = append(l.k.unattended, name)
	if l.k.prog.routes[name] == nil && !l.k.partial {
		l.Errorf(at, "there is no route[%s]%s", clip(name), hint(name, l.k.routeNames()))
	}
}

// Site returns a place for what fails at run time.
func (l *Loading) Site(at Pos, what string) *Site { return l.k.site(at, what) }

// Format compiles a text in which variables are expanded; nil after an error.
func (l *Loading) Format(v Literal) func(m *Machine) []byte {
	return l.k.format(&stringExpr{node: node{v.At}, Text: v.Text})
}

// Variable compiles a text that is one variable; nil after an error.
func (l *Loading) Variable(v Literal) func(m *Machine) Value {
	x := l.variable(v)
	if x == nil {
		return nil
	}
	return l.k.variable(x)
}

// Setter compiles a text that is one variable to assign to; nil after an error.
func (l *Loading) Setter(v Literal) Setter {
	x := l.variable(v)
	if x == nil {
		return nil
	}
	return l.k.setter(x, true)
}

func (l *Loading) variable(v Literal) *varExpr {
	if !strings.HasPrefix(v.Text, "$") {
		l.Errorf(v.At, "found %q, expected a variable", clip(v.Text))
		return nil
	}
	r := &varReader{rep: l.k.rep, text: v.Text, at: func(int) Pos { return v.At }}
	return r.whole()
}

// AVP returns an AVP by its name, alone or as $avp(name); nil after an error.
func (l *Loading) AVP(v Literal) *AVP {
	name := v.Text
	if rest, ok := strings.CutPrefix(name, "$avp("); ok {
		name = strings.TrimSuffix(rest, ")")
	}
	if name == "" || strings.ContainsAny(name, "$() \t") {
		l.Errorf(v.At, "found %q, expected %s", clip(v.Text), argNames[AVPArg])
		return nil
	}
	return &AVP{l.k.avp(name)}
}

// Route returns a route by its kind and name, for the module to run; nil after an
// error.
func (l *Loading) Route(kind RouteKind, v Literal) *Routine {
	return l.k.armedRoute(kind, v.Text, v.At)
}

// RouteWith is Route for one that the module calls with values: $param() has them by
// these names, where the route names none itself, and by their numbers.
func (l *Loading) RouteWith(kind RouteKind, v Literal, params ...string) *Routine {
	l.k.given[routeKey{kind, v.Text}] = params
	return l.Route(kind, v)
}

// Flag returns the number of a message flag by its name.
func (l *Loading) Flag(v Literal) uint { return l.flag(0, v) }

// BranchFlag returns the number of a branch flag by its name.
func (l *Loading) BranchFlag(v Literal) uint { return l.flag(1, v) }

func (l *Loading) flag(of int, v Literal) uint {
	if v.Text == "" || strings.ContainsAny(v.Text, "$ \t") {
		l.Errorf(v.At, "%q is no name of a flag", clip(v.Text))
		return 0
	}
	n, _ := l.k.flag(of, v.Text, v.At)
	return n
}

// checkModules calls the modules' Check.
func (k *compiler) checkModules() {
	for _, m := range k.modules {
		for _, need := range m.Needs {
			if !k.loaded(need) && !k.partial {
				k.rep.errorf(k.places[loadPlace+m.Name], `the module %s needs the module %s: loadmodule "%s.so"`, m.Name, need, need)
			}
		}
	}
	for _, m := range k.modules {
		if m.Check != nil {
			m.Check(&Loading{Config: k.Config, k: k, module: m.Name})
		}
	}
}
