package registrar_test

import (
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/internal/waittest"
	"sipreactor/reactor/modules/event_route"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/sl"
	"sipreactor/reactor/modules/tm"
	"sipreactor/reactor/modules/usrloc"
	"sipreactor/reactor/script"
)

// events logs each event of usrloc with all parameters that it is documented with.
func events() string {
	var b strings.Builder
	each := func(name string, params ...string) {
		b.WriteString("event_route[" + name + "] { xlog(\"" + name)
		for _, p := range params {
			b.WriteString(" " + p + "=$param(" + p + ")")
		}
		b.WriteString("\"); }\n")
	}
	contact := []string{"domain", "aor", "uri", "received", "path", "qval", "user_agent", "socket", "bflags", "expires", "callid", "cseq", "attr", "latency", "shtag"}
	each("E_UL_AOR_INSERT", "domain", "aor")
	each("E_UL_AOR_DELETE", "domain", "aor")
	for _, name := range []string{"E_UL_CONTACT_INSERT", "E_UL_CONTACT_UPDATE", "E_UL_CONTACT_DELETE", "E_UL_LATENCY_UPDATE"} {
		each(name, contact...)
	}
	each("E_UL_CONTACT_REFRESH", "domain", "aor", "uri", "received", "user_agent", "socket", "bflags", "expires", "callid", "attr", "shtag", "reason", "req_callid")
	return b.String()
}

// told is a bench whose events reach its event routes.
func told(t *testing.T, text string, modules ...script.Constructor) *moduletest.Bench {
	t.Helper()
	b := moduletest.New(t, text, append([]script.Constructor{event_route.New}, modules...)...)
	b.Config.Stop(nil)
	events := script.NewBackground(b.Config.Program)
	running := make(chan struct{})
	close(running)
	around := script.Surroundings{Proxy: b.Proxy, Commands: b.Commands, Events: events, Log: slog.New(slog.DiscardHandler), StateDir: t.TempDir(), Running: running}
	if err := b.Config.Start(around, nil); err != nil {
		t.Fatal(err)
	}
	events.Start()
	t.Cleanup(events.Close)
	return b
}

var unixTime = regexp.MustCompile(`expires=\d{10}`)

// TestEvents has a phone come, come again, be pinged and go: each event is told once, with its parameters.
func TestEvents(t *testing.T) {
	b := told(t, moduletest.Head("signaling", "usrloc", "registrar", "event_route")+`
modparam("usrloc", "nat_bflag", "NAT")
modparam("registrar", "received_avp", "$avp(rcv)")
modparam("registrar", "attr_avp", "$avp(attr)")
route { $avp(rcv) = "sip:192.0.2.7:5070"; $avp(attr) = "desk"; setbflag("NAT"); save("location", "path-lazy"); }
`+events(), all...)
	heard := func(what string, n int, want ...string) {
		t.Helper()
		waittest.For(t, what, func() bool { return len(b.Lines()) >= n })
		got := unixTime.ReplaceAllString(strings.Join(b.Lines(), "\n"), "expires=T")
		for _, w := range want {
			if strings.Count(got, w) != 1 {
				t.Errorf("%s: it is told\n%s\nwant once\n%s", what, got, w)
			}
		}
		if len(b.Lines()) != n {
			t.Errorf("%s: %d events", what, len(b.Lines()))
		}
	}
	contact := func(event, cseq, latency string) string {
		return event + " domain=location aor=alice uri=sip:a@192.0.2.9 received=sip:192.0.2.7:5070 path=<sip:p1;lr> qval=500 user_agent=phone " +
			"socket=tls:127.0.0.1:5061 bflags=1 expires=T callid=one cseq=" + cseq + " attr=desk latency=" + latency + " shtag="
	}
	const headers = "Contact: <sip:a@192.0.2.9>;q=0.5|Path: <sip:p1;lr>|Supported: path"
	b.Receive(register(1, headers))
	heard("it comes", 2, "E_UL_AOR_INSERT domain=location aor=alice", contact("E_UL_CONTACT_INSERT", "1", "0"))
	b.Receive(register(2, headers))
	heard("it comes again", 1, contact("E_UL_CONTACT_UPDATE", "2", "0"))
	b.Receive(register(2, headers)) // a retransmission is no news
	b.Config.Instance("usrloc").(*usrloc.Module).Answered("location", "alice", 1, 80*time.Millisecond)
	heard("it has answered a ping", 1, contact("E_UL_LATENCY_UPDATE", "2", "80000"))
	b.Receive(register(3, "Contact: *|Expires: 0"))
	heard("it goes", 2, contact("E_UL_CONTACT_DELETE", "2", "80000"), "E_UL_AOR_DELETE domain=location aor=alice")
}

// TestLatencyEvents are raised from a latency, or from a change of it, on.
func TestLatencyEvents(t *testing.T) {
	for params, want := range map[string]string{
		"": "10000 12000 90000 91000 11000",
		"modparam(\"usrloc\", \"latency_event_min_us\", 50000)\n":                                                              "90000 91000",
		"modparam(\"usrloc\", \"latency_event_min_us_delta\", 50000)\n":                                                        "90000 11000",
		"modparam(\"usrloc\", \"latency_event_min_us\", 91000)\nmodparam(\"usrloc\", \"latency_event_min_us_delta\", 50000)\n": "90000 91000 11000",
	} {
		b := told(t, moduletest.Head("signaling", "usrloc", "registrar", "event_route")+params+
			"route { save(\"location\"); }\nevent_route[E_UL_LATENCY_UPDATE] { xlog(\"$param(latency)\"); }\n", all...)
		b.Receive(register(1, "Contact: <sip:a@192.0.2.9>"))
		places := b.Config.Instance("usrloc").(*usrloc.Module)
		for _, took := range []int{10, 12, 90, 91, 11} {
			places.Answered("location", "alice", 1, time.Duration(took)*time.Millisecond)
		}
		n := len(strings.Fields(want))
		waittest.For(t, params+"they are told", func() bool { return len(b.Lines()) >= n })
		if got := strings.Join(b.Lines(), " "); got != want {
			t.Errorf("%sraised for %s, want %s", params, got, want)
		}
	}
}

// TestRegistrationRefresh: phones with push parameters are woken before their registrations end, once. One that wakes by
// itself (pnsreg) would have come before; one without the parameters sleeps on.
func TestRegistrationRefresh(t *testing.T) {
	b := told(t, moduletest.Head("signaling", "sl", "tm", "usrloc", "registrar", "event_route")+`
modparam("usrloc", "contact_refresh_timer", 1)
modparam("registrar", "pn_enable", true)
modparam("registrar", "pn_providers", "apns")
modparam("registrar", "pn_trigger_interval", 120)
route { save("location"); }
`+events(), append([]script.Constructor{sl.New, tm.New}, all...)...)
	const pn = ";pn-provider=apns;pn-prid=x;pn-param=y"
	b.Receive(register(1, "Contact: <sip:far@192.0.2.9"+pn+"1>;expires=3600, <sip:plain@192.0.2.9>;expires=60, <sip:self@192.0.2.9"+pn+"2>;+sip.pnsreg;expires=60, <sip:near@192.0.2.9"+pn+"3>;expires=60"))
	if got := b.Status(); got != "200" {
		t.Fatal(got)
	}
	woken := func() (list []string) {
		for _, l := range b.Lines() {
			if strings.HasPrefix(l, "E_UL_CONTACT_REFRESH") {
				list = append(list, unixTime.ReplaceAllString(l, "expires=T"))
			}
		}
		return list
	}
	waittest.For(t, "the phones are woken", func() bool { return len(woken()) > 1 })
	for _, name := range []string{"self", "near"} {
		if got := strings.Join(woken(), "\n"); len(woken()) != 2 || strings.Count(got, " uri=sip:"+name+"@") != 1 {
			t.Errorf("woken are\n%s", got)
		}
	}
	b.Receive(register(2, "Contact: <sip:late@192.0.2.9"+pn+"4>;expires=60")) // and Log is empty again
	waittest.For(t, "the third is", func() bool { return len(woken()) > 0 })
	const rest = " received= user_agent=phone socket=tls:127.0.0.1:5061 bflags=0 expires=T callid=one attr= shtag= reason=reg-refresh req_callid="
	if got, want := woken(), "E_UL_CONTACT_REFRESH domain=location aor=alice uri=sip:late@192.0.2.9"+pn+"4"+rest; len(got) != 1 || got[0] != want {
		t.Errorf("woken are\n%s\nwant\n%s", strings.Join(got, "\n"), want)
	}
}

// TestOtherContact reports contacts at other addresses.
func TestOtherContact(t *testing.T) {
	b := moduletest.New(t, moduletest.Head("signaling", "usrloc", "registrar", "sipmsgops")+`
route {
	save("location", "no-reply");
	$avp(one) = "192.0.2.9";
	$avp(both) = "192.0.2.9"; $avp(both) = "192.0.2.8";
	is_other_contact("location", "$avp(one)"); $var(one) = $rc;
	is_other_contact("location", $avp(both)); $var(both) = $rc;
	is_other_contact("location", "$avp(none)"); $var(none) = $rc;
	xlog("$var(one) $var(both) $var(none)");
}
`, all...)
	for _, s := range []struct{ contacts, want string }{
		{"", "-1 -1 -1"},
		{"Contact: <sip:a@192.0.2.9>", "-1 -1 1"},
		{"Contact: <sip:b@192.0.2.8>", "1 -1 1"},
		{"Contact: <sip:c@192.0.2.7>", "1 1 1"},
	} {
		b.Receive(register(1, s.contacts))
		if got := strings.Join(b.Log, " "); got != s.want {
			t.Errorf("%s: %s, want %s", s.contacts, got, s.want)
		}
	}
}
