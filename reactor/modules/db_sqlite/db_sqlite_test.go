package db_sqlite_test

import (
	"strings"
	"testing"

	"sipreactor/reactor/modules/db_sqlite"
	"sipreactor/reactor/modules/moduletest"
)

func TestDocumented(t *testing.T) { moduletest.Documented(t, db_sqlite.New) }

func TestParameters(t *testing.T) {
	head := moduletest.Head("db_sqlite")
	b := moduletest.New(t, head+"modparam(\"db_sqlite\", \"alloc_limit\", 25)\nroute { exit; }\n", db_sqlite.New)
	if len(b.Config.Notes) != 1 {
		t.Errorf("%v", b.Config.Notes)
	}
	got := moduletest.Wrong(t, head+"modparam(\"db_sqlite\", \"load_extension\", \"/usr/lib/sqlite3/pcre.so\")\nroute { exit; }\n", db_sqlite.New)
	if !strings.Contains(got, "loads no libraries") {
		t.Error(got)
	}
}
