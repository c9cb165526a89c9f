package mi_script_test

import (
	"context"
	"strings"
	"testing"

	"sipreactor/reactor/modules/mi_script"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/rpc"
	"sipreactor/reactor/script"
)

// echo is a module with a command that answers what it gets.
func echo(*script.Config) *script.Module {
	return &script.Module{Name: "echo", Commands: []rpc.Command{
		{Name: "echo", Params: []rpc.Param{{Name: "one", Optional: true}, {Name: "two", Optional: true}, {Name: "list", Kind: rpc.List, Optional: true}},
			Func: func(_ context.Context, a *rpc.Args) (any, error) {
				o := rpc.Object{}
				for _, name := range []string{"one", "two"} {
					if a.Has(name) {
						o = append(o, rpc.Field{Name: name, Value: a.Text(name)})
					}
				}
				if a.Has("list") {
					o = append(o, rpc.Field{Name: "list", Value: a.List("list")})
				}
				return o, nil
			}},
		{Name: "lost", Func: func(context.Context, *rpc.Args) (any, error) { return nil, &rpc.Error{Code: 404, Message: "Not here"} }},
		{Name: "reload_routes", Func: func(context.Context, *rpc.Args) (any, error) { return "OK", nil }},
	}}
}

func TestMI(t *testing.T) {
	head := moduletest.Head("mi_script", "echo")
	for call, want := range map[string]string{
		`mi("echo", $var(r))`:         `1 {}`,
		`mi("echo")`:                  `1 <null>`,
		`mi("echo $rU  b", $var(r))`:  `1 {"one":"+4930123","two":"b"}`,
		`mi("echo a b c d", $var(r))`: `1 {"one":"a","two":"b","list":["c","d"]}`,
		`$avp(p) = "x"; $avp(p) = "y"; mi("echo ignored", $var(r), $avp(p))`:                                                                       `1 {"one":"x","two":"y"}`,
		`$avp(p) = "two"; $avp(v) = "a b"; $avp(p) = "list"; $avp(v) = "__array(HEARTBEAT BACKGROUND_JOB)"; mi("echo", $var(r), $avp(p), $avp(v))`: `1 {"two":"a b","list":["HEARTBEAT","BACKGROUND_JOB"]}`,
		`$avp(p) = "two"; mi("echo", $var(r), $avp(p), $avp(v))`:                                                                                   `-1 <null>`,
		`mi("lost", $var(r))`:          `-404 Not here`,
		`mi("nosuch", $var(r))`:        `-32601 Method not found`,
		`mi("reload_routes", $var(r))`: `-500 a route cannot reload the routes`,
		`mi($hdr(None), $var(r))`:      `-1 <null>`,
		`mi("lost", , $avp(p))`:        `-404 <null>`,
	} {
		log := moduletest.Logs(t, head, call+`; xlog("$rc $var(r)");`, mi_script.New, echo)
		if got := log[len(log)-1]; got != want {
			t.Errorf("%s: %v, want %s", call, log, want)
		}
	}
}

func TestPretty(t *testing.T) {
	log := moduletest.Logs(t, moduletest.Head("mi_script", "echo")+`modparam("mi_script", "pretty_printing", 1)
`, `mi("echo a", $var(r)); xlog("$var(r)");`, mi_script.New, echo)
	if got := strings.Join(log, "|"); got != "{\n\t\"one\": \"a\"\n}" {
		t.Errorf("%q", got)
	}
}
