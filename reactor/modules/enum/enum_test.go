package enum_test

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"sipreactor/reactor/modules/enum"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/script"
)

func TestDocumented(t *testing.T) { moduletest.Documented(t, enum.New) }

var zone = []string{
	`3.2.1.0.3.9.4.e164.arpa. 60 IN NAPTR 20 10 "u" "E2U+sip" "!^\\+49(.*)$!sip:0\\1@late.example!" .`,
	`3.2.1.0.3.9.4.e164.arpa. 60 IN NAPTR 10 20 "u" "E2U+sip" "!^.*$!sip:second@b.example!" .`,
	`3.2.1.0.3.9.4.e164.arpa. 60 IN NAPTR 10 10 "U" "e2u+SIP" "!^(.*)$!sip:\\1@a.example!" .`,
	`3.2.1.0.3.9.4.e164.arpa. 60 IN NAPTR 10 10 "u" "E2U+sip" "!^(.*$!sip:broken@a.example!" .`,
	`3.2.1.0.3.9.4.e164.arpa. 60 IN NAPTR 10 10 "u" "E2U+sip" "!no match!sip:none@a.example!" .`,
	`3.2.1.0.3.9.4.e164.arpa. 60 IN NAPTR 10 10 "s" "E2U+sip" "!^.*$!sip:flags@a.example!" .`,
	`3.2.1.0.3.9.4.e164.arpa. 60 IN NAPTR 10 10 "u" "E2U+voice:sip" "!^.*$!sip:voice@a.example!" .`,
	`3.2.1.0.3.9.4.e164.arpa. 60 IN NAPTR 10 10 "u" "E2U+fax:tel+video:sip" "!^.*$!sip:video@a.example!" .`,
	`9.9.own.example. 60 IN NAPTR 10 10 "u" "E2U+sip" "!ALI(.*)!sip:\\1@f.example!i" .`,
	`3.2.1.0.3.i.9.4.e164.arpa. 60 IN NAPTR 10 10 "u" "E2U+sip" "!^.*$!sip:cc@i.example!" .`,
	`i.9.4.txt.example. 60 IN TXT "4"`,
	`3.2.1.i.0.3.9.4.txt.example. 60 IN NAPTR 10 10 "u" "E2U+sip" "!^.*$!sip:txt@i.example!" .`,
	`i.9.4.ebl.example. 60 IN TYPE65300 \# 16 03 03 73 65 70 04 61 70 65 78 04 74 65 73 74 00`,
	`3.2.1.0.sep.3.9.4.apex.test. 60 IN NAPTR 10 10 "u" "E2U+sip" "!^.*$!sip:ebl@i.example!" .`,
	`6.5.1212.freenum.org. 60 IN NAPTR 10 10 "u" "E2U+sip" "!^(.*)\\*(.*)$!sip:\\1@itad\\2.example!" .`,
}

// serve answers from the zone, and gives the constructor of a module that asks it.
func serve(t *testing.T) script.Constructor {
	t.Helper()
	records := map[string][]dns.RR{}
	for _, line := range zone {
		rr, err := dns.NewRR(line)
		if err != nil {
			t.Fatal(line, err)
		}
		key := rr.Header().Name + dns.Type(rr.Header().Rrtype).String()
		records[key] = append(records[key], rr)
	}
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ready := make(chan struct{})
	s := &dns.Server{PacketConn: conn, NotifyStartedFunc: func() { close(ready) }, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		r := new(dns.Msg).SetReply(q)
		if r.Answer = records[q.Question[0].Name+dns.Type(q.Question[0].Qtype).String()]; r.Answer == nil {
			r.Rcode = dns.RcodeNameError
		}
		_ = w.WriteMsg(r)
	})}
	done := make(chan error, 1)
	go func() { done <- s.ActivateAndServe() }()
	<-ready
	t.Cleanup(func() {
		_ = s.Shutdown()
		<-done
	})
	conf := filepath.Join(t.TempDir(), "resolv.conf")
	if err := os.WriteFile(conf, []byte("nameserver "+conn.LocalAddr().String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return func(c *script.Config) *script.Module {
		c.DNS.ResolvConf = conf
		return enum.New(c)
	}
}

func TestNumbers(t *testing.T) {
	module := serve(t)
	head := moduletest.Head("enum")
	param := func(name, value string) string { return `modparam("enum", "` + name + `", "` + value + "\")\n" }
	for _, c := range []struct{ more, run, want string }{
		{"", `enum_query(); xlog("$rc $ru $branch(uri) $(branch(uri)[1]) $(branch(q)[1])");`, "1 sip:+4930123@a.example sip:second@b.example sip:030123@late.example 0.98"},
		{param("tel_uri_params", ";npdi"), `enum_query("e164.arpa."); xlog("$ru");`, "sip:+4930123@a.example;npdi"},
		{"", `enum_query("", "voice"); xlog("$ru");`, "sip:voice@a.example"},
		{"", `enum_query("e164.arpa.", "+video:sip"); xlog("$ru");`, "sip:video@a.example"},
		{"", `enum_query("e164.arpa.", "fax"); xlog("$rc");`, "-1"},
		{"", `$ru = "sip:+4999@x"; enum_query(); xlog("$rc $ru");`, "-1 sip:+4999@x"},
		{"", `$ru = "sip:alice@x"; enum_query("own.example", , "+99"); xlog("$rc $ru");`, "1 sip:ce@f.example"},
		{"", `$ru = "sip:4930123@x"; enum_query(); xlog("$rc");`, "-1"},
		{"", `$ru = "sip:+1234567890123456@x"; enum_query(); xlog("$rc");`, "-1"},
		{"", `i_enum_query(); xlog("$ru");`, "sip:cc@i.example"},
		{param("bl_algorithm", "txt"), `i_enum_query("txt.example"); xlog("$ru");`, "sip:txt@i.example"},
		{param("bl_algorithm", "ebl"), `i_enum_query("ebl.example"); xlog("$ru");`, "sip:ebl@i.example"},
		{"", `$ru = "sip:56*1212@x"; isn_query(); xlog("$ru");`, "sip:56@itad1212.example"},
		{"", `$ru = "sip:56*@x"; isn_query(); xlog("$rc");`, "-1"},
		{"", `is_from_user_enum(); xlog("$rc");`, "-1"},
	} {
		log := moduletest.Logs(t, head+c.more, c.run, module)
		if got := log[len(log)-1]; got != c.want {
			t.Errorf("%s: %v, want %s", c.run, log, c.want)
		}
	}
	b := moduletest.New(t, head+`route { is_from_user_enum(); xlog("$rc"); }`+"\n", module)
	b.Receive([]byte(strings.Replace(string(moduletest.Invite), "<sip:alice@", "<sip:+4930123@", 1)))
	if len(b.Log) != 1 || b.Log[0] != "1" {
		t.Errorf("is_from_user_enum() of a number that is there: %v", b.Log)
	}
}

// A server that does not answer costs the message no more than the time of a look-up.
func TestSilentServer(t *testing.T) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conf := filepath.Join(t.TempDir(), "resolv.conf")
	if err := os.WriteFile(conf, []byte("nameserver "+conn.LocalAddr().String()+"\noptions timeout:1 attempts:1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	log := moduletest.Logs(t, moduletest.Head("enum"), `enum_query(); xlog("$rc");`, func(c *script.Config) *script.Module {
		c.DNS.ResolvConf = conf
		return enum.New(c)
	})
	if len(log) != 2 || !strings.Contains(log[0], "DNS failed") || log[1] != "-1" {
		t.Errorf("%q", log)
	}
}

func TestWrong(t *testing.T) {
	for param, want := range map[string]string{
		`"domain_suffix", "a..b"`:  "no domain name",
		`"tel_uri_params", "npdi"`: "is ;name=value",
		`"bl_algorithm", "x"`:      "is cc, txt or ebl",
	} {
		if got := moduletest.Wrong(t, moduletest.Head("enum")+"modparam(\"enum\", "+param+")\nroute { exit; }\n", enum.New); !strings.Contains(got, want) {
			t.Errorf("%s: %s", param, got)
		}
	}
}
