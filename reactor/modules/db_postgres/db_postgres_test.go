package db_postgres_test

import (
	"testing"
	"time"

	"sipreactor/reactor/modules/db_postgres"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/store"
)

func TestDocumented(t *testing.T) { moduletest.Documented(t, db_postgres.New) }

func TestTimeout(t *testing.T) {
	b := moduletest.New(t, moduletest.Head("db_postgres")+"modparam(\"db_postgres\", \"timeout\", 2)\nroute { exit; }\n", db_postgres.New)
	if o := b.Config.Instance("db_postgres").(interface{ Options() store.Options }).Options(); o.Timeout != 2*time.Second {
		t.Errorf("%+v", o)
	}
}
