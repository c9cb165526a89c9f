// Package mi_http is OpenSIPS' module mi_http: the management interface over HTTP,
// by the server of httpd. The program serves it; here is what a configuration says
// of it.
package mi_http

import (
	"sipreactor/reactor/modules/internal/manage"
	"sipreactor/reactor/script"
)

// Config is what a configuration says: the module's Instance.
type Config struct {
	Root string // root, mi
}

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	c := &Config{Root: "mi"}
	root := func(name string) script.Parameter {
		return script.Parameter{Name: name, Type: script.StringParam, Default: c.Root, Restart: true, Help: "The path of the management interface, without the slash.", Set: script.NonEmpty(&c.Root)}
	}
	return &script.Module{
		Name:       "mi_http",
		AtStart:    true,
		Instance:   c,
		Help:       "Serves the management interface and the status page by httpd.",
		Parameters: append([]script.Parameter{root("root"), root("mi_http_root"), {Name: "mi_http_method", Type: script.IntParam, Max: 1, Help: "The method of requests, in OpenSIPS 2.", Note: "a request is JSON-RPC, by POST"}}, manage.Parameters()...),
		Check: func(l *script.Loading) {
			if !l.Loaded("httpd") && !l.Partial() {
				l.Errorf(l.Place(""), `mi_http answers by the module httpd, which is not loaded: loadmodule "httpd.so"`)
			}
		},
	}
}
