package db_mysql_test

import (
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/modules/db_mysql"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/store"
)

func TestDocumented(t *testing.T) { moduletest.Documented(t, db_mysql.New) }

func TestParameters(t *testing.T) {
	head := moduletest.Head("db_mysql")
	for text, want := range map[string]store.Options{
		"": {Timeout: 6 * time.Second},
		"modparam(\"db_mysql\", \"exec_query_threshold\", 60000)\nmodparam(\"db_mysql\", \"timeout_interval\", 1)\n": {
			Timeout: 3 * time.Second, Slow: 60 * time.Millisecond,
		},
	} {
		b := moduletest.New(t, head+text+"route { exit; }\n", db_mysql.New)
		o := b.Config.Instance("db_mysql").(interface{ Options() store.Options }).Options()
		if o.Timeout != want.Timeout || o.Slow != want.Slow || o.Changed == nil {
			t.Errorf("%s: %+v", text, o)
		}
	}
	moduletest.New(t, head+"modparam(\"db_mysql\", \"use_tls\", 0)\nroute { exit; }\n", db_mysql.New)
	if got := moduletest.Wrong(t, head+"modparam(\"db_mysql\", \"use_tls\", 1)\nroute { exit; }\n", db_mysql.New); !strings.Contains(got, "db_url asks for TLS") {
		t.Error(got)
	}
	if got := moduletest.Wrong(t, head+"modparam(\"db_mysql\", \"timeout_interval\", 0)\nroute { exit; }\n", db_mysql.New); !strings.Contains(got, "it takes a number from 1 to 60") {
		t.Error(got)
	}
}
