package mi

import (
	"context"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sipreactor/reactor/rpc"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// The pool of the engine's network library lives as long as the process.
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*poolCommon).purgeStaleWorkers"),
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*poolCommon).ticktock"),
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*goWorker).run.func1"),
	)
}

// patience bounds what a test waits for; nothing is asserted about time.
const patience = 20 * time.Second

// echo is a Dispatcher with commands that show what reaches them.
func echo(t testing.TB) *rpc.Dispatcher {
	t.Helper()
	d := rpc.NewDispatcher(nil)
	err := d.Register(
		rpc.Command{Name: "echo", Aliases: []string{"test:echo"}, Module: "test", Help: "Says it again.",
			Params: []rpc.Param{{Name: "text"}, {Name: "times", Kind: rpc.Integer, Optional: true}},
			Func: func(_ context.Context, a *rpc.Args) (any, error) {
				if !a.Has("times") {
					return a.Text("text"), nil
				}
				return strings.Repeat(a.Text("text"), max(0, a.Int("times"))), nil
			}},
		rpc.Command{Name: "refuse", Func: func(context.Context, *rpc.Args) (any, error) { return nil, rpc.Failed("No", "because") }},
	)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
