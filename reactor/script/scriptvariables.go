package script

import (
	"errors"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// scriptVariables are those of the script itself and of the program it runs in.
func scriptVariables() map[string]*Variable {
	code := &Variable{Get: Simple(func(m *Machine) Value { return Int(int64(m.code)) })}
	constant := func(of func(v *varExpr) Value) func(*Use) Getter {
		return func(u *Use) Getter {
			v := u.v
			x := of(v)
			return func(*Machine, int) Value { return x }
		}
	}
	return map[string]*Variable{
		"var":     {Inner: ConstInner, Get: varItem, Set: varSetter},
		"avp":     {Inner: AnyInner, Index: true, Get: avpItem, Set: avpSetter},
		"param":   {Inner: AnyInner, Get: paramItem},
		"return":  {Inner: ConstInner, Get: returnItem},
		"retcode": code,
		"rc":      code,

		"err.class":   {Get: Simple(func(m *Machine) Value { return m.errValue(Int(m.err.class)) })},
		"err.level":   {Get: Simple(func(m *Machine) Value { return m.errValue(Int(3)) })},
		"err.info":    {Get: Simple(func(m *Machine) Value { return m.errValue(Text(m.KeepString(m.err.info))) })},
		"err.rcode":   {Get: Simple(func(m *Machine) Value { return m.errValue(Int(m.err.code)) })},
		"err.rreason": {Get: Simple(func(m *Machine) Value { return m.errValue(Text(m.KeepString(m.err.reason))) })},

		"TS":  {Get: Simple(func(*Machine) Value { return Int(started) })},
		"C":   {Inner: ConstInner, Get: constant(func(*varExpr) Value { return Text(nil) })}, // the log has no colours
		"tm":  {Get: undocumented},
		"Ts":  {Get: Simple(func(m *Machine) Value { return Int(m.Now().Unix()) })},
		"Tsm": {Get: Simple(func(m *Machine) Value { return Int(int64(m.Now().Nanosecond() / 1000)) })},
		"Tf":  {Get: Simple(func(m *Machine) Value { return m.strftime([]byte("%a %b %e %H:%M:%S %Y")) })},
		"time": {Inner: AnyInner, Get: func(u *Use) Getter {
			k, v := u.k, u.v
			format := k.name(v.Arg)
			if format == nil {
				return nil
			}
			if v.Arg.Var == nil {
				if msg := checkStrftime(v.Arg.Text); msg != "" {
					k.rep.errorf(v.Arg.At, "%s", msg)
				}
			}
			return func(m *Machine, _ int) Value { return m.strftime(format(m)) }
		}},

		"env": {Inner: ConstInner, Get: constant(func(v *varExpr) Value {
			s, ok := os.LookupEnv(v.Arg.Text)
			if !ok {
				return null
			}
			return Text([]byte(s))
		})},
		"pp":       {Get: constant(func(*varExpr) Value { return Int(int64(os.Getpid())) })},
		"cfg_line": {Get: constant(func(v *varExpr) Value { return Int(int64(v.At.Line())) })},
		"cfg_file": {Get: constant(func(v *varExpr) Value { return Text([]byte(v.At.File())) })},
		"mi":       {Get: Simple(func(m *Machine) Value { return Int(m.number()) })},
		"$":        {Get: constant(func(*varExpr) Value { return Text([]byte{'$'}) })},

		"log_level":  {Get: Simple(func(m *Machine) Value { return Int(int64(m.prog.logLevel.Level())) })},
		"xlog_level": {Get: Simple(func(m *Machine) Value { return Int(int64(m.level)) }), Set: levelSetter},
	}
}

// levelSetter is $xlog_level = level, for the message; NULL is xlog_level again.
func levelSetter(u *Use) Setter {
	return u.Setter("a level, -3 to 4", func(m *Machine, x Value) error {
		if x.kind == nullValue {
			m.level = LogLevel(m.prog.xlogLevel.Level())
			return nil
		}
		n, ok := x.Int()
		if !ok || n < int64(LevelAlert) || n > 127 {
			return errors.New("a level is a number from -3 to 4")
		}
		m.level = min(LogLevel(n), LevelDebug)
		return nil
	})
}

// started is when the program began, in Unix seconds.
var started = time.Now().Unix()

// undocumented is a variable that configurations have and no documentation.
func undocumented(u *Use) Getter {
	k, v := u.k, u.v
	k.rep.notef(v.At, "$%s is NULL: no documentation of OpenSIPS tells what it is", v.Name)
	return func(*Machine, int) Value { return null }
}

var serverError = []byte("Server Internal Error")

// errValue gives what belongs to the error route, and null elsewhere.
func (m *Machine) errValue(v Value) Value {
	if !m.inError {
		return null
	}
	return v
}

// messages counts the messages that have asked for their number.
var messages atomic.Int64

// number gives the message's $mi.
func (m *Machine) number() int64 {
	if m.id == 0 {
		m.id = messages.Add(1)
	}
	return m.id
}

func varItem(u *Use) Getter {
	k, v := u.k, u.v
	i := k.slot(v.Arg.Text)
	return func(m *Machine, _ int) Value { return m.vars[i] }
}

func varSetter(u *Use) Setter {
	k, v := u.k, u.v
	if !k.argFits(v, variables["var"]) || v.Index != nil {
		k.rep.errorf(v.At, "%s cannot be assigned to", clip(v.Text))
		return nil
	}
	i := k.slot(v.Arg.Text)
	return func(m *Machine, x Value) int {
		m.vars[i] = x
		return 1
	}
}

// avpItem is $avp(name)[i]: the newest value first.
func avpItem(u *Use) Getter {
	k, v := u.k, u.v
	if v.Arg.Var != nil {
		return namedAVPItem(k.name(v.Arg))
	}
	slot := k.avp(v.Arg.Text)
	return func(m *Machine, i int) Value { return m.avpValue(slot, i) }
}

// avpValue gives value i of an AVP, counted from the newest one, or below 0 from the
// oldest one; NULL where there is none.
func (m *Machine) avpValue(slot, i int) Value {
	all := m.avps[slot]
	if i < 0 {
		i += len(all)
	}
	if i < 0 || i >= len(all) {
		return null
	}
	return all[len(all)-1-i]
}

// avpSetter is the assignment to an AVP. = adds a value before the others, := takes their
// place; NULL takes away the newest one (=) or all (:=). With an index it
// changes that one.
func avpSetter(u *Use) Setter {
	k, v := u.k, u.v
	if !k.argFits(v, variables["avp"]) {
		return nil
	}
	at := k.site(v.At, "assignment to "+clip(v.Text))
	if x := v.Index; x != nil && x.Var != nil {
		k.rep.errorf(x.At, "the index of an AVP that is assigned to is a number or *")
		return nil
	}
	assign := avpAssignment(v.Index, u.whole)
	if v.Arg.Var != nil {
		return namedAVPSetter(k.name(v.Arg), assign, at)
	}
	slot := k.avp(v.Arg.Text)
	return func(m *Machine, x Value) int { return assign(m, slot, x, at) }
}

// avpAssignment is what an assignment does to the AVP in a slot.
func avpAssignment(x *varIndex, whole bool) func(m *Machine, slot int, v Value, at *Site) int {
	if x != nil && x.Append {
		return func(m *Machine, slot int, v Value, at *Site) int {
			list := m.avps[slot]
			switch {
			case v.kind == nullValue:
				return m.Fail(at, "NULL is no value to append")
			case len(list) >= maxAVPs:
				return m.Fail(at, "an AVP has too many values")
			}
			m.avps[slot] = slices.Insert(list, 0, v) // the oldest one stands first
			return 1
		}
	}
	index, all := 0, x != nil && x.All
	if x != nil {
		index = x.N
	}
	return func(m *Machine, slot int, v Value, at *Site) int {
		list := m.avps[slot]
		switch {
		case all || whole && x == nil:
			list = list[:0]
			if v.kind != nullValue {
				list = append(list, v)
			}
		case x == nil && v.kind != nullValue:
			if len(list) >= maxAVPs {
				return m.Fail(at, "an AVP has too many values")
			}
			list = append(list, v)
		case index < 0 || index >= len(list):
			if x != nil && v.kind != nullValue {
				list = append(list, v)
			}
		case v.kind == nullValue:
			i := len(list) - 1 - index
			list = append(list[:i], list[i+1:]...)
		default:
			list[len(list)-1-index] = v
		}
		m.avps[slot] = list
		return 1
	}
}

// maxAVPs bounds the values of one AVP.
const maxAVPs = 1000

// paramItem is $param(i), the i-th argument of the route that runs, from 1 on,
// or $param(name) in a route that names its parameters.
func paramItem(u *Use) Getter {
	k, v := u.k, u.v
	if v.Arg.Var != nil {
		n := k.variable(v.Arg.Var)
		if n == nil {
			return nil
		}
		return func(m *Machine, _ int) Value {
			i, ok := n(m).Int()
			if !ok || i < 1 || i > int64(len(m.frame)) {
				return null
			}
			return m.frame[i-1]
		}
	}
	i, err := strconv.Atoi(v.Arg.Text)
	if err != nil || i < 1 {
		i = 0
		names := k.paramNames(k.route)
		if k.route.Kind == EventRoute && names == nil { // the event's own, as they come
			name := v.Arg.Text
			return func(m *Machine, _ int) Value {
				for i := range m.raised {
					if m.raised[i].name == name {
						return m.raised[i].value(m)
					}
				}
				return null
			}
		}
		for n, name := range names {
			if name == v.Arg.Text {
				i = n + 1
			}
		}
		if i == 0 {
			k.rep.errorf(v.Arg.At, "%v%s has no parameter %s%s: it is named in the route's head, or a number from 1 on",
				k.route.Kind, inBrackets(k.route.Name), clip(v.Arg.Text), hint(v.Arg.Text, names))
			return nil
		}
	}
	return func(m *Machine, _ int) Value {
		if i > len(m.frame) {
			return null
		}
		return m.frame[i-1]
	}
}

// returnItem is $return(i): what the last return gave behind its code, from 1
// on.
func returnItem(u *Use) Getter {
	k, v := u.k, u.v
	i, err := strconv.Atoi(strings.TrimSpace(v.Arg.Text))
	if err != nil || i < 0 {
		k.rep.errorf(v.Arg.At, "$return() takes a number from 0 on")
		return nil
	}
	return func(m *Machine, _ int) Value {
		if i >= len(m.result) {
			return null
		}
		return m.result[i]
	}
}
