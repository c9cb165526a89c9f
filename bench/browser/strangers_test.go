package browser

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// TestOthersCannot: the page of another site, in the same browser, can neither read nor do anything.
func TestOthersCannot(t *testing.T) {
	e, other := start(t, ""), start(t, "")
	p := open(t, e, 800, 600)
	p.live()
	p.away() // what is refused shows on the console
	var got []string
	attempt := func(options string) string {
		return fmt.Sprintf(`fetch("http://%s/mi", Object.assign({method: "POST", body: '{"jsonrpc":"2.0","id":1,"method":"tls_trace","params":["on"]}'}, %s)).then((r) => "status " + r.status + " " + r.type, (e) => "refused")`, other.host(), options)
	}
	// The policy of our own page would forbid it before the other had to: the attempts come from an empty one. The browser
	// knows what either asks for, as if its user had typed it, and sends it along.
	for _, each := range []*edge{other, e} {
		p.run(chromedp.Navigate("http://operator:" + each.token + "@" + each.host() + "/none"))
	}
	for _, options := range []string{`{}`, `{mode: "no-cors", credentials: "include"}`, `{mode: "no-cors"}`, `{mode: "no-cors", headers: {"Content-Type": "text/plain"}}`, `{headers: {"Content-Type": "application/json"}}`} {
		var one string
		p.run(chromedp.Evaluate(attempt(options), &one, awaited))
		got = append(got, one)
	}
	if want := "refused, status 0 opaque, status 0 opaque, status 0 opaque, refused"; strings.Join(got, ", ") != want {
		t.Errorf("%q", got)
	}
	if state := other.mi(t, "", "tls_trace"); state != `{"TLS tracing":"off"}` {
		t.Errorf("another site turned tracing: %s", state)
	}
	p.forget()
}

// awaited gives the value of a promise.
func awaited(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }
