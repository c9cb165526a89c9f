package pua_usrloc

import (
	"fmt"
	"strings"
	"testing"

	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/pua"
	"sipreactor/reactor/modules/tm"
	"sipreactor/reactor/modules/usrloc"
)

func TestDocumented(t *testing.T) { moduletest.Documented(t, New) }

// A mark is found by both forms of an address of record, goes with the last contact, and one whose REGISTER was
// refused makes room.
func TestMarks(t *testing.T) {
	k := newMarks()
	if !k.put("Bob", "Example.org", 100) {
		t.Fatal("there is no room")
	}
	for _, aor := range []string{"bob", "BOB@example.org"} {
		if user, domain, ok := k.get(aor, false); !ok || user != "Bob" || domain != "Example.org" {
			t.Errorf("%s: %s %s %v", aor, user, domain, ok)
		}
	}
	k.get("bob@example.org", true)
	if _, _, ok := k.get("bob", false); ok || len(k.list) != 0 {
		t.Errorf("%d marks are left", len(k.list))
	}
	for i := range maxMarks / 2 {
		k.put(fmt.Sprint(i), "x", 100)
	}
	if k.put("late", "x", 150) {
		t.Error("there is room for more than may be")
	}
	k.get("7", false)
	if !k.put("late", "x", 200) || len(k.list) != 3 {
		t.Errorf("%d marks, want those of 7 and late", len(k.list))
	}
}

func TestWrong(t *testing.T) {
	for text, want := range map[string]string{
		`modparam("pua_usrloc", "entity_prefix", "a b")` + "\nroute { exit; }\n":       "is a scheme",
		`modparam("pua_usrloc", "presence_server", "nowhere")` + "\nroute { exit; }\n": "is no SIP URI",
		"failure_route[x] { pua_set_publish(); }\n":                                    "failure_route",
	} {
		if got := moduletest.Wrong(t, moduletest.Head("tm", "usrloc", "pua", "pua_usrloc")+text, tm.New, usrloc.New, pua.New, New); !strings.Contains(got, want) {
			t.Errorf("%s: %s", text, got)
		}
	}
	b := moduletest.New(t, moduletest.Head("tm", "usrloc", "pua", "pua_usrloc")+"route { pua_set_publish(); xlog(\"$rc\"); }\n", tm.New, usrloc.New, pua.New, New)
	b.Receive(moduletest.Invite)
	if got := strings.Join(b.Log, "|"); !strings.HasSuffix(got, "|-1") {
		t.Errorf("pua_set_publish() of an INVITE: %s", got)
	}
}
