package drouting_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"sipreactor/reactor/modules/db_sqlite"
	"sipreactor/reactor/modules/drouting"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/store"
)

// TestDatabase: gateways, carriers and rules come from a database, and states go back to it.
func TestDatabase(t *testing.T) {
	url := "sqlite://" + filepath.Join(t.TempDir(), "sip.db")
	if err := store.Create(t.Context(), url, "dr_gateways", "dr_carriers", "dr_rules", "dr_groups"); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	text := func(column, value string) store.Set { return store.Set{Column: column, Value: store.String(value)} }
	for _, row := range []struct {
		table  string
		values []store.Set
	}{
		{"dr_gateways", []store.Set{text("gwid", "g1"), text("address", "10.0.0.1")}},
		{"dr_gateways", []store.Set{text("gwid", "g2"), text("address", "10.0.0.2"), {Column: "state", Value: store.Int(1)}}},
		{"dr_carriers", []store.Set{text("carrierid", "C"), text("gwlist", "g1,g2"), {Column: "flags", Value: store.Int(0)}}},
		{"dr_rules", []store.Set{text("groupid", "0"), text("prefix", "4"), text("gwlist", "#C"), {Column: "priority", Value: store.Int(0)}}},
	} {
		if err := db.Insert(t.Context(), row.table, row.values...); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("module", func(t *testing.T) {
		b := moduletest.New(t, moduletest.Head("db_sqlite", "drouting")+fmt.Sprintf("db_default_url = %q\n", url)+`route {
			$rU = "493"; do_routing(0); xlog("$ru"); dr_disable(); do_routing(0); xlog("$rc");
		}`, db_sqlite.New, drouting.New)
		b.Receive(moduletest.Invite)
		if got := said(b.Log); got != "sip:493@10.0.0.1; -1" {
			t.Errorf("%s", got)
		}
		if got := b.Ask(t, "dr_gw_status", `{"gw_id":"g2","status":1}`); got != `"OK"` {
			t.Error(got)
		}
		if got := b.Ask(t, "dr_carrier_status", `{"carrier_id":"C","status":0}`); got != `"OK"` {
			t.Error(got)
		}
	}) // at whose end the module stops
	states := ""
	if err := db.Load(t.Context(), store.Select{Table: "dr_gateways", Columns: []string{"state"}, Order: "gwid"}, func(r *store.Row) error {
		states += r.Text(0)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if states != "10" {
		t.Errorf("states of the gateways %s", states)
	}
	if err := db.Load(t.Context(), store.Select{Table: "dr_carriers", Columns: []string{"state"}}, func(r *store.Row) error {
		if r.Int(0) != 1 {
			t.Errorf("the carrier's state is %s", r.Text(0))
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}
