package main

import (
	"bufio"
	"fmt"
	"net"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"sipreactor/reactor/store"
	"sipreactor/reactor/store/storetest"
)

// TestMidRestarts: a mid-registrar is killed. Its next life reaches the phone by the Contact that the main registrar has,
// knows until when that is registered there, and removes it there when the phone goes.
func TestMidRestarts(t *testing.T) {
	t.Parallel()
	for mode, name := range []string{"mirrors", "throttles contacts", "throttles AORs"} {
		t.Run(name, func(t *testing.T) { midRestarts(t, mode) })
	}
}

func midRestarts(t *testing.T, mode int) {
	url := storetest.SQLite(t)
	if err := store.Create(t.Context(), url, "location"); err != nil {
		t.Fatal(err)
	}
	m, path := newMid(t, fmt.Sprintf(`loadmodule "db_sqlite.so"
modparam("usrloc", "working_mode_preset", "single-instance-sql-write-through")
modparam("usrloc", "db_url", %q)
modparam("mid_registrar", "mode", %d)
modparam("mid_registrar", "outgoing_expires", 3600)
`, url, mode))
	var child *exec.Cmd
	start := func() {
		child, m.log = asChild(t, "-f", path)
		m.log.wait(t, "msg=ready")
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("log:\n%s", m.log)
		}
	})
	l, err := net.Listen("tcp", "127.0.0.1:0") // where the phone is called when its connection is gone
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	phone := "sip:alice@" + l.Addr().String() + ";transport=tcp"
	granted := "3600"
	if mode == 0 {
		granted = "600"
	}

	start()
	p := m.phone()
	p.register("Contact: <" + phone + ">;expires=600")
	request := m.asked()
	ours := sentContact(brief(t.Fatal, request))
	m.says(request, "200 OK", "Contact: <"+ours+">;expires="+granted)
	if got := p.read(); !strings.HasPrefix(got, "200 OK|") {
		t.Fatalf("it registers: %s", got)
	}
	if err := child.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait()

	start()
	m.message(ours)
	if err := l.(*net.TCPListener).SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	c, err := l.Accept()
	if err != nil {
		t.Fatalf("the phone is not called: %v", err)
	}
	defer c.Close()
	_ = c.SetReadDeadline(time.Now().Add(patience))
	if got, err := readMessage(bufio.NewReader(c)); err != nil || string(got.RequestURI()) != phone {
		t.Errorf("the phone gets %v %v", got, err)
	}
	p = m.phone()
	p.register("Contact: <" + phone + ">;expires=600")
	again := func() {
		t.Helper()
		if got := p.read(); !strings.HasPrefix(got, "200 OK|Contact: <"+phone+">") {
			t.Errorf("it registers again: %s", got)
		}
	}
	if mode < 2 { // from elsewhere: it is relayed, with the same Contact
		if request := m.asked(); sentContact(brief(t.Fatal, request)) != ours {
			t.Errorf("the main registrar has %s and gets\n%s", ours, request)
		} else {
			m.says(request, "200 OK", "Contact: <"+ours+">;expires="+granted)
		}
	}
	again()
	if mode > 0 { // the main registrar is not asked
		p.register("Contact: <" + phone + ">;expires=600")
		again()
	}
	p.register("Contact: <" + phone + ">;expires=0")
	request = m.asked()
	if got := brief(t.Fatal, request); sentContact(got) != ours || !strings.HasSuffix(got, ";expires=0") {
		t.Errorf("the phone goes: the main registrar has %s and gets\n%s", ours, got)
	}
	m.says(request, "200 OK")
	if got := p.read(); got != "200 OK" {
		t.Errorf("it goes: %s", got)
	}
}
