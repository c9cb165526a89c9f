package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"sipreactor/cmd/sipreactor/load"
	"sipreactor/reactor/store"
	"sipreactor/reactor/store/storetest"
)

// withTable runs the program with TLS domains of a database.
type withTable struct {
	*running
	db   *store.DB
	path string
}

func newWithTable(t *testing.T, url, module string) *withTable {
	t.Helper()
	w := &withTable{running: &running{addr: "127.0.0.1:" + freePort(t), dir: t.TempDir()}}
	var err error
	if w.ca, err = load.NewAuthority(); err != nil {
		t.Fatal(err)
	}
	if err := store.Create(t.Context(), url, "tls_mgm"); err != nil {
		t.Fatal(err)
	}
	if w.db, err = store.Open(url, store.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.db.Close() })
	w.path = config(t, `state_dir="`+w.dir+`"
socket=tls:`+w.addr+`
loadmodule "proto_tls.so"
loadmodule "`+module+`.so"
loadmodule "tls_mgm.so"
loadmodule "sl.so"
modparam("tls_mgm", "db_url", "`+url+`")
route { sl_send_reply(200, "OK"); }
`)
	return w
}

// write puts a certificate into the table.
func (w *withTable) write(t *testing.T) {
	t.Helper()
	if err := w.ca.Write(w.dir, "edge", "ecdsa", "127.0.0.1"); err != nil {
		t.Fatal(err)
	}
	cert, err := os.ReadFile(filepath.Join(w.dir, "edge.pem"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := os.ReadFile(filepath.Join(w.dir, "edge.key"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.db.Apply(t.Context(), store.Change{Verb: store.VerbDelete, Table: "tls_mgm"}, store.Change{
		Verb: store.VerbInsert, Table: "tls_mgm", Columns: []string{"domain", "type", "match_ip_address", "verify_cert", "require_cert", "certificate", "private_key"},
		Rows: [][]store.Value{{store.String("edge"), store.Int(2), store.String("*"), store.Int(0), store.Int(0), store.Bytes(string(cert)), store.Bytes(string(key))}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// start runs the program until the function that it returns is called.
func (w *withTable) start(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	w.stderr, w.stdout, w.code = newOutput(), newOutput(), make(chan int, 1)
	go func() { w.code <- run(ctx, []string{"-f", w.path}, w.stdout, w.stderr) }()
	w.stderr.wait(t, "msg=ready")
	return func() {
		cancel()
		w.exit(t)
	}
}

func TestTLSTable(t *testing.T) {
	w := newWithTable(t, storetest.SQLite(t), "db_sqlite")
	w.write(t)
	stop := w.start(t)
	defer stop()
	first := w.leaf(t).SerialNumber
	w.write(t)
	w.signal(t, syscall.SIGHUP)
	w.stderr.wait(t, "TLS domains are reloaded")
	second := w.leaf(t).SerialNumber
	if second.Cmp(first) == 0 {
		t.Error("the old certificate is shown behind the reload")
	}
	// All or none: a row that is wrong leaves the domains as they are.
	if err := w.db.Insert(t.Context(), "tls_mgm", store.Set{Column: "domain", Value: store.String("bad")}, store.Set{Column: "type", Value: store.Int(2)}); err != nil {
		t.Fatal(err)
	}
	w.signal(t, syscall.SIGHUP)
	w.stderr.wait(t, "table tls_mgm, domain=bad, column certificate: a server domain needs a certificate")
	if got := w.leaf(t).SerialNumber; got.Cmp(second) != 0 {
		t.Error("a reload that failed changed the certificate")
	}
	if _, err := w.db.Update(t.Context(), "tls_mgm", []store.Set{{Column: "type", Value: store.Int(1)}, {Column: "method", Value: store.String("SSLv9")}}, store.Equal("domain", store.String("bad"))); err != nil {
		t.Fatal(err)
	}
	w.signal(t, syscall.SIGHUP)
	w.stderr.wait(t, "table tls_mgm, domain=bad, column method: client domain bad: tls_method")
}

// The last good state serves when the database is away at the start.
func TestTLSTableAway(t *testing.T) {
	s := storetest.MariaDB(t)
	w := newWithTable(t, s.URL("sip"), "db_mysql")
	w.write(t)
	stop := w.start(t)
	serial := w.leaf(t).SerialNumber
	stop()
	s.Kill()
	stop = w.start(t)
	defer stop()
	w.stderr.wait(t, "the database is away: the last good state serves")
	if w.leaf(t).SerialNumber.Cmp(serial) != 0 {
		t.Error("another certificate")
	}
	if strings.Contains(w.stderr.String(), storetest.Password) {
		t.Error("the log has the password")
	}
	info, err := os.Stat(filepath.Join(w.dir, "tls_mgm.cache"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}

func TestTLSTableErrors(t *testing.T) {
	for params, want := range map[string]string{
		`modparam("tls_mgm", "db_url", "mysql://u:secret@h/d")`: `a db_url of mysql:// needs the module db_mysql`,
		`modparam("tls_mgm", "db_url", "mysql://u:secret@h")`:   "names no database",
	} {
		path := config(t, fmt.Sprintf("socket=tls:127.0.0.1:%s\nloadmodule \"proto_tls.so\"\nloadmodule \"tls_mgm.so\"\nloadmodule \"sl.so\"\n%s\nroute { exit; }\n", freePort(t), params))
		if code, _, errs := command(t, "-C", "-f", path); code != exitFailed || !strings.Contains(errs, want) || strings.Contains(errs, "secret") {
			t.Errorf("%s: %d, %s", params, code, errs)
		}
	}
	// The check asks no database.
	path := config(t, fmt.Sprintf("socket=tls:127.0.0.1:%s\nloadmodule \"proto_tls.so\"\nloadmodule \"db_mysql.so\"\nloadmodule \"tls_mgm.so\"\nloadmodule \"sl.so\"\nmodparam(\"tls_mgm\", \"db_url\", \"mysql://u:p@127.0.0.1:1/d\")\nroute { exit; }\n", freePort(t)))
	if code, _, errs := command(t, "-C", "-f", path); code != exitOK {
		t.Errorf("%d, %s", code, errs)
	}
}
