package script_test

import (
	"sipreactor/reactor/modules/maxfwd"
	"sipreactor/reactor/modules/signaling"
	"sipreactor/reactor/modules/sl"
	"sipreactor/reactor/script"
)

func init() {
	script.SetTestModules(maxfwd.New, signaling.New, sl.New)
}
