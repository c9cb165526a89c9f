package mathops_test

import (
	"strings"
	"testing"

	"sipreactor/reactor/modules/mathops"
	"sipreactor/reactor/modules/moduletest"
)

// TestFunctions are the examples of the documentation.
func TestFunctions(t *testing.T) {
	for text, want := range map[string]string{
		`$avp(1) = "3.141592"; $avp(2) = "2.71828"; $avp(3) = "123.45678"; if (math_eval("$avp(1) * ($avp(3) - ($avp(1) - $avp(2))) / $avp(3)", $avp(result))) xlog("$avp(result)");`: "3.130820",
		`$avp(1) = "3"; math_rpn("1 $avp(1) swap swap dup drop / exp ln 1 swap /", $avp(result)); xlog("$avp(result)");`:                                                              "3.000000",
		`$avp(1) = "3.141492"; math_trunc($avp(1), $var(a)); math_floor("-2.9", $var(b)); math_ceil("-2.9", $var(c)); xlog("$var(a) $var(b) $var(c)");`:                               "3 -3 -2",
		`math_round("3.141492", $var(a)); math_round("3.141492", $var(b), 4); math_round("-0.5", $var(c)); xlog("$var(a) $var(b) $var(c)");`:                                          "3 3.1415 -1",
		`math_round_sf("3.141492", $var(a), 4); math_round_sf("17892.987", $var(b), 6); math_round_sf("17892.987", $var(c), 2); xlog("$var(a) $var(b) $var(c)");`:                     "3.141 17893.0 18000",
		`$var(e) = "1 + 8"; $var(f) = "7/2"; math_compare($var(e), $var(f), $var(r)); xlog("$var(r)"); math_compare("1", "1", $var(r)); xlog("$var(r)");`:                             "1|0",
		`if (!math_eval("1/0", $var(x)) && !math_eval("x", $var(x)) && !math_round("1", $var(x), 99) && !math_eval($hdr(None), $var(x))) xlog("$var(x)");`:                            "<null>",
	} {
		if got := strings.Join(moduletest.Logs(t, moduletest.Head("mathops"), text, mathops.New), "|"); got != want {
			t.Errorf("%s\n got %s\nwant %s", text, got, want)
		}
	}
	if got := moduletest.Logs(t, moduletest.Head("mathops")+"modparam(\"mathops\", \"decimal_digits\", 2)\n", `math_eval("2/3", $var(x)); xlog("$var(x)");`, mathops.New); got[0] != "0.67" {
		t.Error(got)
	}
}
