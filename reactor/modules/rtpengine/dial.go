package rtpengine

import (
	"context"
	"net"

	"sipreactor/reactor"
	"sipreactor/reactor/modules/rtpengine/ng"
)

// dial opens the sockets to a node: those of event loops are read by them, so that an answer
// goes to the message that waits for it without anybody between.
func dial(e *reactor.Engine) ng.Dial {
	return func(ctx context.Context, lane int, addr string, got func([]byte), ended func(error)) (ng.Line, error) {
		if lane < 0 {
			return ng.DialUDP(ctx, lane, addr, got, ended)
		}
		var d net.Dialer
		conn, err := d.DialContext(ctx, "udp", addr)
		if err != nil {
			return nil, err
		}
		return e.OpenLine(lane, conn.(*net.UDPConn), got, ended)
	}
}
