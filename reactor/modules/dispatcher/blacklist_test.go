package dispatcher_test

import (
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/modules/dispatcher"
	"sipreactor/reactor/modules/moduletest"
)

// TestBlacklist: a list has the addresses of its sets.
func TestBlacklist(t *testing.T) {
	b := moduletest.New(t, head(t, table, `ds_define_blacklist="boxes = 2,3"`)+"route { exit; }", dispatcher.New)
	var rules []string
	for _, l := range b.Config.Proxy.Blacklists.Lists() {
		if l.Name() == "boxes" {
			for _, e := range l.Entries(time.Now()) {
				rules = append(rules, e.String())
			}
		}
	}
	if got := strings.Join(rules, " "); got != "any,10.0.1.1/32,0 any,10.0.1.2/32,0 any,10.0.2.1/32,0" {
		t.Errorf("%s", got)
	}
	for _, bad := range []string{"x", "= 1", "x = a"} {
		if got := moduletest.Wrong(t, head(t, table, `ds_define_blacklist="`+bad+`"`)+"route { exit; }", dispatcher.New); !strings.Contains(got, "is not written as") {
			t.Errorf("%s: %s", bad, got)
		}
	}
}
