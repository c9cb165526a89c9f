package script

import (
	"bufio"
	"crypto/tls"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"sipreactor/reactor"
	"sipreactor/tlsstate/tlstest"
)

// greeted is what a server saw of a client: the name it asked for and the name it showed.
type greeted struct{ sni, client string }

// domainServer answers every request 200 and tells of each connection.
func domainServer(t *testing.T, own *tlstest.Pair) (addr string, seen <-chan greeted) {
	t.Helper()
	ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{own.TLS(t)}, ClientAuth: tls.RequestClientCert,
	})
	if err != nil {
		t.Fatal(err)
	}
	told := make(chan greeted, 16)
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			_ = c.SetDeadline(time.Now().Add(2 * patience))
			running.Go(func() { answerAll(c.(*tls.Conn), told) })
		}
	})
	t.Cleanup(func() { // the engine has stopped by now, and its connections have ended
		ln.Close()
		running.Wait()
	})
	return ln.Addr().String(), told
}

func answerAll(c *tls.Conn, told chan<- greeted) {
	defer c.Close()
	if c.Handshake() != nil {
		return
	}
	s := c.ConnectionState()
	g := greeted{sni: s.ServerName}
	if len(s.PeerCertificates) > 0 {
		g.client = s.PeerCertificates[0].Subject.CommonName
	}
	told <- g
	reply := []string{"SIP/2.0 200 OK"}
	for lines := bufio.NewScanner(c); lines.Scan(); {
		name, _, _ := strings.Cut(lines.Text(), ":")
		switch name {
		case "Via", "From", "To", "Call-ID", "CSeq":
			reply = append(reply, lines.Text())
		case "":
			if _, err := c.Write([]byte(strings.Join(append(reply, "Content-Length: 0\r\n\r\n"), "\r\n"))); err != nil {
				return
			}
			reply = reply[:1]
		}
	}
}

// The SIP domain of client_sip_domain_avp chooses the client domain, is the SNI and is what the certificate must
// name; where the message goes is another matter.
func TestClientSIPDomain(t *testing.T) {
	w := newPKI(t, "")
	one, oneKey := w.ca.Leaf(t, tlstest.Leaf{CN: "us for one"}).Files(t)
	two, twoKey := w.ca.Leaf(t, tlstest.Leaf{CN: "us for two"}).Files(t)
	addr, seen := domainServer(t, w.ca.Leaf(t, tlstest.Leaf{CN: "carrier", DNS: []string{"one.example", "sip.two.example"}}))
	domain := func(name, match, cert, key string) string {
		text := `
modparam("tls_mgm", "client_domain", "NAME")
modparam("tls_mgm", "match_sip_domain", "[NAME]MATCH")
modparam("tls_mgm", "certificate", "[NAME]CERT")
modparam("tls_mgm", "private_key", "[NAME]KEY")
modparam("tls_mgm", "ca_list", "[NAME]CA")`
		return strings.NewReplacer("NAME", name, "MATCH", match, "CERT", cert, "KEY", key, "CA", w.ca.File(t)).Replace(text)
	}
	l := start(t, w.domain+domain("one", "one.example", one, oneKey)+domain("two", "*.two.example", two, twoKey)+`
loadmodule "sipmsgops.so"
modparam("proto_tls", "cert_check_on_conn_reusage", 1)
modparam("tls_mgm", "client_sip_domain_avp", "$avp(reach)")
route {
	if (is_present_hf("X-Reach"))
		$avp(reach) = $hdr(X-Reach);
	if (!forward("sip:`+addr+`;transport=tls"))
		sl_send_reply(503, "Not Sent");
}`)
	for _, c := range []struct {
		header, status string
		want           greeted
	}{
		{"X-Reach: one.example\r\n", "200", greeted{"one.example", "us for one"}},
		{"X-Reach: SIP.Two.Example\r\n", "200", greeted{"SIP.Two.Example", "us for two"}},
		{"X-Reach: one.example\r\n", "200", greeted{}},     // the first connection is there
		{"X-Reach: sip.two.example\r\n", "200", greeted{}}, // so is the second
		{"X-Reach: nobody.example\r\n", "503", greeted{}},  // no client domain
		{"X-Reach: 127.0.0.1\r\n", "503", greeted{}},       // nor for the address,
		{"", "503", greeted{}}, // which is what there is without the AVP
	} {
		text := strings.Replace(string(invite), "\r\n", "\r\n"+c.header, 1)
		if got := statusOf(t, l, text); got != c.status {
			t.Errorf("%q is answered %s, want %s", c.header, got, c.status)
		}
		var got greeted
		select {
		case got = <-seen:
		default:
		}
		if got != c.want {
			t.Errorf("%q: the server saw %+v, want %+v", c.header, got, c.want)
		}
	}
}

// A server that does not name the domain we mean to reach is refused.
func TestClientSIPDomainIsVerified(t *testing.T) {
	w := newPKI(t, "")
	addr, _ := domainServer(t, w.ca.Leaf(t, tlstest.Leaf{CN: "carrier", DNS: []string{"one.example"}, IPs: []string{"127.0.0.1"}}))
	l := start(t, w.domain+`
modparam("tls_mgm", "client_domain", "any")
modparam("tls_mgm", "ca_list", "[any]`+w.ca.File(t)+`")
modparam("tls_mgm", "client_sip_domain_avp", "reach")
route {
	$avp(reach) = "two.example";
	if (!forward("sip:`+addr+`;transport=tls"))
		sl_send_reply(503, "Not Sent");
}`)
	if got := statusOf(t, l, string(invite)); got != "503" {
		t.Errorf("answered %s", got)
	}
}

// statusOf sends a request by TCP and gives the code of its final answer.
func statusOf(t *testing.T, l *live, text string) string {
	t.Helper()
	c, err := net.Dial("tcp", l.socket(reactor.TCP).Addr.String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	if _, err := c.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(c).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(line, " ")
	code, _, _ := strings.Cut(rest, " ")
	return code
}

// A domain that client_tls_domain_avp names and that is not there fails the send, with an error that names it.
func TestUnknownClientTLSDomain(t *testing.T) {
	w := newPKI(t, "")
	addr, seen := domainServer(t, w.ca.Leaf(t, tlstest.Leaf{CN: "carrier", IPs: []string{"127.0.0.1"}}))
	l := start(t, w.domain+`
modparam("tls_mgm", "client_domain", "any")
modparam("tls_mgm", "ca_list", "[any]`+w.ca.File(t)+`")
modparam("tls_mgm", "client_tls_domain_avp", "$avp(as)")
route {
	$avp(as) = "nosuch";
	if (!forward("sip:`+addr+`;transport=tls"))
		sl_send_reply(503, "Not Sent");
}`)
	if got := statusOf(t, l, string(invite)); got != "503" {
		t.Errorf("answered %s", got)
	}
	if said := strings.Join(l.log.take(), "\n"); !strings.Contains(said, `there is no client domain "nosuch"`) {
		t.Errorf("the log says %q", said)
	}
	if len(seen) != 0 {
		t.Error("the server was spoken to all the same")
	}
}
