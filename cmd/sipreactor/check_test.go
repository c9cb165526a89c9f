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
	"regexp"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
	"sipreactor/reactor/store/storetest"
)

// checkHead is a configuration that modules can be added to.
const checkHead = `socket=udp:127.0.0.1:5060
loadmodule "proto_udp.so"
loadmodule "signaling.so"
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "rr.so"
loadmodule "db_text.so"
loadmodule "db_sqlite.so"
`

// checked gives what -C says of a configuration that is to start here.
func checked(t *testing.T, text string) (code int, errs, file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "x.cfg")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, bad bytes.Buffer
	code = run(t.Context(), []string{"-C", "--here", "-f", file}, &out, &bad)
	return code, bad.String(), file
}

// TestCheckElsewhere: a configuration that is right is right where its addresses, files, folders and databases are not, and
// each that is missing is told. A certificate is missing wherever that is, and what is there and is no such thing is wrong.
func TestCheckElsewhere(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/file", []byte("a"), 0o600); err != nil {
		t.Fatal(err)
	}
	text := checkHead + `loadmodule "mi_fifo.so"
loadmodule "mi_datagram.so"
loadmodule "regex.so"
loadmodule "permissions.so"
loadmodule "dispatcher.so"
loadmodule "dialplan.so"
loadmodule "domain.so"
loadmodule "tls_mgm.so"
loadmodule "httpd.so"
socket=udp:192.0.2.77:5061
modparam("mi_fifo", "fifo_name", "` + dir + `/none/fifo")
modparam("mi_datagram", "socket_name", "` + dir + `/none/s")
modparam("regex", "file", "` + dir + `/none")
modparam("permissions", "default_allow_file", "` + dir + `/none")
modparam("dispatcher", "db_url", "text://` + dir + `/none")
modparam("dialplan", "db_url", "sqlite://` + dir + `/none")
modparam("domain", "domain_file", "` + dir + `/none")
# here
route { exit; }
`
	text = strings.Replace(text, `loadmodule "tls_mgm.so"`, `loadmodule "proto_tls.so"`+"\n"+`loadmodule "tls_mgm.so"`, 1)
	for _, c := range []struct {
		add  string
		want int
	}{
		{"", exitOK},
		{`modparam("tls_mgm", "server_domain", "d") modparam("tls_mgm", "certificate", "[d]` + dir + `/none") modparam("tls_mgm", "private_key", "[d]` + dir + `/none")`, exitFailed},
		{`modparam("httpd", "tls_cert_file", "` + dir + `/none") modparam("httpd", "tls_key_file", "` + dir + `/none")`, exitFailed},
		{`loadmodule "alias_db.so"` + "\n" + `modparam("alias_db", "db_url", "sqlite://` + dir + `/file")`, exitFailed},
		{`nonsense=1`, exitFailed},
		{`route[r] { nonsense(); }`, exitFailed},
	} {
		file := filepath.Join(t.TempDir(), "x.cfg")
		if err := os.WriteFile(file, []byte(strings.Replace(text, "# here", strings.ReplaceAll(c.add, ") modparam", ")\nmodparam"), 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		var out, errs bytes.Buffer
		if code := run(t.Context(), []string{"-C", "-f", file}, &out, &errs); code != c.want {
			t.Errorf("%s: %d, want %d: %s%s", c.add, code, c.want, &out, &errs)
		}
		for line := 19; line <= 26; line++ {
			if !strings.Contains(errs.String(), fmt.Sprintf("%s:%d:", file, line)) {
				t.Errorf("%s: nothing is said of line %d: %s", c.add, line, &errs)
			}
		}
		if c.want == exitOK && !strings.Contains(out.String(), ": ok, but for what this machine lacks (8, ") {
			t.Errorf("%s", &out)
		}
	}
}

// fileParameters are those that name a file, a folder or a database of this machine: what has to stand around one for it to
// be read. PATH is what it names.
var fileParameters = map[string]string{
	"acc/db_url":                  `loadmodule "acc.so"`,
	"alias_db/db_url":             `loadmodule "alias_db.so"`,
	"auth_db/db_url":              `loadmodule "auth.so" loadmodule "auth_db.so"`,
	"auth_db/users_file":          `loadmodule "auth.so" loadmodule "auth_db.so"`,
	"clusterer/db_url":            `loadmodule "clusterer.so" modparam("clusterer", "my_node_id", 1)`,
	"config/db_url":               `loadmodule "config.so"`,
	"freeswitch_scripting/db_url": `loadmodule "freeswitch.so" loadmodule "freeswitch_scripting.so"`,
	"topology_hiding/th_contact_encode_key_file": `loadmodule "topology_hiding.so"`,
	"tracer/db_url":                    `loadmodule "tracer.so"`,
	"avpops/db_url":                    `loadmodule "avpops.so"`,
	"cfgutils/hash_file":               `loadmodule "cfgutils.so"`,
	"dialog/db_url":                    `loadmodule "dialog.so" modparam("dialog", "db_mode", 1)`,
	"dialplan/db_url":                  `loadmodule "dialplan.so"`,
	"dialplan/dialplan_file":           `loadmodule "dialplan.so"`,
	"dispatcher/db_url":                `loadmodule "dispatcher.so"`,
	"dispatcher/dispatcher_file":       `loadmodule "dispatcher.so"`,
	"domain/db_url":                    `loadmodule "domain.so"`,
	"domain/domain_file":               `loadmodule "domain.so"`,
	"drouting/db_url":                  `loadmodule "drouting.so"`,
	"drouting/gateways_file":           `loadmodule "drouting.so"`,
	"drouting/rules_file":              `loadmodule "drouting.so"`,
	"drouting/groups_file":             `loadmodule "drouting.so"`,
	"drouting/carriers_file":           `loadmodule "drouting.so"`,
	"drouting/partitions_file":         `loadmodule "drouting.so" modparam("drouting", "use_partitions", 1)`,
	"drouting/db_partitions_url":       `loadmodule "drouting.so" modparam("drouting", "use_partitions", 1)`,
	"fraud_detection/db_url":           `loadmodule "dialog.so" loadmodule "fraud_detection.so"`,
	"group/db_url":                     `loadmodule "group.so"`,
	"load_balancer/db_url":             `loadmodule "load_balancer.so"`,
	"load_balancer/load_balancer_file": `loadmodule "load_balancer.so"`,
	"permissions/address_file":         `loadmodule "permissions.so"`,
	"permissions/db_url":               `loadmodule "permissions.so"`,
	"permissions/default_allow_file":   `loadmodule "permissions.so"`,
	"permissions/default_deny_file":    `loadmodule "permissions.so"`,
	"regex/file":                       `loadmodule "regex.so"`,
	"rest_client/ssl_capath":           `loadmodule "rest_client.so"`,
	"rtpengine/db_url":                 `loadmodule "rtpengine.so"`,
	"rtpproxy/db_url":                  `loadmodule "rtpproxy.so"`,
	"sqlops/db_url":                    `loadmodule "sqlops.so"`,
	"stir_shaken/ca_dir":               `loadmodule "stir_shaken.so"`,
	"stir_shaken/crl_dir":              `loadmodule "stir_shaken.so"`,
	"tls_mgm/db_url":                   `loadmodule "tls_mgm.so"`,
	"tls_mgm/ticket_keys_file":         `loadmodule "tls_mgm.so"`,
	"uac_registrant/db_url":            `loadmodule "uac_auth.so" loadmodule "uac_registrant.so"`,
	"uri/db_url":                       `loadmodule "uri.so" modparam("uri", "use_uri_table", 1)`,
	"msilo/db_url":                     `loadmodule "msilo.so"`,
	"speeddial/db_url":                 `loadmodule "speeddial.so"`,
	"userblacklist/db_url":             `loadmodule "userblacklist.so"`,
	"usrloc/db_url":                    `loadmodule "usrloc.so" modparam("usrloc", "working_mode_preset", "single-instance-sql-write-through")`,
}

// madeParameters name what is not to be there before, or not to be read; TestCheckOfWhatIsMade has those that are made.
var madeParameters = map[string]string{
	"mi_fifo/fifo_name": "made", "mi_fifo/reply_dir": "made", "tls_mgm/ssl_keylog_file": "made",
	"httpd/tls_cert_file": "made", "httpd/tls_key_file": "made",
	"nat_traversal/keepalive_state_file": "TestKeepalives",
	"tls_mgm/ca_dir":                     "TestConfigurationErrorsOfFiles", "tls_mgm/crl_dir": "TestConfigurationErrorsOfFiles",
}

// TestCheckOfFiles: whatever names a file, a folder or a database on this machine is an error of -C, with file, line and
// column, where it is not there or is something else. No parameter of that kind is forgotten.
func TestCheckOfFiles(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/file", []byte("a"), 0o600); err != nil {
		t.Fatal(err)
	}
	kind := regexp.MustCompile(`(^|_)(file|url|dir|capath)$|^fifo_name$`)
	for _, m := range script.Reference(loader().Modules) {
		for _, p := range m.Parameters {
			name := m.Name + "/" + p.Name
			if !kind.MatchString(p.Name) || p.Note != "" || strings.HasPrefix(p.Name, "cachedb_") || p.Name == "aaa_url" {
				continue
			}
			if _, ok := fileParameters[name]; !ok && madeParameters[name] == "" {
				t.Errorf("%s is in neither list", name)
			}
		}
	}
	for name, around := range fileParameters {
		if around == "" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			module, param, _ := strings.Cut(name, "/")
			values := []string{dir + "/none", dir}
			if strings.HasSuffix(param, "_url") {
				values = []string{"text://" + dir + "/none", "text://" + dir + "/file", "sqlite://" + dir + "/none", "sqlite://" + dir, "sqlite://" + dir + "/file"}
			}
			if param == "ssl_capath" || strings.HasSuffix(param, "_dir") {
				values = values[:1]
			}
			for _, value := range values {
				text := checkHead + strings.ReplaceAll(around, " loadmodule", "\nloadmodule") + "\n"
				line := strings.Count(text, "\n") + 1
				begin := fmt.Sprintf("modparam(%q, %q, ", module, param)
				code, errs, file := checked(t, text+begin+`"`+value+`")`+"\nroute { exit; }\n")
				if want := fmt.Sprintf("%s:%d:%d: ", file, line, len(begin)+1); code != exitFailed || !strings.Contains(errs, want) {
					t.Errorf("%s: %d, want %s: %s", value, code, want, errs)
				}
			}
		})
	}
}

// TestCheckOfWhatIsMade: what a start could not make is an error of -C, and -C makes nothing.
func TestCheckOfWhatIsMade(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/file", []byte("a"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ text, want string }{
		{`state_dir="/proc/x"`, ":9:11: state_dir /proc/x cannot be made"},
		{`state_dir="` + dir + `/file"`, ":9:11: state_dir " + dir + "/file: is no folder"},
		{`state_dir="` + dir + `/new/er"`, ""},
		{`loadmodule "mi_fifo.so"` + "\n" + `modparam("mi_fifo", "fifo_name", "` + dir + `/none/fifo")`, ":10:34: mi_fifo: mi: folder " + dir + "/none: no such file"},
		{`loadmodule "mi_fifo.so"` + "\n" + `modparam("mi_fifo", "fifo_name", "` + dir + `/file")`, "is there and is no FIFO"},
		{`loadmodule "mi_fifo.so"` + "\n" + `modparam("mi_fifo", "reply_dir", "` + dir + `/none")`, "the folder of answers"},
		{`loadmodule "mi_fifo.so"` + "\n" + `modparam("mi_fifo", "fifo_name", "` + dir + `/fifo")`, ""},
		{`loadmodule "mi_datagram.so"` + "\n" + `modparam("mi_datagram", "socket_name", "` + dir + `/none/s")`, ":10:"},
		{`loadmodule "tls_mgm.so"` + "\n" + `modparam("tls_mgm", "ssl_keylog_file", "` + dir + `/none/keys")`, ":10:40: tls_mgm: folder " + dir + "/none: no such file"},
		{`loadmodule "tls_mgm.so"` + "\n" + `modparam("tls_mgm", "ssl_keylog_file", "` + dir + `")`, "is a folder"},
		{`loadmodule "tls_mgm.so"` + "\n" + `modparam("tls_mgm", "ssl_keylog_file", "` + dir + `/keys")`, ""},
		{`loadmodule "httpd.so"` + "\n" + `modparam("httpd", "tls_cert_file", "` + dir + `/none")` + "\n" + `modparam("httpd", "tls_key_file", "` + dir + `/none")`, "tls_cert_file: open " + dir + "/none"},
		{`socket=udp:192.0.2.77:5060`, ":9:8: socket udp:192.0.2.77: the address is not this machine's"},
	} {
		code, errs, file := checked(t, checkHead+c.text+"\nroute { exit; }\n")
		switch {
		case c.want == "" && code != exitOK:
			t.Errorf("%s: %s", c.text, errs)
		case c.want != "" && (code != exitFailed || !strings.Contains(errs, c.want) || !strings.HasPrefix(errs, file+":")):
			t.Errorf("%s: %d %s\nwant %s", c.text, code, errs, c.want)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("%v, %v", left, err)
	}
}

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
