package rpc

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo is a Dispatcher with commands that show what reaches them.
func echo(t testing.TB) *Dispatcher {
	t.Helper()
	d := NewDispatcher(nil)
	err := d.Register(
		Command{Name: "echo", Aliases: []string{"test:echo"}, Module: "test", Help: "Says it again.",
			Params: []Param{{Name: "text"}, {Name: "times", Kind: Integer, Optional: true}},
			Func: func(_ context.Context, a *Args) (any, error) {
				if !a.Has("times") {
					return a.Text("text"), nil
				}
				return strings.Repeat(a.Text("text"), max(0, a.Int("times"))), nil
			}},
		Command{Name: "list", Module: "test", Params: []Param{{Name: "all", Kind: List}},
			Func: func(_ context.Context, a *Args) (any, error) { return a.List("all"), nil }},
		Command{Name: "fail", Func: func(context.Context, *Args) (any, error) { return nil, errors.New("it is Monday") }},
		Command{Name: "refuse", Func: func(context.Context, *Args) (any, error) { return nil, Failed("No", "because") }},
		Command{Name: "panic", Func: func(context.Context, *Args) (any, error) { panic("oh") }},
		Command{Name: "channel", Func: func(context.Context, *Args) (any, error) { return make(chan int), nil }},
		Command{Name: "markup", Func: func(context.Context, *Args) (any, error) {
			return Object{{"a", "<&>"}, {"b", Object{{"z", 1}, {"z", []string{"'"}}}}, {"c", nil}}, nil
		}},
	)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// ask has a command carried out and returns its result as JSON, or its error.
func ask(t testing.TB, d *Dispatcher, method, params string) string {
	t.Helper()
	result, failure := d.Run(t.Context(), method, json.RawMessage(params))
	if failure != nil {
		return failure.Error()
	}
	return string(result)
}
