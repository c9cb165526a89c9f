// Package proto_bin is OpenSIPS' module proto_bin: the transport of clusters, which
// there are none of here. Its sockets are not opened.
package proto_bin

import "sipreactor/reactor/script"

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	idle := func(name, help string) script.Parameter {
		return script.Parameter{Name: name, Type: script.AnyParam, Help: help, Note: "nodes do not speak to each other"}
	}
	return &script.Module{
		Name: "proto_bin", Help: "The transport of clusters.", Note: "nodes do not speak to each other: this one serves alone",
		Parameters: []script.Parameter{
			idle("bin_port", "The port."), idle("bin_send_timeout", "How long sending may take."), idle("bin_max_msg_chunks", "How many parts a packet may come in."),
			idle("bin_async", "Whether sending waits."), idle("bin_async_max_postponed_chunks", "How many packets may wait."),
			idle("bin_async_local_connect_timeout", "How long a connect may take."), idle("bin_async_local_write_timeout", "How long a write may take."),
		},
	}
}
