package script

import (
	"iter"
	"strings"
)

// assigned is the state behind an assignment.
func (w *relayWalk) assigned(x *assignStmt, s relayState) relayState {
	ours := x.Op == tokAssign && w.oursHost(x.Value, s)
	switch x.Target.Name {
	case "du", "duri", "dsturi":
		if isNull(x.Value) {
			return s.hopGone()
		}
		return s.hopSet(ours)
	case "dd":
		return s.hopSet(w.own(x.Value) || w.kept(x.Value, s))
	case "ru", "ruri":
		return s.uriSet(ours)
	case "rd":
		return s.uriSet(w.own(x.Value) || w.kept(x.Value, s))
	default:
		return s
	}
}

// derive collects the script variables that are assigned from source or destination,
// and those that are assigned from any message.
func (w *relayWalk) derive(x statement) {
	switch x := x.(type) {
	case *blockStmt:
		for _, s := range x.List {
			w.derive(s)
		}
	case *ifStmt:
		w.derive(x.Then)
		if x.Else != nil {
			w.derive(x.Else)
		}
	case *whileStmt:
		w.derive(x.Body)
	case *forStmt:
		if name := scriptName(x.Var); name != "" && !w.own(x.Over) {
			w.given[name] = true
		}
		w.derive(x.Body)
	case *switchStmt:
		for _, c := range x.Cases {
			for _, s := range c.Body {
				w.derive(s)
			}
		}
	case *assignStmt:
		name := scriptName(x.Target)
		if name == "" {
			return
		}
		if w.tells(x.Value) {
			w.derived[name] = true
		}
		if !w.own(x.Value) {
			w.given[name] = true
		}
	}
}

// scriptName names a script variable; "" for any other.
func scriptName(v *varExpr) string {
	if v.Arg == nil || v.Arg.Var != nil || v.Name != "var" && v.Name != "avp" {
		return ""
	}
	return v.Name + "(" + v.Arg.Text + ")"
}

// own tells whether a value is the script's, whatever the message: a constant, or a
// script variable that no message gave.
func (w *relayWalk) own(x expression) bool {
	switch x := x.(type) {
	case *parenExpr:
		return w.own(x.X)
	case *unaryExpr:
		return w.own(x.X)
	case *binaryExpr:
		return w.own(x.X) && w.own(x.Y)
	case *varExpr:
		name := scriptName(x)
		return name != "" && !w.given[name] || x.Name == "env"
	case *callExpr, *routeCallExpr:
		return false
	default:
		return true
	}
}

// kept tells whether a value is that of a Request-URI which is ours.
func (w *relayWalk) kept(x expression, s relayState) bool {
	v, ok := x.(*varExpr)
	return ok && s.uri && (v.Name == "rd" || v.Name == "ru" || v.Name == "ruri")
}

// oursHost tells whether the host of a URI is the script's: the whole is, or it is put
// together so that the host is, as in "sip:" + $rU + "@10.0.0.1:" + $var(port).
func (w *relayWalk) oursHost(x expression, s relayState) bool {
	const foreign = "\x00"
	var text strings.Builder
	var add func(x expression)
	add = func(x expression) {
		switch b, ok := x.(*binaryExpr); {
		case ok && b.Op == tokPlus:
			add(b.X)
			add(b.Y)
		default:
			switch t, ok := x.(*stringExpr); {
			case ok:
				text.WriteString(t.Text)
			case w.own(x) || w.kept(x, s):
				text.WriteString("x")
			default:
				text.WriteString(foreign)
			}
		}
	}
	add(x)
	uri := text.String()
	for _, scheme := range []string{"sip:", "sips:"} {
		uri = strings.TrimPrefix(uri, scheme)
	}
	if _, behind, ok := strings.Cut(uri, "@"); ok {
		uri = behind
	}
	if end := strings.IndexAny(uri, ";?"); end >= 0 {
		uri = uri[:end]
	}
	if port := strings.LastIndexByte(uri, ':'); port >= 0 && !strings.HasSuffix(uri, "]") {
		uri = uri[:port]
	}
	return uri != "" && !strings.Contains(uri, foreign)
}

// oursText tells whether an argument is the script's.
func (w *relayWalk) oursText(x expression) bool {
	s, ok := x.(*stringExpr)
	if !ok {
		return x != nil && w.own(x)
	}
	for name := range variablesIn(s.Text) {
		if !strings.HasPrefix(name, "var(") && !strings.HasPrefix(name, "avp(") || w.given[name] {
			return false
		}
	}
	return s.Text != ""
}

// oursPlace tells whether an argument is a destination of the script's, and not flags.
func (w *relayWalk) oursPlace(x expression) bool {
	s, ok := x.(*stringExpr)
	if !ok {
		return false
	}
	return strings.Contains(s.Text, ":") && w.oursText(x)
}

// variablesIn gives the names of variables in a text, of script variables as scriptName
// has them.
func variablesIn(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for {
			_, behind, ok := strings.Cut(text, "$")
			if !ok {
				return
			}
			text = behind
			behind = strings.TrimPrefix(behind, "(")
			end := strings.IndexFunc(behind, func(c rune) bool {
				return c != '_' && c != '.' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z')
			})
			if end < 0 {
				end = len(behind)
			}
			name := behind[:end]
			if name == "var" || name == "avp" {
				if close := strings.IndexByte(behind, ')'); close >= 0 {
					name = behind[:close+1]
				}
			}
			if name != "" && !yield(name) {
				return
			}
		}
	}
}
