package script

import (
	"context"
	"log/slog"
)

// scriptTrace is what script_trace() asked for: a line for each statement that runs
// from there to the end of the message.
type scriptTrace struct {
	on    bool
	level LogLevel
	text  func(m *Machine) ([]byte, bool)
	info  string
}

// scriptTraceFunctions are of the script itself; trace() is of the message.
func scriptTraceFunctions() map[string]*Function {
	return map[string]*Function{
		"script_trace": {Usage: `script_trace([level, "text"[, "info"]])`, Args: []ArgKind{IntArg, TextArg, FixedArg}, Routes: Anywhere, Build: func(a *Args) Action {
			k := a.k
			level, text, info := a.list[0], a.list[1], a.list[2].str
			if level.given != text.given {
				k.rep.errorf(a.call.At, "script_trace() takes a level and a text, or nothing")
				return nil
			}
			if !level.given {
				return func(m *Machine) int { m.tracing.on = false; return 1 }
			}
			return func(m *Machine) int {
				n, ok := level.num(m)
				if !ok || n < int64(LevelAlert) || n > int64(LevelDebug) {
					return m.Fail(a.at, "a level is a number from -3 to 4")
				}
				m.tracing = scriptTrace{on: true, level: LogLevel(n), text: text.text, info: info}
				return 1
			}
		}},
	}
}

// traceStep writes the line of a statement.
func (m *Machine) traceStep(s statement) {
	if m.tracing.level > m.level {
		return
	}
	at := s.Pos()
	what := "core " + stmtWord(s)
	if c, ok := s.(*callStmt); ok {
		what = callWord(c)
	}
	b, _ := m.tracing.text(m)
	line := "[line " + itoa(at.Line()) + "]"
	if m.tracing.info != "" {
		line += "[" + m.tracing.info + "]"
	}
	m.prog.logger().Log(context.Background(), m.tracing.level.Slog(), m.prog.levels.Prefix+line+"["+what+"] -> ("+string(b)+")", slog.String("file", at.File()))
}

func stmtWord(s statement) string {
	switch s := s.(type) {
	case *ifStmt:
		return "if"
	case *whileStmt:
		return "while"
	case *forStmt:
		return "for"
	case *switchStmt:
		return "switch"
	case *returnStmt:
		return "return"
	case *jumpStmt:
		return s.Word
	case *assignStmt:
		return "assign"
	default:
		return "block"
	}
}

func callWord(c *callStmt) string {
	switch x := c.Call.(type) {
	case *callExpr:
		if f := functions[x.Func]; f == nil || f.module != "" {
			return "module " + x.Func
		}
		return "core " + x.Func
	default:
		return "core route"
	}
}
