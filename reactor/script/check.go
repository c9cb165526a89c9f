package script

import (
	"fmt"
	"strings"
)

// checkContexts reports functions in routes where they cannot be used. In a route
// itself that is an error; in a route[name] that it calls, where OpenSIPS does not
// look, it is told and the function does nothing there (see guarded). Named routes
// that are not called by anything count as called by route.
func (k *compiler) checkContexts() {
	named := make(map[string]*routeItem)
	for _, item := range k.file.Items {
		if r, ok := item.(*routeItem); ok && r.Kind == RequestRoute && r.Name != "" {
			named[r.Name] = r
		}
	}
	w := contextWalk{k: k, named: named, seen: make(map[visit]bool)}
	for _, item := range k.file.Items {
		if r, ok := item.(*routeItem); ok {
			w.kind, w.via = r.Kind, nil
			w.route(r)
		}
	}
	for _, name := range k.unattended {
		if r := named[name]; r != nil {
			w.kind, w.via = EventRoute, nil
			w.route(r)
		}
	}
}

// visit is a route in a context.
type visit struct {
	r    *routeItem
	kind RouteKind
}

type contextWalk struct {
	k     *compiler
	named map[string]*routeItem
	seen  map[visit]bool
	kind  RouteKind
	via   []*routeItem
	// base is which of them is run as one of the kind; those behind it are called.
	base int
}

// called tells whether the statement is in a route that one of the kind calls.
func (w *contextWalk) called() bool { return len(w.via)-w.base > 1 }

func (w *contextWalk) route(r *routeItem) {
	v := visit{r, w.kind}
	if w.seen[v] {
		return
	}
	w.seen[v] = true
	w.via = append(w.via, r)
	w.stmt(r.Body)
	w.via = w.via[:len(w.via)-1]
}

func (w *contextWalk) stmt(s statement) {
	switch s := s.(type) {
	case *blockStmt:
		for _, x := range s.List {
			w.stmt(x)
		}
	case *ifStmt:
		w.expr(s.Cond)
		w.stmt(s.Then)
		if s.Else != nil {
			w.stmt(s.Else)
		}
	case *whileStmt:
		w.expr(s.Cond)
		w.stmt(s.Body)
	case *forStmt:
		w.stmt(s.Body)
	case *switchStmt:
		for _, c := range s.Cases {
			for _, x := range c.Body {
				w.stmt(x)
			}
		}
	case *assignStmt:
		w.target(s.Target)
		w.expr(s.Value)
	case *callStmt:
		w.expr(s.Call)
	case *returnStmt:
		for _, x := range s.Values {
			w.expr(x)
		}
	}
}

func (w *contextWalk) expr(x expression) {
	switch x := x.(type) {
	case *parenExpr:
		w.expr(x.X)
	case *unaryExpr:
		w.expr(x.X)
	case *binaryExpr:
		w.expr(x.X)
		w.expr(x.Y)
	case *wordExpr:
		if x.Text == "myself" && w.alone() {
			w.k.rep.errorf(x.At, "myself cannot be used in %v%s, which has no message", w.kind, w.path())
		}
	case *routeCallExpr:
		if r := w.callee(x); r != nil {
			w.route(r)
		}
	case *callExpr:
		for _, a := range x.Args {
			if a != nil && x.Func == "assert" {
				w.expr(a)
			}
		}
		if waiting(x) {
			w.waiting(x)
		}
		w.function(x)
	}
}

// function looks at the call of a function.
func (w *contextWalk) function(c *callExpr) {
	f := w.k.function(c.Func)
	if f == nil || f.Routes&(1<<w.kind) != 0 {
		return
	}
	switch {
	case !w.called():
		w.k.rep.errorf(c.At, "%s() cannot be used in %v, only in %s", c.Func, w.kind, f.Routes)
	case f.Reach&(1<<w.kind) == 0:
		w.k.rep.notef(c.At, "%s() does nothing and gives -1 in %v%s: it works in %s", c.Func, w.kind, w.path(), f.Routes|f.Reach)
	}
}

// waiting looks at async() and launch(): the function is of this route; the resume route
// is, too, and the report route has no message.
func (w *contextWalk) waiting(c *callExpr) {
	if len(c.Args) > 0 && c.Args[0] != nil {
		w.expr(c.Args[0])
	}
	switch {
	case c.Func != "async" || asyncRoutes&(1<<w.kind) != 0:
	case w.called():
		w.k.rep.notef(c.At, "async() does nothing and gives -1 in %v%s: it works in %s", w.kind, w.path(), asyncRoutes)
	default:
		w.k.rep.errorf(c.At, "async() cannot be used in %v, only in %s", w.kind, asyncRoutes)
	}
	if len(c.Args) < 2 || c.Args[1] == nil {
		return
	}
	name, _ := constantName(c.Args[1])
	r := w.named[name]
	if r == nil {
		return
	}
	kind, base := w.kind, w.base
	if c.Func == "launch" {
		w.kind, w.base = EventRoute, len(w.via)
	}
	w.route(r)
	w.kind, w.base = kind, base
}

// alone tells whether the routes run without a message.
func (w *contextWalk) alone() bool { return messageless&(1<<w.kind) != 0 }

// target looks at what is assigned to: without a message there are only the
// script's own variables and statistics.
func (w *contextWalk) target(v *varExpr) {
	if spec := w.k.variableNamed(v.Name); spec != nil && spec.Free {
		return
	}
	if !w.alone() || messageFree(v) {
		return
	}
	if !w.called() {
		w.k.rep.errorf(v.At, "%s cannot be assigned to in %v, which has no message", clip(v.Text), w.kind)
		return
	}
	w.k.rep.notef(v.At, "%s is not assigned to in %v%s, which has no message", clip(v.Text), w.kind, w.path())
}

// messageFree reports whether a variable of the language itself needs no message.
func messageFree(v *varExpr) bool { return v.Name == "var" || v.Name == "avp" || v.Name == "stat" }

// guarded has a function do nothing where it cannot be used. Only a route[name] can be
// run from there: by routes of other kinds, and by names that messages tell.
func (k *compiler) guarded(works RouteSet, act Action, at *Site) Action {
	if act == nil || k.route == nil || k.route.Kind != RequestRoute || k.route.Name == "" || works == Anywhere {
		return act
	}
	return func(m *Machine) int {
		if works&(1<<m.kind) == 0 {
			m.Say(at, LevelWarn, "script: "+at.what+" does nothing in "+m.kind.String())
			return -1
		}
		return act(m)
	}
}

// guardedSetter is the same for a variable that needs a message.
func (k *compiler) guardedSetter(v *varExpr, set Setter) Setter {
	if set == nil || k.route == nil || k.route.Kind != RequestRoute || k.route.Name == "" || messageFree(v) {
		return set
	}
	if spec := k.variableNamed(v.Name); spec != nil && spec.Free {
		return set
	}
	at := k.site(v.At, "assignment to "+clip(v.Text))
	return func(m *Machine, value Value) int {
		if messageless&(1<<m.kind) != 0 {
			m.Say(at, LevelWarn, "script: "+at.what+" does nothing in "+m.kind.String()+", which has no message")
			return -1
		}
		return set(m, value)
	}
}

// dynamic tells whether the name of a route is known only when it is called.
func dynamic(c *routeCallExpr) bool {
	switch x := c.Name.(type) {
	case *varExpr:
		return true
	case *stringExpr:
		return strings.Contains(x.Text, "$")
	default:
		return false
	}
}

func (w *contextWalk) callee(c *routeCallExpr) *routeItem {
	switch x := c.Name.(type) {
	case *wordExpr:
		return w.named[x.Text]
	case *stringExpr:
		return w.named[x.Text]
	case *numberExpr:
		return w.named[itoa(int(x.N))]
	default:
		return nil
	}
}

// path tells by which calls a context came about.
func (w *contextWalk) path() string {
	if len(w.via) < 2 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, " (which calls")
	for i, r := range w.via[1:] {
		if i > 0 {
			b.WriteString(", which calls")
		}
		fmt.Fprintf(&b, " route[%s]", r.Name)
	}
	b.WriteByte(')')
	return b.String()
}

// String lists the kinds of a set.
func (c RouteSet) String() string {
	var names []string
	for k, w := range routeWords {
		if c&(1<<k) != 0 {
			names = append(names, w)
		}
	}
	return strings.Join(names, ", ")
}
