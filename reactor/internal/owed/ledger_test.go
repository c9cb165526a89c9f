package owed

import "testing"

func message(first, branch string) []byte {
	return []byte(first + "\r\nVia: SIP/2.0/TCP h;branch=" + branch + "\r\n\r\n")
}

func TestLedgerOfThePeersRequests(t *testing.T) {
	var l Ledger
	for i, row := range []struct {
		came bool
		m    []byte
		want int
	}{
		{true, message("INVITE sip:b SIP/2.0", "1"), 1},
		{true, message("ACK sip:b SIP/2.0", "2"), 1},
		{true, message("SIP/2.0 200 OK", "3"), 1},
		{true, message("OPTIONS sip:b SIP/2.0", "4"), 2},
		{false, message("SIP/2.0 180 Ringing", "1"), 2},
		{false, message("SIP/2.0 200 OK", "1"), 1},
		{false, message("SIP/2.0 200 OK", "1"), 1}, // again
		{false, message("BYE sip:a SIP/2.0", "5"), 1},
		{false, message("SIP/2.0 404 x", "4"), 0},
	} {
		if row.came {
			l.Came(row.m)
		} else {
			l.Responded(row.m)
		}
		if got := l.Theirs(); got != row.want {
			t.Errorf("%d: %d are open behind %.20q, want %d", i, got, row.m, row.want)
		}
	}
}

func TestLedgerOfOurRequests(t *testing.T) {
	var l Ledger
	if final := message("SIP/2.0 200 OK", "1"); l.Answered(final) || l.Finals() != 1 || l.Ours() != 0 {
		t.Errorf("an answer to nothing: %d are open", l.Ours())
	}
	l.Asked(1000, 3)
	if l.Answered(message("SIP/2.0 100 Trying", "1")) || l.Answered(message("BYE sip:a SIP/2.0", "1")) || l.Ours() != 3 {
		t.Errorf("what is no final response answers: %d are open", l.Ours())
	}
	if !l.Answered(message("SIP/2.0 486 x", "1")) || l.Ours() != 2 || l.Finals() != 2 {
		t.Errorf("%d are open, %d finals", l.Ours(), l.Finals())
	}
	if l.Live(1000) != 2 || l.Live(1000+3*answerTime) != 0 {
		t.Errorf("%d live at once, %d in the end", l.Live(1000), l.Live(1000+3*answerTime))
	}
	if l.Close() != 2 || l.Ours() != 0 {
		t.Errorf("%d are open when it is over", l.Ours())
	}
}

func TestLedgerDoesNotAllocate(t *testing.T) {
	var l Ledger
	request, response := message("OPTIONS sip:b SIP/2.0", "4"), message("SIP/2.0 200 OK", "4")
	turn := func() {
		l.Came(request)
		l.Responded(response)
		l.Asked(1000, 1)
		l.Answered(response)
	}
	turn()
	if n := testing.AllocsPerRun(100, turn); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
