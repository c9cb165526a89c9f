package main

import (
	"fmt"
	"strings"
	"testing"

	"sipreactor/reactor/store"
)

// TestCheckOfTables: a table of contacts that the database has not is an error of -C where the script names it; one that
// is in memory and that no save() writes to is told.
func TestCheckOfTables(t *testing.T) {
	url := "sqlite://" + t.TempDir() + "/sip.db"
	if err := store.Create(t.Context(), url, "location"); err != nil {
		t.Fatal(err)
	}
	head := checkHead + `loadmodule "signaling.so"
loadmodule "db_sqlite.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
`
	for _, c := range []struct {
		params, table string
		want          string
		code          int
	}{
		{"", "location", "", exitOK},
		{"", "locaton", `no save() of the script writes to the table`, exitOK},
		{"modparam(\"usrloc\", \"db_url\", \"" + url + "\")\nmodparam(\"usrloc\", \"db_mode\", 2)\n", "location", "", exitOK},
		{"modparam(\"usrloc\", \"db_url\", \"" + url + "\")\nmodparam(\"usrloc\", \"db_mode\", 2)\n", "locaton", "no such table: locaton", exitFailed},
	} {
		text := head + c.params + "route {\n\tif (is_method(\"REGISTER\")) save(\"location\");\n\telse lookup(\"" + c.table + "\");\n}\nloadmodule \"sipmsgops.so\"\n"
		code, errs, file := checked(t, text)
		at := fmt.Sprintf("%s:%d:%d", file, strings.Count(head+c.params, "\n")+3, len("\telse lookup(")+1)
		if code != c.code || !strings.Contains(errs, c.want) || strings.Contains(errs, at) != (c.table != "location") {
			t.Errorf("%q in %q: %d, want %d and %q at %s:\n%s", c.table, c.params, code, c.code, c.want, at, errs)
		}
	}
}
