package dialog_test

import (
	"strings"
	"testing"

	"sipreactor/reactor/modules/moduletest"
)

// How long a call may last can be said before there is a dialog; what is said behind that counts.
func TestTimeoutBeforeTheDialog(t *testing.T) {
	for statements, want := range map[string]string{
		`$DLG_timeout = 7; xlog("$DLG_timeout"); create_dialog(); xlog("$DLG_timeout");`:                 "<null>|7",
		`$DLG_timeout = 7; $DLG_timeout = "8"; create_dialog(); xlog("$DLG_timeout");`:                   "8",
		`$DLG_timeout = 7; create_dialog(); $DLG_timeout = 9; create_dialog("B"); xlog("$DLG_timeout");`: "9",
		`$DLG_timeout = "soon"; create_dialog(); if ($DLG_timeout > 3600) xlog("the default");`:          "script: $DLG_timeout: it takes a number|the default",
		`$DLG_del_delay = 7; create_dialog(); xlog("$DLG_del_delay");`:                                   "script: $DLG_del_delay: there has to be a dialog|0",
	} {
		got := moduletest.Logs(t, head, statements, modules...)
		for i := range got {
			got[i], _, _ = strings.Cut(got[i], " peer=")
		}
		if all := strings.Join(got, "|"); all != want {
			t.Errorf("%s\n%s", statements, all)
		}
	}
}
