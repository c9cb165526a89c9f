package exec_test

import (
	"strings"
	"testing"

	"sipreactor/reactor/modules/exec"
	"sipreactor/reactor/modules/moduletest"
)

// What OpenSIPS 2 had: each use of an output has a function.
func TestOlderFunctions(t *testing.T) {
	t.Setenv("SIPREACTOR_EXEC_TEST", "of the environment")
	head := moduletest.Head("exec") + "modparam(\"exec\", \"allow\", 1)\n"
	for run, want := range map[string]string{
		`exec_avp("printf 'one\\ntwo\\nthree\\n'", "$avp(a);$var(b)"); xlog("$avp(a) $var(b)");`:                "one two",
		`exec_avp("printf 'one\\ntwo'"); xlog("$avp(1) $avp(2)");`:                                              "one two",
		`exec_msg("grep -q '^Call-ID: a84b4c76e66710@pc33'"); xlog("$rc");`:                                     "1",
		`exec_msg("exit 3"); xlog("$rc");`:                                                                      "-1",
		`exec_getenv("SIPREACTOR_EXEC_TEST", "$avp(e)"); xlog("$avp(e)");`:                                      "of the environment",
		`exec_getenv("SIPREACTOR_EXEC_TEST"); xlog("$avp(1)");`:                                                 "of the environment",
		`exec_getenv("SIPREACTOR_NO_SUCH", "$avp(e)"); xlog("$rc");`:                                            "-1",
		`exec_dset("printf 'sip:a@192.0.2.1\\nno uri\\nsip:b@192.0.2.2\\n' #"); xlog("$ru $(branch(uri)[*])");`: "sip:a@192.0.2.1 sip:b@192.0.2.2",
		`exec_dset("true"); xlog("$rc");`:                                                                       "-1",
	} {
		log := moduletest.Logs(t, head, run, exec.New)
		if len(log) == 0 || log[len(log)-1] != want {
			t.Errorf("%s: %q, want %q", run, log, want)
		}
	}
	for _, f := range []string{`exec_msg("x")`, `exec_dset("x")`, `exec_avp("x")`} {
		if got := moduletest.Wrong(t, moduletest.Head("exec")+"route { "+f+"; }\n", exec.New); !strings.Contains(got, "which nothing allows") {
			t.Errorf("%s: %s", f, got)
		}
	}
}

// The Request-URI is one word to the shell, whatever a peer writes into it.
func TestDestinationsQuote(t *testing.T) {
	b := moduletest.New(t, moduletest.Head("exec")+`modparam("exec", "allow", 1)
route { exec_dset("printf '%s;seen=1'"); xlog("$ru"); }
`, exec.New)
	evil := strings.Replace(string(moduletest.Invite), "sip:+4930123@example.net:5070;transport=tls;user=phone SIP", "sip:a'$(echo@example.net SIP", 1)
	b.Receive([]byte(evil))
	if got := strings.Join(b.Log, "|"); !strings.Contains(got, "sip:a'$(echo@example.net;seen=1") {
		t.Errorf("logged %q", got)
	}
}
