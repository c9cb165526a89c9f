package reactor

import (
	"strconv"
	"time"

	"sipreactor/reactor/internal/codec"
	"sipreactor/reactor/internal/websocket"
)

// WebConfig is what WebSocket asks for besides what every stream does. The zero value
// lets in every origin and asks for "/".
type WebConfig struct {
	// Resource is what a connection of ours asks the server for; "" is "/".
	Resource string
	// RequireOrigin refuses clients that do not say which page they are of, Origins
	// those of other pages than these: patterns of a shell in lower case, such as
	// "https://*.example.com"; none lets all in.
	RequireOrigin bool
	Origins       []string
	// AcceptTimeout is the time that a client may take over its whole handshake, TLS
	// included: it is a browser, on a path that its user has chosen. 0 is
	// HandshakeTimeout.
	AcceptTimeout time.Duration
}

// upgraded puts an opening handshake in front of a connection's codec.
func (c *conn) upgraded(below codec.Codec) *codec.Upgrade {
	web := &c.cfg.Web
	if c.src.Outbound {
		host := c.target.host()
		resource, scheme := web.Resource, "http://"
		if resource == "" {
			resource = "/"
		}
		if c.src.Proto == WSS {
			scheme = "https://"
		}
		return codec.NewUpgrade(below, websocket.Dial(host, resource, scheme+host))
	}
	return codec.NewUpgrade(below, websocket.Accept(&websocket.Policy{RequireOrigin: web.RequireOrigin, Origins: web.Origins}))
}

// host names the target as an HTTP request does: with its port, unless that is the
// transport's own.
func (t *Target) host() string {
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

// talk returns the opening handshake of WebSocket, as Event has it. Loop only.
func (c *conn) talk() (request, answer string) {
	if u, ok := c.codec.(*codec.Upgrade); ok {
		request, answer = u.Talk()
	}
	return request, answer
}

// leaveUpgrade ends the opening handshake of a connection that had one: the codec
// below it goes on, and what came behind the handshake is as if it were the first part
// of a message. Loop only.
func (c *conn) leaveUpgrade() {
	u, ok := c.codec.(*codec.Upgrade)
	if !ok {
		return
	}
	c.codec = u.Below()
	c.framing.Start(u.Rest())
}

// answerControls answers what the control frames of WebSocket have brought besides messages. Loop only.
func (l *loop) answerControls(c *conn) {
	web := c.framing.Stream()
	if web == nil {
		return
	}
	answer, came := web.Pinged()
	if came {
		l.alive(c)
	}
	if len(answer) > 0 {
		c.mu.Lock()
		if c.mayPong() {
			c.out.AddRaw(answer)
		}
		c.mu.Unlock()
		l.stat.Pings.Add(1)
	}
}

// goodbye seals the last words of WebSocket: the peer's close frame answered, or the
// code for the end of ours. Loop only.
func (c *conn) goodbye(why *Error) {
	if web := c.framing.Stream(); web != nil {
		_, _ = c.codec.Write(web.Goodbye(closeCode(why.Reason))) // it is no loss if there is no way to say it
	}
}

// saidGoodbye reports whether the peer has, in the words of WebSocket. Loop only.
func (c *conn) saidGoodbye() bool {
	web := c.framing.Stream()
	return web != nil && web.Over()
}

// closeCode is how WebSocket says a reason.
func closeCode(r Reason) websocket.Code {
	switch r {
	case Shutdown, IdleTimeout:
		return websocket.GoingAway
	case MessageTooLarge:
		return websocket.TooBig
	case MalformedMessage:
		return websocket.BadData
	case TooManyChunks, MessageTimeout, ConnectionLimit:
		return websocket.Violation
	case HandlerFailed, EngineFailed:
		return websocket.OurFault
	default:
		return websocket.Normal
	}
}
