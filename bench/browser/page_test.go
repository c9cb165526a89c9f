package browser

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// show gives the expression of an element's text.
func show(id string) string { return fmt.Sprintf(`document.getElementById(%q).innerText`, id) }

// TestLive: the page loads, its figures move when traffic flows, and what peers say of themselves stays text.
func TestLive(t *testing.T) {
	e := start(t, "")
	e.pki.make(t, "hostile", hostile, 10)
	p := open(t, e, 1280, 900)
	p.live()
	p.until("nobody is connected", show("f-connections")+` === "0"`)
	c := e.dial(t, "hostile")
	p.until("the connection is counted", show("f-connections")+` === "1"`)
	for range 12 {
		c.ask(t)
	}
	p.until("messages are counted", show("f-in-more")+`.includes("12 so far")`)
	p.until("the graph has a line", `document.querySelectorAll(".graph .line.s0")[0].getAttribute("d").length > 20`)
	p.until("the graph says so in words", `/in: now .*at most [1-9]/.test(document.querySelector(".graph svg").getAttribute("aria-label"))`)
	p.until("the name of the certificate is text", fmt.Sprintf(`document.querySelector("#found .more").textContent === %q`, hostile))
	p.until("no markup came of it", `document.querySelectorAll("main img").length === 0`)
	if got := p.text("#listeners"); !strings.Contains(got, "tls:127.0.0.1:"+e.tls) || !strings.Contains(got, "tcp:127.0.0.1:"+e.tcp) {
		t.Errorf("listeners: %s", got)
	}
	if got := p.text("#domains"); !strings.Contains(got, "21 days left") || !strings.Contains(got, "187 days left") {
		t.Errorf("domains: %s", got)
	}
	p.until("the short certificate is told", `document.querySelector("#attention[data-level=warn]").innerText.includes("21 days")`)

	noTLS(t, e)
	p.until("the error is told", `document.getElementById("errors").innerText.includes("handshake failed")`)
	p.until("and counted by its reason", `document.getElementById("closes").innerText.includes("handshake failed")`)
	quiet := silent(t)
	if err := c.send("MESSAGE", "sip:b@127.0.0.1:"+quiet+";transport=tls", "hello"); err != nil {
		t.Fatal(err)
	}
	p.until("the connect under way is told", fmt.Sprintf(`document.getElementById("connecting").innerText.includes("127.0.0.1:%s")`, quiet))

	p.run(chromedp.SendKeys("#find-words", quiet, chromedp.ByQuery))
	p.until("one connection is found", `document.querySelectorAll("#found tbody button").length === 1 && document.querySelector("#found button").textContent.endsWith(`+fmt.Sprintf("%q", quiet)+`)`)
	p.run(chromedp.SetValue("#find-words", "no such thing", chromedp.ByQuery),
		chromedp.Evaluate(`document.getElementById("find-words").dispatchEvent(new Event("input"))`, nil))
	p.until("nothing is found", `document.querySelector("#found .nothing")`)
}

// TestClose: a connection is looked at, kept when the question is answered so, and closed when it is answered so.
func TestClose(t *testing.T) {
	e := start(t, "")
	p := open(t, e, 1280, 900)
	c, other := e.dial(t, "client"), e.dial(t, "")
	c.ask(t)
	address := c.LocalAddr().String()
	button := fmt.Sprintf(`[...document.querySelectorAll("#found button")].find((b) => b.textContent === %q)`, address)
	p.until("the connection is listed", button)
	p.run(chromedp.Evaluate(button+".focus()", nil), chromedp.KeyEvent("\r"))
	p.until("its details are there", `document.getElementById("conn").open && document.querySelectorAll("#conn-body .events li").length === 3`)
	details := p.text("#conn-body")
	for _, want := range []string{address, "established", "TLSv1.3", "TLS_AES_128_GCM_SHA256", "edge", "CN=sbc-2.example.net,O=Example Carrier", "CN=Example Carrier CA",
		"sip.example.net, 127.0.0.1", "yes, and found good", "accepted", "handshake"} {
		if !strings.Contains(details, want) {
			t.Errorf("%q is not among the details:\n%s", want, details)
		}
	}

	p.press("#conn-close")
	p.until("it asks, and keeping it is the answer at hand", `document.getElementById("ask").open && document.activeElement.id === "ask-no"`)
	p.press("#ask-no")
	p.until("the question is gone", `!document.getElementById("ask").open`)
	c.ask(t)
	p.press("#conn-close")
	p.run(chromedp.KeyEvent("\x1b")) // Escape answers no
	p.until("the question is gone again", `!document.getElementById("ask").open && document.getElementById("conn").open`)
	c.ask(t)

	p.press("#conn-close")
	p.press("#ask-yes")
	c.ends(t)
	p.until("the end is told", `document.getElementById("conn-body").innerText.includes("closed: closed by management")`)
	p.until("there is nothing left to close", `document.getElementById("conn-close").hidden`)
	p.until("it is said once, to those who listen", `document.querySelector("#say[role=status]").textContent.includes("is being closed")`)
	p.press("#conn-leave")
	p.until("the details are left", `!document.getElementById("conn").open && location.hash === ""`)
	other.ask(t)
	if !other.isOpen(t) {
		t.Error("another connection was closed too")
	}
}

// TestTracing turns the switch, and sees it turned by others.
func TestTracing(t *testing.T) {
	e := start(t, `loadmodule "proto_hep.so"
modparam("proto_hep", "hep_id", "[nobody]127.0.0.1:9;transport=udp")
modparam("proto_tls", "trace_destination", "nobody")
`)
	p := open(t, e, 1280, 900)
	is := func(on string) {
		t.Helper()
		p.until("tracing is "+on, fmt.Sprintf(`document.getElementById("trace").getAttribute("aria-checked") === "%t"`, on == "on"))
		if got := e.mi(t, "", "tls_trace"); got != fmt.Sprintf(`{"TLS tracing":%q}`, on) {
			t.Errorf("tracing is %s, not %s", got, on)
		}
	}
	p.live()
	is("off")
	p.press("#trace")
	is("on")
	p.until("it is said", `document.getElementById("say").textContent === "TLS tracing is on."`)
	e.mi(t, "", "tls_trace", "off")
	is("off")
	p.run(chromedp.Evaluate(`document.getElementById("trace").focus()`, nil), chromedp.KeyEvent(" "))
	is("on")
}

// TestRestart: the program is killed and comes back; the page finds it by itself.
func TestRestart(t *testing.T) {
	e := start(t, "")
	p := open(t, e, 1280, 900)
	c := e.dial(t, "")
	c.ask(t)
	p.until("the message is counted", show("f-in-more")+`.includes("1 so far")`)
	p.away()
	if err := e.Cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	p.until("the loss is told", `document.getElementById("link").dataset.state === "lost" && document.getElementById("say").textContent.includes("does not answer")`)
	<-e.Exited()
	if !e.begin(t) {
		t.Fatal("the program does not start again")
	}
	p.until("the page is back", `document.getElementById("link").dataset.state === "live"`)
	p.until("it counts anew", show("f-in-more")+`.includes("0 so far")`)
	e.dial(t, "").ask(t)
	p.until("and goes on counting", show("f-in-more")+`.includes("1 so far")`)
	p.until("the graph is that of this run", `!document.querySelector(".graph svg").getAttribute("aria-label").includes("no figures")`)
}

// TestToken: the page asks for the token, says when it is wrong, and keeps it for its tab.
func TestToken(t *testing.T) {
	const token = "open, sesame ü"
	e := start(t, `modparam("httpd", "token", "`+token+`")`+"\n")
	e.guarded = true
	p := open(t, e, 1280, 900)
	try := func(s string) {
		t.Helper()
		p.until("the page asks", `document.getElementById("login").open && document.activeElement.id === "login-token"`)
		p.run(chromedp.SendKeys("#login-token", s+"\r", chromedp.ByQuery))
	}
	try("wrong")
	p.until("it says so", show("login-wrong")+`.includes("not accepted")`)
	try(token)
	p.live()
	p.until("the question is gone", `!document.getElementById("login").open`)
	p.run(chromedp.Reload())
	p.live()
	if got := e.mi(t, token, "tls_trace"); got != `{"TLS tracing":"off"}` {
		t.Errorf("%s", got)
	}
}

// TestAddressWithPassword: the page works where its own address has a user and a password, which fetch refuses.
func TestAddressWithPassword(t *testing.T) {
	e := start(t, "")
	p := open(t, e, 800, 600)
	p.live()
	p.run(chromedp.Navigate("http://operator:" + e.token + "@" + e.host() + "/"))
	p.live()
}
