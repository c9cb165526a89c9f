package cachedb_redis_test

import (
	"fmt"
	"strings"
	"testing"

	"sipreactor/reactor/modules/cachedb_redis"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/store/storetest"
)

func TestDocumented(t *testing.T) { moduletest.Documented(t, cachedb_redis.New) }

func TestScript(t *testing.T) {
	s := storetest.Redis(t)
	head := moduletest.Head("cachedb_redis") + fmt.Sprintf("modparam(\"cachedb_redis\", \"cachedb_url\", %q)\nmodparam(\"cachedb_redis\", \"shutdown_on_error\", 1)\n", s.URL("group1"))
	for _, c := range []struct{ run, want string }{
		{`cache_store("redis:group1", "key", "$ru value"); cache_fetch("redis:group1", "key", $avp(10)); xlog("$avp(10)");`, "sip:+4930123@example.net:5070;transport=tls;user=phone value"},
		{`cache_remove("redis:group1", "key"); cache_fetch("redis:group1", "key", $var(x)); xlog("$rc");`, "-2"},
		{`cache_add("redis:group1", "n", 5, 0, $var(n)); cache_sub("redis:group1", "n", 2, 60, $var(n)); xlog("$var(n)");`, "3"},
		{`cache_counter_fetch("redis:group1", "n", $var(n)); xlog("$var(n)");`, "3"},
		{`cache_raw_query("redis:group1", "HSET h a 1 b 2"); cache_raw_query("redis:group1", "HVALS h", "$avp(v)"); xlog("$(avp(v)[*])");`, "1,2"},
		{`cache_raw_query("redis:group1", "NOSUCH"); xlog("$rc");`, "-1"},
	} {
		log := moduletest.Logs(t, head, c.run, cachedb_redis.New)
		if got := log[len(log)-1]; got != c.want {
			t.Errorf("%s: %v, want %s", c.run, log, c.want)
		}
	}
	s.Kill()
	b := moduletest.New(t, strings.Replace(head, "shutdown_on_error\", 1", "lazy_connect\", 1", 1)+`route { cache_fetch("redis:group1", "n", $var(n)); xlog("$rc"); }`+"\n", cachedb_redis.New)
	b.Receive(moduletest.Invite)
	if b.Log[len(b.Log)-1] != "-1" || strings.Contains(strings.Join(b.Log, " "), storetest.Password) {
		t.Errorf("%v", b.Log)
	}
}

func TestErrors(t *testing.T) {
	head := moduletest.Head("cachedb_redis")
	for text, want := range map[string]string{
		`modparam("cachedb_redis", "cachedb_url", "mongodb://:secret@h")`:            "begins with redis://",
		`modparam("cachedb_redis", "cachedb_url", "redis://:secret@h/x")`:            "is no number",
		`modparam("cachedb_redis", "use_tls", 1)`:                                    "not supported",
		`modparam("cachedb_redis", "query_timeout", 0)`:                              "from 1 to 60000",
		`modparam("cachedb_redis", "cachedb_url", "redis:a://h/?tls_domain=secret")`: "not built in",
	} {
		if got := moduletest.Wrong(t, head+text+"\nroute { exit; }\n", cachedb_redis.New); !strings.Contains(got, want) || strings.Contains(got, "secret") {
			t.Errorf("%s:\n%s", text, got)
		}
	}
	got := moduletest.Wrong(t, head+"modparam(\"cachedb_redis\", \"cachedb_url\", \"redis:a://h\")\nroute { cache_remove(\"redis:b\", \"k\"); }\n", cachedb_redis.New)
	if !strings.Contains(got, "there is no cache redis:b") {
		t.Error(got)
	}
}
