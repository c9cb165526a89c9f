package main

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"sipreactor/cmd/sipreactor/load"
	"sipreactor/reactor/store"
	"sipreactor/reactor/store/storetest"
)

// outageConfig asks three databases for each call, routes by tables of two of them, and records calls in one.
const outageConfig = `log_level=2
socket=tls:TLS
state_dir="DIR/state"
loadmodule "proto_tls.so"
loadmodule "tls_openssl.so"
loadmodule "tls_mgm.so"
loadmodule "signaling.so"
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "rr.so"
loadmodule "sipmsgops.so"
loadmodule "db_mysql.so"
loadmodule "db_postgres.so"
loadmodule "sqlops.so"
loadmodule "cachedb_redis.so"
loadmodule "permissions.so"
loadmodule "drouting.so"
loadmodule "acc.so"
loadmodule "httpd.so"
loadmodule "mi_http.so"
modparam("httpd", "port", WEB)
modparam("httpd", "token", "none")
modparam("tls_mgm", "server_domain", "edge")
modparam("tls_mgm", "certificate", "[edge]DIR/edge.pem")
modparam("tls_mgm", "private_key", "[edge]DIR/edge.key")
modparam("tls_mgm", "verify_cert", "[edge]0")
modparam("tls_mgm", "require_cert", "[edge]0")
modparam("tls_mgm", "client_domain", "out")
modparam("tls_mgm", "ca_list", "[out]DIR/ca.pem")
modparam("db_mysql", "timeout_interval", 1)
modparam("db_postgres", "timeout", 1)
modparam("sqlops", "db_url", "1 MARIADB")
modparam("sqlops", "db_url", "2 POSTGRES")
modparam("cachedb_redis", "cachedb_url", "REDIS")
modparam("cachedb_redis", "connect_timeout", 500)
modparam("cachedb_redis", "query_timeout", 500)
modparam("permissions", "db_url", "POSTGRES")
modparam("drouting", "db_url", "MARIADB")
modparam("drouting", "probing_interval", 0)
modparam("acc", "db_url", "MARIADB")
route {
	if (!check_source_address(1)) {
		send_reply(403, "Who Are You");
		exit;
	}
	if (is_method("ACK")) {
		if (t_check_trans())
			t_relay();
		exit;
	}
	$var(maria) = sql_query_one("SELECT gwid FROM dr_gateways WHERE gwid='$rU'", "$var(x)", 1);
	$var(postgres) = sql_query_one("SELECT ip FROM address WHERE ip='$si'", "$var(y)", 2);
	$var(redis) = cache_store("redis:one", "key-$ci", "$fU", 60);
	if ($var(maria) == -1 || $var(postgres) == -1 || $var(redis) < 0)
		append_hf("X-Gone: yes\r\n");
	do_accounting("db", "failed");
	if (!do_routing(0)) {
		send_reply(404, "No Route");
		exit;
	}
	t_relay();
}
`

// TestDatabaseOutage: databases are killed, frozen and brought back while calls come. Each call has its answer in
// time, routed by the tables that were loaded; a reload fails and leaves them; and all calls are recorded in the end.
func TestDatabaseOutage(t *testing.T) {
	t.Parallel()
	maria, postgres, redis := storetest.MariaDB(t), storetest.Postgres(t), storetest.Redis(t)
	gateway := gatewayFor(t)
	dir := t.TempDir()
	one := func(url string, tables []string, table string, set ...store.Set) *store.DB {
		t.Helper()
		if err := store.Create(t.Context(), url, tables...); err != nil {
			t.Fatal(err)
		}
		db, err := store.Open(url, store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		if err := db.Insert(t.Context(), table, set...); err != nil {
			t.Fatal(err)
		}
		return db
	}
	text := func(column, value string) store.Set { return store.Set{Column: column, Value: store.String(value)} }
	records := one(maria.URL("sip"), []string{"version", "acc", "dr_gateways", "dr_rules", "dr_groups", "dr_carriers"}, "dr_gateways",
		text("gwid", "g1"), text("type", "1"), text("address", gateway), text("strip", "0"), text("probe_mode", "0"), text("state", "0"))
	if err := records.Insert(t.Context(), "dr_rules", text("groupid", "0"), text("prefix", ""), text("priority", "0"), text("gwlist", "g1")); err != nil {
		t.Fatal(err)
	}
	one(postgres.URL("sip"), []string{"version", "address"}, "address",
		text("grp", "1"), text("ip", "127.0.0.1"), text("mask", "32"), text("port", "0"), text("proto", "any"))

	ca, err := authority()
	if err != nil {
		t.Fatal(err)
	}
	if err := ca.Write(dir, "edge", "ecdsa", "127.0.0.1"); err != nil {
		t.Fatal(err)
	}
	c := &trial{T: t, dir: dir, log: newOutput(), tls: "127.0.0.1:" + freePort(t), web: freePort(t)}
	path := config(t, strings.NewReplacer("socket=tls:TLS", "socket=tls:"+c.tls, "DIR", dir, "WEB", c.web, "MARIADB", maria.URL("sip"), "POSTGRES", postgres.URL("sip"),
		"REDIS", redis.URL("one")).Replace(outageConfig))
	code := make(chan int, 1)
	go func() { code <- run(t.Context(), []string{"-f", path}, newOutput(), c.log) }()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("log:\n%s", c.log)
		}
	})
	c.log.wait(t, "msg=ready")
	p := dialPBX(t, c.tls)
	n := 0
	calls := func(many int) {
		t.Helper()
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for range many {
			<-tick.C
			p.call(strconv.Itoa(100+n), n)
			n++
		}
		c.eventually("all calls are answered", func() bool { return p.answered() == n })
	}
	reload := func(command string, good bool) {
		t.Helper()
		code, out, errs := c.tryMI(command)
		if (code == exitOK) != good {
			t.Errorf("%s: %s%s", command, out, errs)
		}
	}
	calls(20)
	for _, s := range []struct {
		name   string
		server *storetest.Server
		reload string
	}{{"MariaDB", maria, "dr_reload"}, {"PostgreSQL", postgres, "address_reload"}, {"Redis", redis, ""}} {
		for _, way := range []struct {
			name       string
			away, back func()
		}{{"killed", s.server.Kill, s.server.Start}, {"frozen", s.server.Freeze, s.server.Thaw}} {
			way.away()
			begin := time.Now()
			calls(25)
			t.Logf("%s %s: 25 calls in %v", s.name, way.name, time.Since(begin).Round(time.Millisecond))
			if s.reload != "" {
				reload(s.reload, false)
			}
			calls(5)
			way.back()
			calls(20)
			if s.reload != "" {
				c.eventually(s.reload, func() bool { code, _, _ := c.tryMI(s.reload); return code == exitOK })
			}
		}
	}
	p.mu.Lock()
	slowest := time.Duration(0)
	for id, code := range p.final {
		slowest = max(slowest, p.took[id])
		if code != 486 || p.finals[id] != 1 {
			t.Errorf("call %s: %d, %d finals", id, code, p.finals[id])
		}
	}
	p.mu.Unlock()
	t.Logf("%d calls, the slowest took %v", n, slowest.Round(time.Millisecond))
	c.eventually("all calls are recorded", func() bool {
		r, err := records.Select(t.Context(), store.Select{Table: "acc", Columns: []string{"callid"}})
		if err != nil {
			return false
		}
		seen := map[string]bool{}
		for i := range r.Len() {
			seen[r.Row(i)[0].Text()] = true
		}
		return len(seen) == n
	})
	if left, _ := filepath.Glob(filepath.Join(dir, "state", "acc-*.spool", "*.json")); len(left) > 0 {
		t.Errorf("the spool has %v", left)
	}
}

// gatewayFor starts a gateway that is sound, and gives its URI.
func gatewayFor(t *testing.T) string {
	t.Helper()
	ca, err := authority()
	if err != nil {
		t.Fatal(err)
	}
	server, err := ca.ServerConfig("ecdsa", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	f, err := load.NewFaulty(load.Sound, server)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return fmt.Sprintf("sip:%s;transport=tls", f.Addr())
}

// tryMI is mi() for a command that may fail.
func (c *trial) tryMI(words ...string) (code int, out, errs string) {
	c.Helper()
	return command(c.T, append([]string{"mi", "--to", "http://127.0.0.1:" + c.web + "/mi"}, words...)...)
}
