package main

import (
	"bytes"
	"strings"
	"testing"

	"sipreactor/reactor/store"
	"sipreactor/reactor/store/storetest"
)

func TestDB(t *testing.T) {
	url := storetest.SQLite(t)
	if code, out, errs := command(t, "db", "create", url, "dispatcher"); code != exitOK || out+errs != "" {
		t.Fatalf("%d, %s%s", code, out, errs)
	}
	db, err := store.Open(url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.CheckVersion(t.Context(), "dispatcher", 9); err != nil {
		t.Error(err)
	}
	if code, _, errs := command(t, "db", "create", url, "dispatcher"); code != exitFailed || !strings.Contains(errs, "is there already") {
		t.Errorf("again: %d, %s", code, errs)
	}
	if code, out, errs := command(t, "db", "migrate", url, "domain"); code != exitOK || out != "table domain: made\n" {
		t.Errorf("migrate: %d, %s%s", code, out, errs)
	}
	if code, out, _ := command(t, "db", "tables"); code != exitOK || !strings.Contains(out, "dispatcher         9\n") {
		t.Errorf("tables: %d, %s", code, out)
	}
}

func TestDBReadsTheURL(t *testing.T) {
	var out, errs bytes.Buffer
	if code := runDB(t.Context(), []string{"create", "-", "grp"}, strings.NewReader(storetest.SQLite(t)+"\n"), &out, &errs); code != exitOK {
		t.Errorf("%d, %s", code, errs.String())
	}
}

func TestDBUsage(t *testing.T) {
	for _, args := range [][]string{{"db"}, {"db", "create"}, {"db", "drop", "sqlite:///x"}, {"db", "--force"}} {
		if code, _, errs := command(t, args...); code != exitUsage || errs == "" {
			t.Errorf("%q: %d, %s", args, code, errs)
		}
	}
	if code, out, _ := command(t, "db", "--help"); code != exitOK || !strings.Contains(out, "db migrate") {
		t.Errorf("help: %d, %s", code, out)
	}
	if code, _, errs := command(t, "db", "create", "mysql://u:secret@127.0.0.1:1/d"); code != exitFailed || strings.Contains(errs, "secret") {
		t.Errorf("nobody there: %d, %s", code, errs)
	}
}
