package topology_hiding

import (
	"strings"
	"testing"

	"sipreactor/reactor/proxy"
	"sipreactor/sipframe"
)

// TestCallIDs: what was encoded comes back, and nothing else is taken for such.
func TestCallIDs(t *testing.T) {
	s, other := &callIDs{prefix: "DLGCH_", key: newKey()}, &callIDs{prefix: "DLGCH_", key: newKey()}
	for _, id := range []string{"a", "3848276298220188511@10.0.0.9", strings.Repeat("x", 255)} {
		text := s.encode(id)
		if got, ok := s.decode([]byte(text)); !ok || string(got) != id {
			t.Errorf("%s: %s, %v", id, got, ok)
		}
		if text != s.encode(id) || !strings.HasPrefix(text, "DLGCH_") || len(id) > 1 && strings.Contains(text, id) {
			t.Errorf("%s is encoded as %s", id, text)
		}
		if _, ok := other.decode([]byte(text)); ok {
			t.Error("another key reads it")
		}
		for _, bad := range []string{id, text[:len(text)-2], text + "AAAA", "DLGCH_", "DLGCH_%%", strings.Replace(text, "DLGCH_", "OTHER_", 1)} {
			if got, ok := s.decode([]byte(bad)); ok {
				t.Errorf("%s is read as %s", bad, got)
			}
		}
	}
}

// TestShardOfHidden: what comes with a Call-ID of ours goes to the shard of the one that it hides, until the module ends.
func TestShardOfHidden(t *testing.T) {
	p, err := proxy.New(proxy.Config{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	m := &module{callIDs: callIDs{prefix: "DLGCH_", key: newKey()}, proxy: p, stop: func() {}}
	next := &module{callIDs: m.callIDs, proxy: p, stop: func() {}}
	m.rename()
	hidden := []byte(m.callIDs.encode("c1@example.com"))
	long := []byte(m.callIDs.encode(strings.Repeat("x", maxNamed)))
	check := func(when string, id []byte, want string) {
		t.Helper()
		if got := p.CallID(id); string(got) != want {
			t.Errorf("%s: %s, want %s", when, got, want)
		}
	}
	check("hidden", hidden, "c1@example.com")
	check("plain", []byte("c2"), "c2")
	for head, want := range map[string]string{
		"INVITE sip:b@h SIP/2.0\r\nTo: <sip:b@h>":    string(hidden), // of who begins a call, though another one of ours has named it so
		"BYE sip:b@h SIP/2.0\r\nTo: <sip:b@h>;tag=b": "c1@example.com",
		"SIP/2.0 180 Ringing\r\nTo: <sip:b@h>;tag=b": "c1@example.com",
	} {
		var msg sipframe.Message
		if err := msg.Parse([]byte(head + "\r\nVia: SIP/2.0/UDP h\r\nFrom: <sip:a@h>;tag=a\r\nCSeq: 1 BYE\r\nCall-ID: " + string(hidden) + "\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
		if got := p.CallIDOf(&msg); string(got) != want {
			t.Errorf("%s: %s, want %s", head, got, want)
		}
	}
	check("too long", long, string(long))
	m.end(next)
	check("after a reload", hidden, "c1@example.com")
	next.end(nil)
	check("at the end", hidden, string(hidden))
}
