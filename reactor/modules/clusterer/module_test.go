package clusterer_test

import (
	"strings"
	"testing"

	"sipreactor/reactor/modules/clusterer"
	"sipreactor/reactor/modules/db_sqlite"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/proto_bin"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
	"sipreactor/reactor/store/storetest"
)

func TestDocumented(t *testing.T) { moduletest.Documented(t, clusterer.New, proto_bin.New) }

var modules = []script.Constructor{proto_bin.New, clusterer.New}

const head = `socket=bin:127.0.0.1:5555
modparam("clusterer", "my_node_id", 1)
modparam("clusterer", "db_mode", 0)
modparam("clusterer", "my_node_info", "cluster_id=1, url=bin:192.0.2.1:5566, sip_addr=sip:192.0.2.11:5060")
modparam("clusterer", "neighbor_node_info", "cluster_id=1,node_id=2,url=bin:192.0.2.2:5566,sip_addr=sip:192.0.2.12")
modparam("clusterer", "sharing_tag", "vip/1=active")
modparam("clusterer", "sharing_tag", "spare/1=backup")
`

func logs(t *testing.T, statements string) string {
	t.Helper()
	return strings.Join(moduletest.Logs(t, moduletest.Head("proto_bin", "clusterer")+head, statements, modules...), "|")
}

// TestAlone: what the script asks of other nodes is answered as when all are down.
func TestAlone(t *testing.T) {
	for statements, want := range map[string]string{
		`cluster_broadcast_req(1, "hello", $var(tag)); xlog("$rc"); if ($(var(tag){s.len}) > 20) xlog("tagged");`: "-2|tagged",
		`cluster_send_req(1, 2, "hello"); xlog("$rc");`:                                                           "-2",
		`cluster_send_rpl("1", "2", "hello", "tag"); xlog("$rc");`:                                                "-2",
		`cluster_send_req(7, 2, "hello"); xlog("$rc");`:                                                           "-3",
		`xlog("$cluster.sh_tag(vip/1) $cluster.sh_tag(spare/1) $cluster.sh_tag(none/1)");`:                        "active backup <null>",
		`cluster_check_addr(1, "192.0.2.12"); xlog("$rc"); cluster_check_addr(1, "192.0.2.12", "bin"); xlog("$rc"); cluster_check_addr(1, "192.0.2.2", "bin"); xlog("$rc");`: "1|-1|1",
	} {
		if got := logs(t, statements); got != want {
			t.Errorf("%s: %s, want %s", statements, got, want)
		}
	}
	if got := logs(t, `$cluster.sh_tag(spare/1) = "active"; xlog("$cluster.sh_tag(spare/1)"); $cluster.sh_tag(spare/1) = "backup"; xlog("$cluster.sh_tag(spare/1)");`); !strings.Contains(got, "has changed") || strings.Count(got, "|active") != 2 || !strings.Contains(got, "made active only") {
		t.Errorf("a tag that the script makes active: %s", got)
	}
}

func TestCommands(t *testing.T) {
	b := moduletest.New(t, moduletest.Head("proto_bin", "clusterer")+head+`route { cluster_broadcast_req(1, "x"); xlog("$rc"); }`, modules...)
	for _, c := range []struct {
		name string
		args []any
		want string
	}{
		{"clusterer_list", nil, `{"Clusters":[{"cluster_id":1,"Nodes":[{"node_id":2,"db_id":0,"url":"bin:192.0.2.2:5566","link_state":"Down","state":"enabled","next_hop":"none","description":""}]}]}`},
		{"clusterer_list_shtags", nil, `[{"Tag":"vip","Cluster":1,"State":"active"},{"Tag":"spare","Cluster":1,"State":"backup"}]`},
		{"clusterer_shtag_set_active", []any{"spare/1"}, `"OK"`},
		{"clusterer_shtag_set_active", []any{"spare"}, "Invalid tag"},
		{"clusterer_set_status", []any{1, 0}, `"OK"`},
		{"clusterer_set_status", []any{9, 0}, "Cluster id not found"},
		{"clusterer_reload", nil, "DB mode is not enabled"},
		{"cluster_broadcast_mi", []any{1, "clusterer_list_shtags"}, `"State":"active"},{"Tag":"spare","Cluster":1,"State":"active"}`},
		{"cluster_broadcast_mi", []any{1, "cluster_broadcast_mi"}, "Invalid command"},
		{"cluster_send_mi", []any{1, 2, "x"}, "not reachable"},
	} {
		var params any
		if c.args != nil {
			params = c.args
		}
		if got := b.Command(t, c.name, params); !strings.Contains(got, c.want) {
			t.Errorf("%s %v: %s, want %s", c.name, c.args, got, c.want)
		}
	}
	b.Receive(moduletest.Invite)
	if got := strings.Join(b.Log, "|"); got != "-1" {
		t.Errorf("a disabled node sends: %s", got)
	}
}

// TestTable: the nodes of the clusters that this one belongs to come from a table.
func TestTable(t *testing.T) {
	url := storetest.SQLite(t)
	if err := store.Create(t.Context(), url, "clusterer"); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	number, words := store.Int, store.String
	if _, err := db.Apply(t.Context(), store.Change{Verb: store.VerbInsert, Table: "clusterer", Columns: []string{"cluster_id", "node_id", "url", "description"}, Rows: [][]store.Value{
		{number(1), number(1), words("bin:192.0.2.1:5566"), words("Here")}, {number(1), number(2), words("bin:192.0.2.2:5566"), words("There")},
		{number(2), number(8), words("bin:192.0.2.8:5566"), words("Elsewhere")},
	}}); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	text := func(id string) string {
		return moduletest.Head("db_sqlite", "proto_bin", "clusterer") + `modparam("clusterer", "my_node_id", ` + id + `)
modparam("clusterer", "db_url", "` + url + `")
route { exit; }
`
	}
	b := moduletest.New(t, text("1"), append([]script.Constructor{db_sqlite.New}, modules...)...)
	if got := b.Command(t, "clusterer_list", nil); !strings.Contains(got, "There") || strings.Contains(got, "Here") || strings.Contains(got, "Elsewhere") {
		t.Error(got)
	}
	if got := b.Command(t, "clusterer_reload", nil); got != `"OK"` {
		t.Error(got)
	}
}

func TestWrong(t *testing.T) {
	for text, want := range map[string]string{
		`route { exit; }`: "needs its number",
		`modparam("clusterer", "my_node_id", 1)
route { exit; }`: "db_url",
		`modparam("clusterer", "my_node_info", "url=bin:1.2.3.4:5")
route { exit; }`: "needs cluster_id",
		`modparam("clusterer", "my_node_info", "cluster_id=1,url=udp:1.2.3.4:5")
route { exit; }`: "expected bin:host",
		`modparam("clusterer", "neighbor_node_info", "cluster_id=1,url=bin:1.2.3.4:5")
route { exit; }`: "node_id of another node",
		`modparam("clusterer", "neighbor_node_info", "cluster_id=1,colour=red")
route { exit; }`: `the property "colour"`,
		`modparam("clusterer", "sharing_tag", "vip=active")
route { exit; }`: "is no name/cluster",
		head + `route { xlog("$cluster.sh_tag(vip)"); }`: "is no tag",
	} {
		if got := moduletest.Wrong(t, moduletest.Head("proto_bin", "clusterer")+text, modules...); !strings.Contains(got, want) {
			t.Errorf("%s\n%s, want %s", text, got, want)
		}
	}
}
