package script_test

import (
	"sipreactor/reactor/modules/httpd"
	"sipreactor/reactor/modules/maxfwd"
	"sipreactor/reactor/modules/mi_datagram"
	"sipreactor/reactor/modules/mi_fifo"
	"sipreactor/reactor/modules/mi_http"
	"sipreactor/reactor/modules/prometheus"
	"sipreactor/reactor/modules/proto_hep"
	"sipreactor/reactor/modules/proto_tcp"
	"sipreactor/reactor/modules/proto_tls"
	"sipreactor/reactor/modules/proto_udp"
	"sipreactor/reactor/modules/rr"
	"sipreactor/reactor/modules/signaling"
	"sipreactor/reactor/modules/sipmsgops"
	"sipreactor/reactor/modules/sl"
	"sipreactor/reactor/modules/statistics"
	"sipreactor/reactor/modules/textops"
	"sipreactor/reactor/modules/tls_mgm"
	"sipreactor/reactor/modules/tls_openssl"
	"sipreactor/reactor/modules/tls_wolfssl"
	"sipreactor/reactor/modules/tracer"
	"sipreactor/reactor/modules/uri"
	"sipreactor/reactor/script"
)

func init() {
	script.SetTestModules(tracer.New, tls_wolfssl.New, tls_openssl.New, tls_mgm.New, statistics.New, proto_udp.New, proto_tls.New, proto_tcp.New, proto_hep.New, prometheus.New, mi_http.New, mi_fifo.New, mi_datagram.New, httpd.New, maxfwd.New, rr.New, signaling.New, sipmsgops.New, sl.New, textops.New, uri.New)
}
