package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sipreactor/reactor/script"
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
