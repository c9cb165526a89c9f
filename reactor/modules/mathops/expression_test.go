package mathops

import (
	"math"
	"strings"
	"testing"
)

func near(x, y float64) bool { return math.Abs(x-y) < 1e-9 || x == y }

// TestEvaluate computes expressions, among them the documentation's.
func TestEvaluate(t *testing.T) {
	for s, want := range map[string]float64{
		"1 + 8": 9, "7/2": 3.5, "2+3*4": 14, "(2+3)*4": 20, "2^3^2": 64, "-2^2": 4, "10 % 4": 2, "--3": 3, "abs(-3)": 3, "abs -3": 3,
		"3.141592 * (123.45678 - (3.141592 - 2.71828)) / 123.45678": 3.141592 * (123.45678 - (3.141592 - 2.71828)) / 123.45678,
		"sqrt(16)": 4, "log(1000)": 3, "ln(e)": 1, "cos(pi)": -1, "1.5e3 + 1E-1": 1500.1, ".5*2": 1, "2e": math.NaN(), "floor(3.7)": 3, "ceil 3.2": 4,
	} {
		x, err := evaluate(s)
		if math.IsNaN(want) != (err != nil) || err == nil && !near(x, want) {
			t.Errorf("%s = %v, %v; want %v", s, x, err, want)
		}
	}
	for _, s := range []string{"", "1+", "(1", "1)", "x", "1 2", "abs", "a(1)", "1..2", "*1", strings.Repeat("(", maxDepth+1) + "1" + strings.Repeat(")", maxDepth+1)} {
		if x, err := evaluate(s); err == nil {
			t.Errorf("%.20q = %v", s, x)
		}
	}
}

// TestRPN computes the documentation's example and the operators.
func TestRPN(t *testing.T) {
	for s, want := range map[string]float64{
		"1 3 swap swap dup drop / exp ln 1 swap /": 3, "2 3 pow": 8, "7 4 mod": 3, "5 neg abs": 5, "2.5 round": 3, "2.5 nearbyint": 2, "27 cbrt": 3,
		"pi e -": math.Pi - math.E, "1 2 -": -1, "2 3 * 4 +": 10, "100 log10 sqrt trunc": 1, "1.2 ceil": 2, "1.9 floor": 1,
	} {
		if x, err := rpn(s); err != nil || !near(x, want) {
			t.Errorf("%s = %v, %v; want %v", s, x, err, want)
		}
	}
	for _, s := range []string{"", "1 2", "+", "1 +", "drop", "1 foo", "swap", "1 swap", strings.Repeat("1 ", maxStack+1)} {
		if x, err := rpn(s); err == nil {
			t.Errorf("%.20q = %v", s, x)
		}
	}
}

// TestRounding is by the documentation's examples.
func TestRounding(t *testing.T) {
	for figures, want := range map[int]float64{1: 20000, 2: 18000, 3: 17900, 4: 17890, 5: 17893, 6: 17893.0, 7: 17892.99} {
		if x, _ := roundFigures(17892.987, figures); x != want {
			t.Errorf("%d figures: %v, want %v", figures, x, want)
		}
	}
	for _, tc := range []struct {
		x      float64
		digits int
		want   float64
	}{{1.2, 0, 1}, {0.5, 0, 1}, {-0.5, 0, -1}, {3.141492, 4, 3.1415}, {1e300, 20, 1e300}} {
		if x := roundTo(tc.x, tc.digits); x != tc.want {
			t.Errorf("%v to %d: %v", tc.x, tc.digits, x)
		}
	}
	if x, digits := roundFigures(0, 3); x != 0 || digits != 2 {
		t.Error(x, digits)
	}
}

// FuzzEvaluate finds expressions that hang or panic.
func FuzzEvaluate(f *testing.F) {
	f.Add("2 * (3 - abs(-1)) ^ 2 % e")
	f.Fuzz(func(_ *testing.T, s string) {
		_, _ = evaluate(s)
		_, _ = rpn(s)
	})
}
