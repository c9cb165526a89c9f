package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sipreactor/reactor/store"
)

func TestTextFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tables")
	if err := store.Create(t.Context(), "text://"+dir, "dispatcher", "grp"); err != nil {
		t.Fatal(err)
	}
	db := open(t, "text://"+dir, store.Options{})
	if err := db.CheckVersion(t.Context(), "dispatcher", 9); err != nil {
		t.Error(err)
	}
	add := func(set int64, dst, attrs store.Value) error {
		return db.Insert(t.Context(), "dispatcher", store.Set{Column: "setid", Value: store.Int(set)}, store.Set{Column: "destination", Value: dst}, store.Set{Column: "attrs", Value: attrs})
	}
	for i, text := range []string{"sip:a:5060", "b\\\n\r\t\x00:", "", "sip:d"} {
		if err := add(int64(3-i), store.String(text), store.Null); err != nil {
			t.Fatal(err)
		}
	}
	res, err := db.Select(t.Context(), store.Select{Table: "dispatcher", Columns: []string{"id", "setid", "destination", "attrs"}, Order: "setid",
		Where: []store.Cond{{Column: "setid", Op: ">", Value: store.String("0")}}})
	if err != nil || res.Len() != 3 {
		t.Fatalf("%+v, %v", res, err)
	}
	if r := res.Row(1); r[0] != store.Int(2) || r[1] != store.Int(2) || r[2] != store.String("b\\\n\r\t\x00:") || !r[3].IsNull() {
		t.Errorf("%v", r)
	}
	res, err = db.Select(t.Context(), store.Select{Table: "dispatcher", Where: []store.Cond{{Column: "setid", Any: []store.Value{store.Int(1), store.String("3")}}}})
	if err != nil || res.Len() != 2 {
		t.Errorf("one of several: %+v, %v", res, err)
	}
	if err := add(1, store.Null, store.Null); err != nil {
		t.Error(err)
	}
	for what, err := range map[string]error{
		"SQL":    func() error { _, err := db.Query(t.Context(), new(store.Statement).SQL("SELECT 1")); return err }(),
		"delete": func() error { _, err := db.Delete(t.Context(), "grp"); return err }(),
	} {
		if !errors.Is(err, store.ErrUnsupported) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := db.Insert(t.Context(), "dispatcher", store.Set{Column: "setid", Value: store.String("x")}); err == nil || !strings.Contains(err.Error(), "column setid: \"x\" is no number") {
		t.Errorf("a number that is none: %v", err)
	}
	for _, table := range []string{"nothing", "../tables/grp", ".", ""} {
		if _, err := db.Columns(t.Context(), table); err == nil {
			t.Errorf("%q is a table", table)
		}
	}
	// What another has written is read.
	if err := os.WriteFile(filepath.Join(dir, "grp"), []byte("username(str) grp(str)\nalice:admin"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := db.Insert(t.Context(), "grp", store.Set{Column: "username", Value: store.String("bob")}, store.Set{Column: "grp", Value: store.String("x")}); err != nil {
		t.Fatal(err)
	}
	res, err = db.Select(t.Context(), store.Select{Table: "grp"})
	if err != nil || res.Len() != 2 || res.Row(0)[1] != store.String("admin") || res.Row(1)[0] != store.String("bob") {
		t.Errorf("%+v, %v", res, err)
	}
}

func TestFile(t *testing.T) {
	dir := t.TempDir()
	q := store.Select{Table: "dispatcher", Columns: []string{"setid", "destination"}, Optional: []string{"attrs"}, Key: "destination", Version: 9}
	for name, c := range map[string]struct{ text, want, err string }{
		"text":    {"setid(int) destination(string) attrs(string,null)\n1:sip\\:a:x\n2:sip\\:b:\n", "1 sip:a x|2 sip:b NULL|", ""},
		"csv":     {"\ufeffsetid,destination,attrs\r\n1,sip:a,\"x,\"\"y\"\"\"\r\n2,sip:b,\r\n", "1 sip:a x,\"y\"|2 sip:b NULL|", ""},
		"spaces":  {"setid, destination\n1, sip:a\n", "1 sip:a NULL|", ""},
		"column":  {"setid,dest\n1,x\n", "", "column:1: table dispatcher has no column destination; there are setid dest"},
		"number":  {"setid,destination\none,sip:a\n", "", `number:2, destination=sip:a, column setid: "one" is no number`},
		"width":   {"setid,destination\n1\n", "", "width:2: the row has more or fewer fields"},
		"twice":   {"setid,destination,SetID\n", "", "twice:1: column SetID is there twice"},
		"quote":   {"setid,destination\n1,sip:a\n2,\"sip:b\n3,sip:c\n", "", "quote:3: a quote begins here and is not closed"},
		"bare":    {"setid,destination\n1,si\"p:a\n", "", `bare:2: bare " in non-quoted-field`},
		"utf16":   {"\xff\xfes\x00e\x00", "", "utf16:1: is in UTF-16, and UTF-8 is wanted"},
		"marked":  {"\ufeffsetid(int) destination(string)\n1:sip\\:a\n", "1 sip:a NULL|", ""},
		"nokey":   {"setid,destination,id\none,,\n", "", `nokey:2, row 1, column setid: "one" is no number`},
		"nothing": {"", "", "the first line names the columns"},
		"unnamed": {"setid,,destination\n", "", "column 2 has no name"},
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		got := ""
		err := store.File{Path: path}.Load(t.Context(), q, func(r *store.Row) error {
			attrs := r.Text(2)
			if r.IsNull(2) {
				attrs = "NULL"
			}
			got += store.Int(r.Int(0)).Text() + " " + r.Text(1) + " " + attrs + "|"
			return nil
		})
		switch {
		case c.err == "" && (err != nil || got != c.want):
			t.Errorf("%s: %q, %v", name, got, err)
		case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err) || !strings.Contains(err.Error(), path)):
			t.Errorf("%s: %v, want %q", name, err, c.err)
		}
	}
	if err := (store.File{Path: filepath.Join(dir, "none")}).Load(t.Context(), q, nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}
