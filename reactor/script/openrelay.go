package script

import "strings"

// noteOpenForwards notes each forward() and send() that a request can reach
// without anything having been asked about where it comes from or where it goes:
// whoever can send to us then has us send anywhere, loopback services included.
//
// What counts as asking is a call of guards, or a comparison with something other
// than NULL, of a variable of guardVariables or of one that was assigned from
// those; in an if, a while or a switch, also in a route that was called before, on
// every way to the forward. Whether the answer is heeded is not looked at.
// loose_route() and has_totag() ask nothing: anybody can invent a Route and a tag.
// A destination that the script names as a constant needs no question: an
// argument, or $du unless loose_route() may have changed that since.
func (k *compiler) noteOpenForwards() {
	w := relayWalk{k: k, named: make(map[string]*routeItem), derived: make(map[string]bool), told: make(map[Pos]bool), known: make(map[relayVisit]relayState)}
	for _, item := range k.file.Items {
		if r, ok := item.(*routeItem); ok && r.Kind == RequestRoute && r.Name != "" {
			w.named[r.Name] = r
		}
	}
	for changed := true; changed; { // $var(a) = $ru; $var(b) = $var(a)
		before := len(w.derived)
		for _, item := range k.file.Items {
			if r, ok := item.(*routeItem); ok {
				w.derive(r.Body)
			}
		}
		changed = len(w.derived) > before
	}
	for _, item := range k.file.Items {
		if r, ok := item.(*routeItem); ok && (r.Kind == RequestRoute && r.Name == "" || r.Kind == ErrorRoute) {
			w.route(r, relayState{alive: true})
		}
	}
}

// guards are the functions that ask about source or destination.
var guards = map[string]bool{
	"is_myself": true, "is_peer_verified": true, "is_uri_host_local": true, "is_domain_local": true, "is_from_gw": true,
	"check_address": true, "check_source_address": true, "get_source_group": true, "allow_trusted": true, "ds_is_in_list": true,
	"allow_routing": true, "allow_uri": true, "proxy_authorize": true, "pv_proxy_authorize": true, "www_authorize": true, "pv_www_authorize": true,
}

// guardVariables are those that tell of source or destination.
var guardVariables = map[string]bool{
	"si": true, "src_ip": true, "siz": true, "rd": true, "ru": true, "ruri": true, "duri": true, "du": true, "dd": true, "dsturi": true,
	"tls_peer_verified": true, "tls_peer_subject": true, "tls_peer_subject_cn": true, "tls_peer_san_uri": true, "tls_peer_san_hostname": true,
	"tls_peer_san_ip": true, "tls_peer_san_email": true, "tls_peer_issuer_cn": true, "tls_peer_serial": true, "socket_in": true,
}

// relayState is what is known where a statement begins, on every way there.
type relayState struct {
	alive bool // it can be reached
	asked bool // about source or destination
	fixed bool // the destination is a constant
}

// meet is what is known where two ways come together.
func (s relayState) meet(o relayState) relayState {
	switch {
	case !s.alive:
		return o
	case !o.alive:
		return s
	}
	return relayState{true, s.asked && o.asked, s.fixed && o.fixed}
}

type relayVisit struct {
	route *routeItem
	from  relayState
}

type relayWalk struct {
	k       *compiler
	named   map[string]*routeItem
	derived map[string]bool // script variables that come from guardVariables, as written without index and transformations
	told    map[Pos]bool
	known   map[relayVisit]relayState // what is known behind a route
	returns relayState                // of the route that is walked
	breaks  relayState                // of the loop or switch
}

// route walks a route and gives what is known behind its call.
func (w *relayWalk) route(r *routeItem, s relayState) relayState {
	v := relayVisit{r, s}
	if after, ok := w.known[v]; ok {
		return after
	}
	w.known[v] = s // as seen by a call of itself
	returns, breaks := w.returns, w.breaks
	w.returns, w.breaks = relayState{}, relayState{}
	after := w.stmt(r.Body, s).meet(w.returns)
	w.returns, w.breaks = returns, breaks
	w.known[v] = after
	return after
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
		if name := x.Target.Name; name == "du" || name == "duri" || name == "dsturi" {
			s.fixed = s.alive && x.Op == tokAssign && constantHop(x.Value)
		}
		return s
	case *callStmt:
		s, _ = w.cond(x.Call, s)
		return s
	case *returnStmt:
		for _, v := range x.Values {
			s, _ = w.cond(v, s)
		}
		w.returns = w.returns.meet(s)
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

// loop walks a body once: what a round before may have done to the destination is
// taken as done.
func (w *relayWalk) loop(s relayState, cond func(relayState) (in, out relayState), body statement) relayState {
	breaks := w.breaks
	w.breaks = relayState{}
	s.fixed = false
	in, out := cond(s)
	w.stmt(body, in)
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
		if compareOps[x.Op] && s.alive && !isNull(x.X) && !isNull(x.Y) && (w.tells(x.X) || w.tells(x.Y)) {
			s.asked = true
		}
		return s, s
	case *routeCallExpr:
		return w.called(x, s)
	case *callExpr:
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

func (w *relayWalk) call(x *callExpr, s relayState) (yes, no relayState) {
	switch {
	case x.Func == "forward" || x.Func == "send":
		w.leaves(x, s)
	case x.Func == "loose_route" || x.Func == "resetdsturi":
		s.fixed = false
	case x.Func == "setdsturi" && len(x.Args) == 1:
		s.fixed = constantHop(x.Args[0])
	case guards[x.Func]:
		s.asked = true
	}
	return s, s
}

// leaves notes a forward that nothing was asked before.
func (w *relayWalk) leaves(x *callExpr, s relayState) {
	constant := len(x.Args) > 0 && x.Args[0] != nil && constantText(x.Args[0])
	if !s.alive || s.asked || constant || s.fixed && len(x.Args) == 0 || w.told[x.At] {
		return
	}
	w.told[x.At] = true
	w.k.rep.notef(x.At, "%s() sends anything from anybody to anywhere: nothing before it asks where a request comes from "+
		"(is_peer_verified(), $si) or goes to (is_myself(), $rd, $du)", x.Func)
}

// called walks the route that is called; all, when its name is not known before.
func (w *relayWalk) called(x *routeCallExpr, s relayState) (yes, no relayState) {
	if dynamic(x) {
		for _, r := range w.named {
			w.route(r, s)
		}
		s.fixed = false
		return s, s
	}
	c := contextWalk{named: w.named}
	if r := c.callee(x); r != nil {
		s = w.route(r, s)
	}
	return s, s
}

// tells tells whether an expression has a variable of source or destination.
func (w *relayWalk) tells(x expression) bool {
	switch x := x.(type) {
	case *parenExpr:
		return w.tells(x.X)
	case *unaryExpr:
		return w.tells(x.X)
	case *binaryExpr:
		return w.tells(x.X) || w.tells(x.Y)
	case *wordExpr:
		return x.Text == "myself" || guardVariables[x.Text]
	case *varExpr:
		return guardVariables[x.Name] || w.derived[scriptName(x)]
	default:
		return false
	}
}

// derive collects the script variables that are assigned from source or destination.
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
		w.derive(x.Body)
	case *switchStmt:
		for _, c := range x.Cases {
			for _, s := range c.Body {
				w.derive(s)
			}
		}
	case *assignStmt:
		if name := scriptName(x.Target); name != "" && w.tells(x.Value) {
			w.derived[name] = true
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

func isNull(x expression) bool {
	_, null := x.(*nullExpr)
	return null
}

// constantText tells whether an argument is the same for every message.
func constantText(x expression) bool {
	s, ok := x.(*stringExpr)
	return ok && s.Text != "" && !strings.Contains(s.Text, "$")
}

// constantHop tells whether a URI's host is a constant: the whole is, or it is
// put together of one whose host is complete, as in "sip:10.0.0.1:" + $var(port).
func constantHop(x expression) bool {
	if b, ok := x.(*binaryExpr); ok && b.Op == tokPlus {
		for ; ok; b, ok = b.X.(*binaryExpr) {
			x = b.X
		}
		s, isText := x.(*stringExpr)
		if !isText {
			return false
		}
		host, _ := strings.CutPrefix(strings.TrimPrefix(s.Text, "sip:"), "sips:")
		return len(host) > 1 && !strings.ContainsAny(host, "@$") && strings.ContainsAny(host[len(host)-1:], ":;")
	}
	return constantText(x)
}
