package rpc

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestHandle(t *testing.T) {
	const invalid = `{"jsonrpc":"2.0","error":{"code":-32600,"message":"Invalid Request","data":"%s"},"id":%s}`
	const params = `{"jsonrpc":"2.0","error":{"code":-32602,"message":"Invalid params","data":"%s"},"id":1}`
	for _, c := range []struct{ name, request, want string }{
		{"positional", `{"jsonrpc": "2.0", "method": "echo", "params": ["a"], "id": 1}`, `{"jsonrpc":"2.0","result":"a","id":1}`},
		{"alias", `{"jsonrpc":"2.0","method":"test:echo","params":["a"],"id":1}`, `{"jsonrpc":"2.0","result":"a","id":1}`},
		{"named", `{"id":"x","params":{"times":2,"text":"a"},"method":"echo","jsonrpc":"2.0"}`, `{"jsonrpc":"2.0","result":"aa","id":"x"}`},
		{"number in a string", `{"jsonrpc":"2.0","method":"echo","params":["a","3"],"id":1}`, `{"jsonrpc":"2.0","result":"aaa","id":1}`},
		{"number for text", `{"jsonrpc":"2.0","method":"echo","params":[-17],"id":1}`, `{"jsonrpc":"2.0","result":"-17","id":1}`},
		{"id null", `{"jsonrpc":"2.0","method":"echo","params":["a"],"id":null}`, `{"jsonrpc":"2.0","result":"a","id":null}`},
		{"large id", `{"jsonrpc":"2.0","method":"echo","params":["a"],"id":12345678901234567890}`, `{"jsonrpc":"2.0","result":"a","id":12345678901234567890}`},
		{"spaces around", " \r\n{\"jsonrpc\":\"2.0\",\"method\":\"echo\",\"params\":[\"a\"],\"id\":1}\n", `{"jsonrpc":"2.0","result":"a","id":1}`},
		{"order, repeats and no HTML", `{"jsonrpc":"2.0","method":"markup","params":null,"id":1}`, `{"jsonrpc":"2.0","result":{"a":"<&>","b":{"z":1,"z":["'"]},"c":null},"id":1}`},
		{"list", `{"jsonrpc":"2.0","method":"list","params":["a","b"],"id":1}`, `{"jsonrpc":"2.0","result":["a","b"],"id":1}`},
		{"list of one", `{"jsonrpc":"2.0","method":"list","params":["a"],"id":1}`, `{"jsonrpc":"2.0","result":["a"],"id":1}`},
		{"list in a list", `{"jsonrpc":"2.0","method":"list","params":[["a","b"]],"id":1}`, `{"jsonrpc":"2.0","result":["a","b"],"id":1}`},
		{"list by name", `{"jsonrpc":"2.0","method":"list","params":{"all":["a",5]},"id":1}`, `{"jsonrpc":"2.0","result":["a","5"],"id":1}`},

		{"notification", `{"jsonrpc":"2.0","method":"echo","params":["a"]}`, ``},
		{"notification of nothing", `{"jsonrpc":"2.0","method":"nothing"}`, ``},
		{"notification that fails", `{"jsonrpc":"2.0","method":"panic"}`, ``},

		{"empty", ``, `{"jsonrpc":"2.0","error":{"code":-32700,"message":"Parse error"},"id":null}`},
		{"half", `{"jsonrpc":"2.0","meth`, `{"jsonrpc":"2.0","error":{"code":-32700,"message":"Parse error"},"id":null}`},
		{"two", `{} {}`, `{"jsonrpc":"2.0","error":{"code":-32700,"message":"Parse error"},"id":null}`},
		{"a number", `1`, fmt.Sprintf(invalid, "a request is an object", "null")},
		{"no version", `{"method":"echo","id":1}`, fmt.Sprintf(invalid, `jsonrpc is not \"2.0\"`, "1")},
		{"version 1", `{"jsonrpc":"1.0","method":"echo","id":1}`, fmt.Sprintf(invalid, `jsonrpc is not \"2.0\"`, "1")},
		{"no method", `{"jsonrpc":"2.0","id":7}`, fmt.Sprintf(invalid, "method is not a string", "7")},
		{"no method, no id", `{"jsonrpc":"2.0"}`, fmt.Sprintf(invalid, "method is not a string", "null")},
		{"method null", `{"jsonrpc":"2.0","method":null,"id":7}`, fmt.Sprintf(invalid, "method is not a string", "7")},
		{"method in capitals", `{"jsonrpc":"2.0","METHOD":"echo","id":7}`, fmt.Sprintf(invalid, "method is not a string", "7")},
		{"params a string", `{"jsonrpc":"2.0","method":"echo","params":"a","id":1}`, fmt.Sprintf(invalid, "params is neither an array nor an object", "1")},
		{"id an object", `{"jsonrpc":"2.0","method":"echo","id":{}}`, fmt.Sprintf(invalid, "id is neither a string nor a number", "null")},
		{"unknown", `{"jsonrpc": "2.0", "method": "proto_tls:trace", "id": 7}`, `{"jsonrpc":"2.0","error":{"code":-32601,"message":"Method not found"},"id":7}`},

		{"missing", `{"jsonrpc":"2.0","method":"echo","id":1}`, fmt.Sprintf(params, "text is missing")},
		{"missing by name", `{"jsonrpc":"2.0","method":"echo","params":{"times":1},"id":1}`, fmt.Sprintf(params, "text is missing")},
		{"too many", `{"jsonrpc":"2.0","method":"echo","params":["a",1,2],"id":1}`, fmt.Sprintf(params, "Too many parameters: at most 2")},
		{"wrong name", `{"jsonrpc":"2.0","method":"echo","params":{"text":"a","wrong":1},"id":1}`, fmt.Sprintf(params, "Named parameters do not match")},
		{"no number", `{"jsonrpc":"2.0","method":"echo","params":["a","b"],"id":1}`, fmt.Sprintf(params, "times must be a whole number")},
		{"a fraction", `{"jsonrpc":"2.0","method":"echo","params":["a",1.5],"id":1}`, fmt.Sprintf(params, "times must be a whole number")},
		{"an array for text", `{"jsonrpc":"2.0","method":"echo","params":[["a"]],"id":1}`, fmt.Sprintf(params, "text must be a string or a number")},
		{"an object in a list", `{"jsonrpc":"2.0","method":"list","params":["a",{}],"id":1}`, fmt.Sprintf(params, "each of all must be a string or a number")},

		{"failure", `{"jsonrpc":"2.0","method":"fail","id":1}`, `{"jsonrpc":"2.0","error":{"code":500,"message":"fail failed","data":"it is Monday"},"id":1}`},
		{"refusal", `{"jsonrpc":"2.0","method":"refuse","id":1}`, `{"jsonrpc":"2.0","error":{"code":500,"message":"No","data":"because"},"id":1}`},
		{"panic", `{"jsonrpc":"2.0","method":"panic","id":1}`, `{"jsonrpc":"2.0","error":{"code":-32603,"message":"Internal error"},"id":1}`},
		{"no JSON for it", `{"jsonrpc":"2.0","method":"channel","id":1}`, `{"jsonrpc":"2.0","error":{"code":-32603,"message":"Internal error","data":"json: unsupported type: chan int"},"id":1}`},

		{"batch", `[{"jsonrpc":"2.0","method":"echo","params":["a"],"id":1}, {"jsonrpc":"2.0","method":"echo","params":["b"]}, 3, {"jsonrpc":"2.0","method":"fail?","id":"2"}]`,
			`[{"jsonrpc":"2.0","result":"a","id":1},` + fmt.Sprintf(invalid, "a request is an object", "null") +
				`,{"jsonrpc":"2.0","error":{"code":-32601,"message":"Method not found"},"id":"2"}]`},
		{"batch of notifications", `[{"jsonrpc":"2.0","method":"echo","params":["a"]}]`, ``},
		{"empty batch", `[]`, fmt.Sprintf(invalid, "a batch holds 1 to 64 requests", "null")},
		{"long batch", `[1` + strings.Repeat(",1", MaxBatch) + `]`, fmt.Sprintf(invalid, "a batch holds 1 to 64 requests", "null")},
		{"too large", `"` + strings.Repeat("a", MaxRequest) + `"`, fmt.Sprintf(invalid, "the request is larger than 65536 bytes", "null")},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := string(echo(t).Handle(t.Context(), []byte(c.request))); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestWhichAndHelp(t *testing.T) {
	d := echo(t)
	for request, want := range map[string]string{
		`{"jsonrpc":"2.0","method":"which","id":1}`:                     `["channel","echo","fail","help","list","markup","panic","refuse","which"]`,
		`{"jsonrpc":"2.0","method":"which","params":["echo"],"id":1}`:   `[["text"],["text","times"]]`,
		`{"jsonrpc":"2.0","method":"which","params":["fail"],"id":1}`:   `[[]]`,
		`{"jsonrpc":"2.0","method":"core:which","params":["x"],"id":1}`: `{"code":404,"message":"unknown MI command","data":"x"}`,
		`{"jsonrpc":"2.0","method":"help","params":["echo"],"id":1}`:    `{"Help":"Says it again.","Exported by":"test","Usage":"echo text [times]","Aliases":["test:echo"]}`,
		`{"jsonrpc":"2.0","method":"help","params":["list"],"id":1}`:    `{"Help":"","Exported by":"test","Usage":"list all..."}`,
		`{"jsonrpc":"2.0","method":"help","id":1}`:                      `{"Help":"help mi_cmd: tells about a command; which: lists them"}`,
	} {
		got := string(d.Handle(t.Context(), []byte(request)))
		if !strings.Contains(got, ":"+want+`,"id":1}`) {
			t.Errorf("%s\ngot  %s\nwant %s", request, got, want)
		}
	}
	if c, ok := d.Command("test:echo"); !ok || c.Name != "echo" {
		t.Errorf("Command: %v, %v", c.Name, ok)
	}
	if _, ok := d.Command("nothing"); ok {
		t.Error("a command that nobody registered")
	}
	if !slices.IsSorted(d.Names()) {
		t.Errorf("not sorted: %v", d.Names())
	}
}

func TestRegisterRefuses(t *testing.T) {
	f := func(context.Context, *Args) (any, error) { return nil, nil }
	for name, c := range map[string]Command{
		"no name":       {Func: f},
		"no Func":       {Name: "new"},
		"a taken name":  {Name: "echo", Func: f},
		"a taken alias": {Name: "new", Aliases: []string{"help"}, Func: f},
	} {
		d := echo(t)
		if d.Register(c) == nil {
			t.Errorf("took %s", name)
		}
		if _, ok := d.Command("new"); ok {
			t.Errorf("%s: half of it is registered", name)
		}
	}
}

// FuzzHandle checks that every input gets one answer in good form or none.
func FuzzHandle(f *testing.F) {
	for _, s := range []string{
		`{"jsonrpc":"2.0","method":"echo","params":["a",2],"id":1}`,
		`{"jsonrpc":"2.0","method":"list","params":{"all":["a"]},"id":"x"}`,
		`[{"jsonrpc":"2.0","method":"markup","id":1},{"jsonrpc":"2.0","method":"panic"}]`,
		`{"jsonrpc":"2.0","method":"which","params":[{}],"id":-1e5}`, "[", "{}", " ", "[[[[",
	} {
		f.Add([]byte(s))
	}
	d := echo(f)
	delete(d.table.Load().byName, "echo") // it may repeat a text without end
	f.Fuzz(func(t *testing.T, request []byte) {
		got := d.Handle(t.Context(), request)
		if got == nil {
			return
		}
		var one struct {
			Version string          `json:"jsonrpc"`
			Result  json.RawMessage `json:"result"`
			Error   *Error          `json:"error"`
			ID      any             `json:"id"`
		}
		batch := []json.RawMessage{got}
		if got[0] == '[' {
			if err := json.Unmarshal(got, &batch); err != nil || len(batch) == 0 {
				t.Fatalf("answer %s: %v", got, err)
			}
		}
		for _, b := range batch {
			if err := json.Unmarshal(b, &one); err != nil || one.Version != "2.0" || (one.Result == nil) == (one.Error == nil) {
				t.Fatalf("answer %s: %v", b, err)
			}
			one.Result, one.Error = nil, nil
		}
	})
}

// Commands are replaced by others, all or none.
func TestReplace(t *testing.T) {
	answer := func(text string) func(context.Context, *Args) (any, error) {
		return func(context.Context, *Args) (any, error) { return text, nil }
	}
	d := NewDispatcher(nil)
	old := []Command{{Name: "a", Aliases: []string{"m:a"}, Func: answer("old a")}, {Name: "b", Func: answer("old b")}}
	if err := d.Register(old...); err != nil {
		t.Fatal(err)
	}
	if err := d.Replace(old, []Command{{Name: "a", Func: answer("new a")}, {Name: "which", Func: answer("taken")}}); err == nil {
		t.Error("a name that is taken is replaced")
	}
	if got := ask(t, d, "m:a", "[]"); got != `"old a"` {
		t.Error(got)
	}
	if err := d.Replace(old, []Command{{Name: "a", Func: answer("new a")}}); err != nil {
		t.Fatal(err)
	}
	if got := ask(t, d, "a", "[]"); got != `"new a"` {
		t.Error(got)
	}
	for _, gone := range []string{"m:a", "b"} {
		if _, ok := d.Command(gone); ok {
			t.Errorf("%s is there", gone)
		}
	}
	if got := d.Names(); !slices.Equal(got, []string{"a", "help", "which"}) {
		t.Error(got)
	}
}
