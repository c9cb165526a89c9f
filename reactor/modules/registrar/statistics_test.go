package registrar_test

import (
	"fmt"
	"testing"

	"sipreactor/reactor/script"
)

// TestStatistics has those of a table under its name, as OpenSIPS has them.
func TestStatistics(t *testing.T) {
	b := bench(t, fmt.Sprintf(saving, ""))
	b.Receive(register(1, "Contact: <sip:a@h>, <sip:b@h>"))
	got := make(map[string]uint64)
	b.Config.ModuleStatistics(func(group string, s *script.Statistic) { got[group+":"+s.Name] = s.Value() })
	for name, want := range map[string]uint64{
		"usrloc:registered_users": 1, "usrloc:location-users": 1, "usrloc:location-contacts": 2, "usrloc:location-expires": 0,
		"registrar:accepted_regs": 1, "registrar:rejected_regs": 0, "registrar:default_expire": 3600,
	} {
		if n, ok := got[name]; !ok || n != want {
			t.Errorf("%s: %d %v, want %d", name, n, ok, want)
		}
	}
}
