package script

import "testing"

// TestRefusedAssignments: what a variable would refuse whenever the assignment ran is an error of the configuration, with
// what it takes.
func TestRefusedAssignments(t *testing.T) {
	const uri = "a URI, such as sip:user@host:5061;transport=tls"
	const number = "what an operator gives, which is a number"
	for text, want := range map[string]string{
		`$ru = is_method("OPTIONS");`: "cfg:4:15: $ru cannot be what a function returns, which is a number: it takes " + uri,
		`$ru = route(x);`:             "cfg:4:15: $ru cannot be what a function returns, which is a number: it takes " + uri,
		`$ru = !$rd;`:                 "cfg:4:15: $ru cannot be " + number + ": it takes " + uri,
		`$du = ($rd == "x");`:         "cfg:4:20: $du cannot be " + number + ": it takes " + uri,
		`$du = 5;`:                    "cfg:4:15: $du cannot be 5: it takes " + uri,
		`$ru = 5;`:                    "cfg:4:15: $ru cannot be 5: it takes " + uri,
		`$ru = NULL;`:                 "cfg:4:15: $ru cannot be NULL: it takes " + uri,
		`$ru = "host";`:               `cfg:4:15: $ru cannot be "host": it takes ` + uri,
		`$ru := "a b";`:               `cfg:4:16: $ru cannot be "a b": it takes ` + uri,
		`$rp = "abc";`:                `cfg:4:15: $rp cannot be "abc": it takes a port, 0 to 65535`,
		`$rp = 99999;`:                "cfg:4:15: $rp cannot be 99999: it takes a port, 0 to 65535",
		`$rp = -5;`:                   "cfg:4:15: $rp cannot be -5: it takes a port, 0 to 65535",
		`$rU = "a b";`:                `cfg:4:15: $rU cannot be "a b": it takes the user of a URI, without spaces, quotes, angle brackets and @`,
		`$rd = NULL;`:                 "cfg:4:15: $rd cannot be NULL: it takes a host: a name, or an address, IPv6 in brackets",
		`$rP = "a b";`:                `cfg:4:15: $rP cannot be "a b": it takes a transport, such as tls`,
		`$dp = "abc";`:                `cfg:4:15: $dp cannot be "abc": it takes a port, 0 to 65535`,
		`$branch = "host";`:           `cfg:4:19: $branch cannot be "host": it takes ` + uri,
		`$branch(uri) = NULL;`:        "cfg:4:24: $branch(uri) cannot be NULL: it takes " + uri,
		`$(msg.branch.duri[0]) = 5;`:  "cfg:4:33: $(msg.branch.duri[0]) cannot be 5: it takes " + uri,
		`$ru_q = 2000;`:               "cfg:4:17: $ru_q cannot be 2000: it takes 0 to 1000 thousandths, or a text from 0 to 1 such as 0.5",
		`$xlog_level = "loud";`:       `cfg:4:23: $xlog_level cannot be "loud": it takes a level, -3 to 4`,

		`$du = NULL;`:                          "",
		`$du = "";`:                            "",
		`$du = "sip:127.0.0.1";`:               "",
		`$ru = "tel:+1234";`:                   "",
		`$ru = "sip:" + $rU + "@" + $rd;`:      "",
		`$ru += ";x=y";`:                       "",
		`$ru = $var(x);`:                       "",
		`$rU = NULL;`:                          "",
		`$rU = 5;`:                             "",
		`$rU = is_method("OPTIONS");`:          "",
		`$rp = "5061";`:                        "",
		`$rp = NULL;`:                          "",
		`$rp = 0;`:                             "",
		`$rp = $rp + 1;`:                       "",
		`$rd = "[2001:db8::1]";`:               "",
		`$rd = 192.0.2.1;`:                     "",
		`$dd = "example.com"; $dP = "tcp";`:    "",
		`$branch = "sip:a@b";`:                 "",
		`$ru_q = "0.5"; $ru_q = NULL;`:         "",
		`$xlog_level = NULL; $xlog_level = 4;`: "",
		`$var(x) = !$rd; $avp(y) = NULL;`:      "",
	} {
		_, err := compile("cfg", []byte("socket=udp:127.0.0.1:5060\nloadmodule \"proto_udp.so\"\nloadmodule \"sipmsgops.so\"\nroute { "+text+" }\nroute[x] { return(1); }\n"))
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s\ngot  %s\nwant %s", text, got, want)
		}
	}
}
