package relay

import (
	"bytes"
	"errors"

	"sipreactor/reactor/proxy"
	"sipreactor/sipframe/body"
)

// ErrNoSDP: the message has no SDP, or the one that it had is gone.
var ErrNoSDP = errors.New("there is no SDP")

// SDP returns a copy of the message's SDP as it stands; nil if there is none.
func SDP(c *proxy.Context) []byte {
	b := c.Body()
	begin, end, there := body.FindSDP(b, c.BodyType())
	if !there {
		return nil
	}
	return bytes.Clone(b[begin:end])
}

// SetSDP has the message's SDP be another one, which it copies. Other parts of its body stay.
func SetSDP(c *proxy.Context, fresh []byte) error {
	b := c.Body()
	begin, end, there := body.FindSDP(b, c.BodyType())
	if !there {
		return ErrNoSDP
	}
	if begin == 0 && end == len(b) {
		return c.SetBody(nil, fresh)
	}
	out := make([]byte, 0, len(b)-(end-begin)+len(fresh))
	out = append(append(append(out, b[:begin]...), fresh...), b[end:]...)
	return c.SetBody(nil, out)
}
