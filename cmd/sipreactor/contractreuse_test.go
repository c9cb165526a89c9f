package main

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// unverified has the client domain verify nobody: what came from a client that
// showed no certificate carries nothing of a domain that verifies.
const unverified = "modparam(\"tls_mgm\", \"verify_cert\", \"[out]0\")\n"

// Whom a connection that a peer opened carries requests to.
func TestContractAcceptAliases(t *testing.T) {
	t.Parallel()
	for policy, want := range []struct{ plain, alias bool }{{false, false}, {false, true}, {true, true}} {
		t.Run(fmt.Sprint("policy ", policy), func(t *testing.T) {
			both(t, func(t *testing.T, transport string) {
				c := start(t, core("tcp_accept_aliases", policy), unverified)
				for param, reused := range map[string]bool{"": want.plain, ";alias": want.alias} {
					callee := c.callee(transport, "127.0.0.1:0")
					registrar, caller := c.dial(transport), c.dial(transport)
					text := registrar.request(here, "", "")
					registrar.send(strings.Replace(text, registrar.LocalAddr().String()+";", callee.Addr()+param+";", 1))
					registrar.expect(200)

					caller.ask(callee.URI())
					if reused {
						if first, _ := registrar.read(); first != "MESSAGE "+callee.URI()+" SIP/2.0" {
							t.Errorf("Via with %q: the peer's connection got %q", param, first)
						}
					} else {
						caller.expect(200)
					}
					if n := callee.Stats().Connections; (n == 0) != reused {
						t.Errorf("Via with %q: %d connections opened", param, n)
					}
				}
			})
		})
	}
}

// A connection that a request came on is not opened anew for what names its
// other end, whatever the policy.
func TestContractAliasOfAnother(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, transport string) {
		c := start(t, core("tcp_accept_aliases", 2), unverified)
		owner, thief, caller := c.dial(transport), c.dial(transport), c.dial(transport)
		text := thief.request(here, "", "")
		thief.send(strings.Replace(text, thief.LocalAddr().String()+";", owner.LocalAddr().String()+";alias;", 1))
		thief.expect(200)
		to := uri("x", transport, owner.LocalAddr().(*net.TCPAddr).AddrPort())
		caller.ask(to)
		if first, _ := owner.read(); first != "MESSAGE "+to+" SIP/2.0" {
			t.Errorf("the owner got %q", first)
		}
		thief.silent()
	})
}

// The branch flag forbids to open a connection; one that is there serves.
func TestContractNoNewConnection(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, transport string) {
		for _, flag := range []string{"", "BOUND"} {
			params := ""
			if flag != "" {
				params = core("tcp_no_new_conn_bflag", flag)
			}
			c := start(t, params)
			callee := c.callee(transport, "127.0.0.1:0")
			bound := strings.Replace(callee.URI(), "uas@", "bound@", 1)
			p := c.dial(transport)
			if flag != "" {
				p.ask(bound)
				p.expect(480)
				p.ask(callee.URI())
				p.expect(200)
			}
			p.ask(bound)
			p.expect(200)
			if n := callee.Stats().Connections; n != 1 {
				t.Errorf("flag %q: %d connections", flag, n)
			}
		}
	})
}

// The response to a client whose connection is gone goes to where its Via says, by
// a new connection; with the flag it does not.
func TestContractNoNewConnectionForResponses(t *testing.T) {
	t.Parallel()
	for _, flag := range []string{"OTHER", "BOUND"} {
		t.Run(flag, func(t *testing.T) {
			t.Parallel()
			c := start(t, core("tcp_no_new_conn_rplflag", flag), "onreply_route { setflag(BOUND); }\n")
			dialled := make(chan bool, 1)
			home := accepting(t, 0, func(conn net.Conn) { dialled <- true; conn.Close() })
			asked, gone := make(chan bool), make(chan bool)
			callee := accepting(t, 0, func(conn net.Conn) {
				r := bufio.NewReader(conn)
				var head strings.Builder
				for line := ""; line != "\r\n"; {
					var err error
					if line, err = r.ReadString('\n'); err != nil {
						return
					}
					if !strings.HasPrefix(line, "MESSAGE") && !strings.HasPrefix(line, "Route") {
						head.WriteString(line)
					}
				}
				asked <- true
				<-gone
				_, _ = conn.Write([]byte("SIP/2.0 200 OK\r\n" + head.String()))
			})
			p := c.knock("tcp")
			text := p.request(uri("x", "tcp", callee), "", "")
			via := strings.Index(text, "Via: ")
			text = text[:via] + fmt.Sprintf("Via: SIP/2.0/TCP %v;branch=z9hG4bKgone\r\n", home) + text[strings.Index(text[via:], "\r\n")+via+2:]
			p.send(text)
			<-asked
			_ = p.Conn.(counted).Conn.(*net.TCPConn).SetLinger(0) // behind a FIN the response would still have its connection
			p.Close()
			c.eventually("the client's connection is gone", func() bool { return c.engine.Stats().Connections == 1 })
			close(gone)
			wait := patience
			if flag == "BOUND" {
				wait = quietTime
			}
			select {
			case <-dialled:
				if flag == "BOUND" {
					t.Error("a connection was opened for the response")
				}
			case <-time.After(wait):
				if flag == "OTHER" {
					t.Error("no connection was opened for the response")
				}
			}
		})
	}
}

// With the check a connection serves only the certificate that it was made
// with; a reload that brings another one makes a new connection.
func TestContractCertCheckOnReuse(t *testing.T) {
	t.Parallel()
	for check := range 2 {
		t.Run(fmt.Sprint("check ", check), func(t *testing.T) {
			c := start(t, fmt.Sprintf("modparam(\"proto_tls\", \"cert_check_on_conn_reusage\", %d)\n", check))
			leaves := make(chan string, 4) // serial of the client's certificate, for each connection
			cfg := c.serverConfig()
			cfg.VerifyConnection = func(s tls.ConnectionState) error {
				leaves <- s.PeerCertificates[0].SerialNumber.String()
				return nil
			}
			messages := make(chan netip.AddrPort, 4)
			to := uri("x", "tls", accepting(t, 0, func(conn net.Conn) {
				tc := tls.Server(conn, cfg)
				for b := make([]byte, 64<<10); ; {
					n, err := tc.Read(b)
					if err != nil {
						return
					}
					for range strings.Count(string(b[:n]), "MESSAGE sip:") {
						messages <- conn.RemoteAddr().(*net.TCPAddr).AddrPort()
					}
				}
			}))
			p := c.dial("tcp")
			send := func() netip.AddrPort { p.ask(to); return <-messages }

			first := send()
			if err := c.reloadTLS(); err != nil { // of the same files
				t.Fatal(err)
			}
			if again := send(); again != first {
				t.Error("the same certificate, read anew, takes another connection")
			}
			if err := c.ca.Write(c.dir, "out", "ecdsa", "127.0.0.1"); err != nil {
				t.Fatal(err)
			}
			if err := c.reloadTLS(); err != nil {
				t.Fatal(err)
			}
			second := send()
			if (second != first) != (check == 1) {
				t.Errorf("check %d: first %v, with another certificate %v", check, first, second)
			}
			if again := send(); again != second {
				t.Error("a connection is opened for each message")
			}
			if len(leaves) != 1+check {
				t.Fatalf("%d handshakes", len(leaves))
			}
			if check == 1 {
				if a, b := <-leaves, <-leaves; a == b {
					t.Error("the new connection shows the old certificate")
				}
			}
		})
	}
}

// A connection that the peer opened serves its own address whatever the check
// says, but nothing for a client domain that verifies: this peer showed no
// certificate.
func TestContractCertCheckSparesAccepted(t *testing.T) {
	t.Parallel()
	c := start(t, "modparam(\"proto_tls\", \"cert_check_on_conn_reusage\", 1)\n", unverified)
	owner, caller := c.dial("tls"), c.dial("tls")
	owner.ask(here)
	owner.expect(200)
	to := uri("x", "tls", owner.LocalAddr().(*net.TCPAddr).AddrPort())
	caller.ask(to)
	if first, _ := owner.read(); first != "MESSAGE "+to+" SIP/2.0" {
		t.Errorf("the owner got %q", first)
	}
}

// Where the client domain verifies, a peer that showed no certificate gets
// nothing by calling from the destination's address and port.
func TestContractVerifiedDomainIgnoresStrangers(t *testing.T) {
	t.Parallel()
	c := start(t, core("tcp_accept_aliases", 2))
	owner, caller := c.dial("tls"), c.dial("tls")
	owner.ask(here)
	owner.expect(200)
	caller.ask(uri("x", "tls", owner.LocalAddr().(*net.TCPAddr).AddrPort()))
	caller.expect(480) // nobody listens there
	owner.silent()
}
