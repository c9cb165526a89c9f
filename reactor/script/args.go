package script

import (
	"regexp"
	"strings"
)

// Given reports whether argument i, from 0 on, was given and is not empty.
func (a *Args) Given(i int) bool { return a.list[i].given }

// Fixed returns argument i if it is the same text for every message.
func (a *Args) Fixed(i int) (text string, ok bool) { return a.list[i].str, a.list[i].fixed }

// Text returns what gives argument i as text, a view that holds until the message
// is done. It reports false where the argument is NULL or was not given.
func (a *Args) Text(i int) func(m *Machine) ([]byte, bool) {
	if text := a.list[i].text; text != nil {
		return text
	}
	return func(*Machine) ([]byte, bool) { return nil, false }
}

// Int returns what gives argument i as a number. It reports false where the argument
// is none or was not given.
func (a *Args) Int(i int) func(m *Machine) (int64, bool) {
	if num := a.list[i].num; num != nil {
		return num
	}
	return func(*Machine) (int64, bool) { return 0, false }
}

// Regex returns what gives argument i as a regular expression; that is nil where it
// is none, which is logged.
func (a *Args) Regex(i int) func(m *Machine) *regexp.Regexp {
	if !a.list[i].given {
		return func(*Machine) *regexp.Regexp { return nil }
	}
	return a.expression(i)
}

// Flag returns the number of the flag that argument i names.
func (a *Args) Flag(i int) uint { return a.list[i].flag }

// Setter returns what sets the variable that is argument i; nil if it was not given.
func (a *Args) Setter(i int) Setter { return a.list[i].set }

// AVP returns the AVP that argument i names; nil if it was not given.
func (a *Args) AVP(i int) *AVP {
	if !a.list[i].given {
		return nil
	}
	return &AVP{a.list[i].slot}
}

// WholeAVP returns the AVP that argument i, of text, is and nothing besides, for a function that takes all its values; nil:
// it is something else.
func (a *Args) WholeAVP(i int) *AVP {
	x := a.list[i].expr
	if s, ok := x.(*stringExpr); ok {
		v := a.k.quotedVariable(s)
		if v == nil {
			return nil
		}
		x = v
	}
	if name := wholeAVP(x); name != "" {
		return &AVP{a.k.avp(name)}
	}
	return nil
}

// wholeAVP is the name of the AVP that an expression is, with all its values; "": it is something else.
func wholeAVP(x expression) string {
	if v, ok := x.(*varExpr); ok && v.Name == "avp" && v.Arg != nil && v.Arg.Var == nil && v.Index == nil && len(v.Trans) == 0 {
		return v.Arg.Text
	}
	return ""
}

// Route returns what gives the route that argument i names; that is nil where there
// is none of a name that the message tells, which is logged. It is nil itself if the
// argument was not given.
func (a *Args) Route(i int) func(m *Machine) *Routine { return a.list[i].route }

// Errorf reports what is wrong with argument i, or with the call if i is -1.
func (a *Args) Errorf(i int, format string, args ...any) { a.k.rep.errorf(a.Pos(i), format, args...) }

// Notef tells what of argument i has no effect, or of the call if i is -1.
func (a *Args) Notef(i int, format string, args ...any) { a.k.rep.notef(a.Pos(i), format, args...) }

// Pos returns the place of argument i, or of the call if i is -1.
func (a *Args) Pos(i int) Pos {
	if i >= 0 && a.list[i].expr != nil {
		return a.list[i].expr.Pos()
	}
	return a.call.At
}

// Site returns the place of the call, for what fails at run time.
func (a *Args) Site() *Site { return a.at }

// Name returns the name by which the function was called.
func (a *Args) Name() string { return a.call.Func }

// routesOf are the kinds of routes that arguments name.
var routesOf = map[ArgKind]RouteKind{
	RouteArg: RequestRoute, ReplyRouteArg: OnReplyRoute, FailureRouteArg: FailureRoute, BranchRouteArg: BranchRoute,
}

// routeNameArg compiles an argument that names a route: a constant name is looked up
// now, and one with variables for each message.
func (k *compiler) routeNameArg(a *argument, kind ArgKind, x expression, f *Function) bool {
	of := routesOf[kind]
	switch x := x.(type) {
	case *wordExpr:
		return k.fixedRouteArg(a, of, x.Text, x.At)
	case *numberExpr:
		return k.fixedRouteArg(a, of, itoa(int(x.N)), x.At)
	case *stringExpr:
		if !strings.Contains(x.Text, "$") {
			return k.fixedRouteArg(a, of, x.Text, x.At)
		}
		format := k.format(x)
		if format == nil {
			return false
		}
		a.text = func(m *Machine) ([]byte, bool) { return format(m), true }
	case *varExpr:
		get := k.variable(x)
		if get == nil {
			return false
		}
		a.text = func(m *Machine) ([]byte, bool) {
			v := get(m)
			return m.Text(v), v.kind != nullValue
		}
	default:
		k.rep.errorf(x.Pos(), "expected %s: %s", argNames[kind], f.Usage)
		return false
	}
	k.armedKinds |= Routes(of)
	at, name := k.site(x.Pos(), f.Name+"()"), a.text
	a.route = func(m *Machine) *Routine {
		b, ok := name(m)
		var r *Routine
		if ok {
			r = m.prog.Route(of, string(b))
		}
		if r == nil {
			m.Fail(at, "there is no "+of.String()+"["+clip(string(b))+"]")
		}
		return r
	}
	return true
}

func (k *compiler) fixedRouteArg(a *argument, kind RouteKind, name string, at Pos) bool {
	a.fixed, a.str = true, name
	r := k.armedRoute(kind, name, at)
	a.route = func(*Machine) *Routine { return r }
	return r != nil
}
