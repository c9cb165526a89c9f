package textops_test

import (
	"strings"
	"testing"

	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/textops"
)

var head = moduletest.Head("textops")

func TestCodes(t *testing.T) {
	moduletest.Codes(t, head, map[string]string{
		`search("^INVITE")`: "1", `search("^CSEQ: [0-9]+ INVITE")`: "1", `search("INVITE.*Via")`: "-1", `search("nowhere")`: "-1",
		`search_body("^v=0")`: "1", `search_body("INVITE")`: "-1", `search_body($hdr(None))`: "-1",
		`subst('/tester/TESTER/')`: "1", `subst('/nowhere/x/')`: "-1", `subst_uri('/^sip:(.*)$/sip:9\1/')`: "1", `subst_user('/x/y/')`: "-1",
		`replace("nowhere", "x")`: "-1", `replace_body_all("x", "y")`: "1", `$rU = NULL; subst_user('/n/y/')`: "-1",
	}, textops.New)
}

func TestChanges(t *testing.T) {
	for call, want := range map[string]string{
		`subst('/tester/TESTER/');`:                "\r\nUser-Agent: TESTER 1.0\r\n",
		`subst('/^(p-note:) [a-z, ]+/\1 $rU/gi');`: "P-Note: +4930123\r\nP-Note: +4930123\r\np-note: +4930123\r\n",
		`subst_uri('/^sip:(.*)@/sip:9\1@/');`:      "INVITE sip:9+4930123@example.net:5070;",
		`subst_user('/^\+49/0/');`:                 "INVITE sip:030123@example.net:5070;",
		`subst_body("/v=0/v=1/");`:                 "\r\n\r\nv=1\r\n",
		`replace("one", "two $rm");`:               "\r\nP-Note: two INVITE\r\n",
		`replace_all("P-Note", "P-Other");`:        "P-Other: one\r\nP-Other: two, three\r\nP-Other: last\r\n",
		`replace_body("=[0-9]", "=9");`:            "\r\n\r\nv=9\r\no=- 1 1 x",
		`replace_body_all("[0-9]", "7");`:          "\r\n\r\nv=7\r\no=- 7 7 x",
		`replace_body_atonce("^.*$", "whole");`:    "\r\n\r\nwhole",
		`search_append("User-Agent: ", "my ");`:    "\r\nUser-Agent: my tester 1.0\r\n",
		`search_append_body("v=", "1");`:           "\r\n\r\nv=10\r\n",
	} {
		b := moduletest.New(t, head+"route { "+call+" forward(\"tls:127.0.0.1:5081\"); }", textops.New)
		b.Receive(moduletest.Invite)
		if len(b.Sent) != 1 || !strings.Contains(b.Sent[0].Text, want) {
			t.Errorf("%s: %v\n%+v", call, b.Log, b.Sent)
		}
	}
}

func TestErrors(t *testing.T) {
	for call, want := range map[string]string{
		`search("(")`:    `"(" is no regular expression`,
		`subst("x")`:     "a substitution is /expression/replacement/flags",
		`subst($var(x))`: `expected a constant string: subst("/expression/replacement/flags")`,
		`subst(1)`:       `the substitution is a string in quotes: subst("/expression/replacement/flags")`,
		`replace("x")`:   `replace() takes 2 arguments, not 1`,
	} {
		if got := moduletest.Wrong(t, head+"route { "+call+"; }", textops.New); !strings.Contains(got, want) {
			t.Errorf("%s: %s", call, got)
		}
	}
}
