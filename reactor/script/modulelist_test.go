package script_test

import (
	"sipreactor/reactor/modules/maxfwd"
	"sipreactor/reactor/modules/rr"
	"sipreactor/reactor/modules/signaling"
	"sipreactor/reactor/modules/sipmsgops"
	"sipreactor/reactor/modules/sl"
	"sipreactor/reactor/modules/textops"
	"sipreactor/reactor/modules/uri"
	"sipreactor/reactor/script"
)

func init() {
	script.SetTestModules(maxfwd.New, rr.New, signaling.New, sipmsgops.New, sl.New, textops.New, uri.New)
}
