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
	write("g", "gwid,address,socket\na,10.0.0.1,\nb,\"not an address\",\na,10.0.0.3,\nc,10.0.0.4,udp:9.9.9.9:5060\n")
	write("r", "groupid,prefix,gwlist,timerec\n0,49,a,\nx,49,a,\n0,4x9,a,\n0,49,a,once\n0,49,nobody,\n")
	got := b.Ask(t, "dr_reload", `{}`)
	for _, want := range []string{
		`{"loaded":3,"left_out":6,"rows":[`, dir + "/g:3, gwid=b, column address: ", dir + "/g:4, gwid=a", dir + "/r:3, row 2, column groupid: ",
		dir + "/r:4, row 3, column prefix: ", dir + "/r:5, row 4, column timerec: ", dir + "/r:6, row 5, column gwlist: ",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%s\nlacks %s", got, want)
		}
	}
	if all, want := strings.Join(b.Log, "\n"), dir+"/g:5, gwid=c, column socket: udp:9.9.9.9:5060"; !strings.Contains(all, want) {
		t.Errorf("%s\nlacks %s", all, want)
	}
}
