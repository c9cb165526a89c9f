package connlog

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"sipreactor/reactor/internal/reason"
)

func failedFrom(n uint32, r reason.Reason) lineKey {
	var ip [4]byte
	binary.BigEndian.PutUint32(ip[:], 10<<24+n)
	return lineKey{peer: netip.AddrPortFrom(netip.AddrFrom4(ip), 0), reason: r}
}

func TestRepeats(t *testing.T) {
	var f endRepeats
	const second = int64(time.Second)
	a, b := failedFrom(1, reason.HandshakeFailed), failedFrom(2, reason.HandshakeFailed)
	at := 100 * second
	if held, ok := f.open(at, a); !ok || held != 0 {
		t.Errorf("the first line: %d, %v", held, ok)
	}
	for range 3 {
		if _, ok := f.open(at+second/2, a); ok {
			t.Error("a line passed within a second")
		}
	}
	if _, ok := f.open(at+second/2, b); !ok {
		t.Error("the first line of another peer was held back")
	}
	if _, ok := f.open(at+second/2, failedFrom(1, reason.SendTimeout)); !ok {
		t.Error("the first line of another reason was held back")
	}
	if list, _ := f.rests(at + 9*second); len(list) != 0 {
		t.Errorf("%v is told after nine seconds", list)
	}
	if list, _ := f.rests(at + 10*second); len(list) != 1 || list[0].lineKey != a || list[0].more != 3 {
		t.Errorf("%v is told after ten seconds, want 3 of the first", list)
	}
	if list, _ := f.rests(at + 20*second); len(list) != 0 {
		t.Errorf("%v is told twice", list)
	}
	if len(f.rows) != 0 || f.count != [2]int{} {
		t.Errorf("%d rows are left when all is still, counts %v", len(f.rows), f.count)
	}

	// Repetitions share what a reason may tell, each is told at the end.
	at += 100 * second
	f.open(at, a)
	f.open(at, b)
	f.open(at+second/2, a)
	if held, ok := f.open(at+2*second, a); !ok || held != 1 {
		t.Errorf("the line behind a held one: %d, %v", held, ok)
	}
	if _, ok := f.open(at+2*second, b); ok {
		t.Error("a second repetition passed within a second")
	}
	if list, _ := f.rests(at + 30*second); len(list) != 1 || list[0].lineKey != b || list[0].more != 1 {
		t.Errorf("%v is told, want 1 of the second", list)
	}
}

// TestRepeatsAreBounded: of 100,000 addresses as many are told apart as there is
// room for, and of the others how many they were. Peers that we dial have room of
// their own.
func TestRepeatsAreBounded(t *testing.T) {
	var f endRepeats
	const all = 100_000
	now, told := int64(time.Minute), 0
	for i := range uint32(all) {
		if _, ok := f.open(now, failedFrom(i, reason.HandshakeFailed)); ok {
			told++
		}
	}
	if told != keysBound || len(f.rows) != keysBound {
		t.Errorf("%d lines, %d rows", told, len(f.rows))
	}
	trunk := failedFrom(all, reason.ConnectFailed)
	trunk.outbound = true
	if _, ok := f.open(now, trunk); !ok {
		t.Error("a peer that we dial has no room")
	}
	_, untold := f.rests(now)
	if n := untold[reason.HandshakeFailed]; n != all-keysBound {
		t.Errorf("%d are told not to be told, want %d", n, all-keysBound)
	}
	if _, untold = f.rests(now + restTime); untold[reason.HandshakeFailed] != 0 || len(f.rows) != 0 {
		t.Errorf("%d untold, %d rows when it is over", untold[reason.HandshakeFailed], len(f.rows))
	}
	if _, ok := f.open(now+restTime, failedFrom(all, reason.HandshakeFailed)); !ok {
		t.Error("the first of a new one is held back when it is over")
	}
}
