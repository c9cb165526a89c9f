package status_report_test

import (
	"strings"
	"testing"

	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/status_report"
	"sipreactor/reactor/script"
	"sipreactor/reactor/statusreport"
)

func TestDocumented(t *testing.T) { moduletest.Documented(t, status_report.New) }

var head = moduletest.Head("status_report") + `modparam("status_report", "script_sr_group", "security")
modparam("status_report", "script_sr_group", "alarms")
`

// What the script tells of its groups is there for who monitors, and is asked for by the script itself.
func TestGroups(t *testing.T) {
	b := moduletest.New(t, head+`route {
	sr_check_status("security"); xlog("$rc");
	sr_set_status("security", -3, "attacked");
	sr_check_status("security", "main"); xlog("$rc");
	$var(g) = "alarms"; sr_set_status($var(g), 0); sr_check_status($var(g)); xlog("$rc");
	sr_add_report("security", "IP $si detected as attacker"); xlog("$rc");
	$var(g) = "core"; sr_set_status($var(g), 1); xlog("$rc");
	sr_check_status("nobody"); xlog("$rc");
}`, status_report.New)
	book := &statusreport.Book{}
	b.Config.Stop(nil)
	if err := b.Config.Start(script.Surroundings{Proxy: b.Proxy, Commands: b.Commands, Reports: book}, nil); err != nil {
		t.Fatal(err)
	}
	b.Receive(moduletest.CRLF("OPTIONS sip:a@192.0.2.9 SIP/2.0\nVia: SIP/2.0/TLS 10.0.0.9;branch=z9hG4bK1\nMax-Forwards: 70\nFrom: <sip:b@c>;tag=f\nTo: <sip:a@b>\nCall-ID: 1\nCSeq: 1 OPTIONS\nContent-Length: 0\n\n"))
	lines := strings.Join(b.Log, " ")
	for _, want := range []string{"1 -3 1 1 ", "there is no such group"} {
		if !strings.Contains(lines, want) {
			t.Errorf("%s\nlacks %s", lines, want)
		}
	}
	if !strings.HasSuffix(lines, " -1") {
		t.Errorf("%s: a group that there is not", lines)
	}
	s, ok := book.Status("security", "")
	reports := book.Group("security")[0].Reports()
	if !ok || s != (statusreport.Status{Code: -3, Details: "attacked"}) || len(reports) != 1 || !strings.HasPrefix(reports[0].Text, "IP 10.") || !strings.HasSuffix(reports[0].Text, " detected as attacker") {
		t.Errorf("%+v %+v", s, reports)
	}
}

func TestErrors(t *testing.T) {
	for text, want := range map[string]string{
		head + `route { sr_set_status("other", 1); }`:                                   `there is no group "other"; script_sr_group declares: security, alarms`,
		head + `route { sr_add_report("core", "x"); }`:                                  `there is no group "core"`,
		head + `modparam("status_report", "script_sr_group", "")` + "\nroute { exit; }": "script_sr_group is empty",
	} {
		if got := moduletest.Wrong(t, text, status_report.New); !strings.Contains(got, want) {
			t.Errorf("%s\nlacks %s", got, want)
		}
	}
}
