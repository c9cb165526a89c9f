package browser

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience bounds what a test waits for; nothing is asserted about time.
const patience = 30 * time.Second

var (
	program string          // the binary under test
	browser context.Context // a running Chromium; nil without one
	missing string          // why there is none
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "sipreactor-browser-")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		missing = "chromium is not installed (Debian: apt-get install chromium)"
		return m.Run()
	}
	program = filepath.Join(dir, "sipreactor")
	build := exec.Command("go", "build", "-o", program, "./cmd/sipreactor")
	build.Dir, build.Stderr = filepath.Join("..", ".."), os.Stderr
	if build.Run() != nil {
		return 1
	}
	alloc, done := chromedp.NewExecAllocator(context.Background(),
		chromedp.ExecPath(chromium), chromedp.UserDataDir(filepath.Join(dir, "profile")), chromedp.WSURLReadTimeout(2*patience),
		chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("hide-scrollbars", true))
	defer done()
	var end context.CancelFunc
	// A driver older than the browser complains of every event it has not heard of. What goes wrong comes as an error.
	browser, end = chromedp.NewContext(alloc, chromedp.WithErrorf(func(string, ...any) {}))
	defer end()
	if err := chromedp.Run(browser); err != nil {
		fmt.Fprintln(os.Stderr, "chromium does not start:", err)
		return 1
	}
	defer func() { _ = chromedp.Cancel(browser) }()
	return m.Run()
}

// need skips a test that has no browser, or fails it when one is required.
func need(t *testing.T) {
	t.Helper()
	switch {
	case missing == "":
	case os.Getenv("SIPREACTOR_BROWSER") == "require":
		t.Fatal(missing)
	default:
		t.Skip(missing)
	}
}

// tab is a page in the browser. Each has a size, and keeps to itself what it
// stores for its session.
type tab struct {
	t   *testing.T
	ctx context.Context

	mu       sync.Mutex
	troubles []string // errors on the console, and requests to others
	// down tells that requests may fail, which shows on the console.
	down bool
}

// open shows the page of a program.
func open(t *testing.T, e *edge, width, height int64, features ...*emulation.MediaFeature) *tab {
	t.Helper()
	ctx, end := chromedp.NewContext(browser)
	t.Cleanup(end)
	p := &tab{t: t, ctx: ctx, down: e.guarded}
	chromedp.ListenTarget(ctx, func(ev any) { p.hear(ev, e.host()) })
	if err := chromedp.Run(ctx); err != nil { // a deadline here would be one of the tab
		t.Fatal(err)
	}
	// A tab that nobody looks at is neither drawn nor does the page ask anything.
	p.run(page.BringToFront(), emulation.SetFocusEmulationEnabled(true))
	if e.token != "" { // as if its user had typed it in this tab
		p.run(chromedp.ActionFunc(func(ctx context.Context) error {
			_, err := page.AddScriptToEvaluateOnNewDocument(fmt.Sprintf("try { sessionStorage.setItem(%q, %q); } catch {}", "sipreactor-token", e.token)).Do(ctx)
			return err
		}))
	}
	p.run(log.Enable(), network.Enable(), runtime.Enable(),
		chromedp.EmulateViewport(width, height), emulation.SetEmulatedMedia().WithFeatures(features),
		chromedp.Navigate(e.url()))
	t.Cleanup(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, s := range p.troubles {
			t.Error(s)
		}
	})
	return p
}

// hear notes what a page must not do.
func (p *tab) hear(ev any, host string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch ev := ev.(type) {
	case *runtime.EventExceptionThrown:
		p.troubles = append(p.troubles, "exception: "+ev.ExceptionDetails.Error())
	case *runtime.EventConsoleAPICalled:
		if ev.Type == runtime.APITypeError || ev.Type == runtime.APITypeWarning || ev.Type == runtime.APITypeAssert {
			for _, a := range ev.Args {
				p.troubles = append(p.troubles, fmt.Sprintf("console: %s %s", a.Value, a.Description))
			}
		}
	case *log.EventEntryAdded:
		away := p.down && ev.Entry.Source == log.SourceNetwork
		if (ev.Entry.Level == log.LevelError || ev.Entry.Level == log.LevelWarning) && !away {
			p.troubles = append(p.troubles, "console: "+ev.Entry.Text+" "+ev.Entry.URL)
		}
	case *network.EventRequestWillBeSent:
		if u, err := url.Parse(ev.Request.URL); err != nil || u.Host != host {
			p.troubles = append(p.troubles, "a request to another host: "+ev.Request.URL)
		}
	}
}

// away tells that requests may fail from now on, to the end of the test: the console may tell of one long after it.
func (p *tab) away() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = true
}

// forget drops what was noted: the test has made the page do it.
func (p *tab) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.troubles = nil
}

func (p *tab) run(actions ...chromedp.Action) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Run(ctx, actions...); err != nil {
		p.t.Fatal(err)
	}
}

// text gives the text of an element.
func (p *tab) text(selector string) (s string) {
	p.t.Helper()
	p.run(chromedp.Evaluate(fmt.Sprintf(`document.querySelector(%q)?.innerText ?? ""`, selector), &s))
	return s
}

// until waits until an expression holds on the page.
func (p *tab) until(what, expression string) {
	p.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		var ok bool
		p.run(chromedp.Evaluate("Boolean("+expression+")", &ok))
		if ok {
			return
		}
		if time.Now().After(end) {
			p.t.Fatalf("it never came that %s: %s\n%s", what, expression, p.text("body"))
		}
	}
}

// live waits until the page shows figures.
func (p *tab) live() {
	p.t.Helper()
	p.until("the page is live", `document.getElementById("link").dataset.state === "live"`)
}

// press clicks on an element as a pointer does: it must be seen.
func (p *tab) press(selector string) {
	p.t.Helper()
	p.run(chromedp.Click(selector, chromedp.ByQuery, chromedp.NodeVisible))
}
