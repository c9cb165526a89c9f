package avpops

import (
	"strings"

	"sipreactor/reactor/script"
)

// printf makes avp_printf(), which is an assignment since OpenSIPS 1.8.
func printf(a *script.Args) script.Action {
	to := a.Literal(0)
	to.Text, _, _ = strings.Cut(strings.TrimSpace(to.Text), "/") // flags, which it has none of
	set := a.Loading().Setter(to)
	text := a.Text(1)
	if set == nil {
		return nil
	}
	return func(x *script.Machine) int {
		b, ok := text(x)
		if !ok {
			return -1
		}
		if set(x, script.Text(x.Keep(b))) < 0 {
			return -1
		}
		return 1
	}
}
