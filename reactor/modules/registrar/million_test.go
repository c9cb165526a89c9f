package registrar_test

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/internal/waittest"
	"sipreactor/reactor/location"
	"sipreactor/reactor/modules/db_sqlite"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/usrloc"
	"sipreactor/reactor/store"
)

// TestLoad reads contacts back at the start: 3,000, or as many as SIPREACTOR_CONTACTS says. With -v it tells how long that
// took, what a contact costs, and the longest pause of the garbage collector.
func TestLoad(t *testing.T) {
	n := 3000
	if s := os.Getenv("SIPREACTOR_CONTACTS"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	url := "sqlite://" + t.TempDir() + "/sip.db"
	if err := store.Create(t.Context(), url, "location"); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(url, store.Options{Timeout: patience})
	if err != nil {
		t.Fatal(err)
	}
	columns := []string{"contact_id", "username", "contact", "expires", "q", "callid", "cseq", "last_modified", "flags", "cflags", "user_agent", "socket"}
	over := time.Now().Add(10 * time.Hour).Unix()
	const batch = 500
	for i := 0; i < n; i += batch {
		c := store.Change{Verb: store.VerbInsert, Table: "location", Columns: columns}
		for k := i; k < min(i+batch, n); k++ {
			c.Rows = append(c.Rows, []store.Value{store.Int(int64(k + 1)), store.String(fmt.Sprint("user", k)), store.String(fmt.Sprintf("sip:user%d@10.1.2.3:5061;transport=tls", k)),
				store.Int(over), store.Float(-1), store.String(fmt.Sprintf("call-%d@10.1.2.3", k)), store.Int(1), store.Time(time.Now()), store.Int(0), store.String("NAT"),
				store.String("Phone/1.0"), store.String("tls:192.0.2.1:5061")})
		}
		if _, err := db.Apply(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	began := time.Now()
	b := moduletest.New(t, moduletest.Head("signaling", "usrloc", "registrar", "db_sqlite")+`
modparam("usrloc", "working_mode_preset", "single-instance-sql-write-back")
modparam("usrloc", "db_url", "`+url+`")
modparam("usrloc", "nat_bflag", "NAT")
route { setbflag("NAT"); save("location"); }
`, append(all, db_sqlite.New)...)
	took := time.Since(began)
	runtime.GC()
	runtime.ReadMemStats(&after)
	var pause uint64
	for i := before.NumGC; i < after.NumGC && after.NumGC-i <= 256; i++ {
		pause = max(pause, after.PauseNs[i%256])
	}
	t.Logf("%d contacts in %v; %d bytes of heap a contact; longest pause %v", n, took, int64(after.HeapAlloc-before.HeapAlloc)/int64(n), time.Duration(pause))
	counted := 0
	waittest.For(t, "all contacts are read", func() bool { // a page that took too long is read again
		counted = 0
		b.Config.Instance("usrloc").(*usrloc.Module).Each(0, 1, func(string, *location.Contact) { counted++ })
		return counted >= n
	})
	if counted != n {
		t.Errorf("%d contacts were read, of %d", counted, n)
	}
	last := fmt.Sprint("user", n-1)
	if got := b.Command(t, "ul_show_contact", []string{"location", last}); !strings.Contains(got, "sip:"+last+"@10.1.2.3") || !strings.Contains(got, `"Cflags":"NAT"`) {
		t.Error(got)
	}
}
