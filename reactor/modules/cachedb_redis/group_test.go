package cachedb_redis

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"sipreactor/reactor/internal/waittest"
	"sipreactor/reactor/store/storetest"
)

var quick = timeouts{connect: 3 * time.Second, query: 3 * time.Second}

func testGroup(t *testing.T, url string) *group {
	t.Helper()
	u, err := parseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	g := newGroup(u, quick)
	t.Cleanup(func() { g.Close() })
	return g
}

func TestGroup(t *testing.T) {
	s := storetest.Redis(t)
	g := testGroup(t, s.URL("group1"))
	if _, ok, err := g.Get("key"); ok || err != nil {
		t.Errorf("nothing: %v, %v", ok, err)
	}
	for _, value := range []string{"sip:a@b value", "", "\x00\r\n'", strings.Repeat("x", 100_000)} {
		if err := g.Set("key", value, 0); err != nil {
			t.Fatal(err)
		}
		if got, ok, err := g.Get("key"); got != value || !ok || err != nil {
			t.Errorf("%.20q: %.20q, %v, %v", value, got, ok, err)
		}
	}
	if err := g.Remove("key"); err != nil {
		t.Error(err)
	}
	if _, ok, _ := g.Get("key"); ok {
		t.Error("a key that was removed is there")
	}
	if n, err := g.Add("n", 5, time.Minute); n != 5 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if n, err := g.Add("n", -7, 0); n != -2 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	rows, err := g.Raw("TTL n")
	if err != nil || len(rows) != 1 || rows[0][0].(int64) < 50 {
		t.Errorf("ttl %v, %v", rows, err)
	}
	if _, err := g.Add("text", 1, 0); err != nil {
		t.Error(err)
	}
	_ = g.Set("text", "x", 0)
	if _, err := g.Add("text", 1, 0); err == nil || !strings.Contains(err.Error(), "not an integer") {
		t.Errorf("a text is counted: %v", err)
	}
	_ = g.Set("short", "x", 50*time.Millisecond)
	waittest.For(t, "it expires", func() bool {
		_, ok, _ := g.Get("short")
		return !ok
	})
}

// The documentation's examples of cache_raw_query.
func TestRaw(t *testing.T) {
	s := storetest.Redis(t)
	g := testGroup(t, s.URL("cluster1"))
	for command, want := range map[string]string{
		"HSET my_hash my_key my_value":         "[[1]]",
		"HGET my_hash my_key":                  "[[my_value]]",
		"HGET my_hash nothing":                 "[]",
		"MGET a b":                             "[[<nil>] [<nil>]]",
		"EVAL return{1,'x',{2,'y'}} 0":         "[[1] [x] [2 y]]",
		"SET flag on":                          "[[OK]]",
		"EVAL return{'a','b'} 0":               "[[a] [b]]",
		"EVAL return(redis.call('ping').ok) 0": "[[PONG]]",
	} {
		if strings.HasPrefix(command, "HGET my_hash my_key") {
			_, _ = g.Raw("HSET my_hash my_key my_value")
		}
		rows, err := g.Raw(command)
		if got := fmt.Sprint(rows); err != nil || got != want && !strings.HasPrefix(command, "HSET") {
			t.Errorf("%s: %s, %v; want %s", command, got, err, want)
		}
	}
	for command, want := range map[string]string{"": "is empty", "NOSUCH x": "unknown command"} {
		if _, err := g.Raw(command); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", command, err)
		}
	}
}

func TestGroupOutage(t *testing.T) {
	s := storetest.Redis(t)
	g := testGroup(t, s.URL("x"))
	if err := g.Set("key", "1", 0); err != nil {
		t.Fatal(err)
	}
	s.Kill()
	begin := time.Now()
	if err := g.Set("key", "2", 0); err == nil || strings.Contains(err.Error(), storetest.Password) {
		t.Errorf("nobody there: %v", err)
	}
	if took := time.Since(begin); took > 20*time.Second { // more than a busy machine takes, and less than TCP
		t.Errorf("it took %v", took)
	}
	s.Start()
	waittest.For(t, "it takes a value", func() bool { return g.Set("key", "3", 0) == nil })
	s.Freeze()
	begin = time.Now()
	if _, _, err := g.Get("key"); err == nil || time.Since(begin) > 20*time.Second {
		t.Errorf("frozen: %v after %v", err, time.Since(begin))
	}
	waittest.For(t, "it is gone", func() bool {
		_, _, err := g.Get("key")
		return errors.Is(err, errGone)
	})
	s.Thaw()
	waittest.For(t, "it is back", func() bool {
		got, _, err := g.Get("key")
		return got == "3" && err == nil
	})
}

// Of several servers the next one serves when the first is gone.
func TestSeveralServers(t *testing.T) {
	a, b := storetest.Redis(t), storetest.Redis(t)
	g := testGroup(t, "redis:g://:"+storetest.Password+"@"+a.Address()+","+b.Address()+"/2")
	if err := g.Set("key", "a", 0); err != nil {
		t.Fatal(err)
	}
	a.Kill()
	if err := g.Set("key", "b", 0); err != nil {
		t.Fatal(err)
	}
	if got, _, err := g.Get("key"); got != "b" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

func TestSocketAndPassword(t *testing.T) {
	path := filepath.Join("/tmp", fmt.Sprintf("sipreactor-redis-%d", time.Now().UnixNano()))
	storetest.Redis(t, "--unixsocket", path, "--unixsocketperm", "777")
	g := testGroup(t, "redis:local://:"+storetest.Password+"@localhost/?socket="+path)
	if err := g.Set("key", "a", 0); err != nil {
		t.Error(err)
	}
	g = testGroup(t, "redis:local://:wrong@localhost/?socket="+path)
	if err := g.Set("key", "a", 0); err == nil || !strings.Contains(err.Error(), "WRONGPASS") {
		t.Errorf("a wrong password: %v", err)
	}
}

func TestCluster(t *testing.T) {
	s := storetest.Redis(t, "--cluster-enabled", "yes")
	// One node has all the slots.
	c := redis.NewClient(&redis.Options{Addr: s.Address(), Password: storetest.Password})
	defer c.Close()
	if err := c.Do(t.Context(), "CLUSTER", "ADDSLOTSRANGE", 0, 16383).Err(); err != nil {
		t.Fatal(err)
	}
	g := testGroup(t, s.URL("x"))
	var err error
	waittest.For(t, "the cluster takes a key", func() bool {
		err = g.Set("{user1000}.profile", "a", 0)
		return err == nil
	})
	if !g.cluster {
		t.Error("the cluster is not seen")
	}
	if got, _, getErr := g.Get("{user1000}.profile"); got != "a" || err != nil || getErr != nil {
		t.Errorf("%q, %v, %v", got, err, getErr)
	}
}
