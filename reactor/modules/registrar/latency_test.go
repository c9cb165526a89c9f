package registrar_test

import (
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/usrloc"
)

// TestLatency looks up contacts by how long the answers to their pings took.
func TestLatency(t *testing.T) {
	for flags, want := range map[string]string{
		"":                                       "sip:none@h sip:slow@h sip:fast@h",
		"sort-by-latency":                        "sip:fast@h sip:slow@h sip:none@h",
		"Y":                                      "sip:fast@h sip:slow@h sip:none@h",
		"max-ping-latency=50000":                 "sip:none@h sip:fast@h",
		"sort-by-latency,no-branches":            "sip:fast@h",
		"max-ping-latency=50000,sort-by-latency": "sip:fast@h sip:none@h",
		"y1000Y":                                 "sip:none@h",
	} {
		t.Run(flags, func(t *testing.T) {
			arg := ""
			if flags != "" {
				arg = `, "` + flags + `"`
			}
			b := bench(t, `
route {
	if (is_method("REGISTER")) { save("location"); exit; }
	lookup("location"`+arg+`);
	xlog("$ru");
	$var(i) = 1;
	while ($(msg.branch.uri[$var(i)]) != NULL) { xlog("$(msg.branch.uri[$var(i)])"); $var(i) = $var(i) + 1; }
}
loadmodule "sipmsgops.so"
`)
			b.Receive(register(1, "Contact: <sip:none@h>, <sip:slow@h>, <sip:fast@h>"))
			places := b.Config.Instance("usrloc").(*usrloc.Module)
			places.Answered("location", "alice", 2, 80*time.Millisecond)
			places.Answered("location", "alice", 3, 20*time.Millisecond)
			places.Answered("location", "alice", 99, time.Second) // one that is gone
			if got := b.Command(t, "ul_show_contact", []string{"location", "alice"}); !strings.Contains(got, `"Latency":80000`) {
				t.Error(got)
			}
			b.Receive(moduletest.CRLF("MESSAGE sip:alice@example.org SIP/2.0\nVia: SIP/2.0/TLS 10.0.0.9:5061;branch=z9hG4bKm\nMax-Forwards: 70\n" +
				"From: <sip:bob@example.org>;tag=f\nTo: <sip:alice@example.org>\nCall-ID: m\nCSeq: 1 MESSAGE\nContent-Length: 0\n\n"))
			if got := strings.ReplaceAll(strings.Join(b.Log, " "), "<null>", ""); strings.TrimSpace(got) != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}
