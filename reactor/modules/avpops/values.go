package avpops

import (
	"math/rand/v2"
	"slices"
	"strings"

	"sipreactor/reactor/script"
)

// parts cuts the text of argument i at its slashes outside of parentheses.
func parts(a *script.Args, i int) (list []string) {
	text := strings.TrimSpace(a.Literal(i).Text)
	depth, from := 0, 0
	for at, c := range text {
		switch c {
		case '(':
			depth++
		case ')':
			depth--
		case '/':
			if depth == 0 {
				list = append(list, strings.TrimSpace(text[from:at]))
				from = at + 1
			}
		}
	}
	return append(list, strings.TrimSpace(text[from:]))
}

// flags reads letters of which all must be allowed; false after an error.
func flags(a *script.Args, i int, text, allowed string) (string, bool) {
	text = strings.ToLower(text)
	if strings.Trim(text, allowed) != "" {
		a.Errorf(i, "found the flags %q, expected of %s", text, allowed)
		return "", false
	}
	return text, true
}

// avpOf compiles a text that is $avp(name); nil after an error.
func avpOf(a *script.Args, i int, text string) *script.AVP {
	if !strings.HasPrefix(text, "$avp(") {
		a.Errorf(i, "found %q, expected an AVP: $avp(name)", text)
		return nil
	}
	v := a.Literal(i)
	v.Text = text
	return a.Loading().AVP(v)
}

// values are those of an AVP, the newest first: that one, or all of them.
func values(m *script.Machine, avp *script.AVP, all bool) []script.Value {
	n := avp.Len(m)
	if !all {
		n = min(n, 1)
	}
	list := make([]script.Value, n)
	for i := range list {
		list[i] = avp.Get(m, i)
	}
	return list
}

// reader compiles a text that is $avp(name) or another variable: what gives its
// values. It is nil after an error.
func reader(a *script.Args, i int, text string) func(m *script.Machine, all bool) []script.Value {
	if strings.HasPrefix(text, "$avp(") && strings.HasSuffix(text, ")") {
		avp := avpOf(a, i, text)
		if avp == nil {
			return nil
		}
		return func(m *script.Machine, all bool) []script.Value { return values(m, avp, all) }
	}
	v := a.Literal(i)
	v.Text = text
	get := a.Loading().Variable(v)
	if get == nil {
		return nil
	}
	return func(m *script.Machine, _ bool) []script.Value {
		if v := get(m); !v.IsNull() {
			return []script.Value{v}
		}
		return nil
	}
}

// replace puts values in the place of as many newest ones.
func replace(m *script.Machine, avp *script.AVP, with []script.Value) {
	for range with {
		avp.RemoveFirst(m)
	}
	add(m, avp, with)
}

// add puts values before the others, the first one in front.
func add(m *script.Machine, avp *script.AVP, list []script.Value) bool {
	for _, v := range slices.Backward(list) {
		if !avp.Add(m, v) {
			return false
		}
	}
	return true
}

// drop takes as many newest values away.
func drop(m *script.Machine, avp *script.AVP, n int) {
	for range n {
		avp.RemoveFirst(m)
	}
}

func remove(a *script.Args) script.Action {
	p := parts(a, 0)
	last := ""
	if len(p) > 1 {
		last = p[1]
	}
	f, ok := flags(a, 0, last, "g")
	if !ok || len(p) > 2 {
		return nil
	}
	if name := p[0]; name == "" || name == "*" || strings.IndexByte("aAiIsS", name[0]) >= 0 && strings.Trim(name[1:], "0123456789") == "" {
		return func(m *script.Machine) int {
			m.Program().AVPNames(func(_ string, avp *script.AVP) { avp.Clear(m) })
			return 1
		}
	}
	avp := avpOf(a, 0, p[0])
	if avp == nil {
		return nil
	}
	return func(m *script.Machine) int {
		n := avp.Len(m)
		if f == "" {
			avp.RemoveFirst(m)
		} else {
			avp.Clear(m)
		}
		return script.Yes(n > 0)
	}
}

func copyTo(a *script.Args) script.Action {
	to := parts(a, 1)
	last := ""
	if len(to) > 1 {
		last = to[1]
	}
	f, ok := flags(a, 1, last, "gdns")
	from, into := avpOf(a, 0, parts(a, 0)[0]), avpOf(a, 1, to[0])
	if !ok || from == nil || into == nil {
		return nil
	}
	all, move := strings.Contains(f, "g"), strings.Contains(f, "d")
	return func(m *script.Machine) int {
		list := values(m, from, all)
		if len(list) == 0 {
			return -1
		}
		for i, v := range list {
			switch {
			case strings.Contains(f, "n"):
				n, _ := v.Int()
				list[i] = script.Int(n)
			case strings.Contains(f, "s"):
				list[i] = script.Text(m.Keep(m.Text(v)))
			}
		}
		if move {
			drop(m, from, len(list))
		}
		return script.Yes(add(m, into, list))
	}
}

func substitute(a *script.Args) script.Action {
	from, to, f, ok := fromTo(a)
	s := a.Substitution(1)
	if !ok || s == nil {
		return nil
	}
	return func(m *script.Machine) int {
		return change(m, from, to, f, func(v script.Value) (script.Value, bool) {
			if v.IsNumber() {
				return v, false
			}
			b, matched := s.Apply(m, m.Text(v))
			return script.Text(b), matched
		})
	}
}

// fromTo reads "$avp(from)[/$avp(to)[/flags]]"; to is from where there is none.
func fromTo(a *script.Args) (from, to *script.AVP, f string, ok bool) {
	p := parts(a, 0)
	if from = avpOf(a, 0, p[0]); from == nil {
		return nil, nil, "", false
	}
	to = from
	if len(p) > 1 && p[1] != "" {
		if to = avpOf(a, 0, p[1]); to == nil {
			return nil, nil, "", false
		}
	}
	if len(p) > 2 {
		if f, ok = flags(a, 0, p[2], "gd"); !ok {
			return nil, nil, "", false
		}
	}
	return from, to, f, true
}

// change makes new values of an AVP's. What f does not change stays as it is; to
// another AVP it does not go.
func change(m *script.Machine, from, to *script.AVP, flags string, f func(script.Value) (script.Value, bool)) int {
	list := values(m, from, strings.Contains(flags, "g"))
	var out []script.Value
	changed := false
	for _, v := range list {
		w, ok := f(v)
		changed = changed || ok
		if ok || to == from {
			out = append(out, w)
		}
	}
	switch {
	case !changed:
		return -1
	case to == from:
		replace(m, from, out)
		return 1
	case strings.Contains(flags, "d"):
		drop(m, from, len(list))
	}
	return script.Yes(add(m, to, out))
}

func insert(a *script.Args) script.Action {
	avp, value, index := avpOf(a, 0, parts(a, 0)[0]), a.Text(1), a.Int(2)
	if avp == nil {
		return nil
	}
	return func(m *script.Machine) int {
		b, ok := value(m)
		i, isNumber := index(m)
		if !ok || !isNumber {
			return -1
		}
		list := values(m, avp, true)
		at := min(max(int(i), 0), len(list))
		newer := slices.Clone(list[:at])
		drop(m, avp, at)
		return script.Yes(avp.Add(m, script.Text(m.Keep(b))) && add(m, avp, newer))
	}
}

func shuffle(a *script.Args) script.Action {
	avp := avpOf(a, 0, parts(a, 0)[0])
	if avp == nil {
		return nil
	}
	return func(m *script.Machine) int {
		list := values(m, avp, true)
		rand.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		replace(m, avp, list)
		return script.Yes(len(list) > 0)
	}
}

// places are what avp_pushto() writes to, but for a branch.
var places = map[string]string{"$ru": "$ru", "$ru/username": "$rU", "$ru/domain": "$rd", "$du": "$du"}

func push(a *script.Args) script.Action {
	where := strings.Join(parts(a, 0), "/")
	p := parts(a, 1)
	last := ""
	if len(p) > 1 {
		last = p[1]
	}
	f, ok := flags(a, 1, last, "g")
	read, at := reader(a, 1, p[0]), a.Site()
	if !ok || read == nil {
		return nil
	}
	var set script.Setter
	if where != "$br" {
		v := a.Literal(0)
		if v.Text = places[where]; v.Text == "" {
			a.Errorf(0, "found %q, expected $ru, $ru/username, $ru/domain, $du or $br", where)
			return nil
		}
		if set = a.Loading().Setter(v); set == nil {
			return nil
		}
	}
	return func(m *script.Machine) int {
		list := read(m, f != "")
		if len(list) == 0 {
			return -1
		}
		if set != nil {
			if code := set(m, list[0]); code < 0 || where == "$du" {
				return code
			}
			list = list[1:]
			if where != "$ru" {
				return 1 // a user or a host alone is no branch
			}
		}
		for _, v := range list {
			if _, err := m.Context().AppendBranch(m.Text(v), false); err != nil {
				return m.Reported(at, err)
			}
		}
		return 1
	}
}
