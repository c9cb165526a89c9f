package flow

import (
	"strconv"

	"sipreactor/reactor/internal/codec"
	"sipreactor/reactor/internal/connection"
	"sipreactor/reactor/internal/message"
	"sipreactor/reactor/internal/reason"
	"sipreactor/reactor/internal/transport"
	"sipreactor/reactor/internal/websocket"
)

// upgraded puts an opening handshake in front of a connection's codec.
func upgraded(c *connection.Conn, below codec.Codec) *codec.Upgrade {
	web := &c.Config.Web
	if c.Src.Outbound {
		host := hostOf(&c.Target)
		resource, scheme := web.Resource, "http://"
		if resource == "" {
			resource = "/"
		}
		if c.Src.Proto == transport.WSS {
			scheme = "https://"
		}
		return codec.NewUpgrade(below, websocket.Dial(host, resource, scheme+host))
	}
	return codec.NewUpgrade(below, websocket.Accept(&websocket.Policy{RequireOrigin: web.RequireOrigin, Origins: web.Origins}))
}

// hostOf names the target as an HTTP request does: with its port, unless that is the
// transport's own.
func hostOf(t *message.Target) string {
	name := t.Name
	if name == "" {
		name = t.Addr.Addr().String()
		if t.Addr.Addr().Is6() {
			name = "[" + name + "]"
		}
	}
	if t.Addr.Port() != t.Proto.DefaultPort() {
		return name + ":" + strconv.Itoa(int(t.Addr.Port()))
	}
	return name
}

// leaveUpgrade ends the opening handshake of a connection that had one: the codec
// below it goes on, and what came behind the handshake is as if it were the first part
// of a message. Loop only.
func leaveUpgrade(c *connection.Conn) {
	u, ok := c.Own.Codec.(*codec.Upgrade)
	if !ok {
		return
	}
	c.Own.Codec = u.Below()
	c.Own.Framing.Start(u.Rest())
}

// answerControls answers what the control frames of WebSocket have brought besides messages. Loop only.
func (l *Flow) answerControls(c *connection.Conn) {
	web := c.Own.Framing.Stream()
	if web == nil {
		return
	}
	answer, came := web.Pinged()
	if came {
		l.alive(c)
	}
	if len(answer) > 0 {
		c.Answer(answer)
		l.Stat.Pings.Add(1)
	}
}

// goodbye seals the last words of WebSocket: the peer's close frame answered, or the
// code for the end of ours. Loop only.
func goodbye(c *connection.Conn, why *reason.Error) {
	if web := c.Own.Framing.Stream(); web != nil {
		_, _ = c.Own.Codec.Write(web.Goodbye(closeCode(why.Reason))) // it is no loss if there is no way to say it
	}
}

// saidGoodbye reports whether the peer has, in the words of WebSocket. Loop only.
func saidGoodbye(c *connection.Conn) bool {
	web := c.Own.Framing.Stream()
	return web != nil && web.Over()
}

// closeCode is how WebSocket says a reason.
func closeCode(r reason.Reason) websocket.Code {
	switch r {
	case reason.Shutdown, reason.IdleTimeout:
		return websocket.GoingAway
	case reason.MessageTooLarge:
		return websocket.TooBig
	case reason.MalformedMessage:
		return websocket.BadData
	case reason.TooManyChunks, reason.MessageTimeout, reason.ConnectionLimit:
		return websocket.Violation
	case reason.HandlerFailed, reason.EngineFailed:
		return websocket.OurFault
	default:
		return websocket.Normal
	}
}
