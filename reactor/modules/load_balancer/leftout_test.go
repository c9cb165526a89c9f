package loadbalancer_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	loadbalancer "sipreactor/reactor/modules/load_balancer"
	"sipreactor/reactor/modules/moduletest"
)

// TestLeftOutRows: a reload that leaves rows out says how many, and names each by the line of its file.
func TestLeftOutRows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lb.csv")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("id,group_id,dst_uri,resources\n1,1,sip:10.0.0.1,a=1\n")
	b := moduletest.New(t, moduletest.Head("load_balancer")+`modparam("load_balancer", "load_balancer_file", "`+path+`")
route { lb_start(1, "a"); }`, loadbalancer.New)
	write("id,group_id,dst_uri,resources\n1,1,sip:10.0.0.1,a=1\n2,x,sip:10.0.0.2,a=1\n3,1,sip:10.0.0.3,a=\n1,1,sip:10.0.0.4,a=1\n")
	got := b.Ask(t, "lb_reload", `{}`)
	for _, want := range []string{`{"loaded":1,"left_out":3,"rows":[`, path + ":3, id=2, column group_id: ", path + ":4, id=3, column resources: ", path + ":5, id=1, column id: is there twice"} {
		if !strings.Contains(got, want) {
			t.Errorf("%s\nlacks %s", got, want)
		}
	}
}
