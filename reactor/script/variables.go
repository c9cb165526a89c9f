package script

import (
	"slices"
	"strings"
)

// Getter is a compiled variable: it gives the value with an index, 0 without one.
// Variables that have one value ignore the index.
type Getter func(m *Machine, i int) Value

// InnerKind says whether a variable takes something in parentheses.
type InnerKind uint8

// The kinds of what stands in parentheses.
const (
	NoInner       InnerKind = iota // nothing
	ConstInner                     // a constant name, which must be there
	OptionalInner                  // a constant name, or nothing
	AnyInner                       // a name, or a variable that holds one
)

// Variable is a kind of variable.
type Variable struct {
	Name    string   // without the $; it may have dots
	Aliases []string // other names
	// Help tells in one sentence what it stands for.
	Help  string
	Inner InnerKind
	// Index tells that it may have several values: $(name[1]).
	Index bool
	// Among are the words that may follow an index, to tell among what it counts: $(name[1/word]).
	Among []string
	// Free tells that it needs no message: it may be assigned to in any route.
	Free bool
	// Get compiles its use, Set an assignment; nil after an error that was reported. A
	// variable without Set is read only.
	Get func(u *Use) Getter
	Set func(u *Use) Setter

	// Each compiles one value after the other, from index 0 on to the first that is NULL,
	// for [*] and for loops; nil: Get does that.
	Each func(u *Use) Getter

	module string // that has to be loaded; "" is the core
}

// variables are the kinds by name. It is filled by init, as compiling a
// variable looks into it again.
var variables map[string]*Variable

func init() {
	variables = make(map[string]*Variable)
	for _, part := range []map[string]*Variable{uriVariables(), headerVariables(), messageVariables(), scriptVariables(),
		authVariables(), contactVariables(), partyVariables(), partVariables(), flagVariables(), branchVariables(), routeVariables(), challengeVariables()} {
		for name, spec := range part {
			variables[name] = spec
		}
	}
	for name, old := range sameVariables {
		variables[name] = variables[old]
	}
	for name := range variables {
		if strings.Contains(name, ".") {
			dottedNames[name] = struct{}{}
		}
	}
}

// sameVariables are other names of variables.
var sameVariables = map[string]string{
	"ruri": "ru", "ruri.user": "rU", "ruri.domain": "rd", "ouri": "ou", "duri": "du", "pr": "proto", "src_ip": "si",
	"from": "fu", "from.user": "fU", "from.domain": "fd", "to": "tu", "to.user": "tU", "to.domain": "td",
}

// laterVariables tell why a variable of OpenSIPS is not to be had.
var laterVariables = map[string]string{
	"proxy_protocol": noProxying,
}

func (k *compiler) unknownVariable(v *varExpr) {
	if why := laterVariables[v.Name]; why != "" {
		k.rep.errorf(v.At, "$%s is not supported: %s", v.Name, why)
		return
	}
	if k.unsupported(v.At, LacksVariable, v.Name) {
		return
	}
	k.rep.errorf(v.At, "unknown variable $%s%s", clip(v.Name), choices(v.Name, k.variableNames()))
}

// item compiles a variable without its index and transformations.
func (k *compiler) item(v *varExpr) Getter {
	spec := k.variableNamed(v.Name)
	if spec == nil {
		k.unknownVariable(v)
		return nil
	}
	if spec.module != "" && !k.loaded(spec.module) {
		k.missing(v.At, "$"+v.Name, spec.module)
		return nil
	}
	if !k.argFits(v, spec) {
		return nil
	}
	if v.Index != nil && !spec.Index {
		k.rep.errorf(v.Index.At, "$%s has one value and takes no index", v.Name)
		return nil
	}
	if v.Index != nil && v.Index.Among != "" && !slices.Contains(spec.Among, v.Index.Among) {
		k.rep.errorf(v.Index.At, "there is no %q behind the index of $%s%s", v.Index.Among, v.Name, either(spec.Among))
		return nil
	}
	return spec.Get(&Use{k: k, v: v})
}

// either names what is allowed.
func either(words []string) string {
	if len(words) == 0 {
		return ""
	}
	return ": there is " + strings.Join(words, " and ")
}

func (k *compiler) argFits(v *varExpr, spec *Variable) bool {
	switch {
	case v.Arg == nil && (spec.Inner == ConstInner || spec.Inner == AnyInner):
		k.rep.errorf(v.At, "$%s needs a name: $%s(name)", v.Name, v.Name)
	case v.Arg != nil && spec.Inner == NoInner:
		k.rep.errorf(v.Arg.At, "$%s takes nothing in parentheses", v.Name)
	case v.Arg != nil && v.Arg.Var != nil && spec.Inner != AnyInner:
		k.rep.errorf(v.Arg.At, "the name in $%s() is a constant", v.Name)
	case v.Arg != nil && v.Arg.Text == "":
		k.rep.errorf(v.Arg.At, "the name in $%s() is empty", v.Name)
	default:
		return true
	}
	return false
}

// variable compiles a variable with its index and transformations.
func (k *compiler) variable(v *varExpr) expr {
	it := k.item(v)
	if it == nil {
		return nil
	}
	get := k.indexed(v, it)
	if get == nil {
		return nil
	}
	if v.Of != "" {
		get = k.ofMessage(v, get)
	}
	for _, t := range v.Trans {
		if get = k.transformed(get, t); get == nil {
			return nil
		}
	}
	return get
}

// ofMessage compiles $(<request>...) and $(<reply>...): of the message at hand if
// it is that one, or of the other one of the transaction, else NULL.
func (k *compiler) ofMessage(v *varExpr, get expr) expr {
	request := v.Of == "request"
	if reply := k.route != nil && k.route.Kind == OnReplyRoute; request == reply && k.route != nil && k.route.Name == "" && k.route.Kind != FailureRoute {
		k.rep.notef(v.At, "%s is NULL in %v unless a transaction keeps the other message", clip(v.Text), k.route.Kind)
	}
	return func(m *Machine) Value {
		if m.msg.IsRequest() == request {
			return get(m)
		}
		if m.other == nil || m.other.IsRequest() != request {
			return null
		}
		msg, uri := m.msg, m.uri
		m.msg, m.uri = m.other, uriCache{}
		x := get(m)
		m.msg, m.uri = msg, uri
		return x
	}
}

func (k *compiler) indexed(v *varExpr, it Getter) expr {
	switch x := v.Index; {
	case x == nil:
		return func(m *Machine) Value { return it(m, 0) }
	case x.Append:
		k.rep.errorf(x.At, "[append] is where a value is assigned to, none is there")
		return nil
	case x.All:
		if each := k.variableNamed(v.Name).Each; each != nil {
			if it = each(&Use{k: k, v: v}); it == nil {
				return nil
			}
		}
		return func(m *Machine) Value { return m.joinAll(it) }
	case x.Var != nil:
		n := k.variable(x.Var)
		if n == nil {
			return nil
		}
		return func(m *Machine) Value {
			i, ok := n(m).Int()
			if !ok || i < -maxText || i > maxText {
				return null
			}
			return it(m, int(i))
		}
	default:
		i := x.N
		return func(m *Machine) Value { return it(m, i) }
	}
}

// joinAll gives all values of a variable, joined by commas.
func (m *Machine) joinAll(it Getter) Value {
	from := len(m.stack)
	for i := 0; i < maxText; i++ {
		v := it(m, i)
		if v.kind == nullValue {
			break
		}
		m.stack = append(m.stack, v)
	}
	all := m.stack[from:]
	m.stack = m.stack[:from]
	switch len(all) {
	case 0:
		return null
	case 1:
		return all[0]
	}
	start := len(m.arena)
	for i, v := range all {
		if i > 0 {
			m.arena = append(m.arena, ',')
		}
		if v.kind == intValue {
			m.Text(v)
		} else {
			m.arena = append(m.arena, v.s...)
		}
	}
	return Text(m.arena[start:len(m.arena):len(m.arena)])
}

// Simple makes the Get of a variable that has one value and nothing in parentheses.
func Simple(get func(m *Machine) Value) func(*Use) Getter {
	return func(*Use) Getter { return func(m *Machine, _ int) Value { return get(m) } }
}

// name compiles what stands in the parentheses of a variable.
func (k *compiler) name(a *varArg) func(m *Machine) []byte {
	if a.Var == nil {
		b := []byte(a.Text)
		return func(*Machine) []byte { return b }
	}
	get := k.variable(a.Var)
	if get == nil {
		return nil
	}
	return func(m *Machine) []byte { return m.Text(get(m)) }
}

// optional gives null for a part that is not there.
func optional(b []byte) Value {
	if len(b) == 0 {
		return null
	}
	return Text(b)
}
