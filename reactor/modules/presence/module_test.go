package presence

import (
	"testing"

	"sipreactor/reactor/script"
)

// What OpenSIPS had before contact_user gives the user of our Contact.
func TestServerAddress(t *testing.T) {
	m := &Module{user: "presence"}
	for _, c := range []struct{ text, want string }{{"sip:127.0.0.1:5060", "presence"}, {"sip:rls@127.0.0.1:5060", "rls"}} {
		if err := m.setAddress(script.Literal{Text: c.text}); err != nil || m.user != c.want {
			t.Errorf("%s: %v, %q", c.text, err, m.user)
		}
	}
	if m.setAddress(script.Literal{Text: "127.0.0.1"}) == nil {
		t.Error("what is no URI is taken")
	}
}
