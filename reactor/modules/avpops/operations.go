package avpops

import (
	"bytes"
	"cmp"
	"regexp"
	"strconv"
	"strings"

	"sipreactor/reactor/script"
)

// operation is "operator/value[/flags]".
type operation struct {
	op, flags string
	text      string                               // of a constant value
	number    int64                                // of one that is a number
	isNumber  bool                                 // whether it is
	get       func(m *script.Machine) script.Value // of a variable; nil
}

// parseOperation reads argument i; false after an error. The flags are what stands
// behind the last slash, if that is flags.
func parseOperation(a *script.Args, i int, operators, allowed string) (o operation, ok bool) {
	op, value, _ := strings.Cut(a.Literal(i).Text, "/")
	o.op = strings.ToLower(strings.TrimSpace(op))
	if !strings.Contains(" "+operators+" ", " "+o.op+" ") {
		a.Errorf(i, "found the operator %q, expected one of %s", o.op, operators)
		return o, false
	}
	if at := strings.LastIndexByte(value, '/'); at >= 0 && strings.Trim(strings.ToLower(value[at+1:]), allowed) == "" {
		value, o.flags = value[:at], strings.ToLower(value[at+1:])
	}
	switch {
	case strings.HasPrefix(value, "$"):
		v := a.Literal(i)
		v.Text = value
		o.get = a.Loading().Variable(v)
		return o, o.get != nil
	case strings.HasPrefix(value, "i:"):
		n, err := strconv.ParseInt(value[2:], 0, 64)
		if err != nil {
			a.Errorf(i, "found %q, expected a number behind i:", value)
			return o, false
		}
		o.number, o.isNumber, o.text = n, true, strconv.FormatInt(n, 10)
	case strings.HasPrefix(value, "s:"):
		o.text = value[2:]
	default:
		o.text = value
		if n, err := strconv.ParseInt(value, 0, 64); err == nil {
			o.number, o.isNumber = n, true
		}
	}
	return o, true
}

// value is the right side for a message: its text, and its number if it is one.
func (o *operation) value(m *script.Machine) (text []byte, n int64, isNumber bool) {
	if o.get == nil {
		return []byte(o.text), o.number, o.isNumber
	}
	v := o.get(m)
	n, isNumber = v.Int()
	return m.Text(v), n, isNumber && !v.IsNull()
}

const comparisons = "eq ne lt le gt ge re fm and or xor"

func check(a *script.Args) script.Action {
	read := reader(a, 0, strings.TrimSpace(a.Literal(0).Text))
	o, ok := parseOperation(a, 1, comparisons, "gi")
	if read == nil || !ok {
		return nil
	}
	var re *regexp.Regexp
	if (o.op == "re" || o.op == "fm") && o.get == nil {
		if re, ok = o.expression(a); !ok {
			return nil
		}
	}
	at, all, fold := a.Site(), strings.Contains(o.flags, "g"), strings.Contains(o.flags, "i")
	return func(m *script.Machine) int {
		text, n, isNumber := o.value(m)
		re := re
		if re == nil && (o.op == "re" || o.op == "fm") {
			var err error
			if re, err = compile(string(text), o.op == "fm", fold); err != nil {
				return m.Fail(at, err.Error())
			}
		}
		for _, v := range read(m, all) {
			if holds(m, o.op, v, re, text, n, isNumber, fold) {
				return 1
			}
		}
		return -1
	}
}

// expression compiles a constant expression; false after an error.
func (o *operation) expression(a *script.Args) (*regexp.Regexp, bool) {
	re, err := compile(o.text, o.op == "fm", strings.Contains(o.flags, "i"))
	if err != nil {
		a.Errorf(1, "%q is no expression: %v", o.text, err)
		return nil, false
	}
	return re, true
}

// compile makes an expression of one, or of a pattern of the shell.
func compile(text string, pattern, fold bool) (*regexp.Regexp, error) {
	if pattern {
		text = glob(text)
	}
	if fold {
		text = "(?i)" + text
	}
	return regexp.Compile(text)
}

// glob gives the expression of a pattern of the shell.
func glob(pattern string) string {
	var b strings.Builder
	b.WriteString(`(?s)\A`)
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '*':
			b.WriteString(".*")
		case c == '?':
			b.WriteByte('.')
		case c == '\\' && i+1 < len(pattern):
			i++
			b.WriteString(regexp.QuoteMeta(pattern[i : i+1]))
		case c == '[':
			end := strings.IndexByte(pattern[i+1:], ']')
			if end < 1 {
				b.WriteString(`\[`)
				continue
			}
			set := pattern[i+1 : i+1+end]
			b.WriteByte('[')
			if set[0] == '!' || set[0] == '^' {
				b.WriteByte('^')
				set = set[1:]
			}
			b.WriteString(strings.ReplaceAll(strings.ReplaceAll(set, `\`, `\\`), "[", `\[`) + "]")
			i += end + 1
		default:
			b.WriteString(regexp.QuoteMeta(string(c)))
		}
	}
	b.WriteString(`\z`)
	return b.String()
}

// holds compares a value with the right side: as numbers where both are, as texts
// otherwise.
func holds(m *script.Machine, op string, v script.Value, re *regexp.Regexp, text []byte, n int64, isNumber, fold bool) bool {
	if re != nil {
		return re.Match(m.Text(v))
	}
	left, leftIsNumber := v.Int()
	numbers := isNumber && leftIsNumber
	switch op {
	case "and":
		return numbers && left&n != 0
	case "or":
		return numbers && left|n != 0
	case "xor":
		return numbers && left^n != 0
	}
	var c int
	if numbers {
		c = cmp.Compare(left, n)
	} else {
		l := m.Text(v)
		if fold {
			l, text = bytes.ToLower(l), bytes.ToLower(text)
		}
		c = bytes.Compare(l, text)
	}
	switch op {
	case "eq":
		return c == 0
	case "ne":
		return c != 0
	case "lt":
		return c < 0
	case "le":
		return c <= 0
	case "gt":
		return c > 0
	default:
		return c >= 0
	}
}

const arithmetic = "add sub mul div mod and or xor not"

func calculate(a *script.Args) script.Action {
	from, to, f, ok := fromTo(a)
	o, ok2 := parseOperation(a, 1, arithmetic, "gd")
	if !ok || !ok2 {
		return nil
	}
	if o.get == nil && !o.isNumber && o.op != "not" {
		a.Errorf(1, "found %q, expected a number or a variable", o.text)
		return nil
	}
	f += o.flags
	return func(m *script.Machine) int {
		_, n, isNumber := o.value(m)
		if !isNumber && o.op != "not" {
			return -1
		}
		return change(m, from, to, f, func(v script.Value) (script.Value, bool) {
			left, ok := v.Int()
			if !ok || n == 0 && (o.op == "div" || o.op == "mod") {
				return v, false
			}
			return script.Int(operate(o.op, left, n)), true
		})
	}
}

func operate(op string, a, b int64) int64 {
	switch op {
	case "add":
		return a + b
	case "sub":
		return a - b
	case "mul":
		return a * b
	case "div":
		return a / b
	case "mod":
		return a % b
	case "and":
		return a & b
	case "or":
		return a | b
	case "xor":
		return a ^ b
	default:
		return ^a
	}
}
