package dialog_test

import (
	"strings"
	"testing"

	"sipreactor/reactor/modules/db_sqlite"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/store"
)

// TestStored ends a call in another life of the program than it began in: with its values, its profiles and its did.
func TestStored(t *testing.T) {
	url := "sqlite://" + t.TempDir() + "/sip.db"
	if err := store.Create(t.Context(), url, "dialog"); err != nil {
		t.Fatal(err)
	}
	text := head + "loadmodule \"db_sqlite.so\"\nmodparam(\"dialog\", \"db_mode\", 2)\nmodparam(\"dialog\", \"db_url\", \"" + url + "\")\n" + routes
	var before *call
	life := func(f func(c *call)) {
		t.Run("a life", func(t *testing.T) {
			c := &call{t: t, id: "c1", Bench: moduletest.New(t, text, append(modules, db_sqlite.New)...)}
			if before != nil {
				c.toTag, c.routes, c.invite = before.toTag, before.routes, before.invite
			}
			f(c)
			before = c
		})
	}
	life(func(c *call) { c.up() })
	life(func(c *call) {
		if got := c.command("profile_get_size", `{"profile":"caller","value":"alice"}`); !strings.Contains(got, `"count":1`) {
			t.Errorf("the profile is lost: %s", got)
		}
		c.request("BYE", "2", false)
		c.Log = null(c.Log)
		c.wants("BYE 5 downstream v Downstream BYE", "valid 1")
	})
	life(func(c *call) {
		if got := c.statistics("active_dialogs"); got != "0" {
			t.Errorf("%s dialogs come back", got)
		}
	})
}
