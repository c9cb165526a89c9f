package rest_client

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"sipreactor/reactor/modules/moduletest"
)

// TestScript asks a server by the examples of the documentation.
func TestScript(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "text/plain")
		if r.URL.Query().Get("account") == "nobody" {
			w.WriteHeader(http.StatusForbidden)
		}
		_, _ = w.Write([]byte(r.Method + " " + r.URL.RawQuery + " " + r.Header.Get("Authorization") + " " + r.Header.Get("Content-Type") + " " + string(b)))
	}))
	defer srv.Close()
	head := moduletest.Head("rest_client") + "modparam(\"rest_client\", \"curl_timeout\", 5)\nmodparam(\"rest_client\", \"connection_timeout\", 300)\n"
	for text, want := range map[string]string{
		`$var(x) = 0; rest_get("URL/?account=$fU", $var(credit), $var(ct), $var(rcode)); xlog("$rc $var(credit) $var(ct) $var(rcode)");`:                                                         "1 GET account=alice    text/plain 200",
		`rest_get("URL/?account=nobody", $var(credit), , $var(rcode)); xlog("$var(rcode)");`:                                                                                                     "403",
		`rest_get("BARE/?u=http://x", $var(b), , $var(rcode)); xlog("$var(rcode)");`:                                                                                                             "200",
		`rest_post("URL/", "$fU=1", , $var(body)); xlog("$var(body)");`:                                                                                                                          "POST   application/x-www-form-urlencoded alice=1",
		`rest_append_hf("Authorization: Bearer mF_9.B5f-4.1JqM"); rest_put("URL/", "{}", "application/json", $var(body)); xlog("$var(body)"); rest_get("URL/", $var(body)); xlog("$var(body)");`: "PUT  Bearer mF_9.B5f-4.1JqM application/json {}|GET    ",
		`rest_get("URL/?id=$(ci{rest.escape})", $var(b)); xlog("$var(b)"); $var(t) = "1%2B1%3D2%21"; xlog("$(var(t){rest.unescape})");`:                                                          "GET id=a84b4c76e66710%40pc33   |1+1=2!",
	} {
		if got := strings.Join(moduletest.Logs(t, head, strings.NewReplacer("URL", srv.URL, "BARE", strings.TrimPrefix(srv.URL, "http://")).Replace(text), New), "|"); got != want {
			t.Errorf("%s\n got %s\nwant %s", text, got, want)
		}
	}
	if got := moduletest.Logs(t, head, `rest_get("http://127.0.0.1:1/", $var(b), , $var(code)); xlog("$rc $var(code)");`, New); got[len(got)-1] != "-1 0" {
		t.Error(got)
	}
	for text, want := range map[string]string{
		`rest_post("http://x", "b");`:     "needs a variable for the answer",
		`rest_get("ftp://x/", $var(b));`:  "is none of http or https",
		`rest_get("http:///x", $var(b));`: "is none of http or https",
		`rest_init_client_tls("dom1");`:   "rest_init_client_tls() is not supported",
	} {
		if got := moduletest.Wrong(t, head+"route { "+text+" }", New); !strings.Contains(got, want) {
			t.Error(got)
		}
	}
	if got := moduletest.Wrong(t, moduletest.Head("rest_client")+"modparam(\"rest_client\", \"ssl_capath\", \"/none\")\nroute { exit; }", New); !strings.Contains(got, "ssl_capath cannot be used") {
		t.Error(got)
	}
}
