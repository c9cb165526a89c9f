package main

import (
	"path/filepath"
	"strings"
	"testing"

	"sipreactor/reactor/store"
)

// TestRowErrors: what is wrong with a row is told by its table, its key and its column, whatever module reads it.
func TestRowErrors(t *testing.T) {
	dir := t.TempDir()
	url := "sqlite://" + filepath.Join(dir, "rows.db")
	const measures = "cpm_warning cpm_critical call_duration_warning call_duration_critical total_calls_warning total_calls_critical " +
		"concurrent_calls_warning concurrent_calls_critical sequential_calls_warning sequential_calls_critical"
	wrong := []struct {
		table, columns, values, want string
	}{
		{"dispatcher", "id setid destination", "7 1 sip:10.0.0.1:99999", "table dispatcher, id=7, column destination: "},
		{"load_balancer", "id group_id dst_uri resources", "7 1 sip:10.0.0.1 pstn", "table load_balancer, id=7, column resources: "},
		{"dr_gateways", "id gwid type address strip", "7 seven 1 10.0.0.1 x", "table dr_gateways, gwid=seven, column strip: "},
		{"dr_carriers", "id carrierid gwlist flags sort_alg", "7 seven a x N", "table dr_carriers, carrierid=seven, column flags: "},
		{"dr_rules", "ruleid groupid prefix gwlist timerec", "7 1 4x9 a ", "table dr_rules, ruleid=7, column prefix: "},
		{"dr_rules", "ruleid groupid prefix gwlist timerec", "8 one 49 a ", "table dr_rules, ruleid=8, column groupid: "},
		{"dr_rules", "ruleid groupid prefix gwlist timerec", "9 1 49 a once", "table dr_rules, ruleid=9, column timerec: "},
		{"dr_rules", "ruleid groupid prefix gwlist timerec", "10 1 49 nobody ", "table dr_rules, ruleid=10, column gwlist: "},
		{"dr_groups", "id username domain groupid", "7 alice example.com x", "table dr_groups, id=7, column groupid: "},
		{"address", "id grp ip mask port proto", "7 1 10.0.0.0 99 0 any", "table address, id=7, column ip: "},
		{"dialplan", "id dpid pr match_op match_exp match_flags subst_exp repl_exp disabled", "7 1 1 1 ( 0 . . 0", "table dialplan, id=7, column match_exp: "},
		{"fraud_detection", "ruleid profileid prefix start_hour end_hour daysoftheweek " + measures, "7 1 49 25:00 1:00 Mon 1 1 1 1 1 1 1 1 1 1", "table fraud_detection, ruleid=7, column start_hour: "},
		{"rtpengine", "id socket set_id", "7 nonsense 1", "table rtpengine, id=7, column socket: "},
		{"clusterer", "id cluster_id node_id url", "7 1 x bin:10.0.0.1", "table clusterer, id=7, column node_id: "},
	}
	made := map[string]bool{}
	for _, w := range wrong {
		if !made[w.table] {
			made[w.table] = true
			if err := store.Create(t.Context(), url, w.table); err != nil {
				t.Fatal(err)
			}
		}
	}
	db, err := store.Open(url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, w := range wrong {
		var row []store.Value
		for _, v := range strings.Split(w.values, " ") {
			row = append(row, store.String(v))
		}
		if _, err := db.Apply(t.Context(), store.Change{Verb: store.VerbInsert, Table: w.table, Columns: strings.Fields(w.columns), Rows: [][]store.Value{row}}); err != nil {
			t.Fatal(w.table, err)
		}
	}
	text := "socket=udp:127.0.0.1:5060\nsocket=bin:127.0.0.1:5566\nstate_dir=\"" + dir + "/state\"\n"
	for _, m := range strings.Fields("proto_udp proto_bin signaling sl tm rr dialog db_sqlite dispatcher load_balancer drouting permissions dialplan fraud_detection rtpengine clusterer") {
		text += "loadmodule \"" + m + ".so\"\n"
	}
	text += `modparam("dispatcher|load_balancer|drouting|permissions|dialplan|fraud_detection|rtpengine|clusterer", "db_url", "` + url + `")
modparam("clusterer", "my_node_id", 1)
route { exit; }
`
	_, out, errs := command(t, "-C", "-f", config(t, text))
	for _, w := range wrong {
		if !strings.Contains(out+errs, w.want) {
			t.Errorf("nothing said %s", w.want)
		}
	}
	if t.Failed() {
		t.Log(out + errs)
	}
}
