package script

import "maps"

// route walks a route and gives what is known behind its call. A return tells its answer by
// a constant; any other end may be either.
func (w *relayWalk) route(r *routeItem, s relayState) answers {
	v := relayVisit{r, s}
	if after, ok := w.known[v]; ok {
		return after
	}
	w.known[v] = answers{s, s} // as seen by a call of itself
	returns, breaks := w.returns, w.breaks
	w.returns, w.breaks = answers{}, relayState{}
	w.returned(w.stmt(r.Body, s), true, true)
	after := w.returns
	w.returns, w.breaks = returns, breaks
	w.known[v] = after
	return after
}

// returned adds an end of the route that is walked.
func (w *relayWalk) returned(s relayState, yes, no bool) {
	if yes {
		w.returns.yes = w.returns.yes.meet(s)
	}
	if no {
		w.returns.no = w.returns.no.meet(s)
	}
}

func (w *relayWalk) list(list []statement, s relayState) relayState {
	for _, x := range list {
		if !s.alive {
			break
		}
		s = w.stmt(x, s)
	}
	return s
}

func (w *relayWalk) stmt(x statement, s relayState) relayState {
	switch x := x.(type) {
	case *blockStmt:
		return w.list(x.List, s)
	case *ifStmt:
		yes, no := w.cond(x.Cond, s)
		yes = w.stmt(x.Then, yes)
		if x.Else != nil {
			no = w.stmt(x.Else, no)
		}
		return yes.meet(no)
	case *whileStmt:
		return w.loop(s, func(s relayState) (in, out relayState) { return w.cond(x.Cond, s) }, x.Body)
	case *forStmt:
		return w.loop(s, func(s relayState) (in, out relayState) { return s, s }, x.Body)
	case *switchStmt:
		return w.cases(x, s)
	case *assignStmt:
		s, _ = w.cond(x.Value, s)
		return w.assigned(x, s)
	case *callStmt:
		yes, no := w.cond(x.Call, s)
		if c, ok := x.Call.(*callExpr); ok && c.Func != "t_check_trans" && c.Func != "is_method" {
			return yes
		}
		return yes.meet(no)
	case *returnStmt:
		for _, v := range x.Values {
			s, _ = w.cond(v, s)
		}
		code := 1
		if len(x.Values) > 0 {
			n, ok := x.Values[0].(*numberExpr)
			if !ok {
				w.returned(s, true, true)
				return relayState{}
			}
			code = int(n.N)
		}
		w.returned(s, code > 0, code < 0) // 0 is exit
		return relayState{}
	case *jumpStmt:
		if x.Word == "break" {
			w.breaks = w.breaks.meet(s)
		}
		return relayState{}
	default:
		return s
	}
}

// maxLoops is how many loops within one another are walked in rounds: each of them
// multiplies the rounds of those within it.
const maxLoops = 3

// loop walks a body until another round tells nothing new: what is known where a round
// begins has to hold behind each round before it. Deep within other loops it is walked
// once, as if a round before had lost the destination.
func (w *relayWalk) loop(s relayState, cond func(relayState) (in, out relayState), body statement) relayState {
	breaks, returns := w.breaks, w.returns
	w.loops++
	defer func() { w.loops-- }()
	round := func() (out, next relayState) {
		w.breaks, w.returns = relayState{}, returns
		in, out := cond(s)
		return out, s.meet(w.stmt(body, in))
	}
	quiet, known := w.quiet, w.known
	if w.loops > maxLoops {
		s.ours, s.safe, s.uri, s.hop = false, false, false, true
	}
	w.quiet = true
	for w.loops <= maxLoops {
		w.known = maps.Clone(known) // routes that are called are walked again where it counts
		_, next := round()
		if next == s {
			break
		}
		s = next
	}
	w.quiet, w.known = quiet, known
	out, _ := round()
	out = out.meet(w.breaks)
	w.breaks = breaks
	return out
}

func (w *relayWalk) cases(x *switchStmt, s relayState) relayState {
	s.asked = s.asked || w.tells(x.On)
	breaks := w.breaks
	w.breaks = relayState{}
	end, other := relayState{}, s // a case without break goes on in the next one
	for _, c := range x.Cases {
		if c.Default {
			other = relayState{}
		}
		end = w.list(c.Body, s.meet(end))
	}
	end = end.meet(w.breaks).meet(other)
	w.breaks = breaks
	return end
}

// cond walks an expression and gives what is known when it holds and when not.
func (w *relayWalk) cond(x expression, s relayState) (yes, no relayState) {
	switch x := x.(type) {
	case *parenExpr:
		return w.cond(x.X, s)
	case *unaryExpr:
		yes, no = w.cond(x.X, s)
		return no, yes
	case *binaryExpr:
		yes, no = w.cond(x.X, s)
		switch {
		case x.Op == tokAnd:
			both, second := w.cond(x.Y, yes)
			return both, no.meet(second)
		case x.Op == tokOr:
			second, neither := w.cond(x.Y, no)
			return yes.meet(second), neither
		}
		s, _ = w.cond(x.Y, yes.meet(no))
		if compareOps[x.Op] && s.alive && w.compared(x) {
			s.asked = true
		}
		return s, s
	case *routeCallExpr:
		return w.called(x, s)
	case *callExpr:
		if x.Func == "async" && len(x.Args) > 1 {
			return w.resumed(x, s)
		}
		for _, a := range x.Args {
			if a != nil && s.alive {
				s, _ = w.cond(a, s)
			}
		}
		return w.call(x, s)
	default:
		return s, s
	}
}

// resumed walks the call in async() and its resume route, behind which the script ends.
func (w *relayWalk) resumed(x *callExpr, s relayState) (yes, no relayState) {
	if x.Args[0] != nil {
		s, _ = w.cond(x.Args[0], s)
	}
	if x.Args[1] != nil {
		name, _ := constantName(x.Args[1])
		if r := w.named[name]; r != nil {
			w.route(r, s)
		}
	}
	return relayState{}, relayState{}
}

// called walks the route that is called; all, when its name is not known before.
func (w *relayWalk) called(x *routeCallExpr, s relayState) (yes, no relayState) {
	if dynamic(x) {
		for _, r := range w.named {
			w.route(r, s)
		}
		s.ours, s.safe, s.uri = false, false, false
		return s, s
	}
	c := contextWalk{named: w.named}
	if r := c.callee(x); r != nil {
		after := w.route(r, s)
		return after.yes, after.no
	}
	return s, s
}
