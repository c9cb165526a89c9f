package main

import (
	"strconv"
	"strings"
	"testing"
)

// TestArgumentErrors: constants that are no name of what they have to name are told with
// their place when the script is loaded, and not when the first message meets them.
func TestArgumentErrors(t *testing.T) {
	head := relayHead + strings.Join([]string{
		`loadmodule "textops.so"`, `loadmodule "rest_client.so"`, `loadmodule "alias_db.so"`, `loadmodule "speeddial.so"`, `loadmodule "userblacklist.so"`,
		`modparam("acc|alias_db|speeddial|userblacklist", "db_url", "mysql://u:p@127.0.0.1/nowhere")`, "",
	}, "\n")
	for text, want := range map[string]string{
		`append_hf("Bad Name: x\r\n");`:                        `1:19: "Bad Name: x\r\n" is no header`,
		`append_hf("Content-Length: 5\r\n");`:                  `1:19: "Content-Length: 5`,
		`append_hf("Bad Name: $ru\r\n");`:                      `1:19: "Bad Name" is no name of a header`,
		`append_hf("A: b\r\n", "Bad Name");`:                   `1:31: "Bad Name" is no name of a header`,
		`insert_hf("nothing");`:                                `1:19: "nothing" is no header`,
		`append_to_reply("nothing");`:                          `1:25: "nothing" is no header`,
		`append_urihf("Bad Name: ", "\r\n");`:                  `1:22: "Bad Name: " is no header`,
		`t_add_hdrs("nothing");`:                               `1:20: "nothing" is no header`,
		`rest_append_hf("nothing");`:                           `1:24: "nothing" is no header`,
		`remove_hf("Bad Name");`:                               `1:19: "Bad Name" is no name of a header`,
		`if (is_present_hf("Name:")) exit;`:                    `1:27: "Name:" is no name of a header`,
		`list_hdr_add_option("Bad Name", "x");`:                `1:29: "Bad Name" is no name of a header`,
		`add_sock_hdr("Bad Name");`:                            `1:22: "Bad Name" is no name of a header`,
		`xlog("$hdr(Bad Name)");`:                              `"Bad Name" is no name of a header`,
		`$var(x) = $(hdrcnt(Bad Name));`:                       `"Bad Name" is no name of a header`,
		`t_new_request("IN VITE", "sip:a", "sip:a", "sip:a");`: `1:23: "IN VITE" is no method`,
		`dlg_send_sequential("IN FO", "caller");`:              `1:29: "IN FO" is no method`,
		`ua_session_update("k", "IN FO");`:                     `1:32: "IN FO" is no method`,
		`ua_session_reply("k", "IN FO", 200);`:                 `1:31: "IN FO" is no method`,
		`db_is_to_authorized("a b");`:                          `1:29: "a b" is no name of a table`,
		`db_is_from_authorized("a b");`:                        `1:31: "a b" is no name of a table`,
		`db_does_uri_exist("$ru", "a b");`:                     `1:34: "a b" is no name of a table`,
		`db_get_auth_id("a b", "$ru", $var(a), $var(b));`:      `1:24: "a b" is no name of a table`,
		`alias_db_lookup("a b");`:                              `1:25: "a b" is no name of a table`,
		`alias_db_find("a b", "$ru", $var(a));`:                `1:23: "a b" is no name of a table`,
		`sd_lookup("a b");`:                                    `1:19: "a b" is no name of a table`,
		`sql_select(, "a b");`:                                 `1:22: "a b" is no name of a table`,
		`sql_delete("a b");`:                                   `1:20: "a b" is no name of a table`,
		`check_blacklist("a b");`:                              `1:25: "a b" is no name of a table`,
		`check_user_blacklist("a", "b", "c", "a b");`:          `1:45: "a b" is no name of a table`,
		`acc_db_request("200 OK", "a b");`:                     `1:34: "a b" is no name of a table`,
		`set_advertised_address("10.0.0 1");`:                  `1:32: "10.0.0 1" is no name of a host`,
		`set_advertised_address("10.0.0.1:5060");`:             `1:32: "10.0.0.1:5060" is no name of a host`,
		`set_advertised_port(70000);`:                          `1:29: 70000 is no port`,
		// and what is right
		`append_hf("X: $ru\r\nY: 1\r\n", "Via"); insert_hf("$var(h)"); append_hf("X-$var(n): 1\r\n"); remove_hf("$var(n)");`:                                         "",
		`set_advertised_address(10.0.0.1); set_advertised_address("[::1]"); set_advertised_address("::1"); set_advertised_address(""); set_advertised_port("5070");`: "",
		`if (alias_db_lookup("other.aliases")) exit; alias_db_lookup("$var(t)"); xlog("$hdr(X-a) $(hdr(Via)[*]) $hdr($var(n))");`:                                    "",
	} {
		_, err := loader().Compile("cfg", []byte(head+"route { "+text+" }\n"))
		if want == "" {
			if err != nil {
				t.Errorf("%s\n%v", text, err)
			}
			continue
		}
		if _, column, ok := strings.Cut(want, ":"); ok && strings.HasPrefix(want, "1:") {
			want = ":" + column
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\n%v\nwant %s", text, err, want)
		}
	}
}

// TestParameterErrors: the same for parameters of modules.
func TestParameterErrors(t *testing.T) {
	head := relayHead + strings.Join([]string{
		`loadmodule "nathelper.so"`, `loadmodule "nat_traversal.so"`, `loadmodule "drouting.so"`, `loadmodule "load_balancer.so"`, `loadmodule "dialplan.so"`,
		`modparam("drouting|load_balancer|dialplan", "db_url", "mysql://u:p@127.0.0.1/nowhere")`, "",
	}, "\n")
	for text, want := range map[string]string{
		`modparam("dispatcher", "ds_ping_method", "ACK")`:             `is no method of a request that is answered`,
		`modparam("dispatcher", "ds_ping_from", "nobody")`:            `"nobody" is no URI`,
		`modparam("dispatcher", "partition", "p: ping_method = A B")`: `is no method of a request that is answered`,
		`modparam("drouting", "probing_method", "A B")`:               `is no method of a request that is answered`,
		`modparam("drouting", "probing_from", "nobody")`:              `"nobody" is no URI`,
		`modparam("load_balancer", "probing_method", "CANCEL")`:       `is no method of a request that is answered`,
		`modparam("load_balancer", "probing_from", "nobody")`:         `"nobody" is no URI`,
		`modparam("nathelper", "sipping_method", "ACK")`:              `is no method of a request that is answered`,
		`modparam("nathelper", "sipping_from", "nobody")`:             `"nobody" is no URI`,
		`modparam("nat_traversal", "keepalive_method", "ACK")`:        `is no method of a request that is answered`,
		`modparam("nat_traversal", "keepalive_from", "nobody")`:       `"nobody" is no URI`,
		`modparam("dispatcher", "table_name", "a b")`:                 `"a b" is no name of a table`,
		`modparam("dialplan", "table_name", "a b")`:                   `"a b" is no name of a table`,
		`modparam("dialog", "table_name", "a b")`:                     `"a b" is no name of a table`,
		`modparam("registrar", "gruu_secret", "")`:                    `is empty`,
		`modparam("nathelper", "received_avp", "$avp(a)")`:            `received_avp $avp(a) is not the one that registrar reads`,
		`modparam("nathelper|registrar", "received_avp", "$avp(a)")`:  "",
		`modparam("dispatcher", "ds_ping_method", "INFO")`:            "",
		`modparam("registrar", "received_avp", "$avp(a)")`:            "",
	} {
		_, err := loader().Compile("cfg", []byte(head+text+"\nroute { exit; }\n"))
		if want == "" {
			if err != nil {
				t.Errorf("%s\n%v", text, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "cfg:"+strconv.Itoa(strings.Count(head, "\n")+1)+":") {
			t.Errorf("%s\n%v\nwant line %d, %s", text, err, strings.Count(head, "\n")+1, want)
		}
	}
}
