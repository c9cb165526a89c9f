package tlsstate_test

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sipreactor/tlsstate"
	"sipreactor/tlsstate/tlstest"
)

// Tickets that come alone are no plaintext, and good for the next connection.
func TestTicketsAlone(t *testing.T) {
	w := tlstest.NewWorld(t)
	set := setOf(t, w, nil)
	server, client := tlstest.NewServer(t, set), tlstest.NewClient(t, set, "sip.example.com")
	client.Step(nil)
	tlstest.Carry(client, server, tlstest.Whole)
	tlstest.Carry(server, client, tlstest.Whole)
	tlstest.Carry(client, server, tlstest.Whole)
	tickets := server.Output()
	if server.Phase() != tlsstate.Established || client.Phase() != tlsstate.Established || len(tickets) == 0 {
		t.Fatalf("%v (%v), %v (%v), %d bytes of tickets", server.Phase(), server.Err, client.Phase(), client.Err, len(tickets))
	}
	p := make([]byte, 16384)
	for i := range tickets {
		client.Feed(tickets[i : i+1])
		if n, err := client.Read(p); n != 0 || !errors.Is(err, tlsstate.ErrWantRead) {
			t.Fatalf("%d bytes, %v", n, err)
		}
	}
	if len(client.Output()) > 0 {
		t.Error("tickets were answered")
	}
	if _, again := connected(t, set, "sip.example.com", tlstest.OneByte); !again.State().Resumed {
		t.Error("the ticket is not used")
	}
}

func TestTicketKeysFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys")
	one, two := tlstest.Text(32), tlstest.Text(64)[32:]
	for _, good := range []string{
		hex.EncodeToString(one), "# keys of the cluster\n\n  " + hex.EncodeToString(one) + "  \n",
		base64.StdEncoding.EncodeToString(two) + "\n" + hex.EncodeToString(one),
	} {
		tlstest.Write(t, file, []byte(good), 0o600)
		if _, err := tlsstate.ReadTicketKeys(file); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{"", "# nothing", "zz", hex.EncodeToString(one[:31])} {
		tlstest.Write(t, file, []byte(bad), 0o600)
		_, err := tlsstate.ReadTicketKeys(file)
		if err == nil || !strings.Contains(err.Error(), file) || len(bad) > 10 && strings.Contains(err.Error(), bad) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if _, err := tlsstate.ReadTicketKeys(file + "x"); err == nil {
		t.Error("no error for no file")
	}
}

// Bound keys are handed out when they change, and differ by policy and by use.
func TestBoundKeys(t *testing.T) {
	keys, now := tlsstate.NewTicketKeys(), time.Now()
	get := func(policy byte, use string, size int) (sealing string) {
		b := keys.Bind([32]byte{policy}, use, size)
		calls := 0
		for range 3 {
			b.Refresh(now, func(keys [][]byte) { calls++; sealing = string(keys[0]) })
		}
		if calls != 1 || len(sealing) != size {
			t.Errorf("handed out %d times, %d bytes", calls, len(sealing))
		}
		return sealing
	}
	first := get(1, "a", 32)
	if get(1, "a", 32) != first {
		t.Error("other keys for the same")
	}
	for _, other := range []string{get(2, "a", 32), get(1, "b", 32)} {
		if other == first {
			t.Error("the same key for something else")
		}
	}
	b, handed := keys.Bind([32]byte{1}, "a", 32), 0
	for range 4 { // the first one, and a new one every twelve hours
		b.Refresh(now, func(keys [][]byte) { handed = len(keys) })
		now = now.Add(12 * time.Hour)
	}
	if handed != 3 || get(1, "a", 32) == first {
		t.Errorf("%d keys, or no new one", handed)
	}
}
