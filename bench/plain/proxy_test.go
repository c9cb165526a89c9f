package main

import (
	"strings"
	"testing"
)

func TestSourceOfAVia(t *testing.T) {
	for via, want := range map[string]string{
		"SIP/2.0/TLS 10.0.0.1:5061;branch=z9hG4bKx;rport":    "127.0.0.1:7000",
		"SIP/2.0/TLS 10.0.0.1:5061;rport;branch=z9hG4bKx":    "127.0.0.1:7000",
		"SIP/2.0/TLS 10.0.0.1:5061;branch=z9hG4bKx":          "10.0.0.1:5061",
		"SIP/2.0/TLS 10.0.0.1:5061;rporter=1;branch=z9hG4bK": "10.0.0.1:5061",
	} {
		if got := source(withSource(via, "127.0.0.1:7000")); got != want {
			t.Errorf("%s: %s, want %s", via, got, want)
		}
	}
}

func TestListOnALine(t *testing.T) {
	m, err := newReader(strings.NewReader("SIP/2.0 200 OK\r\nvia: SIP/2.0/TLS a:1;branch=1, SIP/2.0/TLS b:2\r\nContent-Length: 0\r\n\r\n")).next()
	if err != nil {
		t.Fatal(err)
	}
	if m.drop("Via"); source(m.get("Via")) != "b:2" {
		t.Errorf("%+v", m)
	}
}

func TestMessage(t *testing.T) {
	const text = "INVITE sip:uas@127.0.0.1:5071;transport=tls SIP/2.0\r\nVia: SIP/2.0/TLS a:1;branch=z9hG4bK1\r\n" +
		"Route: <sip:127.0.0.1:5061;transport=tls;lr>\r\nTo: <sip:b>\r\nFrom: <sip:a>;tag=1\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\nContent-Length: 3\r\n\r\nabc"
	r := newReader(strings.NewReader("\r\n" + text + text))
	for range 2 {
		m, err := r.next()
		if err != nil {
			t.Fatal(err)
		}
		if string(m.bytes()) != text {
			t.Errorf("%s", m.bytes())
		}
		if m.method() != "INVITE" || hostPort(m.uri()) != "127.0.0.1:5071" || hostPort(address(m.get("route"))) != "127.0.0.1:5061" {
			t.Errorf("%+v", m)
		}
		reply := string(m.reply("200 OK").bytes())
		if !strings.HasPrefix(reply, "SIP/2.0 200 OK\r\nVia: ") || !strings.Contains(reply, "To: <sip:b>;tag=") || strings.Contains(reply, "Route") {
			t.Error(reply)
		}
	}
	for _, wrong := range []string{"", "OPTIONS x SIP/2.0\r\nno header\r\n\r\n", "OPTIONS x SIP/2.0\r\nContent-Length: -1\r\n\r\n", "X y SIP/2.0\r\n\r\n"} {
		if m, err := newReader(strings.NewReader(wrong)).next(); err == nil {
			t.Errorf("%q: %+v", wrong, m)
		}
	}
}
