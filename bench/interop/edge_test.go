package interop

import (
	"crypto/rand"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"sipreactor/bench/process"
	"sipreactor/cmd/sipreactor/load"
)

// names are those of every certificate: the wire is 127.0.0.1 or localhost, and the domains have names of their own.
var names = []string{"127.0.0.1", "localhost", "rsa.test", "p256.test", "plain.test", "mutual.test"}

// edge is a running sipreactor with the configuration of testdata/edge.cfg.
type edge struct {
	*process.Process
	tls, trunk, tcp string // its listeners
	dir             string // with ca.pem, the certificates ecdsa, rsa, peer and peerrsa, and the keys of tickets
}

func startEdge(t *testing.T) *edge {
	t.Helper()
	return startEdgeIn(t, newFolder(t))
}

// newFolder has all the files that an edge and its peers need. Edges that share one are nodes of one edge.
func newFolder(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	ca, err := load.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	for name, kind := range map[string]string{"ecdsa": "ecdsa", "rsa": "rsa", "peer": "ecdsa", "peerrsa": "rsa"} {
		// The common name tells which it is.
		if err := ca.Write(dir, name, kind, append([]string{name}, names...)...); err != nil {
			t.Fatal(err)
		}
	}
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // does not fail
	if err := os.WriteFile(filepath.Join(dir, "tickets"), []byte(hex.EncodeToString(secret)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func startEdgeIn(t *testing.T, dir string) *edge {
	t.Helper()
	e := &edge{dir: dir, tls: "127.0.0.1:" + unusedPort(t), trunk: "127.0.0.1:" + unusedPort(t), tcp: "127.0.0.1:" + unusedPort(t)}
	cfg, err := filepath.Abs("testdata/edge.cfg")
	if err != nil {
		t.Fatal(err)
	}
	run := exec.Command(program, "-f", cfg)
	run.Env = append(os.Environ(), "TLS="+e.tls, "TRUNK="+e.trunk, "TCP="+e.tcp, "PEMS="+e.dir, "SSL_CERT_FILE="+e.file("ca.pem"))
	e.Process = process.Start(t, "sipreactor", run)
	e.WaitLine(t, "msg=ready")
	return e
}

// file is the path of a certificate or a key.
func (e *edge) file(name string) string { return filepath.Join(e.dir, name) }

// stop expects an orderly end.
func (e *edge) stop(t *testing.T) {
	t.Helper()
	if err := e.Cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := e.Wait(t, 30*time.Second); code != 0 {
		t.Errorf("exit code %d", code)
	}
}
