package drouting_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sipreactor/reactor/modules/drouting"
	"sipreactor/reactor/modules/moduletest"
)

// TestLeftOutRows: a reload that leaves rows out says how many of all tables, and names each by the line of its file.
func TestLeftOutRows(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("g", "gwid,address\na,10.0.0.1\n")
	write("r", "groupid,prefix,gwlist\n0,49,a\n")
	b := moduletest.New(t, moduletest.Head("drouting")+`modparam("drouting", "gateways_file", "`+dir+`/g")
modparam("drouting", "rules_file", "`+dir+`/r")
route { do_routing(0); }`, drouting.New)
	write("g", "gwid,address\na,10.0.0.1\nb,\"not an address\"\na,10.0.0.3\n")
	write("r", "groupid,prefix,gwlist\n0,49,a\nx,49,a\n0,4x9,a\n")
	got := command(t, b, "dr_reload", `{}`)
	for _, want := range []string{`{"loaded":2,"left_out":4,"rows":[`, dir + "/g:3, gwid=b, column address: ", dir + "/g:4, gwid=a", dir + "/r:3, ", dir + "/r:4, "} {
		if !strings.Contains(got, want) {
			t.Errorf("%s\nlacks %s", got, want)
		}
	}
}
