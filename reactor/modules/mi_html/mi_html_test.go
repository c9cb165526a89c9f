package mi_html_test

import (
	"strings"
	"testing"

	"sipreactor/reactor/modules/httpd"
	"sipreactor/reactor/modules/mi_html"
	"sipreactor/reactor/modules/mi_http"
	"sipreactor/reactor/modules/moduletest"
)

func TestDocumented(t *testing.T) { moduletest.Documented(t, mi_html.New) }

// TestRoot: its root is not that of mi_http, with which it stands in configurations.
func TestRoot(t *testing.T) {
	text := moduletest.Head("httpd", "mi_http", "mi_html") + "modparam(\"mi_html\", \"root\", \"opensips_mi\")\nroute { exit; }\n"
	b := moduletest.New(t, text, httpd.New, mi_http.New, mi_html.New)
	if c, ok := b.Config.Instance("mi_http").(*mi_http.Config); !ok || c.Root != "mi" {
		t.Errorf("mi_http answers at %+v", c)
	}
	if got := moduletest.Wrong(t, moduletest.Head("httpd", "mi_html")+"route { exit; }\n", httpd.New, mi_html.New); !strings.Contains(got, "mi_http") {
		t.Errorf("without mi_http: %s", got)
	}
}
