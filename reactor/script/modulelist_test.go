package script_test

import (
	"sipreactor/reactor/modules/httpd"
	"sipreactor/reactor/modules/maxfwd"
	"sipreactor/reactor/modules/mi_datagram"
	"sipreactor/reactor/modules/mi_fifo"
	"sipreactor/reactor/modules/mi_http"
	"sipreactor/reactor/modules/prometheus"
	"sipreactor/reactor/modules/rr"
	"sipreactor/reactor/modules/signaling"
	"sipreactor/reactor/modules/sipmsgops"
	"sipreactor/reactor/modules/sl"
	"sipreactor/reactor/modules/textops"
	"sipreactor/reactor/modules/uri"
	"sipreactor/reactor/script"
)

func init() {
	script.SetTestModules(prometheus.New, mi_http.New, mi_fifo.New, mi_datagram.New, httpd.New, maxfwd.New, rr.New, signaling.New, sipmsgops.New, sl.New, textops.New, uri.New)
}
