package script

import "strings"

// Fragment is a piece of an argument: plain text, or a variable.
type Fragment struct {
	// Text is the plain text, or the variable as it is written.
	Text string
	// Get gives the variable's value; nil: it is plain text.
	Get func(m *Machine) Value
	// Escaped tells that the variable's last transformation is {s.escape.common}.
	Escaped bool
}

// Fragments returns the pieces of argument i, for a module that treats variables
// otherwise than the text around them, as those do that speak another language. It is
// nil if the argument was not given, and after an error.
func (a *Args) Fragments(i int) []Fragment {
	switch x := a.list[i].expr.(type) {
	case *varExpr:
		if f, ok := a.k.fragment(x); ok {
			return []Fragment{f}
		}
		return nil
	case *stringExpr:
		var list []Fragment
		for _, p := range formatOf(a.k.rep, x) {
			f, ok := Fragment{Text: p.Text}, true
			if p.Var != nil {
				f, ok = a.k.fragment(p.Var)
			}
			if !ok {
				return nil
			}
			list = append(list, f)
		}
		return list
	default:
		if text, fixed := a.Fixed(i); fixed {
			return []Fragment{{Text: text}}
		}
		return nil
	}
}

func (k *compiler) fragment(v *varExpr) (Fragment, bool) {
	get := k.variable(v)
	if get == nil {
		return Fragment{}, false
	}
	n := len(v.Trans)
	return Fragment{Text: v.Text, Get: get, Escaped: n > 0 && strings.EqualFold(v.Trans[n-1].Name, "s.escape.common")}, true
}

// Loading returns the configuration as a Check sees it, for a function whose
// arguments name variables in their text.
func (a *Args) Loading() *Loading { return &Loading{Config: a.k.Config, k: a.k, module: a.module} }

// Literal returns argument i as what a parameter would be.
func (a *Args) Literal(i int) Literal {
	return Literal{At: a.Pos(i), Text: a.list[i].str, Quoted: true}
}

// Variable returns what gives a variable by its name, such as $fd, for a function that
// is about a part of the message.
func (a *Args) Variable(name string) func(m *Machine) Value {
	return a.Loading().Variable(Literal{At: a.call.At, Text: name})
}

// Read returns what gives the value of the variable that argument i is, which a SetArg
// can be besides what sets it; nil if it was not given, and after an error.
func (a *Args) Read(i int) func(m *Machine) Value {
	if x, ok := a.list[i].expr.(*varExpr); ok {
		return a.k.variable(x)
	}
	return nil
}

// AVP returns an AVP of the program by its name; nil: no route names it, so nobody
// would see a value of it.
func (p *Program) AVP(name string) *AVP {
	i, ok := p.avps[name]
	if !ok {
		return nil
	}
	return &AVP{i}
}

// AVPNames calls f for each AVP of the program.
func (p *Program) AVPNames(f func(name string, a *AVP)) {
	for name, i := range p.avps {
		f(name, &AVP{i})
	}
}
