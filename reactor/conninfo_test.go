package reactor

import "testing"

func TestConns(t *testing.T) {
	r := start(t, &script{message: echo}, hurried)
	r.dial(TLS)
	r.dial(TCP)
	r.dialTo(TCP, blackHole(t))
	r.eventually("all are in their phase", func() bool {
		phases := map[string]int{}
		r.Conns(func(i *ConnInfo) bool { phases[i.Phase]++; return true })
		return phases["established"] == 2 && phases["connecting"] == 1
	})
	r.Conns(func(i *ConnInfo) bool {
		switch {
		case i.Outbound && (i.Phase != "connecting" || i.Queue != 1 || i.TLSVersion != ""):
			t.Errorf("the parked one: %+v", i)
		case i.Proto == TLS && (i.TLSVersion != "TLSv1.3" || i.Cipher == "" || i.Domain != "in"):
			t.Errorf("the TLS one: %+v", i)
		case i.Proto == TCP && !i.Outbound && (i.TLSVersion != "" || i.Domain != ""):
			t.Errorf("the plain one: %+v", i)
		}
		if one, ok := r.Conn(i.Conn); !ok || one.Source != i.Source {
			t.Errorf("Conn(%x): %+v, %v", i.Conn, one, ok)
		}
		if i.Idle < 0 || i.Age <= 0 {
			t.Errorf("idle %v, age %v", i.Idle, i.Age)
		}
		return true
	})
	n := 0
	r.Conns(func(*ConnInfo) bool { n++; return false })
	if n != 1 {
		t.Errorf("went on to %d after it was told to stop", n)
	}
	if _, ok := r.Conn(1 << 40); ok {
		t.Error("a connection that never was")
	}
}
