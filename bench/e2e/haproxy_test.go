package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sipreactor/bench/process"
)

// startHAProxy wraps plain TCP in TLS towards the edge, and unwraps what comes from it.
//
// in is a port: what arrives there goes to the edge by TLS. out maps a TLS port to the plain port behind it.
func startHAProxy(t *testing.T, e *edge, in string, out map[string]string) {
	t.Helper()
	path := tool(t, "haproxy", "haproxy")
	var cfg strings.Builder
	fmt.Fprintf(&cfg, `global
	maxconn 2000
	nbthread 1
defaults
	mode tcp
	timeout connect 5s
	timeout client 5m
	timeout server 5m
frontend in
	bind 127.0.0.1:%s
	default_backend edge
backend edge
	server edge %s ssl verify required verifyhost 127.0.0.1 ca-file %s/ca.pem
`, in, e.addr, e.dir)
	for tlsPort, plain := range out {
		fmt.Fprintf(&cfg, `frontend out%s
	bind 127.0.0.1:%s ssl crt %s/peer.both.pem verify required ca-file %s/ca.pem
	default_backend uas%s
backend uas%s
	server uas 127.0.0.1:%s
`, tlsPort, tlsPort, e.dir, e.dir, tlsPort, tlsPort, plain)
	}
	file := filepath.Join(e.dir, "haproxy.cfg")
	if err := os.WriteFile(file, []byte(cfg.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	process.Start(t, "haproxy", exec.Command(path, "-db", "-f", file))
	process.WaitListening(t, in)
	for tlsPort := range out {
		process.WaitListening(t, tlsPort)
	}
}
