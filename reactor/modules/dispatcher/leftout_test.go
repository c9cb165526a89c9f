package dispatcher_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sipreactor/reactor/modules/dispatcher"
	"sipreactor/reactor/modules/moduletest"
)

// TestLeftOutRows: a reload that leaves rows out says how many, and names each by the line of its file and the column; the
// others serve. OK is the answer again when all are good.
func TestLeftOutRows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "d.csv")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("setid,destination\n1,sip:10.0.0.1\n")
	b := moduletest.New(t, moduletest.Head("dispatcher")+fmt.Sprintf("modparam(\"dispatcher\", \"dispatcher_file\", %q)\nroute { ds_select_dst(1, 8); xlog(\"$du\"); }", path), dispatcher.New)
	write("setid,destination,state,weight,priority,socket\n" +
		"1,sip:10.0.0.2,0,1,0,udp:127.0.0.1:5060\n" +
		"one,sip:10.0.0.3,,,,\n" +
		"-1,sip:10.0.0.3,,,,\n" +
		"1,nonsense,,,,\n" +
		"1,sip:10.0.0.3,7,,,\n" +
		"1,sip:10.0.0.3,,much,,\n" +
		"1,sip:10.0.0.3,,-1,,\n" +
		"1,sip:10.0.0.3,,99999999999999999999,,\n" +
		"1,sip:10.0.0.3,,1,99999999999,\n" +
		"\"1\",sip:10.0.0.4,0,,,main\n" +
		"1,sip:10.0.0.3,,,,udp:9.9.9.9:5060\n")
	got := b.Ask(t, "ds_reload", `{}`)
	for _, want := range []string{
		`{"loaded":2,"left_out":9,"rows":[`,
		path + `:3, row 2, column setid: \"one\" is no number`,
		path + ":4, row 3, column setid: -1 is not from 0 to",
		path + ":5, row 4, column destination: ",
		path + ":6, row 5, column state: 7 is not from 0 to 2",
		path + `:7, row 6, column weight: \"much\" is no number`,
		path + ":8, row 7, column weight: -1 is not from 0 to",
		path + `:9, row 8, column weight: `,
		path + ":10, row 9, column priority: ",
		path + ":12, row 11, column socket: udp:9.9.9.9:5060 is no socket of ours; there are: tcp:127.0.0.1:5060, ",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%s\nlacks %s", got, want)
		}
	}
	write("setid,destination\n1,sip:10.0.0.2\n0,sip:10.0.0.9\n")
	if got := b.Ask(t, "ds_reload", `{}`); got != `"OK"` {
		t.Error(got)
	}
}
