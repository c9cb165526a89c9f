package database_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/modules/internal/database"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
	"sipreactor/reactor/store/storetest"
)

// TestCheckTables: tables that are missing, lack a column or have another version are told, all of them, and a database
// that is away is a warning.
func TestCheckTables(t *testing.T) {
	url := storetest.SQLite(t)
	if err := store.Create(t.Context(), url, "grp", "uri"); err != nil {
		t.Fatal(err)
	}
	grp := store.Select{Table: "grp", Columns: []string{"username", "grp"}, Version: 3}
	for name, c := range map[string]struct {
		url    string
		tables []store.Select
		wrong  []string
		warned string
	}{
		"good":    {url: url, tables: []store.Select{grp}},
		"missing": {url: url, tables: []store.Select{{Table: "none"}, grp, {Table: "neither"}}, wrong: []string{"none", "neither"}},
		"column":  {url: url, tables: []store.Select{{Table: "uri", Columns: []string{"colour"}}}, wrong: []string{"colour"}},
		"version": {url: url, tables: []store.Select{{Table: "grp", Columns: grp.Columns, Version: 99}}, wrong: []string{"grp"}},
		"away": {
			url: "mysql://nobody:x@127.0.0.1:1/none", tables: []store.Select{{Table: "a", Version: 1}, {Table: "b"}},
			warned: "the database is away",
		},
	} {
		db, err := store.Open(c.url, store.Options{Timeout: 5 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		err = database.CheckTables(script.Pos{}, db, slog.New(slog.NewTextHandler(&log, nil)), c.tables...)
		_ = db.Close()
		if (err != nil) != (c.wrong != nil) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err != nil && !errors.As(err, new(*script.Error)) {
			t.Errorf("%s: %v has no place", name, err)
		}
		for _, want := range c.wrong {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %s", name, err, want)
			}
		}
		if got := log.String(); (got != "") != (c.warned != "") || !strings.Contains(got, c.warned) {
			t.Errorf("%s: warned %q", name, got)
		}
	}
}
