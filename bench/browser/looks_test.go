package browser

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// TestPhone: on a phone nothing is wider than the screen, tables and details included.
func TestPhone(t *testing.T) {
	e := start(t, "")
	e.pki.make(t, "hostile", strings.Repeat("x", 64), 10)
	c := e.dial(t, "hostile")
	c.ask(t)
	noTLS(t, e)
	p := open(t, e, 320, 640, &emulation.MediaFeature{Name: "prefers-reduced-motion", Value: "reduce"})
	p.until("the tables are filled", `document.querySelector("#found button") && document.querySelector("#errors button")`)
	const fits = `document.documentElement.scrollWidth <= innerWidth &&
		[...document.querySelectorAll("main *")].every((e) => e.closest(".unseen, .stack thead") || e.getBoundingClientRect().right <= innerWidth + 0.5)`
	p.until("all is as wide as the screen", fits)
	p.until("buttons have a size for fingers", `[...document.querySelectorAll("main button:not(.to-conn), .top button")].filter((b) => b.checkVisibility()).every((b) => b.getBoundingClientRect().height >= 36)`)
	p.run(chromedp.Evaluate(`document.querySelector("#found button").click()`, nil))
	p.until("the details are there", `document.querySelector("#conn-body .events li")`)
	p.until("and fit", `[...document.querySelectorAll("#conn, #conn *")].every((e) => e.getBoundingClientRect().right <= innerWidth + 0.5)`)
	p.until("nothing moves by itself", `[...document.querySelectorAll("*")].every((e) => getComputedStyle(e).transitionDuration === "0s")`)
}

// TestDark: colours follow the system's choice, and texts can be read on their ground in both.
func TestDark(t *testing.T) {
	e := start(t, "")
	e.dial(t, "client").ask(t)
	noTLS(t, e)
	ground := map[string]string{}
	for _, mode := range []string{"light", "dark"} {
		p := open(t, e, 1280, 900, &emulation.MediaFeature{Name: "prefers-color-scheme", Value: mode})
		p.until("the tables are filled", `document.querySelector("#found button") && document.querySelector("#errors button")`)
		var colour string
		var dim []string
		p.run(chromedp.Evaluate(`getComputedStyle(document.body).backgroundColor`, &colour), chromedp.Evaluate(contrast, &dim))
		ground[mode] = colour
		if len(dim) > 0 {
			t.Errorf("%s: hard to read: %q", mode, dim)
		}
	}
	if ground["light"] == ground["dark"] {
		t.Errorf("light and dark are the same: %v", ground)
	}
}

// contrast lists texts whose contrast with what lies under them is below 4.5 to 1 (WCAG 2.2, 1.4.3).
const contrast = `(() => {
	const parse = (s) => s.match(/[\d.]+/g).map(Number);
	const light = ([r, g, b]) => [r, g, b].map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
	const ground = (e) => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] === 1) return c; } return [255, 255, 255]; };
	const all = [...document.querySelectorAll("body *")].filter((e) => e.checkVisibility() && !e.closest("dialog, .toast, .skip") && [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()));
	if (all.length < 40) return ["only " + all.length + " texts"];
	return all.filter((e) => { const a = light(parse(getComputedStyle(e).color)), b = light(ground(e)); return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) < 4.5; }).map((e) => e.outerHTML.slice(0, 120));
})()`

// TestAccessibility: whoever hears the page instead of seeing it finds landmarks, and a name for everything that acts.
func TestAccessibility(t *testing.T) {
	e := start(t, "")
	e.dial(t, "client").ask(t)
	p := open(t, e, 1280, 900)
	p.until("the tables are filled", `document.querySelector("#found button")`)
	check := func(wanted map[string]int) {
		t.Helper()
		var nodes []*accessibility.Node
		p.run(chromedp.ActionFunc(func(ctx context.Context) (err error) {
			nodes, err = accessibility.GetFullAXTree().Do(ctx)
			return err
		}))
		seen := map[string]int{}
		for _, n := range nodes {
			if n.Ignored || n.Role == nil {
				continue
			}
			role, name := plain(n.Role), plain(n.Name)
			seen[role]++
			switch role {
			case "button", "switch", "link", "searchbox", "textbox", "image", "img", "graphics-document", "table", "dialog", "alertdialog", "DisclosureTriangle":
				if name == "" {
					t.Errorf("a %s has no name: %s", role, plain(n.Description))
				}
			}
		}
		for role, least := range wanted {
			if seen[role] < least {
				t.Errorf("%d of role %s, want %d: %v", seen[role], role, least, seen)
			}
		}
	}
	check(map[string]int{"banner": 1, "main": 1, "contentinfo": 1, "search": 1, "switch": 1, "searchbox": 1, "status": 1, "image": 3, "table": 8, "columnheader": 20, "rowheader": 4, "heading": 10})
	p.until("the first stop of the keyboard leads past the header", `document.querySelector("a, button, input").matches(".skip[href='#main']")`)
	p.until("nothing but the messages is read out by itself", `[...document.querySelectorAll("[aria-live], [role=status]")].map((e) => e.id).join() === "say"`)
	p.run(chromedp.Evaluate(`document.querySelector("#found button").focus()`, nil), chromedp.KeyEvent("\r"))
	p.until("the details are there", `document.querySelector("#conn-body .events li")`)
	check(map[string]int{"dialog": 1, "button": 2})
	p.press("#conn-close")
	p.until("it asks", `document.getElementById("ask").open`)
	check(map[string]int{"alertdialog": 1, "button": 2})
	p.press("#ask-no")
	p.run(chromedp.KeyEvent("\x1b"))
	p.until("focus is back where it was", `document.activeElement === document.querySelector("#found button")`)
}

// plain is the text of a value in the accessibility tree.
func plain(v *accessibility.Value) (s string) {
	if v == nil {
		return ""
	}
	_ = json.Unmarshal(v.Value, &s)
	return s
}
