package browser

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

const destinationRoutes = `
route {
	ds_select_dst(1, 8);
	t_relay();
}
`

// gatewayThatLives answers all requests that come by TCP with 200, until the test ends.
func gatewayThatLives(t *testing.T) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var conns []net.Conn
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, c)
			mu.Unlock()
			running.Go(func() { answerAll(c) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		for _, c := range conns {
			_ = c.Close()
		}
		mu.Unlock()
		running.Wait()
	})
	return l.Addr().String()
}

// answerAll answers requests without bodies until the connection ends.
func answerAll(c net.Conn) {
	in := textproto.NewReader(bufio.NewReader(c))
	for {
		if _, err := in.ReadLine(); err != nil {
			return
		}
		head, err := in.ReadMIMEHeader()
		if err != nil {
			return
		}
		text := "SIP/2.0 200 OK\r\n"
		for _, name := range []string{"Via", "From", "To", "Call-Id", "Cseq"} {
			for _, v := range head[name] {
				text += name + ": " + v + "\r\n"
			}
		}
		if _, err := io.WriteString(c, text+"Content-Length: 0\r\n\r\n"); err != nil {
			return
		}
	}
}

// TestDestinations: destinations of calls are shown with their state, and the buttons of a row disable, enable and probe
// what it is about. A carrier has no address: it has no button to probe it.
func TestDestinations(t *testing.T) {
	dir, alive, dead := t.TempDir(), "sip:"+gatewayThatLives(t)+";transport=tcp", "sip:127.0.0.1:"+freePort(t)+";transport=tcp"
	more := `
loadmodule "signaling.so"
loadmodule "tm.so"
loadmodule "dispatcher.so"
loadmodule "drouting.so"
modparam("drouting", "probing_interval", 0)
`
	for param, text := range map[string]string{
		"dispatcher/dispatcher_file": "setid,destination\n1," + alive + "\n1," + dead + "\n",
		"drouting/gateways_file":     "gwid,type,address,strip,pri_prefix,attrs,probe_mode\ngw1,1," + alive + ",0,,,0\n",
		"drouting/carriers_file":     "carrierid,gwlist\nberlin,gw1\n",
		"drouting/rules_file":        "groupid,prefix,timerec,priority,gwlist\n0,,,0,#berlin\n",
	} {
		module, name, _ := strings.Cut(param, "/")
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		more += fmt.Sprintf("modparam(%q, %q, %q)\n", module, name, path)
	}
	e := startRouting(t, more, destinationRoutes)
	p := open(t, e, 1280, 900)
	p.live()
	button := func(act, name string) string {
		return fmt.Sprintf(`#destinations button[aria-label="%s %s"]`, act, name)
	}
	seen := func(act, name string) string {
		return fmt.Sprintf(`document.querySelector('%s').checkVisibility()`, button(act, name))
	}
	row := func(name string) string {
		return fmt.Sprintf(`document.querySelector('%s').closest("tr").innerText`, button("disable", name))
	}
	says := func(text string) string {
		return fmt.Sprintf(`document.querySelector("#say[role=status]").textContent.includes(%q)`, text)
	}
	p.until("all rows are there", `document.querySelectorAll("#destinations tbody tr").length === 4`)
	p.until("the gateway gets calls", row(alive)+`.includes("Active") && `+seen("disable", alive)+` && !`+seen("enable", alive))

	p.press(button("disable", alive))
	p.until("it is said", says(alive+": disabled."))
	p.until("it shows, and who did it", row(alive)+`.includes("Inactive") && `+row(alive)+`.includes("management interface") && `+seen("enable", alive)+` && !`+seen("disable", alive))
	if got := e.mi(t, "", "ds_list"); !strings.Contains(got, "Inactive") {
		t.Errorf("the table has %s", got)
	}
	p.press(button("probe", alive))
	p.until("its answer is told", says(alive+" answered: 200"))
	p.press(button("enable", alive))
	p.until("it gets calls again", row(alive)+`.includes("Active") && `+seen("disable", alive)+` && !`+seen("enable", alive))
	if got := e.mi(t, "", "ds_list"); strings.Contains(got, "Inactive") {
		t.Errorf("the table has %s", got)
	}

	p.press(button("probe", dead))
	p.until("what became of it is told", says(dead+" answered: ")+` && !`+says("answered: 200"))
	p.press(button("probe", "gw1"))
	p.until("a gateway is pinged by its id", says("gw1 answered: 200"))

	p.until("a carrier is not pinged", seen("disable", "#berlin")+` && !`+seen("probe", "#berlin"))
	p.press(button("disable", "#berlin"))
	p.until("the carrier gets no calls", row("#berlin")+`.includes("Inactive")`)
	if got := e.mi(t, "", "dr_carrier_status"); !strings.Contains(got, `"no"`) {
		t.Errorf("the carrier has %s", got)
	}
	p.press(button("enable", "#berlin"))
	p.until("the carrier gets calls again", row("#berlin")+`.includes("Active")`)

	e.mi(t, "", "destination_disable", "drouting", "Default", "gw1")
	p.until("what others do shows", row("gw1")+`.includes("Inactive")`)
}
