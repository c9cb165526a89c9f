package prometheus_test

import (
	"reflect"
	"strings"
	"testing"

	"sipreactor/reactor/modules/httpd"
	"sipreactor/reactor/modules/mi_http"
	"sipreactor/reactor/modules/prometheus"
	"sipreactor/reactor/modules/proto_tcp"
	"sipreactor/reactor/modules/proto_tls"
	"sipreactor/reactor/modules/proto_udp"
	"sipreactor/reactor/script"
)

func compile(name string, src []byte) (*script.Config, error) {
	l := script.Loader{Modules: []script.Constructor{proto_tcp.New, proto_tls.New, proto_udp.New, httpd.New, mi_http.New, prometheus.New}}
	return l.Compile(name, src)
}

const withPrometheus = "socket=udp:127.0.0.1:5060\nloadmodule \"proto_udp.so\"\nloadmodule \"httpd.so\"\nloadmodule \"mi_http.so\"\nloadmodule \"prometheus.so\"\n"

func TestPrometheusParams(t *testing.T) {
	cfg, err := compile("cfg", []byte(withPrometheus+"route { exit; }"))
	if err != nil {
		t.Fatal(err)
	}
	if want := (&prometheus.Config{Root: "metrics", Prefix: "opensips", Delimiter: "_", GroupLabel: "group"}); !reflect.DeepEqual(cfg.Instance("prometheus"), want) {
		t.Errorf("defaults %+v", cfg.Instance("prometheus"))
	}
	cfg, err = compile("cfg", []byte(withPrometheus+`
modparam("prometheus", "root", "/prom/all")
modparam("prometheus", "prefix", "edge")
modparam("prometheus", "group_prefix", "g_")
modparam("prometheus", "delimiter", "__")
modparam("prometheus", "group_label", "of")
modparam("prometheus", "group_mode", 2)
modparam("prometheus", "statistics", "core: accepted")
modparam("prometheus", "statistics", "accepted net:refused")
route { exit; }`))
	if err != nil {
		t.Fatal(err)
	}
	want := &prometheus.Config{Root: "prom/all", Prefix: "edge", GroupPrefix: "g_", Delimiter: "__", GroupLabel: "of", GroupMode: prometheus.GroupLabelled,
		Statistics: []string{"core:", "accepted", "net:refused"}}
	if !reflect.DeepEqual(cfg.Instance("prometheus"), want) {
		t.Errorf("got  %+v\nwant %+v", cfg.Instance("prometheus"), want)
	}
}

func TestPrometheusErrors(t *testing.T) {
	for param, want := range map[string]string{
		`"root", "a b"`:                "is a path of letters",
		`"root", "a//b"`:               "is a path of letters",
		`"root", "a.css"`:              "is a path of letters",
		`"root", "mi"`:                 "cfg:6:32: /mi is where mi_http answers",
		`"prefix", ""`:                 "is a name of letters",
		`"prefix", "1st"`:              "is a name of letters",
		`"prefix", "sipreactor"`:       "is taken by metrics that are always given",
		`"delimiter", "-"`:             "has letters, digits and _ only",
		`"group_label", "a.b"`:         "is a name of letters",
		`"group_mode", 3`:              "group_mode = 3 is not possible: it takes a number from 0 to 2",
		`"labels", "x: /a/b/"`:         "what is counted has its labels in the metrics of this program",
		`"script_route", "prometheus"`: "update_stat()",
		`"statistic", "all"`:           "did you mean statistics?",
	} {
		_, err := compile("cfg", []byte(withPrometheus+"modparam(\"prometheus\", "+param+")\nroute { exit; }"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s:\n%v\nwant %s", param, err, want)
		}
	}
	_, err := compile("cfg", []byte("socket=udp:127.0.0.1:5060\nloadmodule \"proto_udp.so\"\nloadmodule \"prometheus.so\"\nroute { exit; }"))
	if err == nil || !strings.Contains(err.Error(), `loadmodule "httpd.so"`) {
		t.Errorf("without httpd: %v", err)
	}
}
