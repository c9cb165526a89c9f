package browser

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sipreactor/bench/process"
	"sipreactor/reactor/mi"
)

// edge is a program under test.
type edge struct {
	*process.Process
	dir, config    string
	tls, tcp, http string // ports
	pki            *pki
	from           net.Addr // whose peers dial; nil = the system's choice
	token          string   // what the program asks for by itself; the tabs that open shows know it
	guarded        bool     // a page without the token is refused at once, which shows on its console
}

// start runs the program; more goes into its configuration. When another program was faster with one of its ports, it
// tries others.
func start(t *testing.T, more string) *edge {
	t.Helper()
	return startRouting(t, more, routing)
}

// startRouting is start with routes of its own.
func startRouting(t *testing.T, more, routes string) *edge {
	t.Helper()
	need(t)
	e := &edge{dir: t.TempDir()}
	e.pki = newPKI(t, e.dir)
	for range 5 {
		e.tls, e.tcp, e.http = freePort(t), freePort(t), freePort(t)
		e.config = filepath.Join(e.dir, "edge.cfg")
		text := strings.NewReplacer("{{dir}}", e.dir, "{{tls}}", e.tls, "{{tcp}}", e.tcp, "{{http}}", e.http).Replace(configuration + more + routes)
		if err := os.WriteFile(e.config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if e.begin(t) {
			return e
		}
	}
	t.Fatal("the program does not start")
	return nil
}

// begin runs the program; false when it ends at once.
func (e *edge) begin(t *testing.T) bool {
	t.Helper()
	e.Process = process.Start(t, "sipreactor", exec.Command(program, "-f", e.config))
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if strings.Contains(strings.Join(e.Lines(), "\n"), "msg=ready") {
			if token, err := os.ReadFile(filepath.Join(e.dir, "state", "http_token")); err == nil { // none is made where the configuration has one
				e.token = strings.TrimSpace(string(token))
			}
			return true
		}
		select {
		case <-e.Exited():
			return false
		default:
		}
	}
	t.Fatal("the program is not ready")
	return false
}

func (e *edge) host() string { return "127.0.0.1:" + e.http }
func (e *edge) url() string  { return "http://" + e.host() + "/" }

// mi carries out a command and gives its result.
func (e *edge) mi(t *testing.T, token, method string, params ...string) string {
	t.Helper()
	var p any
	if len(params) > 0 {
		p = params
	}
	if token == "" {
		token = e.token
	}
	got, err := (&mi.Client{Target: e.url() + "mi", Token: token}).Call(t.Context(), method, p)
	if err != nil {
		t.Fatal(err)
	}
	return string(got)
}
