package script

import (
	"fmt"
	"strings"
)

// printer writes trees as nested lists, so that tests can compare them.

func printStmt(s statement) string {
	switch s := s.(type) {
	case nil:
		return "nil"
	case *blockStmt:
		return "{" + printStmts(s.List) + "}"
	case *ifStmt:
		if s.Else == nil {
			return fmt.Sprintf("(if %s %s)", printExpr(s.Cond), printStmt(s.Then))
		}
		return fmt.Sprintf("(if %s %s %s)", printExpr(s.Cond), printStmt(s.Then), printStmt(s.Else))
	case *whileStmt:
		return fmt.Sprintf("(while %s %s)", printExpr(s.Cond), printStmt(s.Body))
	case *forStmt:
		return fmt.Sprintf("(for %s %s %s)", printExpr(s.Var), printExpr(s.Over), printStmt(s.Body))
	case *switchStmt:
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
	case *assignStmt:
		return fmt.Sprintf("(%s %s %s)", kindNames[s.Op], printExpr(s.Target), printExpr(s.Value))
	case *callStmt:
		return printExpr(s.Call)
	case *returnStmt:
		return "(return" + printExprs(s.Values) + ")"
	case *jumpStmt:
		return s.Word
	default:
		return fmt.Sprintf("?%T", s)
	}
}

func printStmts(list []statement) string {
	var all []string
	for _, s := range list {
		all = append(all, printStmt(s))
	}
	return strings.Join(all, " ")
}

func printExpr(x expression) string {
	switch x := x.(type) {
	case nil:
		return "_"
	case *numberExpr:
		return fmt.Sprint(x.N)
	case *stringExpr:
		return fmt.Sprintf("%q", x.Text)
	case *nullExpr:
		return "NULL"
	case *addrExpr:
		return "<" + x.Text + ">"
	case *wordExpr:
		return x.Text
	case *varExpr:
		return printVar(x)
	case *callExpr:
		return "(" + x.Func + printExprs(x.Args) + ")"
	case *routeCallExpr:
		return "(route " + printExpr(x.Name) + printExprs(x.Args) + ")"
	case *unaryExpr:
		return fmt.Sprintf("(%s %s)", kindNames[x.Op], printExpr(x.X))
	case *binaryExpr:
		return fmt.Sprintf("(%s %s %s)", kindNames[x.Op], printExpr(x.X), printExpr(x.Y))
	case *parenExpr:
		return printExpr(x.X)
	default:
		return fmt.Sprintf("?%T", x)
	}
}

func printExprs(list []expression) string {
	var b strings.Builder
	for _, x := range list {
		b.WriteString(" " + printExpr(x))
	}
	return b.String()
}

func printVar(v *varExpr) string {
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

func printArg(a *varArg) string {
	if a.Var != nil {
		return printVar(a.Var)
	}
	return a.Text
}
