package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"crypto/x509"

	"sipreactor/reactor/mi"
	"sipreactor/reactor/modules/httpd"
	"sipreactor/reactor/script"
	"sipreactor/tlsstate/tlstest"
)

// TestCheckOfAName: a socket whose name does not resolve is told once, whatever the resolver says each time.
func TestCheckOfAName(t *testing.T) {
	var asked atomic.Int64
	was := net.DefaultResolver
	t.Cleanup(func() { net.DefaultResolver = was })
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, fmt.Errorf("no answer to question %d", asked.Add(1))
	}}
	code, errs, file := checked(t, checkHead+"socket=udp:nowhere.example:5062\nroute { exit; }\n")
	if code == exitOK || asked.Load() == 0 || strings.Count(errs, "does not resolve") != 1 || !strings.Contains(errs, file+":9:8: socket udp:nowhere.example:") {
		t.Errorf("code %d: %s", code, errs)
	}
}

// TestCheckWarnsOfDomains: what a start would warn of in TLS domains -C warns of, too, and is ok.
func TestCheckWarnsOfDomains(t *testing.T) {
	dir := t.TempDir()
	ca := tlstest.NewCA(t, "CA")
	cert, key := ca.Leaf(t, tlstest.Leaf{}).Files(t)
	tlstest.Write(t, dir+"/future.crl", ca.List(t, func(l *x509.RevocationList) {
		l.ThisUpdate, l.NextUpdate = time.Now().Add(time.Hour), time.Now().Add(2*time.Hour)
	}), 0o600)
	code, errs, _ := checked(t, checkHead+`loadmodule "proto_tls.so"
loadmodule "tls_mgm.so"
socket=tls:127.0.0.1:5061
modparam("tls_mgm", "server_domain", "d")
modparam("tls_mgm", "certificate", "[d]`+cert+`")
modparam("tls_mgm", "private_key", "[d]`+key+`")
modparam("tls_mgm", "ca_list", "[d]`+ca.File(t)+`")
modparam("tls_mgm", "crl_dir", "[d]`+dir+`")
route { exit; }
`)
	if code != exitOK || strings.Count(errs, "is not in force before") != 1 {
		t.Errorf("code %d: %s", code, errs)
	}
}

// TestStartTellsOnce: what keeps a program from starting is told once, whatever path names the configuration.
func TestStartTellsOnce(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	t.Chdir(t.TempDir())
	text := "socket=tcp:" + taken.Addr().String() + "\nloadmodule \"proto_tcp.so\"\nloadmodule \"tm.so\"\nmodparam(\"tm\", \"fr_timeout\", 5)\nroute { exit; }\n"
	if err := os.WriteFile("a.cfg", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	errs := newOutput()
	if code := run(t.Context(), []string{"-f", "a.cfg"}, newOutput(), errs); code != exitFailed || strings.Count(errs.String(), "a.cfg:1:8: socket tcp:") != 1 {
		t.Errorf("code %d: %s", code, errs)
	}
}

// TestModuleIsNamedOnce: an error of a module has its name once.
func TestModuleIsNamedOnce(t *testing.T) {
	n := &node{state: "/dev/null/nowhere"}
	err := placed(script.Pos{}, "httpd", n.ensureToken(&httpd.Config{}, &mi.HTTPConfig{}))
	if err == nil || strings.Count(err.Error(), "httpd:") != 1 {
		t.Error(err)
	}
}
