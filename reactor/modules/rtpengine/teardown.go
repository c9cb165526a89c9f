package rtpengine

import (
	"context"

	core "sipreactor/reactor/dialog"
	"sipreactor/reactor/rpc"
)

// teardown declares the command by which rtpengine has a call ended that has no media any more.
func (m *module) teardown() rpc.Command {
	return rpc.Command{Name: "teardown", Aliases: []string{"rtpengine:teardown"}, Module: "rtpengine", Help: "Ends the call of a Call-ID: it has no media any more.",
		Params: []rpc.Param{{Name: "callid"}},
		Func: func(_ context.Context, a *rpc.Args) (any, error) {
			if m.dialog == nil {
				return nil, &rpc.Error{Code: 400, Message: "The module dialog is not loaded"}
			}
			return m.dialog.EndCall(a.Text("callid"), core.MediaTimeout)
		}}
}
