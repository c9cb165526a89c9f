package registrar_test

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"sipreactor/reactor/modules/db_sqlite"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/store"
	"sipreactor/reactor/store/storetest"
)

// TestParameters: each parameter makes a difference to what a REGISTER is answered.
func TestParameters(t *testing.T) {
	long := strings.Repeat("x", 70)
	for _, c := range []struct{ param, contact, without, with string }{
		{`"registrar", "default_expires", 1234`, "<sip:a@h>", ";expires=3600", ";expires=1234"},
		{`"registrar", "default_q", 380`, "<sip:a@h>", "", ";q=0.38"},
		{`"registrar", "max_contact_len", 50`, "<sip:" + long + "@h>", "200", "400|P-Registrar-Error: Contact is too long"},
		{`"registrar", "max_path_len", 50`, "<sip:a@h>|Path: <sip:" + long + "@h>|Supported: path", "200", "400|P-Registrar-Error: Path is too long"},
		{`"registrar", "max_username_len", 4`, "<sip:a@h>", "200", "400|P-Registrar-Error: Address of record is too long"},
		{`"registrar", "max_domain_len", 10`, "<sip:a@h>", "200", "400|P-Registrar-Error: Address of record is too long"},
		{`"registrar", "max_aor_len", 20`, "<sip:a@h>", "200", "400|P-Registrar-Error: Address of record is too long"},
		{`"registrar", "received_param", "rcv"`, "<sip:a@h>", `;received="sip:192.0.2.7"`, `;rcv="sip:192.0.2.7"`},
	} {
		for _, param := range []string{"", "modparam(" + c.param + ")\n"} {
			b := bench(t, "modparam(\"registrar\", \"received_avp\", \"$avp(rcv)\")\n"+param+`route { $avp(rcv) = "sip:192.0.2.7"; save("location", "path-lazy"); }`+"\n")
			b.Receive(register(1, "Contact: "+c.contact))
			want := c.without
			if param != "" {
				want = c.with
			}
			if got := answer(b); !strings.Contains(got, want) || param == "" && c.with != "200" && strings.Contains(got, c.with) {
				t.Errorf("%s%s, want %s", param, got, want)
			}
		}
	}
	b := bench(t, "modparam(\"registrar\", \"expires_max_deviation\", 100)\nroute { save(\"location\", \"max-contacts=1, force-registration\"); }\n")
	seen := make(map[int]bool)
	for i := range 50 {
		b.Receive(register(i+1, fmt.Sprintf("Contact: <sip:a%d@h>;expires=1000", i)))
		n, err := strconv.Atoi(regexp.MustCompile(`expires=(\d+)`).FindStringSubmatch(answer(b))[1])
		if err != nil || n < 899 || n > 1100 {
			t.Fatalf("expires_max_deviation makes %d of 1000", n)
		}
		seen[n] = true
	}
	if len(seen) < 5 {
		t.Errorf("expires_max_deviation gives %v", seen)
	}
}

// TestUserNames: by which names a user is found.
func TestUserNames(t *testing.T) {
	for _, c := range []struct{ params, registered, looked, want string }{
		{"", "alice@example.org", "Alice@example.org", "-1"},
		{"modparam(\"registrar\", \"case_sensitive\", 0)\n", "alice@example.org", "ALICE@example.org", "1"},
		{"", "alice@example.org", "alice@other.org", "1"},
		{"modparam(\"usrloc\", \"use_domain\", 1)\n", "alice@example.org", "alice@other.org", "-1"},
		{"modparam(\"usrloc\", \"use_domain\", 1)\n", "alice@example.org", "alice@EXAMPLE.org", "1"},
		{"modparam(\"usrloc\", \"use_domain\", 1)\n", "alice@example.org", "alice@sip.example.org", "-1"},
		{"modparam(\"usrloc\", \"use_domain\", 1)\nmodparam(\"registrar\", \"realm_prefix\", \"sip.\")\n", "alice@SIP.example.org", "alice@example.org", "1"},
	} {
		b := bench(t, c.params+`loadmodule "sipmsgops.so"
route { if (is_method("REGISTER")) { save("location"); exit; } lookup("location"); $var(rc) = $rc; xlog("$var(rc)"); }
`)
		b.Receive([]byte(strings.Replace(string(register(1, "Contact: <sip:a@192.0.2.9>")), "To: <sip:alice@example.org>", "To: <sip:"+c.registered+">", 1)))
		b.Receive(message("sip:" + c.looked))
		if got := strings.Join(b.Log, " "); got != c.want {
			t.Errorf("%s%s as %s: %s", c.params, c.registered, c.looked, got)
		}
	}
}

// TestOrderAndMatching: matching_mode, desc_time_order and allow_dup_cseq.
func TestOrderAndMatching(t *testing.T) {
	one, two := "Contact: <sip:a@h>;expires=100", "Contact: <sip:a@h>;expires=200|Call-ID: two"
	for _, c := range []struct {
		param string
		seq   int
		steps []string
		want  string
	}{
		{"", 1, []string{one, two}, "<sip:a@h>;expires=200"},
		{"modparam(\"usrloc\", \"matching_mode\", 1)\n", 1, []string{one, two}, "<sip:a@h>;expires=100, <sip:a@h>;expires=200"},
		{"", 0, []string{one, "Contact: <sip:b@h>;expires=100;q=0.1", "Contact: <sip:c@h>;expires=100"}, "<sip:b@h>;q=0.1;expires=100, <sip:a@h>;expires=100, <sip:c@h>;expires=100"},
		{"", 1, []string{one, "Contact: <sip:a@h>;expires=300"}, "<sip:a@h>;expires=100"},
		{"modparam(\"registrar\", \"allow_dup_cseq\", 1)\n", 1, []string{one, "Contact: <sip:a@h>;expires=300"}, "<sip:a@h>;expires=300"},
	} {
		b := bench(t, c.param+"route { save(\"location\"); }\n")
		for i, s := range c.steps {
			seq := c.seq
			if seq == 0 {
				seq = i + 1
			}
			b.Receive(register(seq, s))
		}
		if got := strings.TrimPrefix(answer(b), "200|Contact: "); got != c.want {
			t.Errorf("%s%q: %s, want %s", c.param, c.steps, got, c.want)
		}
	}
}

// TestSocketHeader keeps the listener that another server tells of.
func TestSocketHeader(t *testing.T) {
	b := bench(t, `modparam("registrar", "sock_hdr_name", "Sock-Info")
route { add_sock_hdr("X-Here"); xlog("$hdr(X-Here)"); save("location", "socket-header"); }
`)
	b.Receive(register(1, "Contact: <sip:a@h>|Sock-Info: tcp:192.0.2.1:5060"))
	b.Receive(register(1, "Contact: <sip:b@h>|Call-ID: two"))
	got := b.Command(t, "ul_show_contact", []string{"location", "alice"})
	if !strings.Contains(got, `"Socket":"tcp:192.0.2.1:5060"`) || !strings.Contains(got, `"Socket":"tls:127.0.0.1:5061"`) {
		t.Error(got)
	}
}

// TestPathReceived: what Path says of one phone's address is kept with that phone, and with nobody who registers later.
func TestPathReceived(t *testing.T) {
	b := bench(t, `route { save("location", "path-lazy, path-received"); }`+"\n")
	for i := range 20 {
		headers := fmt.Sprintf("Contact: <sip:c%d@h>|Call-ID: %[1]d", i)
		if i%2 == 0 {
			headers += fmt.Sprintf("|Path: <sip:edge;lr;received=sip:192.0.2.%d:5070%%3Btransport%%3Dtcp>|Supported: path", i)
		}
		b.Receive(register(1, headers))
	}
	got := b.Command(t, "ul_show_contact", []string{"location", "alice"})
	for i := range 20 {
		_, one, _ := strings.Cut(got, fmt.Sprintf(`"Contact":"sip:c%d@h"`, i))
		one, _, _ = strings.Cut(one, `"Contact":`)
		if has, want := strings.Contains(one, `"Received":`), i%2 == 0; has != want || want && !strings.Contains(one, fmt.Sprintf(`"Received":"sip:192.0.2.%d:5070;transport=tcp"`, i)) {
			t.Errorf("contact %d: %s", i, one)
		}
	}
}

// TestMemoryOnly: a contact that is saved with the flag has no row; without it it gets one, and keeps that up to date.
func TestMemoryOnly(t *testing.T) {
	for _, mode := range []string{"single-instance-sql-write-through", "single-instance-sql-write-back", "sql-only"} {
		url := storetest.SQLite(t)
		if err := store.Create(t.Context(), url, "location"); err != nil {
			t.Fatal(err)
		}
		b := moduletest.New(t, moduletest.Head("signaling", "usrloc", "registrar", "db_sqlite", "sipmsgops")+`
modparam("usrloc", "working_mode_preset", "`+mode+`")
modparam("usrloc", "db_url", "`+url+`")
route { if (is_present_hf("X-Memory")) save("location", "memory-only"); else save("location"); }
`, append(all, db_sqlite.New)...)
		steps := []struct{ headers, rows string }{
			{"X-Memory: 1|Contact: <sip:a@h>", ""},
			{"Contact: <sip:b@h>", "sip:b@h"},
			{"Contact: <sip:a@h>", "sip:a@h|sip:b@h"},
			{"X-Memory: 1|Contact: <sip:b@h>", "sip:a@h|sip:b@h"},
			{"X-Memory: 1|Contact: <sip:c@h>", "sip:a@h|sip:b@h"},
			{"Contact: <sip:b@h>;expires=0", "sip:a@h"},
		}
		if mode == "sql-only" { // rows are all there is
			steps = []struct{ headers, rows string }{{"X-Memory: 1|Contact: <sip:a@h>", "sip:a@h"}}
		}
		for i, s := range steps {
			b.Receive(register(i+1, s.headers))
			if got := b.Status(); got != "200" {
				t.Fatalf("%s, step %d: %s", mode, i, got)
			}
			b.Command(t, "ul_flush", nil)
			if got := storedURIs(t, url); got != s.rows {
				t.Errorf("%s: behind %s there are rows of %s, want %s", mode, s.headers, got, s.rows)
			}
		}
		if mode == "sql-only" {
			continue
		}
		if got := b.Command(t, "ul_show_contact", []string{"location", "alice"}); !strings.Contains(got, "sip:c@h") {
			t.Errorf("%s: %s", mode, got)
		}
		execute(t, url, "DELETE FROM location")
		if got := b.Command(t, "ul_sync", []string{"location"}); !strings.Contains(got, "OK") {
			t.Error(got)
		}
		if got := storedURIs(t, url); got != "sip:a@h" {
			t.Errorf("%s: behind ul_sync there are rows of %s", mode, got)
		}
	}
}

// TestQueries asks who is registered from where, and removes by address.
func TestQueries(t *testing.T) {
	b := moduletest.New(t, moduletest.Head("signaling", "usrloc", "registrar", "sipmsgops")+`
route {
	if (is_method("REGISTER")) { save("location"); exit; }
	is_contact_registered("location", , "sip:a@192.0.2.9:5070"); $var(a) = $rc;
	is_contact_registered("location", "sip:alice@example.org", "sip:x@192.0.2.9"); $var(b) = $rc;
	is_contact_registered("location", , , "two"); $var(c) = $rc;
	is_contact_registered("location", , "sip:a@192.0.2.9:5070", "two"); $var(d) = $rc;
	is_ip_registered("location", , "192.0.2.8"); $var(e) = $rc;
	is_ip_registered("location", "sip:bob@example.org", "192.0.2.8"); $var(f) = $rc;
	is_ip_registered("location", , "192.0.2.9", 5070); $var(g) = $rc;
	is_ip_registered("location", , "192.0.2.9", 5071); $var(h) = $rc;
	xlog("$var(a) $var(b) $var(c) $var(d) $var(e) $var(f) $var(g) $var(h)");
	$avp(ip) = "192.0.2.8"; $avp(ip) = "192.0.2.7"; $avp(no) = "192.0.2.6"; $avp(no) = "192.0.2.5";
	is_ip_registered("location", , $avp(ip)); $var(a) = $rc;
	is_ip_registered("location", , "$avp(ip)", 5080); $var(b) = $rc;
	is_ip_registered("location", , $avp(ip), 5070); $var(c) = $rc;
	is_ip_registered("location", , $(avp(ip)[0])); $var(d) = $rc;
	is_ip_registered("location", , $avp(no)); $var(e) = $rc;
	xlog("$var(a) $var(b) $var(c) $var(d) $var(e)");
	remove_ip_port("192.0.2.8", 5080, "location", "sip:bob@example.org"); $var(a) = $rc;
	remove_ip_port("192.0.2.8", 5081, "location"); $var(b) = $rc;
	remove_ip_port("192.0.2.8", 5080, "location"); $var(c) = $rc;
	remove_ip_port("192.0.2.8", 5080, "location"); $var(d) = $rc;
	is_registered("location"); $var(e) = $rc;
	xlog("$var(a) $var(b) $var(c) $var(d) $var(e)");
}
`, all...)
	b.Receive(register(1, "Contact: <sip:a@192.0.2.9:5070>"))
	b.Receive(register(1, "Contact: <sip:b@192.0.2.8:5080>|Call-ID: two"))
	b.Receive([]byte(strings.Replace(string(message("sip:alice@example.org")), "sip:bob@", "sip:alice@", 1)))
	if got, want := strings.Join(b.Log, "|"), "1 -1 1 -1 1 -1 1 -1|1 1 -1 -1 -1|-1 -1 1 -1 1"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := b.Command(t, "ul_cluster_sync", nil); !strings.Contains(got, "Clustering not enabled") {
		t.Errorf("ul_cluster_sync: %s", got)
	}
}
