package db_text_test

import (
	"testing"

	"sipreactor/reactor/modules/db_text"
	"sipreactor/reactor/modules/moduletest"
)

func TestDocumented(t *testing.T) { moduletest.Documented(t, db_text.New) }

func TestParameters(t *testing.T) {
	b := moduletest.New(t, moduletest.Head("db_text")+"modparam(\"db_text\", \"db_mode\", 1)\nroute { exit; }\n", db_text.New)
	if len(b.Config.Notes) != 1 || len(b.Config.Commands()) != 2 {
		t.Errorf("%v, %v", b.Config.Notes, b.Config.Commands())
	}
}
