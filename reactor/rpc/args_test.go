package rpc

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
)

var everyKind = []Param{{Name: "text"}, {Name: "number", Kind: Integer}, {Name: "list", Kind: List, Optional: true}}

func TestParseArgs(t *testing.T) {
	for _, c := range []struct {
		params string
		text   string
		number int
		list   []string
	}{
		{`["a",1]`, "a", 1, nil},
		{`["",-7,"x"]`, "", -7, []string{"x"}},
		{`["a","12","x",3,"z"]`, "a", 12, []string{"x", "3", "z"}},
		{`["a",1,[]]`, "a", 1, []string{}},
		{`["a",1,["x","y"]]`, "a", 1, []string{"x", "y"}},
		{`{"list":["x"],"number":" 5 ","text":"\u00e9"}`, "é", 5, []string{"x"}},
		{`{"text":1e3,"number":2147483647}`, "1e3", 2147483647, nil},
		{`{"text":"a","number":-2147483648,"list":"x"}`, "a", -2147483648, []string{"x"}},
	} {
		a, err := ParseArgs(json.RawMessage(c.params), everyKind)
		if err != nil {
			t.Errorf("%s: %v", c.params, err)
			continue
		}
		if a.Text("text") != c.text || a.Int("number") != c.number || !slices.Equal(a.List("list"), c.list) || a.Has("list") != (c.list != nil) {
			t.Errorf("%s: %+v", c.params, a)
		}
		if !a.Has("text") || !a.Has("number") || a.Has("other") {
			t.Errorf("%s: Has", c.params)
		}
	}
}

func TestParseArgsRefuses(t *testing.T) {
	for params, want := range map[string]string{
		`[]`:                                   "text is missing",
		`["a"]`:                                "number is missing",
		`{}`:                                   "text is missing",
		`["a",true]`:                           "number must be a string or a number",
		`["a",null]`:                           "number must be a string or a number",
		`["a",2147483648]`:                     "number must be a whole number",
		`["a",1e3]`:                            "number must be a whole number",
		`["a",""]`:                             "number must be a whole number",
		`[{},1]`:                               "text must be a string or a number",
		`["a",1,["x",["y"]]]`:                  "each of list must be a string or a number",
		`["a",1,["x"],"y"]`:                    "Too many parameters: at most 3",
		`{"text":"a","number":1,"Text":"b"}`:   "Named parameters do not match",
		`{"text":"a","number":1,"list":{}}`:    "each of list must be a string or a number",
		`{"text":"a","number":1,"other":null}`: "Named parameters do not match",
	} {
		if a, err := ParseArgs(json.RawMessage(params), everyKind); err == nil || err.Code != CodeParams || err.Data != want {
			t.Errorf("%s: %+v, %v", params, a, err)
		}
	}
	if _, err := ParseArgs(json.RawMessage(`["a"]`), nil); err == nil || err.Data != "Too many parameters: at most 0" {
		t.Errorf("a command that takes nothing: %v", err)
	}
	if a, err := ParseArgs(nil, nil); err != nil || a.Has("") {
		t.Errorf("nothing for nothing: %v", err)
	}
}

func TestForms(t *testing.T) {
	c := Command{Name: "c", Params: everyKind}
	if got := c.Usage(); got != "c text number [list...]" {
		t.Error(got)
	}
	forms := c.forms()
	if len(forms) != 2 || !slices.Equal(forms[0], []string{"text", "number"}) || !slices.Equal(forms[1], []string{"text", "number", "list"}) {
		t.Errorf("%v", forms)
	}
}

// OpenSIPS' command line writes name=value; where each value names a parameter of
// the command it is that, else the values are what they are.
func TestNameValue(t *testing.T) {
	want := []Param{{Name: "id", Optional: true}, {Name: "mode", Optional: true}, {Name: "filter", Kind: List, Optional: true}}
	for params, wants := range map[string]string{
		`["id=tid2","mode=off"]`: "tid2 off []",
		`["mode=on"]`:            " on []",
		`["tid","mode=on"]`:      "tid mode=on []",
		`["a=b"]`:                "a=b  []",
		`["id=x","filter=ip=127.0.0.1","filter=caller=Bob"]`: "x  [ip=127.0.0.1 caller=Bob]",
		`["id=a=b"]`: "a=b  []",
	} {
		a, err := ParseArgs([]byte(params), want)
		if err != nil {
			t.Errorf("%s: %v", params, err)
			continue
		}
		if got := fmt.Sprintf("%s %s %v", a.Text("id"), a.Text("mode"), a.List("filter")); got != wants {
			t.Errorf("%s: %q, want %q", params, got, wants)
		}
	}
}
