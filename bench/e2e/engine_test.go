package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"sipreactor/bench/process"
	"sipreactor/cmd/sipreactor/load"
)

// tlsLibrary is the one that the program under test has to use: that of the build tag openssl where it has it,
// since the configuration loads tls_openssl.so.
var tlsLibrary = "go"

// edge is a running sipreactor with the configuration of testdata/proxy.cfg.
type edge struct {
	*process.Process
	addr string
	dir  string // with ca.pem, and edge and peer certificates
	ca   *load.Authority
}

func startEdge(t *testing.T) *edge {
	t.Helper()
	e := &edge{dir: t.TempDir(), addr: "127.0.0.1:" + freePort(t)}
	ca, err := load.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	e.ca = ca
	for _, name := range []string{"edge", "peer"} {
		if err := ca.Write(e.dir, name, "ecdsa", "127.0.0.1"); err != nil {
			t.Fatal(err)
		}
	}
	cfg, err := filepath.Abs("testdata/proxy.cfg")
	if err != nil {
		t.Fatal(err)
	}
	env := append(os.Environ(), "EDGE="+e.addr, "PEMS="+e.dir)
	check := exec.Command(binary, "-C", "-f", cfg)
	check.Env = env
	if out, err := check.CombinedOutput(); err != nil {
		t.Fatalf("sipreactor -C: %v\n%s", err, out)
	}
	run := exec.Command(binary, "-f", cfg)
	run.Env = env
	e.Process = process.Start(t, "sipreactor", run)
	if ready := e.WaitLine(t, "msg=ready"); !strings.Contains(ready, " tls_library="+tlsLibrary) {
		t.Fatalf("the library is another than %s: %s", tlsLibrary, ready)
	}
	return e
}

// stop sends a signal and expects an orderly end.
func (e *edge) stop(t *testing.T, sig syscall.Signal) {
	t.Helper()
	if err := e.Cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
	if code := e.Wait(t, 20*time.Second); code != 0 {
		t.Errorf("exit code %d after %v", code, sig)
	}
}
