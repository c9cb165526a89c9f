package acc_test

import (
	"strings"
	"testing"

	"sipreactor/reactor/modules/moduletest"
)

// Flags and values of before OpenSIPS 2.2 account a transaction as do_accounting() does.
func TestOlderParameters(t *testing.T) {
	text := head + `loadmodule "sipmsgops.so"
modparam("acc", "log_flag", "ACC")
modparam("acc", "log_missed_flag", "MISSED")
modparam("acc", "failed_transaction_flag", 3)
modparam("acc", "log_extra", "src=$fU; dst=$rU;ip=$si")
route { if (is_method("INVITE")) { setflag("ACC"); setflag("MISSED"); } if (is_method("BYE")) { setflag("ACC"); setflag(3); } t_relay(); }
`
	b := moduletest.New(t, text, modules...)
	b.Receive(request("INVITE "+bob, ""))
	answer(t, b, last(b), "200 OK")
	if got := logged(b); !strings.Contains(got, "ACC: transaction answered") || !strings.Contains(got, "src=alice;dst=bob;ip=10.0.0.9") {
		t.Errorf("answered: %s", got)
	}
	b.Receive(request("BYE "+bob, ";tag=b"))
	answer(t, b, last(b), "404 No")
	if got := logged(b); !strings.Contains(got, "code=404") {
		t.Errorf("failed: %s", got)
	}
	b.Receive(request("OPTIONS "+bob, ""))
	answer(t, b, last(b), "200 OK")
	if got := logged(b); strings.Contains(got, "ACC") {
		t.Errorf("without a flag: %s", got)
	}
	for line, want := range map[string]string{
		`modparam("acc", "db_flag", "X")`:          "db_url of acc is not set",
		`modparam("acc", "cdr_flag", "X")`:         `needs the module dialog`,
		`modparam("acc", "log_extra", "a=b")`:      "is name=$variable",
		`modparam("acc", "db_extra", "a=$nosuch")`: "$nosuch",
	} {
		if got := moduletest.Wrong(t, head+line+"\nroute { exit; }\n", modules...); !strings.Contains(got, want) {
			t.Errorf("%s: %s", line, got)
		}
	}
}
