package proto_hep_test

import (
	"strings"
	"testing"

	"sipreactor/reactor/modules/proto_hep"
	"sipreactor/reactor/modules/proto_tcp"
	"sipreactor/reactor/modules/tracer"
	"sipreactor/reactor/script"
)

func compile(name string, src []byte) (*script.Config, error) {
	l := script.Loader{Modules: []script.Constructor{proto_tcp.New, proto_hep.New, tracer.New}}
	return l.Compile(name, src)
}

const traceHead = `socket=tcp:127.0.0.1:5060
loadmodule "proto_tcp.so"
route { exit; }

loadmodule "proto_hep.so"
loadmodule "tracer.so"
modparam("proto_hep", "hep_id", "[homer]10.0.0.2:9060;transport=udp")
`

func TestTraceDefaults(t *testing.T) {
	cfg, err := compile("cfg", []byte(traceHead))
	if err != nil {
		t.Fatal(err)
	}
	to, by := proto_hep.Of(cfg), cfg.Instance("tracer").(*tracer.Config)
	if to.CaptureID != 1 || to.Homer5 || to.Homer5Delim != ":" || to.AuthKey != "" || to.MaxMessages != 4096 || !by.On || by.IDs != nil {
		t.Errorf("%+v, %+v", to, by)
	}
}

func TestTraceParameters(t *testing.T) {
	cfg, err := compile("cfg", []byte(traceHead+`
modparam("proto_hep", "hep_capture_id", 4294967295)
modparam("proto_hep", "homer5_on", 1)
modparam("proto_hep", "homer5_delim", "##")
modparam("proto_hep", "hep_auth_key", "k")
modparam("proto_hep", "hep_max_msg_queue", 10)
modparam("tracer", "trace_on", 0)
modparam("tracer", "trace_id", "[tid]uri=hep:homer")
modparam("tracer", "trace_id", "[tid] uri=hep:spare")
modparam("proto_hep", "hep_id", "[spare]10.0.0.3")
`))
	if err != nil {
		t.Fatal(err)
	}
	to, by := proto_hep.Of(cfg), cfg.Instance("tracer").(*tracer.Config)
	if to.CaptureID != 4294967295 || !to.Homer5 || to.Homer5Delim != "##" || to.AuthKey != "k" || to.MaxMessages != 10 || by.On {
		t.Errorf("%+v, %+v", to, by)
	}
	if ids := by.IDs; len(ids) != 2 || ids[0].Name != "tid" || ids[0].Destination != "homer" || ids[1].Destination != "spare" {
		t.Errorf("%+v", by.IDs)
	}
}

func TestTraceErrors(t *testing.T) {
	for params, want := range map[string]string{
		`modparam("tracer", "trace_id", "[tid]uri=hep:hommer")`:                  "trace_id [tid]: hommer is no hep_id of proto_hep (did you mean homer?); there are: homer",
		`modparam("tracer", "trace_id", "[tid]uri=mysql:x")`:                     "other places than HEP are not supported",
		`modparam("tracer", "trace_id", "uri=hep:homer")`:                        "is [name]uri=hep:destination",
		`modparam("tracer", "trace_id", "[]uri=hep:homer")`:                      "is [name]uri=hep:destination",
		`modparam("proto_hep", "hep_capture_id", -1)`:                            "is not possible",
		`modparam("proto_hep", "hep_max_msg_queue", 0)`:                          "is not possible",
		`modparam("proto_tcp", "trace_destination", "homers")`:                   "trace_destination homers is no hep_id of proto_hep (did you mean homer?); there are: homer",
		`modparam("proto_tcp", "trace_filter_route", "nowhere")`:                 "there is no route[nowhere]",
		`modparam("proto_hep", "hep_id", "[homer]10.0.0.9")`:                     "names homer a second time",
		`modparam("proto_hep", "hep_id", "[x]10.0.0.9;version=4")`:               "the versions are 1, 2 and 3",
		`modparam("proto_hep", "hep_id", "[x]10.0.0.9;version=2;transport=tcp")`: "before version 3 there is UDP alone",
		`modparam("proto_hep", "hep_id", "[x]10.0.0.9;transport=sctp")`:          "there is no transport sctp",
	} {
		if _, err := compile("cfg", []byte(traceHead+params)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", params, err)
		}
	}
}
