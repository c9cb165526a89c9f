package rtpengine

import (
	"fmt"
	"strings"
	"testing"

	"sipreactor/reactor/modules/db_sqlite"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/store"
	"sipreactor/reactor/store/storetest"
)

// Nodes of a table are used as those of rtpengine_sock, by their set; a wrong row is left out.
func TestNodesOfATable(t *testing.T) {
	e := newEngine(t)
	url := storetest.SQLite(t)
	if err := store.Create(t.Context(), url, "rtpengine"); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for set, socket := range map[int64]string{1: e.url, 2: "nonsense"} {
		if err := db.Insert(t.Context(), "rtpengine", store.Set{Column: "socket", Value: store.String(socket)}, store.Set{Column: "set_id", Value: store.Int(set)}); err != nil {
			t.Fatal(err)
		}
	}
	head := moduletest.Head("db_sqlite", "rtpengine") + fmt.Sprintf("modparam(\"rtpengine\", \"db_url\", %q)\n", url)
	b := moduletest.New(t, head+`route { rtpengine_use_set(1); rtpengine_offer(); $var(a) = $rc; rtpengine_use_set(2); xlog("$var(a) $rc"); }`, New, db_sqlite.New)
	b.Receive(moduletest.Invite)
	if len(b.Log) == 0 || !strings.HasPrefix(b.Log[len(b.Log)-1], "1 -1") {
		t.Errorf("logged %q", b.Log)
	}
}
