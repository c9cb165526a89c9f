package main

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/store"
	"sipreactor/reactor/store/storetest"
)

// TestCheckNamesAll: errors that do not depend on each other come in one run, in the order of the file, of a start as of -C.
func TestCheckNamesAll(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/d.csv", []byte("setid,destination,weight\n1,sip:192.0.2.1,\n1,\"sip:192.0.2.2,\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	text := checkHead + `loadmodule "auth.so"
loadmodule "auth_db.so"
loadmodule "dispatcher.so"
loadmodule "permissions.so"
loadmodule "tls_mgm.so"
loadmodule "proto_tls.so"
socket=tls:127.0.0.1:5061
modparam("auth_db", "users_file", "` + dir + `/users.txt")
modparam("tls_mgm", "server_domain", "d")
modparam("tls_mgm", "certificate", "[d]` + dir + `/d.pem")
modparam("tls_mgm", "private_key", "[d]` + dir + `/d.key")
modparam("dispatcher", "dispatcher_file", "` + dir + `/d.csv")
modparam("permissions", "address_file", "` + dir + `/trust.csv")
route { nonsense(); }
`
	want := []string{":16:", ":18:", ":19:", ":20:", ":21:", ":22:"}
	_, errs, file := checked(t, text)
	var out, bad bytes.Buffer
	if code := run(t.Context(), []string{"-f", file}, &out, &bad); code != exitFailed {
		t.Errorf("exit code %d", code)
	}
	for name, said := range map[string]string{"-C": errs, "a start": bad.String()} {
		lines := strings.Split(strings.TrimSpace(said), "\n")
		if len(lines) != len(want) {
			t.Errorf("%s: %s", name, said)
			continue
		}
		for i, line := range lines {
			if !strings.HasPrefix(line, file+want[i]) {
				t.Errorf("%s: %s\nwant %s", name, line, want[i])
			}
		}
		if !strings.Contains(said, dir+"/d.csv:3: a quote begins here") && !strings.Contains(said, dir+"/d.csv:3: ") {
			t.Errorf("%s: no line of the table: %s", name, said)
		}
	}
	// A start that fails late tells them all as well.
	good := strings.Replace(strings.Replace(text, "nonsense();", "exit;", 1), `modparam("auth_db", "users_file", "`+dir+`/users.txt")`, "#", 1)
	for _, gone := range []string{`modparam("tls_mgm"`, "socket=tls"} {
		good = strings.ReplaceAll(good, gone, "#"+gone)
	}
	if err := os.WriteFile(file, []byte(good), 0o600); err != nil {
		t.Fatal(err)
	}
	bad.Reset()
	if code := run(t.Context(), []string{"-f", file}, &out, &bad); code != exitFailed || !strings.Contains(bad.String(), file+":20:") || !strings.Contains(bad.String(), file+":21:") {
		t.Errorf("%d: %s", code, &bad)
	}
}

// TestCheckOfWeakKeys: a pair that no peer takes is an error.
func TestCheckOfWeakKeys(t *testing.T) {
	t.Setenv("GODEBUG", "rsa1024min=0")
	dir := t.TempDir()
	key, err := rsa.GenerateKey(rand.Reader, 512) //nolint:gosec // it is to be refused
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "weak"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		SignatureAlgorithm: x509.SHA256WithRSA}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"d.pem": {Type: "CERTIFICATE", Bytes: cert}, "d.key": {Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("GODEBUG", "")
	code, errs, file := checked(t, checkHead+`loadmodule "tls_mgm.so"
modparam("tls_mgm", "server_domain", "d")
modparam("tls_mgm", "certificate", "[d]`+dir+`/d.pem")
modparam("tls_mgm", "private_key", "[d]`+dir+`/d.key")
route { exit; }
`)
	if code != exitFailed || !strings.HasPrefix(errs, file+":1") || !strings.Contains(errs, "512") {
		t.Errorf("%d: %s", code, errs)
	}
	t.Setenv("GODEBUG", "rsa1024min=0")
	code, errs, file = checked(t, checkHead+`loadmodule "httpd.so"
modparam("httpd", "tls_cert_file", "`+dir+`/d.pem")
modparam("httpd", "tls_key_file", "`+dir+`/d.key")
route { exit; }
`)
	if code != exitFailed || !strings.HasPrefix(errs, file+":") || !strings.Contains(errs, "512") {
		t.Errorf("%d: %s", code, errs)
	}
}

// TestCheckNamesAllTables: of a module that reads several tables, each that is wrong is an error of its own.
func TestCheckNamesAllTables(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/rules.csv", []byte("ruleid,groupid,prefix,gwlist\n1,0,49,a\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/carriers.csv", []byte("colour\n1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	text := checkHead + `loadmodule "drouting.so"` + "\n"
	for _, name := range []string{"gateways", "carriers", "rules", "groups"} {
		text += fmt.Sprintf("modparam(\"drouting\", \"%s_file\", \"%s/%[1]s.csv\")\n", name, dir)
	}
	code, errs, file := checked(t, text+"route { exit; }\n")
	lines := strings.Split(strings.TrimSpace(errs), "\n")
	want := []string{":10:39: partition Default: " + dir + "/gateways.csv", ":11:39: partition Default: " + dir + "/carriers.csv:1: ", ":13:37: partition Default: " + dir + "/groups.csv"}
	if code != exitFailed || len(lines) != len(want) {
		t.Fatalf("%d: %s", code, errs)
	}
	for i, line := range lines {
		if !strings.HasPrefix(line, file+want[i]) {
			t.Errorf("%s\nwant %s", line, want[i])
		}
	}
}

// TestCheckOfScriptTables: tables and columns that calls of sqlops and avpops name are looked at where they are constants,
// and where they are named; what a message decides, and what the script makes by itself, is not.
func TestCheckOfScriptTables(t *testing.T) {
	url := storetest.SQLite(t)
	if err := store.Create(t.Context(), url, "subscriber", "usr_preferences"); err != nil {
		t.Fatal(err)
	}
	head := checkHead + `loadmodule "sqlops.so"
loadmodule "avpops.so"
modparam("sqlops", "db_url", "` + url + `")
modparam("sqlops", "db_scheme", "first:table=subscriber;username_col=username;value_col=colour")
modparam("avpops", "db_url", "1 ` + url + `")
modparam("avpops", "avp_table", "preferences")
route {
`
	code, errs, file := checked(t, head+`	sql_select('["username","colour"]', "subscriber", '[{"shape":"$fU"}]', "", "$avp(a);$avp(b)");
	sql_update('[{"colour":"x"}]', "subscriber");
	sql_insert("nothing", '[{"a":"x"}]');
	sql_delete("subscriber", '[{"username":{"=":"$fU"}}]');
	sql_avp_load("$fu/username", "$avp(c)/$first");
	sql_avp_store("$fu/uuid", "$avp(c)");
	avp_db_delete("$fu/domain", "$avp(c)", "1");
	$var(t) = "none";
	sql_delete("$var(t)");
	sql_select('["$var(t)"]', "subscriber", , , "$avp(a)");
	sql_select('["a"]', "none", , , "$avp(a)", "$var(t)");
}
`)
	lines := strings.Split(strings.TrimSpace(errs), "\n")
	want := []string{":16:38: ", ":17:33: ", ":18:13: ", ":20:31: ", ":22:30: "}
	if code != exitFailed || len(lines) != len(want) {
		t.Fatalf("%d: %s", code, errs)
	}
	for i, line := range lines {
		if !strings.HasPrefix(line, file+want[i]) {
			t.Errorf("%s\nwant %s", line, want[i])
		}
	}
	if code, errs, _ := checked(t, head+`	sql_query("CREATE TABLE mine (a INTEGER)");
	sql_insert("mine", '[{"a":"x"}]');
}
`); code != 0 {
		t.Errorf("a table that the script makes: %s", errs)
	}
}
