package moduletest

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"sipreactor/reactor/rpc"
)

// Command carries out a management command of the configuration and returns the JSON of
// its result, or the text of its error. params is an array or an object; nil is none.
func (b *Bench) Command(t testing.TB, method string, params any) string {
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
	var answer struct {
		Result json.RawMessage
		Error  *struct {
			Message string
			Data    any
		}
	}
	if err := json.Unmarshal(d.Handle(context.Background(), raw), &answer); err != nil {
		t.Fatal(err)
	}
	if answer.Error != nil {
		data, _ := json.Marshal(answer.Error.Data)
		return strings.TrimSuffix(answer.Error.Message+": "+string(data), ": null")
	}
	return string(answer.Result)
}
