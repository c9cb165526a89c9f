package script

import (
	"sort"
	"strings"

	"sipreactor/sipframe"
)

// transformer changes a value. What it gets is never null: null stays null.
type transformer func(m *Machine, in Value) Value

// transformSpec is a kind of transformation.
type transformSpec struct {
	min, max int
	raw      int // this argument (from 1 on) takes the rest as it stands; 0 = none
	build    func(k *compiler, t *varTransform) transformer
}

// transforms are the kinds by name. It is filled by init, as compiling an
// argument can lead to it again.
var transforms map[string]*transformSpec

func init() {
	transforms = make(map[string]*transformSpec)
	for _, part := range []map[string]*transformSpec{
		textTransforms(), codingTransforms(), uriTransforms(), listTransforms(), addressTransforms(), substTransforms(),
		sdpTransforms(), viaTransforms(), hashTransforms(),
	} {
		for name, spec := range part {
			transforms[name] = spec
		}
	}
}

func transformNames() []string {
	names := make([]string, 0, len(transforms))
	for n := range transforms {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

// transformed compiles a transformation of what in gives.
func (k *compiler) transformed(in expr, t *varTransform) expr {
	spec := transforms[t.Name]
	if spec == nil {
		spec = nameAddrAt(t.Name)
	}
	if spec == nil {
		k.rep.errorf(t.At, "unknown transformation {%s}%s", clip(t.Name), choices(t.Name, transformNames()))
		return nil
	}
	if len(t.Args) < spec.min || len(t.Args) > spec.max {
		k.rep.errorf(t.At, "the transformation {%s} takes %s, not %d", t.Name, counted(spec.min, spec.max, "argument"), len(t.Args))
		return nil
	}
	f := spec.build(k, t)
	if f == nil {
		return nil
	}
	return func(m *Machine) Value {
		v := in(m)
		if v.kind == nullValue {
			return null
		}
		return f(m, v)
	}
}

// counted says "1 argument", "2 to 3 arguments".
func counted(lo, hi int, what string) string {
	switch {
	case lo == hi && lo == 0:
		return "no " + what
	case lo == hi && lo == 1:
		return "1 " + what
	case lo == hi:
		return itoa(lo) + " " + what + "s"
	case lo == 0 && hi == 1:
		return "at most 1 " + what
	default:
		return itoa(lo) + " to " + itoa(hi) + " " + what + "s"
	}
}

// plain makes a transformation without arguments.
func plain(f func(m *Machine, b []byte) Value) *transformSpec {
	return &transformSpec{build: func(*compiler, *varTransform) transformer {
		return func(m *Machine, in Value) Value { return f(m, m.Text(in)) }
	}}
}

// withName makes a transformation with one argument, which is text.
func withName(f func(m *Machine, b, arg []byte) Value) *transformSpec {
	return &transformSpec{min: 1, max: 1, build: func(k *compiler, t *varTransform) transformer {
		arg := k.name(t.Args[0])
		if arg == nil {
			return nil
		}
		return func(m *Machine, in Value) Value { return f(m, m.Text(in), arg(m)) }
	}}
}

// withNumber makes a transformation with one argument, which is a number.
func withNumber(f func(m *Machine, b []byte, n int) Value) *transformSpec {
	return &transformSpec{min: 1, max: 1, build: func(k *compiler, t *varTransform) transformer {
		arg := k.count(t.Args[0])
		if arg == nil {
			return nil
		}
		return func(m *Machine, in Value) Value {
			n, ok := arg(m)
			if !ok {
				return null
			}
			return f(m, m.Text(in), n)
		}
	}}
}

// count compiles an argument that is a number.
func (k *compiler) count(a *varArg) func(m *Machine) (int, bool) {
	if a.Var == nil {
		n, ok := number64([]byte(strings.TrimSpace(a.Text)))
		if !ok || n < -1<<31 || n >= 1<<31 {
			k.rep.errorf(a.At, "%q is no number", clip(a.Text))
			return nil
		}
		return func(*Machine) (int, bool) { return int(n), true }
	}
	get := k.variable(a.Var)
	if get == nil {
		return nil
	}
	return func(m *Machine) (int, bool) {
		n, ok := get(m).Int()
		return int(n), ok && n >= -1<<31 && n < 1<<31
	}
}

// uriTransforms take URIs and name-addrs apart.
func uriTransforms() map[string]*transformSpec {
	specs := map[string]*transformSpec{
		"uri.param": withName(func(_ *Machine, b, arg []byte) Value {
			return partOf(b, func(b []byte, u *sipframe.URI) Value { return findParam(u.Params.In(b), arg) })
		}),
		"nameaddr.param": withName(func(_ *Machine, b, arg []byte) Value {
			a, ok := nameAddr(b)
			if !ok {
				return null
			}
			return findParam(a.Params.In(b), arg)
		}),
	}
	for name, part := range map[string]uriPart{
		"user": uriUser, "host": uriHost, "domain": uriHost,
		"passwd":   func(b []byte, u *sipframe.URI) Value { return optional(u.Password.In(b)) },
		"password": func(b []byte, u *sipframe.URI) Value { return optional(u.Password.In(b)) },
		"port": func(_ []byte, u *sipframe.URI) Value {
			if u.Port == 0 {
				return null
			}
			return Int(int64(u.Port))
		},
		"params":  func(b []byte, u *sipframe.URI) Value { return optional(u.Params.In(b)) },
		"headers": func(b []byte, u *sipframe.URI) Value { return optional(u.Headers.In(b)) },
		"schema":  func(b []byte, u *sipframe.URI) Value { return optional(u.SchemeName.In(b)) },
		"scheme":  func(b []byte, u *sipframe.URI) Value { return optional(u.SchemeName.In(b)) },
	} {
		specs["uri."+name] = plain(func(_ *Machine, b []byte) Value { return partOf(b, part) })
	}
	for _, name := range []string{"transport", "ttl", "maddr", "method", "lr", "r2"} {
		key := []byte(name)
		specs["uri."+name] = plain(func(_ *Machine, b []byte) Value {
			return partOf(b, func(b []byte, u *sipframe.URI) Value { return findParam(u.Params.In(b), key) })
		})
	}
	userParam := []byte("user")
	specs["uri.uparam"] = plain(func(_ *Machine, b []byte) Value {
		return partOf(b, func(b []byte, u *sipframe.URI) Value { return findParam(u.Params.In(b), userParam) })
	})
	for name, pick := range map[string]func(b []byte, a *sipframe.NameAddr) Value{
		"name":   func(b []byte, a *sipframe.NameAddr) Value { return optional(a.Display.In(b)) },
		"uri":    func(b []byte, a *sipframe.NameAddr) Value { return optional(a.URI.In(b)) },
		"len":    func(_ []byte, a *sipframe.NameAddr) Value { return Int(int64(a.Span.Len)) },
		"params": func(b []byte, a *sipframe.NameAddr) Value { return optional(a.Params.In(b)) },
	} {
		specs["nameaddr."+name] = plain(func(_ *Machine, b []byte) Value {
			a, ok := nameAddr(b)
			if !ok {
				return null
			}
			return pick(b, &a)
		})
	}
	return specs
}

// nameAddrAt is {nameaddr.N.field}, the field of the N-th of a list; nil if that is
// not what the name says. A negative N counts from the last one.
func nameAddrAt(name string) *transformSpec {
	parts := strings.Split(name, ".")
	if len(parts) != 3 || parts[0] != "nameaddr" {
		return nil
	}
	n, ok := number64([]byte(parts[1]))
	one := transforms["nameaddr."+parts[2]]
	if !ok || one == nil || n < -maxText || n > maxText {
		return nil
	}
	spec := *one
	spec.build = func(k *compiler, t *varTransform) transformer {
		f := one.build(k, t)
		if f == nil {
			return nil
		}
		return func(m *Machine, in Value) Value {
			b, ok := listAt(m.Text(in), int(n))
			if !ok {
				return null
			}
			return f(m, Text(b))
		}
	}
	return &spec
}

// listAt gives the n-th value of a comma list; a negative n counts from the last.
func listAt(b []byte, n int) ([]byte, bool) {
	if n < 0 {
		for list := sipframe.SplitList(b); ; n++ {
			if _, ok := list.Next(); !ok {
				break
			}
		}
	}
	for list := sipframe.SplitList(b); n >= 0; n-- {
		v, ok := list.Next()
		if !ok || n == 0 {
			return v, ok
		}
	}
	return nil, false
}

func nameAddr(b []byte) (a sipframe.NameAddr, ok bool) {
	return a, sipframe.ParseNameAddr(b, &a) == nil
}

// findParam gives the value of a parameter; empty text if it has none, null if
// it is not there.
func findParam(params, name []byte) Value {
	for it := sipframe.Params(params); ; {
		p, ok := it.Next()
		if !ok {
			return null
		}
		if sipframe.EqualFoldBytes(p.Name, name) {
			return Text(unquoted(p.Value))
		}
	}
}

// FindParam returns the value of a parameter in ;name=value;..., empty if it has none,
// without its quotes.
func FindParam(params, name []byte) (value []byte, found bool) {
	v := findParam(params, name)
	return v.s, v.kind != nullValue
}

// unquoted takes the quotes off a quoted string; its escapes stay.
func unquoted(b []byte) []byte {
	if n := len(b); n >= 2 && b[0] == '"' && b[n-1] == '"' {
		return b[1 : n-1]
	}
	return b
}
