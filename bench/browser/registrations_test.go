package browser

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// TestRegistrations: who is registered is shown and found by words, and what phones say of themselves stays text.
func TestRegistrations(t *testing.T) {
	e := start(t, `
loadmodule "signaling.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
route[registrations] { lookup("location"); }
`)
	e.mi(t, "", "ul_add", "location", "alice", "sip:alice@192.0.2.1:5060", "600", "0.5", "0", "0", "0")
	e.mi(t, "", "ul_add", "location", "<img src=x>", "sip:bob@192.0.2.2", "0", "0.5", "0", "0", "0")
	p := open(t, e, 1280, 900)
	p.live()
	p.until("both are counted", show("registrations-count")+`.includes("2 users · 2 contacts")`)
	p.until("both are listed", `document.querySelectorAll("#registrations tbody tr").length === 2`)
	p.until("one is for ever, one is not", `/never/.test(document.getElementById("registrations").innerText) && /[59] min/.test(document.getElementById("registrations").innerText)`)
	p.until("no markup came of it", `document.querySelectorAll("main img").length === 0`)
	p.until("the rate is told", show("registrations-count")+`.includes("accepted")`)
	p.run(chromedp.SendKeys("#registrations-words", "alice", chromedp.ByQuery))
	p.until("one is found", `document.querySelectorAll("#registrations tbody tr").length === 1 && document.querySelector("#registrations tbody th").innerText.startsWith("alice")`)
	e.mi(t, "", "ul_rm", "location", "alice")
	p.until("it went", `document.querySelector("#registrations .nothing")`)
}

// TestNoRegistrations: where nobody registers there is no panel.
func TestNoRegistrations(t *testing.T) {
	p := open(t, start(t, ""), 1280, 900)
	p.live()
	p.until("the panel is not there", `document.getElementById("registrations").hidden`)
}
