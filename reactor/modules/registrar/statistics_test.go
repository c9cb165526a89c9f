package registrar_test

import (
	"fmt"
	"strings"
	"testing"

	"sipreactor/reactor/script"
)

// TestFind finds contacts by words, as the page asks for them.
func TestFind(t *testing.T) {
	b := bench(t, fmt.Sprintf(saving, ""))
	b.Receive(register(1, "Contact: <sip:a@h1>, <sip:b@h2>"))
	b.Receive(register(1, "Contact: <sip:c@h1>;expires=60|Call-ID: two"))
	for words, want := range map[string][]string{
		"":               {`"Total":3`, `"Users":1,"Contacts":3`},
		"h1":             {`"Total":2`, `"AOR":"alice","Contact":"sip:a@h1","Agent":"phone"`, `"Contact":"sip:c@h1","Agent":"phone","Received":"","Left":`},
		"alice h1 sip:c": {`"Total":1`, `"Connection":"7"`},
		"nobody":         {`"Total":0,"Found":[]`},
	} {
		got := b.Command(t, "ul_find", map[string]string{"words": words})
		for _, w := range want {
			if !strings.Contains(got, w) {
				t.Errorf("%q: %s lacks %s", words, got, w)
			}
		}
	}
}

// TestStatistics has those of a table under its name, as OpenSIPS has them.
func TestStatistics(t *testing.T) {
	b := bench(t, fmt.Sprintf(saving, ""))
	b.Receive(register(1, "Contact: <sip:a@h>, <sip:b@h>"))
	got := make(map[string]uint64)
	b.Config.ModuleStatistics(func(group string, s *script.Statistic) { got[group+":"+s.Name] = s.Read() })
	for name, want := range map[string]uint64{
		"usrloc:registered_users": 1, "usrloc:location-users": 1, "usrloc:location-contacts": 2, "usrloc:location-expires": 0,
		"registrar:accepted_regs": 1, "registrar:rejected_regs": 0, "registrar:default_expire": 3600,
	} {
		if n, ok := got[name]; !ok || n != want {
			t.Errorf("%s: %d %v, want %d", name, n, ok, want)
		}
	}
}
