package reactor

import (
	"errors"
	"strconv"
	"time"

	"sipreactor/reactor/internal/websocket"
	"sipreactor/sipframe"
	"sipreactor/tlsstate"
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

// framing is what stands between the plaintext of a connection and its messages: a
// sipframe.Framer, or the frames of WebSocket.
type framing interface {
	// Next is sipframe.Framer's. It may write to data.
	Next(cfg *sipframe.FramerConfig, data []byte) sipframe.Cut
}

// upgrade is the codec of a connection that is to be WebSocket while it shakes hands:
// after TLS, if it has that, the opening handshake of HTTP passes through. Then the
// codec below takes over. One owner at a time.
type upgrade struct {
	codec
	tls     tlsstate.Machine // the same codec, of wss
	secured bool
	opening websocket.Opening
	opened  bool
}

// upgraded puts an opening handshake in front of a connection's codec.
func (c *conn) upgraded(below codec) *upgrade {
	u := &upgrade{codec: below, secured: true}
	if m, ok := below.(tlsstate.Machine); ok {
		u.tls, u.secured = m, false
	}
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
		u.opening = websocket.Dial(host, resource, scheme+host)
	} else {
		u.opening = websocket.Accept(&websocket.Policy{RequireOrigin: web.RequireOrigin, Origins: web.Origins})
	}
	return u
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

// readHandshake is how much of a handshake is read at a time.
const readHandshake = 4 << 10

// Handshake goes on as far as the bytes reach, as tlsstate.Machine's does.
func (u *upgrade) Handshake() error {
	if !u.secured {
		if err := u.tls.Handshake(); err != nil {
			return err
		}
		u.secured = true
	}
	if b := u.opening.Begin(); b != nil {
		if _, err := u.Write(b); err != nil {
			return err
		}
	}
	buf := sipframe.NewBuffer(readHandshake)
	defer buf.Release()
	for {
		n, err := u.Read(buf.Free())
		if n > 0 {
			if failed := u.feed(buf.Free()[:n]); failed != nil {
				return failed
			}
		}
		switch {
		case err == nil:
		case u.opened && errors.Is(err, tlsstate.ErrWantRead):
			return nil
		default:
			return err
		}
	}
}

// feed gives the opening handshake what came for it, and seals what it says.
func (u *upgrade) feed(b []byte) error {
	answer, err := u.opening.Feed(b)
	if len(answer) > 0 {
		if _, failed := u.Write(answer); failed != nil {
			return failed
		}
	}
	switch {
	case err == nil:
		u.opened = true
	case errors.Is(err, tlsstate.ErrWantRead):
	default:
		_ = u.CloseNotify()
		return err
	}
	return nil
}

// talk returns the opening handshake of WebSocket, as Event has it. Loop only.
func (c *conn) talk() (request, answer string) {
	if u, ok := c.codec.(*upgrade); ok {
		r, a := u.opening.Talk()
		request, answer = websocket.Told(r), websocket.Told(a)
	}
	return request, answer
}

// leaveUpgrade ends the opening handshake of a connection that had one: the codec
// below it goes on, and what came behind the handshake is as if it were the first part
// of a message. Loop only.
func (c *conn) leaveUpgrade() {
	u, ok := c.codec.(*upgrade)
	if !ok {
		return
	}
	c.codec = u.codec
	if rest := u.opening.Rest(); len(rest) > 0 {
		c.partial = sipframe.NewBuffer(len(rest))
		c.partial.Advance(copy(c.partial.Free(), rest))
	}
}

// machine returns the TLS machine of a connection; nil without.
func (c *conn) machine() tlsstate.Machine {
	below := c.codec
	if u, ok := below.(*upgrade); ok {
		below = u.codec
	}
	m, _ := below.(tlsstate.Machine)
	return m
}

// answerControls answers what the control frames of WebSocket have brought besides messages. Loop only.
func (l *loop) answerControls(c *conn) {
	if c.web == nil {
		return
	}
	answer, came := c.web.Pinged()
	if came {
		l.alive(c)
	}
	if len(answer) > 0 {
		c.mu.Lock()
		if n := c.out.Waiting; !c.blocked || n == nil {
			c.out.AddRaw(answer)
		}
		c.mu.Unlock()
		l.stat.pings.Add(1)
	}
}

// goodbye seals the last words of WebSocket: the peer's close frame answered, or the
// code for the end of ours. Loop only.
func (c *conn) goodbye(why *Error) {
	if c.web == nil {
		return
	}
	_, _ = c.codec.Write(c.web.Goodbye(closeCode(why.Reason))) // it is no loss if there is no way to say it
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
	case HandlerFailed:
		return websocket.OurFault
	default:
		return websocket.Normal
	}
}
