package store

import (
	"slices"
	"strings"
	"testing"
)

func TestLayouts(t *testing.T) {
	list, err := parseLayouts(layouts)
	if err != nil {
		t.Fatal(err)
	}
	if list[0].Table != VersionTable {
		t.Errorf("the first table is %s", list[0].Table)
	}
	var seen []string
	for _, l := range list {
		if slices.Contains(seen, l.Table) {
			t.Errorf("%s is there twice", l.Table)
		}
		seen = append(seen, l.Table)
		for scheme, d := range dialects {
			for _, text := range d.creates(&l) { // panics for a name that is none
				if strings.Count(text, "PRIMARY KEY") > 1 {
					t.Errorf("%s, %s: %s", scheme, l.Table, text)
				}
			}
		}
	}
	for _, want := range strings.Fields("acc missed_calls dispatcher load_balancer dr_gateways dr_rules dr_carriers dr_groups dr_partitions " +
		"address dialplan domain dbaliases grp re_grp subscriber uri location dialog usr_preferences tls_mgm registrant speed_dial") {
		if l, ok := LayoutOf(want); !ok || len(l.Columns) == 0 {
			t.Errorf("there is no table %s", want)
		}
	}
	if _, ok := LayoutOf("nothing"); ok {
		t.Error("there is a table nothing")
	}
}

func TestLayoutErrors(t *testing.T) {
	for text, want := range map[string]string{
		"id auto":                             "no table",
		"table t x":                           "invalid syntax",
		"table t 1\nid":                       "line 2: a column has",
		"table t 1\nid long":                  "is no type",
		"table t 1\nid string(x)":             "invalid syntax",
		"table t 1\nid int nul":               "neither null nor",
		"table t 1\nid int\nindex i":          "an index has",
		"table t 1\nid int\nindex i id other": "no column other",
	} {
		if _, err := parseLayouts(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}
