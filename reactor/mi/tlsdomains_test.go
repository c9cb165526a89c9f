package mi

import (
	"errors"
	"strings"
	"testing"

	"sipreactor/reactor/rpc"
)

// TestTrace has the requests and responses of an OpenSIPS 3.6 that was recorded.
func TestTrace(t *testing.T) {
	n, _ := fakeNode()
	n.Traces[0].Set(true)
	d := commandsOf(t, n)
	for _, c := range []struct{ request, want string }{
		{`{"jsonrpc": "2.0", "method": "tls_trace", "id": 1}`, `{"jsonrpc":"2.0","result":{"TLS tracing":"on"},"id":1}`},
		{`{"jsonrpc": "2.0", "method": "tls_trace", "params": {"trace_mode": "off"}, "id": 2}`, `{"jsonrpc":"2.0","result":"OK","id":2}`},
		{`{"jsonrpc": "2.0", "method": "tls_trace", "id": 3}`, `{"jsonrpc":"2.0","result":{"TLS tracing":"off"},"id":3}`},
		{`{"jsonrpc": "2.0", "method": "tls_trace", "params": ["on"], "id": 4}`, `{"jsonrpc":"2.0","result":"OK","id":4}`},
		{`{"jsonrpc": "2.0", "method": "tls_trace", "params": {"trace_mode": "bogus"}, "id": 5}`,
			`{"jsonrpc":"2.0","error":{"code":500,"message":"Bad parameter value","data":"trace_mode should be 'on' or 'off'"},"id":5}`},
		{`{"jsonrpc": "2.0", "method": "tls_trace", "params": {"wrong": "on"}, "id": 6}`,
			`{"jsonrpc":"2.0","error":{"code":-32602,"message":"Invalid params","data":"Named parameters do not match"},"id":6}`},
		{`{"jsonrpc": "2.0", "method": "tls:trace", "params": ["OFF"], "id": 7}`, `{"jsonrpc":"2.0","result":"OK","id":7}`},
		{`{"jsonrpc": "2.0", "method": "tls_trace", "params": {"trace_mode": "ON"}}`, ``},
		{`{"jsonrpc": "2.0", "method": "tls_trace", "id": 8}`, `{"jsonrpc":"2.0","result":{"TLS tracing":"on"},"id":8}`},
	} {
		if got := string(d.Handle(t.Context(), []byte(c.request))); got != c.want {
			t.Errorf("%s\ngot  %s\nwant %s", c.request, got, c.want)
		}
	}
}

func TestReload(t *testing.T) {
	n, _ := fakeNode()
	d := commandsOf(t, n)
	if got := ask(t, d, "tls_reload", "[]"); got != `"OK"` {
		t.Error(got)
	}
	n.Reload = func() error { return errors.New("server domain in: /a.pem: no such file") }
	if got := ask(t, commandsOf(t, n), "tls_mgm:reload", "[]"); got != `{"code":500,"message":"Failed to reload","data":"server domain in: /a.pem: no such file"}` {
		t.Error(got)
	}
}

func TestTLSList(t *testing.T) {
	n, _ := fakeNode()
	const want = `{"Domains":[` +
		`{"name":"out","type":"TLS_DOMAIN_CLI","IP ADDRESS FILTERS":["*"],"SIP DOMAIN FILTERS":["*"],"METHOD":"TLSv1_2","VERIFY_CERT":true,"REQ_CLI_CERT":false,"CRL_CHECKALL":false,` +
		`"CERT_FILE":"","CRL_DIR":"","CA_FILE":"","CA_DIR":"","PKEY_FILE":"","CIPHER_LIST":"AES128-SHA","DH_PARAMS_FILE":"","EC_CURVE":"","NOT_BEFORE":"","NOT_AFTER":"","LIBRARY":"go"},` +
		`{"name":"in","type":"TLS_DOMAIN_SRV","IP ADDRESS FILTERS":["192.0.2.1:5061"],"SIP DOMAIN FILTERS":["*.example"],"METHOD":"TLSv1_2-TLSv1_3","VERIFY_CERT":false,"REQ_CLI_CERT":true,"CRL_CHECKALL":true,` +
		`"CERT_FILE":"/a.pem,/b.pem","CRL_DIR":"/crl","CA_FILE":"/ca.pem","CA_DIR":"/ca","PKEY_FILE":"/a.key,/b.key","CIPHER_LIST":"","DH_PARAMS_FILE":"/dh.pem","EC_CURVE":"X25519","NOT_BEFORE":"1970-01-01T00:00:00Z","NOT_AFTER":"1970-01-02T00:00:00Z","LIBRARY":"openssl"}]}`
	if got := ask(t, commandsOf(t, n), "tls_list", "[]"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for method, want := range map[string]string{"": "TLSv1_2-TLSv1_3", "TLSv1": "TLSv1", "TLSv1_1-": "TLSv1_1-TLSv1_3", "nonsense": "nonsense"} {
		if got := MethodName(method); got != want {
			t.Errorf("%q is %s, not %s", method, got, want)
		}
	}
}

// TestTraceToNowhere: tracing without a destination is not turned on in silence.
func TestTraceToNowhere(t *testing.T) {
	n, _ := fakeNode()
	n.Traces[0].Nowhere = true
	d := rpc.NewDispatcher(nil)
	if err := d.Register(n.Commands()...); err != nil {
		t.Fatal(err)
	}
	n.Traces[0].Set(false)
	got := string(d.Handle(t.Context(), []byte(`{"jsonrpc":"2.0","id":1,"method":"tls_trace","params":["on"]}`)))
	if !strings.Contains(got, "trace_destination") || n.Traces[0].On() {
		t.Errorf("%s, on: %v", got, n.Traces[0].On())
	}
	if got := string(d.Handle(t.Context(), []byte(`{"jsonrpc":"2.0","id":1,"method":"tls_trace","params":["off"]}`))); !strings.Contains(got, "OK") {
		t.Error(got)
	}
}
