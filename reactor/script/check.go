package script

import (
	"fmt"
	"strings"
)

// checkContexts reports functions in routes where they cannot be used: in a
// route itself or in one that it calls. Named routes that are not called by
// anything count as called by route.
func (k *compiler) checkContexts() {
	named := make(map[string]*Route)
	for _, item := range k.file.Items {
		if r, ok := item.(*Route); ok && r.Kind == RequestRoute && r.Name != "" {
			named[r.Name] = r
		}
	}
	w := contextWalk{k: k, named: named, seen: make(map[visit]bool)}
	for _, item := range k.file.Items {
		if r, ok := item.(*Route); ok {
			w.kind, w.via = r.Kind, nil
			w.route(r)
		}
	}
	for _, name := range k.filterRoutes() { // they run without a message
		if r := named[name]; r != nil {
			w.kind, w.via = EventRoute, nil
			w.route(r)
		}
	}
}

// visit is a route in a context.
type visit struct {
	r    *Route
	kind RouteKind
}

type contextWalk struct {
	k     *compiler
	named map[string]*Route
	seen  map[visit]bool
	kind  RouteKind
	via   []*Route
}

func (w *contextWalk) route(r *Route) {
	v := visit{r, w.kind}
	if w.seen[v] {
		return
	}
	w.seen[v] = true
	w.via = append(w.via, r)
	w.stmt(r.Body)
	w.via = w.via[:len(w.via)-1]
}

func (w *contextWalk) stmt(s Stmt) {
	switch s := s.(type) {
	case *Block:
		for _, x := range s.List {
			w.stmt(x)
		}
	case *If:
		w.expr(s.Cond)
		w.stmt(s.Then)
		if s.Else != nil {
			w.stmt(s.Else)
		}
	case *While:
		w.expr(s.Cond)
		w.stmt(s.Body)
	case *For:
		w.stmt(s.Body)
	case *Switch:
		for _, c := range s.Cases {
			for _, x := range c.Body {
				w.stmt(x)
			}
		}
	case *Assign:
		w.target(s.Target)
		w.expr(s.Value)
	case *CallStmt:
		w.expr(s.Call)
	case *Return:
		for _, x := range s.Values {
			w.expr(x)
		}
	}
}

func (w *contextWalk) expr(x Expr) {
	switch x := x.(type) {
	case *Paren:
		w.expr(x.X)
	case *Unary:
		w.expr(x.X)
	case *Binary:
		w.expr(x.X)
		w.expr(x.Y)
	case *Word:
		if x.Text == "myself" && w.alone() {
			w.k.rep.errorf(x.At, "myself cannot be used in %v%s, which has no message", w.kind, w.path())
		}
	case *RouteCall:
		if w.alone() && dynamic(x) {
			w.k.rep.errorf(x.At, "route() takes a constant name in %v%s, so that it can be checked", w.kind, w.path())
		}
		if r := w.callee(x); r != nil {
			w.route(r)
		}
	case *Call:
		for _, a := range x.Args {
			if a != nil && x.Func == "assert" {
				w.expr(a)
			}
		}
		if waiting(x) {
			w.waiting(x)
		}
		if f := w.k.function(x.Func); f != nil && f.Routes&(1<<w.kind) == 0 {
			w.k.rep.errorf(x.At, "%s() cannot be used in %v%s, only in %s", x.Func, w.kind, w.path(), f.Routes)
		}
	}
}

// waiting looks at async() and launch(): the function is of this route; the resume route
// is, too, and the report route has no message.
func (w *contextWalk) waiting(c *Call) {
	if len(c.Args) > 0 && c.Args[0] != nil {
		w.expr(c.Args[0])
	}
	if c.Func == "async" && asyncRoutes&(1<<w.kind) == 0 {
		w.k.rep.errorf(c.At, "async() cannot be used in %v%s, only in %s", w.kind, w.path(), asyncRoutes)
	}
	if len(c.Args) < 2 || c.Args[1] == nil {
		return
	}
	name, _ := constantName(c.Args[1])
	r := w.named[name]
	if r == nil {
		return
	}
	kind := w.kind
	if c.Func == "launch" {
		w.kind = EventRoute
	}
	w.route(r)
	w.kind = kind
}

// alone tells whether the routes run without a message.
func (w *contextWalk) alone() bool { return messageless&(1<<w.kind) != 0 }

// target looks at what is assigned to: without a message there are only the
// script's own variables and statistics.
func (w *contextWalk) target(v *Var) {
	if spec := w.k.variableNamed(v.Name); spec != nil && spec.Free {
		return
	}
	if w.alone() && v.Name != "var" && v.Name != "avp" && v.Name != "stat" {
		w.k.rep.errorf(v.At, "%s cannot be assigned to in %v%s, which has no message", clip(v.Text), w.kind, w.path())
	}
}

// dynamic tells whether the name of a route is known only when it is called.
func dynamic(c *RouteCall) bool {
	switch x := c.Name.(type) {
	case *Var:
		return true
	case *String:
		return strings.Contains(x.Text, "$")
	default:
		return false
	}
}

func (w *contextWalk) callee(c *RouteCall) *Route {
	switch x := c.Name.(type) {
	case *Word:
		return w.named[x.Text]
	case *String:
		return w.named[x.Text]
	case *Number:
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
