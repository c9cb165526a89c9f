package main

import (
	"testing"

	"sipreactor/reactor/script"
)

// Each module is listed once: of two, one would be started and the other one's functions called.
func TestModulesOnce(t *testing.T) {
	seen := make(map[string]bool)
	for _, m := range script.Reference(modules) {
		if seen[m.Name] {
			t.Errorf("the module %s is listed twice", m.Name)
		}
		seen[m.Name] = true
	}
}

// What a module counts goes on over a reload: as a script.Count, or in what a configuration hands on to the next.
func TestStatisticsOutliveReload(t *testing.T) {
	handedOn := map[string]bool{
		"auth": true, "dialog": true, "mid_registrar": true, "tm": true, "uac_registrant": true, "usrloc": true,
		"db_mysql": true, "db_postgres": true, "db_sqlite": true, "db_text": true, // pools of the process
	}
	for _, m := range script.Reference(modules) {
		for i := range m.Statistics {
			if s := &m.Statistics[i]; s.Count == nil && !s.Gauge && !handedOn[m.Name] {
				t.Errorf("%s:%s begins anew with a reload", m.Name, s.Name)
			}
		}
	}
}
