package mi_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"sipreactor/reactor/mi"
	"sipreactor/reactor/rpc"
)

// A command is registered, served over HTTP and called.
func Example() {
	d := rpc.NewDispatcher(nil)
	node := &mi.Node{Version: "edge (1.0 (amd64/linux))", Started: time.Now()}
	commands := append(node.Commands(), rpc.Command{
		Name: "greet", Module: "example", Help: "Greets.",
		Params: []rpc.Param{{Name: "name"}},
		Func: func(_ context.Context, a *rpc.Args) (any, error) {
			if a.Text("name") == "" {
				return nil, rpc.Failed("Nobody to greet", nil)
			}
			return rpc.Object{{Name: "Greeting", Value: "hello " + a.Text("name")}}, nil
		},
	})
	if err := d.Register(commands...); err != nil {
		fmt.Println(err)
		return
	}
	server, err := mi.ServeHTTP(mi.HTTPConfig{Addr: netip.MustParseAddrPort("127.0.0.1:0")}, d)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close(context.Background())

	target := fmt.Sprintf("http://%v/mi", server.Addr())
	for _, call := range []struct {
		method string
		params any
	}{{"version", nil}, {"greet", []string{"world"}}, {"greet", map[string]string{"name": ""}}} {
		result, err := mi.Call(context.Background(), target, call.method, call.params)
		if refused := (*rpc.Error)(nil); errors.As(err, &refused) {
			fmt.Println(refused.Code, refused.Message)
			continue
		}
		fmt.Println(string(result), err)
	}
	// Output:
	// {"Server":"edge (1.0 (amd64/linux))"} <nil>
	// {"Greeting":"hello world"} <nil>
	// 500 Nobody to greet
}
