package relay

import (
	"context"
	"net"

	"sipreactor/reactor"
	"sipreactor/reactor/modules/internal/relay/cookie"
)

// Dial opens the sockets to a node: those of event loops are read by them, so that an answer
// goes to the message that waits for it without anybody between.
func Dial(e *reactor.Engine) cookie.Dial {
	return func(ctx context.Context, lane int, network, addr string, got func([]byte), ended func(error)) (cookie.Line, error) {
		if lane < 0 {
			return cookie.DialUDP(ctx, lane, network, addr, got, ended)
		}
		var d net.Dialer
		conn, err := d.DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return e.OpenLine(lane, conn.(*net.UDPConn), got, ended)
	}
}
