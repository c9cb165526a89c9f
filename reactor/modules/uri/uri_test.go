package uri_test

import (
	"strings"
	"testing"

	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/uri"
)

func TestCodes(t *testing.T) {
	moduletest.Codes(t, moduletest.Head("uri"), map[string]string{
		`uri_param("user")`: "-1", `uri_param("user", "phone")`: "1", `uri_param("USER", "Phone")`: "1", `uri_param("user", "ip")`: "-1", `uri_param("lr")`: "-1",
		`$ru = "sip:a@b;lr"; uri_param("lr")`: "1", `$ru = "tel:+49"; uri_param("lr")`: "-1", `uri_param($hdr(None))`: "-1", `uri_param("user", $hdr(None))`: "-1",
		`add_uri_param("a=1")`: "1", `add_uri_param("lr")`: "1", `del_uri_param("user")`: "1", `del_uri_param($hdr(None))`: "-1",
		`is_uri_user_e164($ru)`: "1", `is_uri_user_e164($fu)`: "-1", `is_uri_user_e164("sip:+1@h")`: "-1", `is_uri_user_e164("sip:+1234567890123456@h")`: "-1", `is_uri_user_e164("x")`: "-1",
		`has_totag()`: "-1", `tel2sip()`: "1",
	}, uri.New)
}

func TestChanges(t *testing.T) {
	for call, want := range map[string]string{
		`add_uri_param("a=1");`:             "sip:+4930123@example.net:5070;transport=tls;user=phone;a=1",
		`add_uri_param("lr");`:              "sip:+4930123@example.net:5070;transport=tls;user=phone;lr",
		`del_uri_param("user");`:            "sip:+4930123@example.net:5070;transport=tls",
		`$ru = "tel:+4930;x=1"; tel2sip();`: "sip:+4930;x=1@atlanta.example;user=phone",
		`tel2sip();`:                        "sip:+4930123@example.net:5070;transport=tls;user=phone",
	} {
		if got := strings.Join(moduletest.Logs(t, moduletest.Head("uri"), call+` xlog("$ru");`, uri.New), "|"); got != want {
			t.Errorf("%s: %s, want %s", call, got, want)
		}
	}
}

func TestErrors(t *testing.T) {
	got := moduletest.Wrong(t, moduletest.Head("uri")+`modparam("uri", "use_uri_table", 1)
route { exit; }`, uri.New)
	if !strings.Contains(got, "db_url is not set, and there is no db_default_url") {
		t.Error(got)
	}
}
