package store

import (
	"strings"
	"testing"
)

// The sample of the db_text documentation.
const textSample = "id(int,auto) name(str) flag(double) desc(str,null)\n" +
	"1:nick:0.34:a\\tgood\\: friend\n2:cole:-3.75:colleague\n3:bob:2.50:\n"

func TestReadText(t *testing.T) {
	table, err := readText("x", strings.NewReader(textSample))
	if err != nil {
		t.Fatal(err)
	}
	if table.len() != 3 {
		t.Fatalf("%d rows", table.len())
	}
	want := []Value{Int(1), String("nick"), Float(0.34), String("a\tgood: friend")}
	for i, v := range table.row(0) {
		if v != want[i] {
			t.Errorf("column %d: %#v, want %#v", i, v, want[i])
		}
	}
	if !table.row(2)[3].IsNull() || table.row(1)[2] != Float(-3.75) {
		t.Errorf("rows %v, %v", table.row(1), table.row(2))
	}
	if h := textHeader(table.columns); h != "id(int,auto) name(string) flag(double) desc(string,null)\n" {
		t.Errorf("header %q", h)
	}
}

func TestReadTextErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                           "there is nothing",
		"\n":                         "names no column",
		"id":                         "x:1: column \"id\" is not written",
		"id(long)":                   "unknown type",
		"id(int,key)":                "unknown attribute",
		"name(str,auto)":             "auto and no int",
		"id(int)\nx":                 "x:2: column id: \"x\" is no number",
		"id(int) n(str)\n1:a\n2:b:c": "x:3: more fields than the 2",
		"n(str)\na\\q":               `x:2: column n: \q is no escape`,
		"n(str)\na\\":                "backslash ends",
		"q(double)\nNaN":             "is no number",
		"n(str)\n" + strings.Repeat("x", maxTextLine+1): "x:2: is longer than",
	} {
		if _, err := readText("x", strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", short(text), err, want)
		}
	}
}

func FuzzTextRow(f *testing.F) {
	f.Add("a", "b:\n\\", int64(7))
	f.Add("", "\x00\r\t", int64(-1))
	columns := []textColumn{{name: "a", kind: KindText}, {name: "n", kind: KindInt, null: true}, {name: "b", kind: KindText}}
	f.Fuzz(func(t *testing.T, a, b string, n int64) {
		row := []Value{String(a), Int(n), String(b)}
		line := string(appendTextRow(nil, row))
		if strings.Count(line, "\n") != 1 {
			t.Fatalf("%q has line ends", line)
		}
		got := make([]Value, 3)
		if err := splitTextLine(strings.TrimSuffix(line, "\n"), columns, got); err != nil {
			t.Fatal(err)
		}
		for i := range row {
			if got[i] != row[i] {
				t.Errorf("%q: column %d is %v", line, i, got[i])
			}
		}
	})
}

func FuzzReadText(f *testing.F) {
	f.Add(textSample)
	f.Add("a(int) b(str,null)\n:\n1")
	f.Fuzz(func(t *testing.T, text string) {
		table, err := readText("x", strings.NewReader(text))
		if err == nil && len(table.values)%len(table.columns) != 0 {
			t.Error("rows of different widths")
		}
	})
}
