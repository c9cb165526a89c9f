package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/script"
)

// silentConfig has three modules send calls to a gateway that is known by its name, or to one that has an address.
// The domain of the Request-URI says by which module, its user whether the name comes first (1) or is left out (2).
const silentConfig = `log_level=1
socket=udp:UDP
loadmodule "proto_udp.so"
loadmodule "signaling.so"
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "sipmsgops.so"
loadmodule "dispatcher.so"
loadmodule "load_balancer.so"
loadmodule "drouting.so"
loadmodule "httpd.so"
loadmodule "mi_http.so"
modparam("httpd", "port", WEB)
modparam("httpd", "token", "none")
modparam("tm", "fr_timeout", 2)
modparam("dispatcher", "dispatcher_file", "DIR/ds.csv")
modparam("dispatcher", "ds_ping_interval", 1)
modparam("dispatcher", "ds_probing_mode", 1)
modparam("dispatcher", "ds_probing_threshold", 1)
modparam("load_balancer", "load_balancer_file", "DIR/lb.csv")
modparam("load_balancer", "probing_interval", 1)
modparam("drouting", "gateways_file", "DIR/gateways.csv")
modparam("drouting", "rules_file", "DIR/rules.csv")
modparam("drouting", "probing_interval", 1)
route {
	if (is_method("ACK")) {
		t_relay();
		exit;
	}
	$avp(by) = $rd;
	$var(found) = -1;
	if ($avp(by) == "ds.example")
		$var(found) = ds_select_dst($rU, 8, "f");
	else if ($avp(by) == "lb.example")
		$var(found) = lb_start($rU, "calls");
	else
		$var(found) = do_routing(0);
	if ($var(found) < 0) {
		send_reply(404, "No Way");
		exit;
	}
	route(send);
}
route[send] {
	t_on_failure("other");
	while (!t_relay("no-auto-477")) {
		route(next);
		if ($retcode < 0) {
			t_reply(503, "No Other Way");
			exit;
		}
		t_on_failure("other");
	}
	exit;
}
route[next] {
	if ($avp(by) == "ds.example")
		$var(found) = ds_next_dst();
	else if ($avp(by) == "lb.example")
		$var(found) = lb_next();
	else
		$var(found) = use_next_gw();
	return($var(found));
}
failure_route[other] {
	route(next);
	if ($retcode > 0)
		route(send);
}
`

// silentTrial runs silentConfig with a name server.
func silentTrial(t *testing.T, server *zone, named, sound *station) *trial {
	t.Helper()
	c := &trial{T: t, dir: t.TempDir(), log: newOutput(), udp: "127.0.0.1:" + freePort(t), web: freePort(t)}
	name := "sip:gateway.silent.example:" + portIn(named.addr())
	path := filepath.Join(c.dir, "opensips.cfg")
	for file, text := range map[string]string{
		"ds.csv":       fmt.Sprintf("setid,destination,priority\n1,%[1]s,2\n1,sip:%[2]s,1\n2,sip:%[2]s,1\n", name, sound.addr()),
		"lb.csv":       fmt.Sprintf("id,group_id,dst_uri,resources,probe_mode\n1,1,%[1]s,calls=1000,2\n2,1,sip:%[2]s,calls=10,2\n3,2,sip:%[2]s,calls=10,2\n", name, sound.addr()),
		"gateways.csv": fmt.Sprintf("gwid,type,address,strip,pri_prefix,attrs,probe_mode\nnamed,1,%s,0,,,2\nsound,1,sip:%s,0,,,2\n", name, sound.addr()),
		"rules.csv":    "groupid,prefix,timerec,priority,gwlist,attrs\n0,1,,0,\"named,sound\",\n0,2,,0,sound,\n",
		"resolv.conf":  "nameserver " + server.addr + "\n",
		"hosts":        "",
		"opensips.cfg": strings.NewReplacer("udp:UDP", "udp:"+c.udp, "WEB", c.web, "DIR", c.dir).Replace(silentConfig),
	} {
		if err := os.WriteFile(filepath.Join(c.dir, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg, err := loadConfig(options{file: path})
	if err != nil {
		t.Fatal(err)
	}
	cfg.DNS.ResolvConf, cfg.DNS.Hosts, cfg.DNS.Timeout = filepath.Join(c.dir, "resolv.conf"), filepath.Join(c.dir, "hosts"), 2*time.Second
	cfg.StateDir = filepath.Join(c.dir, "state")
	sockets, _, err := listeners(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	lines := newLogger(c.log, script.LevelWarn, "")
	cfg.Program.SetLogger(lines)
	n, err := assemble(cfg, sockets, lines, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := n.start(cfg, levelsOf(cfg), func() {}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		_ = n.engine.Stop(ctx) // what is not finished is nobody's
		n.close()
		if t.Failed() {
			t.Logf("log:\n%s", c.log)
		}
	})
	return c
}

// TestSilentNameServer: the name server falls silent. Names that were found keep what was found; both gateways get their
// calls and pings, and tables can be reloaded. A program that starts meanwhile leaves the name out, sends the calls on by
// the gateway that has an address, and has the other one too when it is told to look again.
func TestSilentNameServer(t *testing.T) {
	t.Parallel()
	server, err := serveZone("gateway.silent.example. 1 IN A 127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	defer server.close()
	named, sound, caller := listenUDP(t, "127.0.0.1:0"), listenUDP(t, "127.0.0.1:0"), listenUDP(t, "127.0.0.1:0")
	modules := []string{"ds", "lb", "dr"}
	calls := func(c *trial, user, when string, to *station) {
		t.Helper()
		for _, m := range modules {
			before := len(to.requests("INVITE"))
			if code := c.call(caller, "UDP", c.udp, "sip:"+user+"@"+m+".example", when+m); code != "200" || len(to.requests("INVITE")) == before {
				t.Errorf("call %s by %s: %s, %d calls came", when, m, code, len(to.requests("INVITE"))-before)
			}
		}
	}
	reload := func(c *trial) {
		t.Helper()
		for _, command := range []string{"ds_reload", "lb_reload", "dr_reload"} {
			c.mi(command)
		}
	}
	active := func(c *trial) int { return strings.Count(c.mi("--json", "destinations"), `"State":"Active"`) }
	const all = 8 // three of ds, three of lb, two of dr

	c := silentTrial(t, server, named, sound)
	calls(c, "1", "before", named)
	server.mute.Store(true)
	c.eventually("somebody asks for the name", func() bool { return server.ignored.Load() > 0 })
	pings, its := len(sound.requests("OPTIONS")), len(named.requests("OPTIONS"))
	calls(c, "2", "beside", sound)
	calls(c, "1", "despite", named)
	c.eventually("both are pinged by all", func() bool {
		return len(sound.requests("OPTIONS")) > pings+2*len(modules) && len(named.requests("OPTIONS")) > its+2*len(modules)
	})
	reload(c)
	if n := active(c); n != all {
		t.Errorf("%d are active: %s", n, c.mi("destinations"))
	}
	calls(c, "1", "reloaded", named)

	late := silentTrial(t, server, named, sound)
	if n := active(late); n != all-len(modules) {
		t.Errorf("%d are active in the one that has started: %s", n, late.mi("destinations"))
	}
	calls(late, "1", "late", sound)
	calls(late, "2", "beside-late", sound)
	server.mute.Store(false)
	late.eventually("the name is found again", func() bool { reload(late); return active(late) == all })
	calls(late, "1", "after", named)
}
