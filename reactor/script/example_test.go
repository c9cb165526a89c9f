package script_test

import (
	"fmt"

	"sipreactor/reactor/modules/proto_tls"
	"sipreactor/reactor/script"
)

// A configuration becomes typed parameters and a program.
func ExampleLoader_Compile() {
	loader := script.Loader{Modules: []script.Constructor{proto_tls.New}}
	cfg, err := loader.Compile("opensips.cfg", []byte(`
socket=tls:127.0.0.1:5061 as edge.example.org
loadmodule "proto_tls.so"
modparam("proto_tls", "tls_handshake_timeout", 250)

route {
	forward();
}
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	s := cfg.Sockets[0]
	fmt.Println(s.Proto, s.Host, s.Port, s.AdvertisedHost)
	fmt.Println(cfg.Engine.TLS.HandshakeTimeout)
	// Output:
	// tls 127.0.0.1 5061 edge.example.org
	// 250ms
}

// What is wrong is told with its place, all of it at once.
func ExampleLoader_Compile_errors() {
	loader := script.Loader{Modules: []script.Constructor{proto_tls.New}}
	_, err := loader.Compile("opensips.cfg", []byte(`socket=tls:127.0.0.1:5061
loadmodule "proto_tls.so"
modparam("proto_tls", "tls_handshak_timeout", 250)

route {
	if ($rUU == "100")
		forwrd();
}
`))
	fmt.Println(err != nil)
	for _, e := range err.(script.Errors) {
		fmt.Println(e.Line, e.Col, e.Msg[:40])
	}
	// Output:
	// true
	// 3 23 the module proto_tls has no parameter tl
	// 6 6 unknown variable $rUU (did you mean rU?)
	// 7 3 unknown function forwrd() (did you mean
}
