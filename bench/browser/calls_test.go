package browser

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

const callModules = `
loadmodule "signaling.so"
loadmodule "tm.so"
loadmodule "rr.so"
loadmodule "dialog.so"
modparam("dialog", "profiles_with_value", "caller")
`

const callRoutes = `
route {
	if (has_totag()) {
		if (loose_route())
			t_relay();
		exit;
	}
	record_route();
	create_dialog();
	set_dlg_profile("caller", "$fU");
	t_relay();
}
`

// party is one side of a call over TCP, which does what its test tells.
type party struct {
	t    *testing.T
	conn net.Conn
	read *textproto.Reader
}

func newParty(t *testing.T, c net.Conn, err error) *party {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(4 * patience))
	return &party{t, c, textproto.NewReader(bufio.NewReader(c))}
}

// hear reads a message that begins with a text; it passes over others.
func (p *party) hear(start string) (head textproto.MIMEHeader) {
	p.t.Helper()
	for {
		line, err := p.read.ReadLine()
		if err != nil {
			p.t.Fatalf("%s does not come: %v", start, err)
		}
		if head, err = p.read.ReadMIMEHeader(); err != nil {
			p.t.Fatal(err)
		}
		var n int64
		_, _ = fmt.Sscan(head.Get("Content-Length"), &n)
		if _, err := io.CopyN(io.Discard, p.read.R, n); err != nil {
			p.t.Fatal(err)
		}
		if strings.HasPrefix(line, start) {
			return head
		}
	}
}

// answer answers a request.
func (p *party) answer(head textproto.MIMEHeader, status, more string) {
	p.t.Helper()
	text := "SIP/2.0 " + status + "\r\n"
	for _, name := range []string{"Via", "Record-Route", "From", "To", "Call-Id", "Cseq"} {
		for _, v := range head[name] {
			if name == "To" && !strings.Contains(v, ";tag=") {
				v += ";tag=b"
			}
			text += name + ": " + v + "\r\n"
		}
	}
	if _, err := io.WriteString(p.conn, strings.Replace(text, "Call-Id:", "Call-ID:", 1)+more+"Content-Length: 0\r\n\r\n"); err != nil {
		p.t.Fatal(err)
	}
}

// TestCalls: a call is shown with its parties, whose numbers are masked, its profile and its time; the button asks, and ends
// it with a BYE to both.
func TestCalls(t *testing.T) {
	e := startRouting(t, callModules, callRoutes)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	p := open(t, e, 1280, 900)
	p.live()
	p.until("there is none", show("calls-count")+` === "0 calls" && document.querySelector("#calls-found .nothing")`)

	c, err := net.Dial("tcp", "127.0.0.1:"+e.tcp)
	caller := newParty(t, c, err)
	at := caller.conn.LocalAddr().String()
	request := func(method, to string, more string) {
		t.Helper()
		if _, err := fmt.Fprintf(c, "%[1]s sip:b@%[2]s;transport=tcp SIP/2.0\r\nVia: SIP/2.0/TCP %[3]s;branch=z9hG4bK%[1]s\r\nMax-Forwards: 70\r\nFrom: <sip:+4930123456@example.net>;tag=a\r\n"+
			"To: <sip:bob@example.net>%[4]s\r\nCall-ID: c1\r\nCSeq: 1 %[1]s\r\n%[5]sContact: <sip:a@%[3]s;transport=tcp>\r\nContent-Length: 0\r\n\r\n",
			method, l.Addr(), at, to, more); err != nil {
			t.Fatal(err)
		}
	}
	request("INVITE", "", "")
	in, err := l.Accept()
	callee := newParty(t, in, err)
	invite := callee.hear("INVITE ")
	contact := fmt.Sprintf("Contact: <sip:b@%s;transport=tcp>\r\n", l.Addr())
	callee.answer(invite, "180 Ringing", contact)
	p.until("it rings", show("calls-count")+`.includes("1 ringing") && document.querySelector("#calls-found tbody tr").innerText.includes("ringing")`)
	callee.answer(invite, "200 OK", contact)
	routes := ""
	for _, r := range caller.hear("SIP/2.0 200")["Record-Route"] {
		routes += "Route: " + r + "\r\n"
	}
	request("ACK", ";tag=b", routes)
	callee.hear("ACK ")
	row := `document.querySelector("#calls-found tbody tr")`
	p.until("it runs", row+`.innerText.includes("running") && /\d s/.test(`+row+`.innerText)`)
	p.until("the number is masked", row+`.cells[0].innerText.startsWith("+49…56@example.net") && !document.querySelector("main").innerText.includes("30123")`)
	p.until("the profile is counted", `document.querySelector("#calls-profiles tbody tr").innerText.includes("caller")`)
	p.run(chromedp.SendKeys("#calls-words", "nobody", chromedp.ByQuery))
	p.until("nothing has these words", `document.querySelector("#calls-found .nothing")`)
	p.run(chromedp.SetValue("#calls-words", "running", chromedp.ByQuery),
		chromedp.Evaluate(`document.getElementById("calls-words").dispatchEvent(new Event("input"))`, nil))
	p.until("it is found", `document.querySelector("#calls-found button")`)

	p.press("#calls-found button")
	p.until("it asks, and keeping it is the answer at hand", `document.getElementById("ask").open && document.activeElement.id === "ask-no"`)
	p.press("#ask-no")
	p.until("the question is gone", `!document.getElementById("ask").open`)
	p.press("#calls-found button")
	p.run(chromedp.KeyEvent("\x1b")) // Escape answers no
	p.until("the question is gone again", `!document.getElementById("ask").open`)
	if got := e.mi(t, "", "get_statistics", "active_dialogs"); !strings.Contains(got, `"dialog:active_dialogs":1`) {
		t.Fatal(got)
	}
	p.press("#calls-found button")
	p.press("#ask-yes")
	callee.answer(callee.hear("BYE "), "200 OK", "")
	caller.answer(caller.hear("BYE "), "200 OK", "")
	p.until("it is gone", show("calls-count")+` === "0 calls"`)
	p.until("it is said", `document.querySelector("#say[role=status]").textContent.includes("is being ended")`)
}

// TestNoCalls: where no calls are followed there is no panel.
func TestNoCalls(t *testing.T) {
	p := open(t, start(t, ""), 1280, 900)
	p.live()
	p.until("the panel is not there", `document.getElementById("calls").hidden`)
}
