package script

import "strings"

// avpFunctions ask about AVPs.
func avpFunctions() map[string]*Function {
	return map[string]*Function{
		"is_avp_set": {Usage: `is_avp_set($avp(name)[, "e"|"s"|"n"])`, Args: []ArgKind{AVPArg, FixedArg}, Min: 1, Routes: Anywhere, Build: buildAVPSet},
	}
}

// buildAVPSet makes is_avp_set(): whether the AVP has a value, with n one that is
// a number, with s one that is text, with e one that is empty text.
func buildAVPSet(a *Args) Action {
	k := a.k
	flags := a.list[1].str
	if s, ok := a.list[0].expr.(*stringExpr); ok { // "$avp(name)/flags"
		if _, more, found := strings.Cut(s.Text, "/"); found {
			flags = more
		}
	}
	for _, f := range flags {
		if !strings.ContainsRune("ens", f) {
			k.rep.errorf(a.list[0].expr.Pos(), "is_avp_set() has the flag %c: there are e (empty), s (text) and n (a number)", f)
			return nil
		}
	}
	slot := a.list[0].slot
	return func(m *Machine) int {
		for _, v := range m.avps[slot] {
			switch {
			case strings.Contains(flags, "n") && v.kind != intValue,
				strings.Contains(flags, "s") && v.kind != textValue,
				strings.Contains(flags, "e") && (v.kind != textValue || len(v.s) > 0):
			default:
				return 1
			}
		}
		return -1
	}
}

// avpArg compiles an argument that names an AVP: $avp(name), or that in quotes,
// with or without /flags behind it.
func (k *compiler) avpArg(a *argument, x expression, f *Function) bool {
	name := ""
	switch x := x.(type) {
	case *varExpr:
		name = wholeAVP(x)
	case *stringExpr:
		text, _, _ := strings.Cut(x.Text, "/")
		if rest, ok := strings.CutPrefix(text, "$avp("); ok && strings.HasSuffix(rest, ")") {
			name = strings.TrimSuffix(rest, ")")
		}
	}
	if name == "" || strings.ContainsAny(name, "$() \t") {
		k.rep.errorf(x.Pos(), "found %s, expected %s: %s", clip(shown(x)), argNames[AVPArg], f.Usage)
		return false
	}
	a.slot = k.avp(name)
	return true
}

// shown gives an argument as a message shows it.
func shown(x expression) string {
	switch x := x.(type) {
	case *varExpr:
		return x.Text
	case *stringExpr:
		return x.Text
	default:
		return "an expression"
	}
}
