package reactor

import (
	"crypto/tls"
	"net"
	"strings"
	"testing"
	"time"
)

// The log at level debug tells a connection's story from both ends, and nothing of what it carries.
func TestStory(t *testing.T) {
	arrived := make(chan struct{})
	r := start(t, &script{message: func(*Worker, *Frame) { close(arrived) }}, nil)
	const secret = "nobody-shall-read-this"
	if _, err := r.Send(&Target{Proto: TLS, Addr: r.addr(TLS), Name: "localhost"}, Bytes(request("MESSAGE", secret, 1, secret))); err != nil {
		t.Fatal(err)
	}
	select {
	case <-arrived:
	case <-time.After(patience):
		t.Fatal("the message does not arrive")
	}
	for _, way := range []string{"way=in", "way=out"} {
		for _, want := range [][]string{
			{`msg="connection handshake"`},
			{`msg="handshake step"`, `then="waits for the peer"`},
			{`msg="handshake step"`, `then="is done"`},
			{`msg="connection established"`, "version=TLSv1.3", "cipher=TLS_", "sni=localhost", "resumed=false", "took="},
		} {
			r.eventually(way+" "+strings.Join(want, " "), func() bool { return r.log.Count(append(want, way, "level=DEBUG", "id=")...) == 1 })
		}
	}
	if r.log.Count(`msg="connection accepted"`, "way=in") != 1 || r.log.Count(`msg="connection connected"`, "way=out") != 1 {
		t.Error("the beginning is not told")
	}
	if r.log.Count(`msg="connection established"`, "way=out", "certificate=", "verified=true") != 1 {
		t.Error("nothing of the peer's certificate")
	}
	if strings.Contains(r.log.String(), secret) {
		t.Error("bytes of a message are in the log")
	}
}

// At level debug no failure is held back behind another of its kind.
func TestStoryOfFailures(t *testing.T) {
	r := start(t, &script{}, nil)
	const failures = 5
	for range failures {
		c, err := net.Dial("tcp", r.addr(TLS).String())
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(patience))
		if tls.Client(c, &tls.Config{ServerName: "localhost"}).Handshake() == nil {
			t.Error("a certificate that nobody vouches for was believed")
		}
		c.Close()
	}
	r.eventually("each failure is told", func() bool {
		return r.log.Count(`msg="connection closed"`, "phase=handshaking", "blame=peer") == failures
	})
}
