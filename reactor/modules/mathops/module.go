package mathops

import (
	"math"
	"strconv"

	"sipreactor/reactor/script"
)

type module struct{ digits int }

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := &module{digits: 6}
	text, set, number := script.TextArg, script.SetArg, script.IntArg
	result := func(name, help string, f func(s string) (float64, error)) script.Function {
		return script.Function{Name: name, Usage: name + `("number", $var(result))`, Help: help, Args: []script.ArgKind{text, set}, Min: 2, Routes: script.Anywhere,
			Build: m.compute(f, m.decimal)}
	}
	whole := func(name, help string, f func(float64) float64) script.Function {
		return script.Function{Name: name, Usage: name + `("number", $var(result))`, Help: help, Args: []script.ArgKind{text, set}, Min: 2, Routes: script.Anywhere,
			Build: m.compute(func(s string) (float64, error) { x, err := evaluate(s); return f(x), err }, integral)}
	}
	return &script.Module{
		Name: "mathops",
		Help: "Computes with fractions.",
		Parameters: []script.Parameter{
			{Name: "decimal_digits", Type: script.IntParam, Min: 0, Max: 50, Unit: "digits", Default: "6", Help: "How many digits behind the point results have.", Set: script.Into(&m.digits)},
		},
		Functions: []script.Function{
			result("math_eval", "Computes an expression.", evaluate),
			result("math_rpn", "Computes an expression in reverse Polish notation.", rpn),
			whole("math_trunc", "Rounds towards zero.", math.Trunc),
			whole("math_floor", "Rounds down.", math.Floor),
			whole("math_ceil", "Rounds up.", math.Ceil),
			{Name: "math_round", Usage: `math_round("number", $var(result)[, decimals])`, Help: "Rounds to the nearest number, half away from zero.", Args: []script.ArgKind{text, set, number}, Min: 2, Routes: script.Anywhere, Build: m.round},
			{Name: "math_round_sf", Usage: `math_round_sf("number", $var(result), figures)`, Help: "Rounds to so many figures.", Args: []script.ArgKind{text, set, number}, Min: 3, Routes: script.Anywhere, Build: m.roundFigures},
			{Name: "math_compare", Usage: `math_compare("expression", "expression", $var(result))`, Help: "Compares two expressions: 1, 0 or -1.", Args: []script.ArgKind{text, text, set}, Min: 3, Routes: script.Anywhere, Build: compare},
		},
	}
}

// decimal writes a number with the digits that the parameter asks for.
func (m *module) decimal(x float64) script.Value {
	return script.Text(strconv.AppendFloat(nil, x, 'f', m.digits, 64))
}

// integral makes a whole number a number of the script.
func integral(x float64) script.Value {
	if math.Abs(x) < 1<<53 {
		return script.Int(int64(x))
	}
	return script.Text(strconv.AppendFloat(nil, x, 'f', 0, 64))
}

// usable reports whether a result is a number.
func usable(x float64, err error) bool { return err == nil && !math.IsNaN(x) && !math.IsInf(x, 0) }

func (m *module) compute(f func(s string) (float64, error), value func(float64) script.Value) func(a *script.Args) script.Action {
	return func(a *script.Args) script.Action {
		text, set := a.Text(0), a.Setter(1)
		return func(x *script.Machine) int {
			b, ok := text(x)
			if !ok {
				return -1
			}
			y, err := f(string(b))
			if !usable(y, err) {
				return -1
			}
			return set(x, value(y))
		}
	}
}

func (m *module) round(a *script.Args) script.Action {
	text, set, digits, given := a.Text(0), a.Setter(1), a.Int(2), a.Given(2)
	return func(x *script.Machine) int {
		b, ok := text(x)
		y, err := evaluate(string(b))
		if !ok || !usable(y, err) {
			return -1
		}
		if !given {
			return set(x, integral(math.Round(y)))
		}
		n, ok := digits(x)
		if !ok || n < 0 || n > 50 {
			return -1
		}
		return set(x, script.Text(strconv.AppendFloat(nil, roundTo(y, int(n)), 'f', int(n), 64)))
	}
}

func (m *module) roundFigures(a *script.Args) script.Action {
	text, set, figures := a.Text(0), a.Setter(1), a.Int(2)
	return func(x *script.Machine) int {
		b, ok := text(x)
		y, err := evaluate(string(b))
		n, good := figures(x)
		if !ok || !good || n < 1 || n > 50 || !usable(y, err) {
			return -1
		}
		z, digits := roundFigures(y, int(n))
		return set(x, script.Text(strconv.AppendFloat(nil, z, 'f', min(digits, 50), 64)))
	}
}

func compare(a *script.Args) script.Action {
	one, other, set := a.Text(0), a.Text(1), a.Setter(2)
	return func(x *script.Machine) int {
		b, ok := one(x)
		c, also := other(x)
		if !ok || !also {
			return -1
		}
		y, err := evaluate(string(b))
		z, err2 := evaluate(string(c))
		switch {
		case !usable(y, err) || !usable(z, err2):
			return -1
		case y > z:
			return set(x, script.Int(1))
		case y < z:
			return set(x, script.Int(-1))
		default:
			return set(x, script.Int(0))
		}
	}
}
