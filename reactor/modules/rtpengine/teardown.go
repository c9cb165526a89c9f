package rtpengine

import (
	"context"

	core "sipreactor/reactor/dialog"
	"sipreactor/reactor/mi"
)

// teardown declares the command by which rtpengine has a call ended that has no media any more.
func (m *module) teardown() mi.Command {
	return mi.Command{Name: "teardown", Aliases: []string{"rtpengine:teardown"}, Module: "rtpengine", Help: "Ends the call of a Call-ID: it has no media any more.",
		Params: []mi.Param{{Name: "callid"}},
		Func: func(_ context.Context, a *mi.Args) (any, error) {
			if m.dialog == nil {
				return nil, &mi.Error{Code: 400, Message: "The module dialog is not loaded"}
			}
			return m.dialog.EndCall(a.Text("callid"), core.MediaTimeout)
		}}
}
