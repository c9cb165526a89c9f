package browser

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/chromedp/chromedp"
)

// phonesPage has two phones of SIP.js: alice and dave, who answers. What happens to them stands in state.
const phonesPage = `<!DOCTYPE html><meta charset="utf-8"><title>Phones</title><script type="module">
import { UserAgent, Registerer, Inviter, SessionState } from "/lib/index.js";
const state = window.state = { errors: [] }, phones = window.phones = {};
addEventListener("error", (e) => state.errors.push(e.message));
addEventListener("unhandledrejection", (e) => state.errors.push(String(e.reason)));
const follow = (name, session) => {
	state[name + ":call"] = session.state;
	session.stateChange.addListener((s) => {
		state[name + ":call"] = s;
		const media = session.sessionDescriptionHandler?.peerConnection;
		if (media && s === SessionState.Established) {
			const look = () => { state[name + ":media"] = media.connectionState; };
			media.addEventListener("connectionstatechange", look);
			look();
		}
	});
};
const phone = async (name, password) => {
	const ua = new UserAgent({
		uri: UserAgent.makeURI("sip:" + name + "@example.com"), transportOptions: { server: "{{server}}" },
		authorizationUsername: name, authorizationPassword: password, logLevel: "error",
		sessionDescriptionHandlerFactoryOptions: { peerConnectionConfiguration: { iceServers: [] }, iceGatheringTimeout: 1000 },
		delegate: { onInvite: (call) => { follow(name, call); call.accept(); } },
	});
	ua.transport.onDisconnect = (error) => { state[name + ":end"] = String(error ?? "in order"); };
	phones[name] = ua;
	await ua.start();
	const registerer = new Registerer(ua, { expires: 600 });
	registerer.stateChange.addListener((s) => { state[name] = s; });
	await registerer.register({ requestDelegate: { onReject: (r) => { state[name] = "refused " + r.message.statusCode; } } });
};
window.call = async (from, to) => {
	const call = phones.session = new Inviter(phones[from], UserAgent.makeURI("sip:" + to + "@example.com"));
	follow(from, call);
	await call.invite();
};
window.phone = phone;
state.ready = true;
</script>`

// TestPhones: browsers' phones register over wss, with a password, call each other through the program, and hear why when
// it ends. The configuration is the example that the program carries.
func TestPhones(t *testing.T) {
	files := library(t)
	e := &edge{dir: t.TempDir(), tls: freePort(t), tcp: freePort(t), http: freePort(t)}
	e.pki = newPKI(t, e.dir)
	pages := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, ok := files[strings.TrimPrefix(r.URL.Path, "/")]
		switch {
		case r.URL.Path == "/":
			fmt.Fprint(w, strings.ReplaceAll(phonesPage, "{{server}}", "wss://127.0.0.1:"+e.tls))
		case ok:
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = w.Write(b)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(pages.Close)
	e.example(t, pages.URL)

	p := &tab{t: t, ctx: phonesBrowser(t, filepath.Join(e.dir, "edge.pem"))}
	p.run(chromedp.Navigate(pages.URL + "/"))
	p.until("SIP.js is loaded", "window.state?.ready")
	p.run(chromedp.Evaluate(`phone("alice", "alice"), phone("dave", "dave"), undefined`, nil))
	p.until("both are registered", `state.alice === "Registered" && state.dave === "Registered"`)
	if dump := e.mi(t, "", "ul_dump"); strings.Count(dump, ";transport=wss") != 2 || strings.Count(dump, ".invalid;transport=ws") != 2 {
		t.Errorf("registrations: %s", dump)
	}

	p.run(chromedp.Evaluate(`call("alice", "dave"), undefined`, nil))
	p.until("the call is up", `state["alice:call"] === "Established" && state["dave:call"] === "Established"`)
	p.until("they hear each other", `state["alice:media"] === "connected" && state["dave:media"] === "connected"`)
	p.run(chromedp.Evaluate(`phones.session.bye(), undefined`, nil))
	p.until("the call is over", `state["alice:call"] === "Terminated" && state["dave:call"] === "Terminated"`)

	p.run(chromedp.Evaluate(`phone("eve", "guess"), undefined`, nil))
	p.until("a stranger is refused", `state.eve === "refused 401"`)

	if err := e.Cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.until("they are told that we go away", `[state["alice:end"], state["dave:end"]].every((s) => s?.includes("1001"))`)
	var errors []string
	if p.run(chromedp.Evaluate(`state.errors`, &errors)); len(errors) > 0 {
		t.Errorf("%q", errors)
	}
}

// example runs the program with its example websocket-edge, for programs of a page.
func (e *edge) example(t *testing.T, origin string) {
	t.Helper()
	text, err := exec.Command(program, "example", "websocket-edge").Output()
	if err != nil {
		t.Fatal(err)
	}
	users := ""
	for line := range strings.Lines(string(text)) {
		if row, ok := strings.CutPrefix(line, "#   "); ok && strings.Contains(row, ":MD5:") {
			users += row
		}
	}
	if err := os.WriteFile(filepath.Join(e.dir, "users.txt"), []byte(users), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := strings.NewReplacer("/etc/sipreactor", e.dir, "socket=wss:0.0.0.0:443", "socket=wss:127.0.0.1:"+e.tls, "socket=udp:127.0.0.1:5060", "socket=udp:127.0.0.1:"+e.tcp,
		"8888", e.http, "https://phone.example.com", origin).Replace(string(text)) + "\nstate_dir=\"" + e.dir + "/state\"\n"
	e.config = filepath.Join(e.dir, "edge.cfg")
	if err := os.WriteFile(e.config, []byte(cfg), 0o600); err != nil {
		t.Fatal(err)
	}
	if !e.begin(t) {
		t.Fatalf("the program does not start: %s", strings.Join(e.Lines(), "\n"))
	}
}

// phonesBrowser is a browser of its own, with a microphone that is none, for which one certificate is good.
func phonesBrowser(t *testing.T, cert string) context.Context {
	t.Helper()
	b, err := os.ReadFile(cert)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(b)
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	key := sha256.Sum256(c.RawSubjectPublicKeyInfo)
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal(err)
	}
	alloc, done := chromedp.NewExecAllocator(context.Background(),
		chromedp.ExecPath(chromium), chromedp.UserDataDir(t.TempDir()), chromedp.WSURLReadTimeout(2*patience),
		chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.Flag("ignore-certificate-errors-spki-list", base64.StdEncoding.EncodeToString(key[:])),
		chromedp.Flag("use-fake-device-for-media-stream", true), chromedp.Flag("use-fake-ui-for-media-stream", true),
		chromedp.Flag("allow-loopback-in-peer-connection", true), chromedp.Flag("autoplay-policy", "no-user-gesture-required"))
	t.Cleanup(done)
	ctx, end := chromedp.NewContext(alloc, chromedp.WithErrorf(func(string, ...any) {}))
	t.Cleanup(end)
	if err := chromedp.Run(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = chromedp.Cancel(ctx) })
	return ctx
}
