package moduletest

import (
	"context"
	"encoding/json"
	"testing"

	"sipreactor/reactor/rpc"
)

// Command carries out a management command of the configuration and returns the JSON of
// its result, or the text of its error. params is an array or an object; nil is none.
func (b *Bench) Command(t testing.TB, method string, params any) string {
	t.Helper()
	result, failed := b.command(t, method, params)
	if failed == nil {
		return result
	}
	var e struct {
		Message string
		Data    json.RawMessage
	}
	if err := json.Unmarshal(failed, &e); err != nil {
		t.Fatal(err)
	}
	if len(e.Data) == 0 {
		return e.Message
	}
	return e.Message + ": " + string(e.Data)
}

// Ask is Command with the JSON of params, and of an error.
func (b *Bench) Ask(t testing.TB, method, params string) string {
	t.Helper()
	result, failed := b.command(t, method, json.RawMessage(params))
	return result + string(failed)
}

func (b *Bench) command(t testing.TB, method string, params any) (result string, failed json.RawMessage) {
	t.Helper()
	d := rpc.NewDispatcher(nil)
	if err := d.Register(b.Config.Commands()...); err != nil {
		t.Fatal(err)
	}
	request := map[string]any{"jsonrpc": "2.0", "id": 1, "method": method}
	if params != nil {
		request["params"] = params
	}
	raw, err := json.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	var answer struct{ Result, Error json.RawMessage }
	if err := json.Unmarshal(d.Handle(context.Background(), raw), &answer); err != nil {
		t.Fatal(err)
	}
	return string(answer.Result), answer.Error
}
