package exec_test

import (
	"strings"
	"testing"

	"sipreactor/reactor/modules/exec"
	"sipreactor/reactor/modules/moduletest"
)

// TestExec runs commands by the examples of the documentation.
func TestExec(t *testing.T) {
	head := moduletest.Head("exec") + "modparam(\"exec\", \"allow\", 1)\nmodparam(\"exec\", \"setvars\", 1)\n"
	for text, want := range map[string]string{
		`$avp(env) = "a"; $avp(env) = "b"; exec("echo $$OSIPS_EXEC_0 $$OSIPS_EXEC_1; echo no >&2", , $var(out), $var(err), $avp(env)); xlog("$var(out) $var(err)");`: "b a no",
		`exec("cat", "this is my $rU", $var(out)); xlog("$var(out)");`:                                               "this is my +4930123",
		`exec("printf 'sip:new@x'", , $ru); xlog("$ru");`:                                                            "sip:new@x",
		`if (!exec("exit 3", , $var(out))) xlog("$rc <$var(out)>");`:                                                 "exec: the command failed error=exit status 3 at=test.cfg:10:6|-1 <<null>>",
		`exec("echo \"$$SIP_SRCIP $$SIP_OUSER $$SIP_HF_CALL_ID $$SIP_HF_P_NOTE\"", , $var(out)); xlog("$var(out)");`: "10.0.0.9 +4930123 a84b4c76e66710@pc33 one, two, three, last",
		`exec("true"); xlog("at once");`:                                                                             "at once",
	} {
		got := strings.Join(moduletest.Logs(t, head, text, exec.New), "|")
		if got = strings.Replace(got, " peer=10.0.0.9:40000", "", 1); got != want {
			t.Errorf("%s\n got %s\nwant %s", text, got, want)
		}
	}
	if got := moduletest.Wrong(t, moduletest.Head("exec")+`route { exec("true"); }`, exec.New); !strings.Contains(got, `which nothing allows: modparam("exec", "allow", 1)`) {
		t.Error(got)
	}
}
