package cachedb_local

import (
	"strings"
	"testing"

	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/proto_tcp"
	"sipreactor/reactor/modules/proto_tls"
	"sipreactor/reactor/modules/proto_udp"
	"sipreactor/reactor/script"
)

// TestScript keeps values by the examples of the documentation.
func TestScript(t *testing.T) {
	head := moduletest.Head("cachedb_local") + `modparam("cachedb_local", "cache_collections", "collection1; collection2 = 5; default = 4")
modparam("cachedb_local", "cachedb_url", "local://")
modparam("cachedb_local", "cachedb_url", "local:///collection1")
modparam("cachedb_local", "cachedb_url", "local:group2:///collection2")
`
	b := moduletest.New(t, head+`route {
	cache_store("local", "passwd_$tU", "$fU", 1200); cache_fetch("local", "passwd_$tU", $avp(i:11)); xlog("$avp(i:11)");
	if (!cache_fetch("local:group2", "passwd_$tU", $var(x))) xlog("elsewhere $rc");
	cache_add("local", "n", 5, 0, $var(s)); cache_sub("local", "n", 2, 0, $var(s)); cache_counter_fetch("local", "n", $var(c)); xlog("$var(s) $var(c)");
	cache_store("local", "myinfo_1", "a"); cache_remove_chunk("collection1", "myinfo_*"); if (!cache_fetch("local", "myinfo_1", $var(x))) xlog("removed");
	cache_remove("local", "n"); if (!cache_fetch("local", "n", $var(x))) xlog("gone"); }
`, New)
	b.Receive(moduletest.Invite)
	if got := strings.Join(b.Log, "|"); got != "+4930123|elsewhere -2|3 3|removed|gone" && got != "alice|elsewhere -2|3 3|removed|gone" {
		t.Error(got)
	}
	if got := b.Command(t, "cachedb_local:fetch_chunk", []string{"passwd_*", "collection1"}); got != `{"keys":[{"name":"passwd_+4930123","value":"alice"}]}` {
		t.Error(got)
	}
	if got := b.Command(t, "cache_remove_chunk", []string{"passwd_*", "collection1"}); got != `"OK"` || b.Command(t, "cache_fetch_chunk", []string{"*", "collection1"}) != `{"keys":[]}` {
		t.Error(got)
	}
	if got := b.Command(t, "cache_fetch_chunk", []string{"*", "none"}); !strings.Contains(got, "Collection not found") {
		t.Error(got)
	}
}

// TestErrors are told at load.
func TestErrors(t *testing.T) {
	for text, want := range map[string]string{
		`modparam("cachedb_local", "cachedb_url", "redis://x")`:        "is local://, local:///collection or local:group:///collection",
		`modparam("cachedb_local", "cachedb_url", "local:g:///none")`:  "there is no collection none",
		`modparam("cachedb_local", "cache_collections", "a/r")`:        "there is no replication of collections",
		`modparam("cachedb_local", "cluster_id", 1)`:                   "cluster_id is not supported",
		`modparam("cachedb_local", "enable_restart_persistency", yes)`: "enable_restart_persistency is not supported",
	} {
		if got := moduletest.Wrong(t, moduletest.Head("cachedb_local")+text+"\nroute { exit; }", New); !strings.Contains(got, want) {
			t.Errorf("%s\n%s", text, got)
		}
	}
}

// TestReload keeps the values.
func TestReload(t *testing.T) {
	text := []byte(moduletest.Head("cachedb_local") + "route { exit; }")
	l := script.Loader{Modules: []script.Constructor{proto_tcp.New, proto_tls.New, proto_udp.New, New}}
	old, err := l.Compile("a.cfg", text)
	if err != nil {
		t.Fatal(err)
	}
	if err := old.Start(script.Surroundings{}, nil); err != nil {
		t.Fatal(err)
	}
	_ = old.Cache("local").Set("k", "v", 0)
	next, _ := l.Compile("a.cfg", text)
	if err := next.Start(script.Surroundings{}, old); err != nil {
		t.Fatal(err)
	}
	old.Stop(next)
	defer next.Stop(nil)
	if v, ok, _ := next.Cache("local").Get("k"); !ok || v != "v" {
		t.Error(v, ok)
	}
}
