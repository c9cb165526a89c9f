package script

import (
	"fmt"
	"strings"
)

// printer writes trees as nested lists, so that tests can compare them.

func printStmt(s Stmt) string {
	switch s := s.(type) {
	case nil:
		return "nil"
	case *Block:
		return "{" + printStmts(s.List) + "}"
	case *If:
		if s.Else == nil {
			return fmt.Sprintf("(if %s %s)", printExpr(s.Cond), printStmt(s.Then))
		}
		return fmt.Sprintf("(if %s %s %s)", printExpr(s.Cond), printStmt(s.Then), printStmt(s.Else))
	case *While:
		return fmt.Sprintf("(while %s %s)", printExpr(s.Cond), printStmt(s.Body))
	case *For:
		return fmt.Sprintf("(for %s %s %s)", printExpr(s.Var), printExpr(s.Over), printStmt(s.Body))
	case *Switch:
		var b strings.Builder
		fmt.Fprintf(&b, "(switch %s", printExpr(s.On))
		for _, c := range s.Cases {
			label := c.Value.Text
			if c.Default {
				label = "default"
			}
			fmt.Fprintf(&b, " [%s: %s]", label, printStmts(c.Body))
		}
		return b.String() + ")"
	case *Assign:
		return fmt.Sprintf("(%s %s %s)", kindNames[s.Op], printExpr(s.Target), printExpr(s.Value))
	case *CallStmt:
		return printExpr(s.Call)
	case *Return:
		return "(return" + printExprs(s.Values) + ")"
	case *Jump:
		return s.Word
	default:
		return fmt.Sprintf("?%T", s)
	}
}

func printStmts(list []Stmt) string {
	var all []string
	for _, s := range list {
		all = append(all, printStmt(s))
	}
	return strings.Join(all, " ")
}

func printExpr(x Expr) string {
	switch x := x.(type) {
	case nil:
		return "_"
	case *Number:
		return fmt.Sprint(x.N)
	case *String:
		return fmt.Sprintf("%q", x.Text)
	case *Null:
		return "NULL"
	case *Addr:
		return "<" + x.Text + ">"
	case *Word:
		return x.Text
	case *Var:
		return printVar(x)
	case *Call:
		return "(" + x.Func + printExprs(x.Args) + ")"
	case *RouteCall:
		return "(route " + printExpr(x.Name) + printExprs(x.Args) + ")"
	case *Unary:
		return fmt.Sprintf("(%s %s)", kindNames[x.Op], printExpr(x.X))
	case *Binary:
		return fmt.Sprintf("(%s %s %s)", kindNames[x.Op], printExpr(x.X), printExpr(x.Y))
	case *Paren:
		return printExpr(x.X)
	default:
		return fmt.Sprintf("?%T", x)
	}
}

func printExprs(list []Expr) string {
	var b strings.Builder
	for _, x := range list {
		b.WriteString(" " + printExpr(x))
	}
	return b.String()
}

func printVar(v *Var) string {
	var b strings.Builder
	b.WriteString("$" + v.Name)
	if v.Arg != nil {
		b.WriteString("(" + printArg(v.Arg) + ")")
	}
	if x := v.Index; x != nil {
		switch {
		case x.All:
			b.WriteString("[*]")
		case x.Var != nil:
			b.WriteString("[" + printVar(x.Var) + "]")
		default:
			fmt.Fprintf(&b, "[%d", x.N)
			if x.Among != "" {
				b.WriteString("/" + x.Among)
			}
			b.WriteString("]")
		}
	}
	for _, t := range v.Trans {
		b.WriteString("{" + t.Name)
		for _, a := range t.Args {
			b.WriteString("|" + printArg(a))
		}
		b.WriteString("}")
	}
	return b.String()
}

func printArg(a *VarArg) string {
	if a.Var != nil {
		return printVar(a.Var)
	}
	return a.Text
}
