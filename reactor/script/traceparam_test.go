package script

import (
	"strings"
	"testing"
)

const traceHead = plainHead + `
loadmodule "proto_hep.so"
loadmodule "tracer.so"
modparam("proto_hep", "hep_id", "[homer]10.0.0.2:9060;transport=udp")
`

func TestTraceDefaults(t *testing.T) {
	cfg, err := compile("cfg", []byte(traceHead))
	if err != nil {
		t.Fatal(err)
	}
	tr := &cfg.Trace
	if tr.CaptureID != 1 || tr.Homer5 || tr.Homer5Delim != ":" || tr.AuthKey != "" || tr.MaxMessages != 4096 || !tr.MasterKey || !tr.SIP.On || tr.SIP.IDs != nil {
		t.Errorf("%+v", tr)
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
modparam("tracer", "trace_id", "[tid]uri=hep:spare")
modparam("proto_hep", "hep_id", "[spare]10.0.0.3")
`))
	if err != nil {
		t.Fatal(err)
	}
	tr := &cfg.Trace
	if tr.CaptureID != 4294967295 || !tr.Homer5 || tr.Homer5Delim != "##" || tr.AuthKey != "k" || tr.MaxMessages != 10 || tr.SIP.On {
		t.Errorf("%+v", tr)
	}
	if ids := tr.SIP.IDs; len(ids) != 2 || ids[0].Name != "tid" || ids[0].Destination != "homer" || ids[1].Destination != "spare" {
		t.Errorf("%+v", tr.SIP.IDs)
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
