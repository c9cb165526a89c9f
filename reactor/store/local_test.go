package store_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sipreactor/reactor/store"
	"sipreactor/reactor/store/storetest"
)

// TestCheckLocal: a URL of a file or folder that cannot be used is told of, with what to do.
func TestCheckLocal(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("id,setid\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(dir, "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	made := storetest.SQLite(t)
	if err := store.Create(t.Context(), made, "grp"); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"sqlite://" + dir + "/none": "sipreactor db create sqlite://" + dir + "/none makes one",
		"sqlite://" + dir:           "is a folder, not a file",
		"sqlite://" + file:          "is no database of SQLite",
		"sqlite://" + empty:         "",
		made:                        "",
		"text://" + dir + "/none":   "sipreactor db create text://" + dir + "/none makes the tables",
		"text://" + file:            "is no folder",
		"text://" + dir:             "",
		"mysql://u:p@192.0.2.1/db":  "",
	} {
		u, err := store.ParseURL(text)
		if err != nil {
			t.Fatal(err)
		}
		err = u.CheckLocal()
		if (want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// TestTrial: a trial reads what is on this machine, leaves nothing beside it, changes
// nothing, and asks nobody on a network.
func TestTrial(t *testing.T) {
	url := storetest.SQLite(t)
	if err := store.Create(t.Context(), url, "grp"); err != nil {
		t.Fatal(err)
	}
	trial := store.Options{Trial: true}
	db := open(t, url, trial)
	if err := db.CheckVersion(t.Context(), "grp", 3); err != nil {
		t.Error(err)
	}
	if _, err := db.Columns(t.Context(), "dispatcher"); err == nil {
		t.Error("a table that is not there is found")
	}
	if err := db.Insert(t.Context(), "grp", store.Set{Column: "username", Value: store.String("x")}); err == nil {
		t.Error("a row was written")
	}
	files, err := os.ReadDir(filepath.Dir(strings.TrimPrefix(url, "sqlite://")))
	if err != nil || len(files) != 1 {
		t.Errorf("%v, %v", files, err)
	}
	// What a running program has written is seen, though it is not in the file itself yet.
	live := open(t, url, store.Options{})
	if err := live.Insert(t.Context(), "grp", store.Set{Column: "username", Value: store.String("x")}); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	beside := open(t, url, trial)
	if res, err := beside.Select(t.Context(), store.Select{Table: "grp"}); err != nil || res.Len() != 1 {
		t.Errorf("%v, %v", res, err)
	}
	far := open(t, "mysql://u:p@192.0.2.1/db", trial)
	if err := far.CheckVersion(t.Context(), "grp", 3); err != nil {
		t.Error(err)
	}
	if err := far.Load(t.Context(), store.Select{Table: "grp", Version: 3}, nil); err != nil {
		t.Error(err)
	}
}

// TestCreateMakesNoFolders: a path that may be mistyped is refused.
func TestCreateMakesNoFolders(t *testing.T) {
	dir := t.TempDir()
	for _, url := range []string{"sqlite://" + dir + "/none/x.db", "text://" + dir + "/none/tables"} {
		err := store.Create(t.Context(), url)
		if err == nil || !strings.Contains(err.Error(), "there is no folder "+dir+"/none: mkdir -p "+dir+"/none makes it") {
			t.Errorf("%s: %v", url, err)
		}
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 0 {
		t.Errorf("%v, %v", files, err)
	}
	if err := store.Create(t.Context(), "text://"+dir+"/tables"); err != nil {
		t.Error(err)
	}
}
