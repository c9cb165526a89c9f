package websocket

import (
	"strings"
	"testing"
)

// TestTalk tells who traces of a handshake, and of nobody's secrets.
func TestTalk(t *testing.T) {
	secret := strings.Replace(request, "GET / ", "GET /sip?token=secret ", 1)
	secret = strings.TrimSuffix(secret, "\r\n") + "Cookie: session=secret\r\nAuthorization: Basic secret\r\nUser-Agent: phone\r\n\r\n"
	for i := range len(secret) { // in two pieces
		o := Accept(&Policy{})
		answer, err := feed(o, []byte(secret[:i]), []byte(secret[i:]))
		if err != nil {
			t.Fatal(err)
		}
		asked, said := o.Talk()
		got := Told(asked)
		if string(asked) != secret || string(said) != answer || strings.Contains(got, "secret") {
			t.Fatalf("cut at %d: %q\n%q", i, got, said)
		}
		if !strings.HasPrefix(got, "GET /sip HTTP/1.1\r\n") || !strings.Contains(got, "\r\nOrigin: https://phone.example.com") || !strings.Contains(got, "\r\nUser-Agent: phone") {
			t.Fatalf("it is told as %q", got)
		}
		if got := Told(said); !strings.HasPrefix(got, "HTTP/1.1 101 ") {
			t.Fatalf("the answer is told as %q", got)
		}
	}
	o := Accept(&Policy{RequireOrigin: true})
	if _, err := feed(o, []byte(without("Origin"))); err == nil {
		t.Fatal("it is let in")
	}
	if asked, said := o.Talk(); len(asked) == 0 || !strings.HasPrefix(Told(said), "HTTP/1.1 403 ") {
		t.Errorf("who is refused is told as %q, %q", Told(asked), Told(said))
	}
	d := Dial("h", "/", "")
	sent := d.Begin()
	_, _ = d.Feed([]byte("HTTP/1.1 404 Not Found\r\n\r\n"))
	if asked, said := d.Talk(); string(asked) != string(sent) || Told(said) != "HTTP/1.1 404 Not Found" {
		t.Errorf("ours is told as %q, %q", Told(asked), Told(said))
	}
	if Told(nil) != "" {
		t.Error("nothing is told as something")
	}
}
