package dialog_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// found is what dlg_find answers.
type found struct {
	Active, Early, Total int
	Profiles             []struct {
		Name, Value string
		Calls       int
	}
	Found []struct {
		ID, From, To, Caller, Callee, State string
		Profiles                            []string
	}
}

func (c *call) find(words string) (f found) {
	c.t.Helper()
	if err := json.Unmarshal([]byte(c.command("dlg_find", fmt.Sprintf(`{"words":%q}`, words))), &f); err != nil {
		c.t.Fatal(err)
	}
	return f
}

const findRoutes = `
modparam("dialog", "profiles_with_value", "caller")
modparam("dialog", "profiles_no_value", "all")
route {
	if (has_totag()) { loose_route(); t_relay(); exit; }
	record_route();
	create_dialog();
	set_dlg_profile("all");
	set_dlg_profile("caller", "+4930123456@example.net");
	$du = "sip:192.0.2.9:5061;transport=tls";
	t_relay();
}
`

// TestFind: calls are found by what is shown of them, and numbers are not shown.
func TestFind(t *testing.T) {
	c := newCall(t, findRoutes)
	out := c.request("INVITE", "1", false)
	if f := c.find(""); f.Active != 1 || f.Total != 1 || len(f.Found) != 1 || f.Found[0].State != "calling" {
		t.Errorf("%+v", f)
	}
	c.answer(out, "180 Ringing", "b")
	if f := c.find("ringing"); f.Early != 1 || f.Total != 1 || f.Found[0].From != "alice@example.net" || f.Found[0].Callee != "bob@192.0.2.9" {
		t.Errorf("%+v", f)
	}
	f := c.find("all")
	if len(f.Found) != 1 || strings.Join(f.Found[0].Profiles, ",") != "all,caller +49…56@example.net" {
		t.Errorf("%+v", f)
	}
	if len(f.Profiles) != 2 || f.Profiles[0].Name != "caller" || f.Profiles[0].Value != "+49…56@example.net" || f.Profiles[0].Calls != 1 || f.Profiles[1].Value != "" {
		t.Errorf("%+v", f.Profiles)
	}
	if f := c.find("4930123456"); f.Total != 0 { // what is hidden cannot be guessed
		t.Errorf("%+v", f)
	}
	c.answer(out, "486 Busy Here", "b")
	if f := c.find("alice bob"); f.Total != 0 || f.Active != 0 {
		t.Errorf("%+v", f)
	}
}

// TestFindNumbers: a parameter has numbers shown.
func TestFindNumbers(t *testing.T) {
	c := newCall(t, "modparam(\"dialog\", \"show_numbers\", 1)\n"+findRoutes)
	c.request("INVITE", "1", false)
	if f := c.find("4930123456"); f.Total != 1 || f.Found[0].Profiles[1] != "caller +4930123456@example.net" {
		t.Errorf("%+v", f)
	}
}
