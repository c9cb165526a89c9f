// Package mi_html is OpenSIPS' module mi_html: management by a browser. Here that is the
// status page, which mi_http serves.
package mi_html

import (
	"sipreactor/reactor/modules/internal/manage"
	"sipreactor/reactor/script"
)

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	return &script.Module{
		Name: "mi_html", Help: "Management by a browser: the status page.", Needs: []string{"mi_http"}, AtStart: true,
		Parameters: append([]script.Parameter{
			{Name: "root", Type: script.StringParam, Help: "The path of the pages.", Note: "the status page is at /"},
			{Name: "http_method", Type: script.IntParam, Max: 1, Help: "The method of requests.", Note: "the status page knows"},
		}, manage.Parameters()...),
	}
}
