package mathops

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

// maxDepth bounds brackets in brackets.
const maxDepth = 100

var errExpression = errors.New("no expression")

// functions are those of math_eval().
var functions = map[string]func(float64) float64{
	"abs": math.Abs, "acos": math.Acos, "asin": math.Asin, "atan": math.Atan, "ceil": math.Ceil, "cos": math.Cos, "cosh": math.Cosh,
	"exp": math.Exp, "floor": math.Floor, "ln": math.Log, "log": math.Log10, "log10": math.Log10, "sin": math.Sin, "sinh": math.Sinh, "sqrt": math.Sqrt,
	"tan": math.Tan, "tanh": math.Tanh,
}

// evaluate computes an expression: + - * / % ^ with the usual binding, ^ from left to
// right, brackets, functions and the constants e and pi.
func evaluate(s string) (float64, error) {
	e := evaluation{rest: s}
	x := e.sum()
	e.blanks()
	if e.err == nil && e.rest != "" {
		e.err = errExpression
	}
	return x, e.err
}

type evaluation struct {
	rest  string
	depth int
	err   error
}

func (e *evaluation) blanks() { e.rest = strings.TrimLeft(e.rest, " \t\r\n") }

// take takes one of some bytes, 0 if none of them is next.
func (e *evaluation) take(of string) byte {
	e.blanks()
	if e.err != nil || e.rest == "" || strings.IndexByte(of, e.rest[0]) < 0 {
		return 0
	}
	c := e.rest[0]
	e.rest = e.rest[1:]
	return c
}

func (e *evaluation) sum() float64 {
	x := e.product()
	for {
		switch e.take("+-") {
		case '+':
			x += e.product()
		case '-':
			x -= e.product()
		default:
			return x
		}
	}
}

func (e *evaluation) product() float64 {
	x := e.power()
	for {
		switch e.take("*/%") {
		case '*':
			x *= e.power()
		case '/':
			x /= e.power()
		case '%':
			x = math.Mod(x, e.power())
		default:
			return x
		}
	}
}

func (e *evaluation) power() float64 {
	x := e.signed()
	for e.take("^") != 0 {
		x = math.Pow(x, e.signed())
	}
	return x
}

func (e *evaluation) signed() float64 {
	sign := 1.0
	for {
		switch e.take("+-") {
		case '-':
			sign = -sign
		case '+':
		default:
			return sign * e.operand()
		}
	}
}

func (e *evaluation) operand() float64 {
	if e.depth++; e.depth > maxDepth {
		e.err = errExpression
	}
	defer func() { e.depth-- }()
	e.blanks()
	if e.err != nil || e.rest == "" {
		e.err = errExpression
		return 0
	}
	if e.take("(") != 0 {
		x := e.sum()
		if e.take(")") == 0 {
			e.err = errExpression
		}
		return x
	}
	if c := e.rest[0]; '0' <= c && c <= '9' || c == '.' {
		return e.number()
	}
	n := 0
	for n < len(e.rest) && ('a' <= e.rest[n] && e.rest[n] <= 'z' || n > 0 && '0' <= e.rest[n] && e.rest[n] <= '9') {
		n++
	}
	name := e.rest[:n]
	e.rest = e.rest[n:]
	f := functions[name]
	switch {
	case f != nil:
		return f(e.signed())
	case name == "pi":
		return math.Pi
	case name == "e":
		return math.E
	}
	e.err = errExpression
	return 0
}

func (e *evaluation) number() float64 {
	n := 0
	for n < len(e.rest) && (isDigit(e.rest[n]) || e.rest[n] == '.' ||
		(e.rest[n] == 'e' || e.rest[n] == 'E') && n+1 < len(e.rest) && (isDigit(e.rest[n+1]) || strings.IndexByte("+-", e.rest[n+1]) >= 0 && n+2 < len(e.rest) && isDigit(e.rest[n+2])) ||
		(e.rest[n] == '+' || e.rest[n] == '-') && n > 0 && (e.rest[n-1] == 'e' || e.rest[n-1] == 'E')) {
		n++
	}
	x, err := strconv.ParseFloat(e.rest[:n], 64)
	if err != nil {
		e.err = errExpression
	}
	e.rest = e.rest[n:]
	return x
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// maxStack bounds the values of rpn.
const maxStack = 256

// rpn computes an expression in reverse Polish notation.
func rpn(s string) (float64, error) {
	var stack []float64
	for word := range strings.FieldsSeq(s) {
		if x, err := strconv.ParseFloat(word, 64); err == nil {
			stack = append(stack, x)
		} else if stack, err = operate(stack, word); err != nil {
			return 0, err
		}
		if len(stack) > maxStack {
			return 0, errExpression
		}
	}
	if len(stack) != 1 {
		return 0, errExpression
	}
	return stack[0], nil
}

// ofOne are the operators of rpn that take one value, ofTwo those that take two.
var (
	ofOne = map[string]func(float64) float64{
		"neg": func(x float64) float64 { return -x }, "exp": math.Exp, "ln": math.Log, "log10": math.Log10, "abs": math.Abs, "sqrt": math.Sqrt,
		"cbrt": math.Cbrt, "floor": math.Floor, "ceil": math.Ceil, "round": math.Round, "nearbyint": math.RoundToEven, "trunc": math.Trunc,
	}
	ofTwo = map[string]func(x, y float64) float64{
		"+": func(x, y float64) float64 { return x + y }, "-": func(x, y float64) float64 { return x - y },
		"*": func(x, y float64) float64 { return x * y }, "/": func(x, y float64) float64 { return x / y }, "mod": math.Mod, "pow": math.Pow,
	}
)

func operate(stack []float64, word string) ([]float64, error) {
	n := len(stack)
	one, two := ofOne[word], ofTwo[word]
	switch {
	case word == "e":
		return append(stack, math.E), nil
	case word == "pi":
		return append(stack, math.Pi), nil
	case n == 0:
		return nil, errExpression
	case one != nil:
		stack[n-1] = one(stack[n-1])
		return stack, nil
	case word == "drop":
		return stack[:n-1], nil
	case word == "dup":
		return append(stack, stack[n-1]), nil
	case n < 2:
		return nil, errExpression
	case two != nil:
		stack[n-2] = two(stack[n-2], stack[n-1])
		return stack[:n-1], nil
	case word == "swap":
		stack[n-2], stack[n-1] = stack[n-1], stack[n-2]
		return stack, nil
	}
	return nil, errExpression
}

// roundTo rounds to so many digits behind the point, half away from zero.
func roundTo(x float64, digits int) float64 {
	unit := math.Pow(10, float64(digits))
	if y := math.Round(x*unit) / unit; !math.IsInf(y, 0) && !math.IsNaN(y) {
		return y
	}
	return x
}

// roundFigures rounds to so many figures, and tells how many of them stand behind the
// point.
func roundFigures(x float64, figures int) (float64, int) {
	if x == 0 {
		return 0, max(figures-1, 0)
	}
	digits := figures - 1 - int(math.Floor(math.Log10(math.Abs(x))))
	if digits < 0 {
		unit := math.Pow(10, float64(-digits))
		return math.Round(x/unit) * unit, 0
	}
	return roundTo(x, digits), digits
}
