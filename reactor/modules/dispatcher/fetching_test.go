package dispatcher_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sipreactor/reactor/modules/dispatcher"
	"sipreactor/reactor/modules/freeswitch"
	"sipreactor/reactor/modules/freeswitch/freeswitchtest"
	"sipreactor/reactor/modules/moduletest"
)

// TestFetchedWeight: FreeSWITCH tells a destination's weight, and calls go by it.
func TestFetchedWeight(t *testing.T) {
	s := freeswitchtest.Listen(t, "ClueCon")
	path := filepath.Join(t.TempDir(), "ds.csv")
	table := "setid,destination,weight\n1,sip:10.0.0.1,fs://:ClueCon@" + s.Addr + "\n1,sip:10.0.0.2,500\n2,sip:10.0.0.3,500\n2,sip:10.0.0.4,fs://ClueCon@\n"
	if err := os.WriteFile(path, []byte(table), 0o600); err != nil {
		t.Fatal(err)
	}
	head := moduletest.Head("dispatcher") + fmt.Sprintf("modparam(\"dispatcher\", \"dispatcher_file\", %q)\nroute { ds_select_dst(1, 6); xlog(\"$du\"); }\n", path)
	fetch := `modparam("dispatcher", "fetch_freeswitch_stats", 1)
modparam("dispatcher", "max_freeswitch_weight", 200)
`
	b := moduletest.New(t, head+`loadmodule "freeswitch.so"`+"\n"+fetch, dispatcher.New, freeswitch.New)
	list := func() string { return b.Command(t, "ds_list", map[string]any{"full": 1}) }
	for _, want := range []string{`"weight":200`, `"weight":500`} {
		if got := list(); !strings.Contains(got, want) {
			t.Errorf("at the start: %s", got)
		}
	}
	s.Await(t, "event json HEARTBEAT")
	s.Beat(t, "50.0", list, `"weight":90,`)
	if got := b.Command(t, "ds_reload", nil); !strings.Contains(got, "is no fs://") || strings.Contains(got, "ClueCon@") {
		t.Error(got)
	}
	if got := list(); !strings.Contains(got, `"weight":90,`) {
		t.Errorf("after a reload: %s", got)
	}
	s.Beat(t, "0.0", list, `"weight":0,`)
	for range 20 {
		if b.Receive(moduletest.Invite); strings.Join(b.Log, "") != "sip:10.0.0.2" {
			t.Fatalf("a call goes to who has no room: %v", b.Log)
		}
	}
	b = moduletest.New(t, head, dispatcher.New)
	if got := b.Command(t, "ds_reload", nil); !strings.Contains(got, "fetch_freeswitch_stats") || strings.Contains(got, "ClueCon@") {
		t.Error(got)
	}
	if got := moduletest.Wrong(t, head+fetch, dispatcher.New); !strings.Contains(got, `loadmodule "freeswitch.so"`) {
		t.Error(got)
	}
}
