package loadbalancer_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sipreactor/reactor/modules/freeswitch"
	"sipreactor/reactor/modules/freeswitch/freeswitchtest"
	loadbalancer "sipreactor/reactor/modules/load_balancer"
	"sipreactor/reactor/modules/moduletest"
)

// TestFetchedCapacity: FreeSWITCH tells how many calls it takes, beginning with initial_freeswitch_load.
func TestFetchedCapacity(t *testing.T) {
	s := freeswitchtest.Listen(t, "ClueCon")
	path := filepath.Join(t.TempDir(), "lb.csv")
	table := "id,group_id,dst_uri,resources\n1,1,sip:10.0.0.1,channels=fs://:ClueCon@" + s.Addr + ";pstn=7\n2,1,sip:10.0.0.2,channels=fs://ClueCon@\n"
	if err := os.WriteFile(path, []byte(table), 0o600); err != nil {
		t.Fatal(err)
	}
	head := moduletest.Head("load_balancer") + fmt.Sprintf("modparam(\"load_balancer\", \"load_balancer_file\", %q)\nroute { lb_start(1, \"channels\"); }\n", path)
	fetch := `modparam("load_balancer", "fetch_freeswitch_stats", 1)
modparam("load_balancer", "initial_freeswitch_load", 15)
`
	b := moduletest.New(t, head+`loadmodule "freeswitch.so"`+"\n"+fetch, loadbalancer.New, freeswitch.New)
	list := func() string { return b.Ask(t, "lb_list", `{}`) }
	if got := list(); !strings.Contains(got, `"name":"channels","max":15`) {
		t.Errorf("at the start: %s", got)
	}
	s.Await(t, "event json HEARTBEAT")
	s.Beat(t, "50.000000", list, `"name":"channels","max":450`)
	if got := list(); !strings.Contains(got, `"name":"pstn","max":7`) {
		t.Errorf("told: %s", got)
	}
	got := b.Ask(t, "lb_reload", `{}`)
	if !strings.Contains(got, "the URL of FreeSWITCH is no fs://") || strings.Contains(got, "ClueCon@") {
		t.Error(got)
	}
	if got := list(); !strings.Contains(got, `"name":"channels","max":450`) {
		t.Errorf("after a reload: %s", got)
	}
	b = moduletest.New(t, head, loadbalancer.New)
	if got = b.Ask(t, "lb_reload", `{}`); !strings.Contains(got, "fetch_freeswitch_stats") || strings.Contains(got, "ClueCon@") {
		t.Error(got)
	}
	if got = moduletest.Wrong(t, head+fetch, loadbalancer.New); !strings.Contains(got, `loadmodule "freeswitch.so"`) {
		t.Error(got)
	}
}
