package websocket

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/gobwas/ws"
)

// Policy is whom a server lets in. It does not change.
type Policy struct {
	// RequireOrigin refuses clients that do not say which page they are of: who is no
	// browser need not.
	RequireOrigin bool
	// Origins are those that are let in, as patterns of a shell ("https://*.example.com"),
	// in lower case; none: all.
	Origins []string
}

// allows reports whether an origin is let in.
func (p *Policy) allows(origin []byte) bool {
	if len(p.Origins) == 0 {
		return true
	}
	low := strings.ToLower(string(origin))
	for _, o := range p.Origins {
		if o == low {
			return true
		}
		if ok, err := path.Match(o, low); ok && err == nil {
			return true
		}
	}
	return false
}

// accepting is the server's side.
type accepting struct {
	head
	policy *Policy
	answer []byte
}

// Accept is the side of a server: it reads a request, and answers 101, or 400, 403,
// 405, 426, 431 or 505.
func Accept(p *Policy) Opening { return &accepting{policy: p} }

func (a *accepting) Begin() []byte { return nil }

func (a *accepting) Rest() []byte { return a.rest }

func (a *accepting) Talk() (request, answer []byte) { return a.whole, a.answer }

// exchange is a request that is read, and the answer to it.
type exchange struct {
	bytes.Reader
	out bytes.Buffer
}

func (x *exchange) Write(p []byte) (int, error) { return x.out.Write(p) }

func (a *accepting) Feed(b []byte) (answer []byte, err error) {
	answer, err = a.feed(b)
	a.answer = append(a.answer, answer...)
	return answer, err
}

func (a *accepting) feed(b []byte) (answer []byte, err error) {
	if a.done {
		_ = a.take(b)
		return nil, nil
	}
	if err = a.take(b); errors.Is(err, errHeadSize) {
		return refusal(errHeadSize), err
	}
	if wrong := a.foreign(); wrong != nil {
		return refusal(wrong), wrong
	}
	if err != nil {
		return nil, err
	}
	var x exchange
	x.Reset(a.b)
	origins, protocol := 0, false
	u := ws.Upgrader{
		ReadBufferSize: maxHead,
		Protocol: func(name []byte) bool {
			yes := strings.EqualFold(string(name), Protocol)
			protocol = protocol || yes
			return yes
		},
		OnHeader: func(key, value []byte) error {
			if string(key) != "Origin" {
				return nil
			}
			origins++
			if !a.policy.allows(value) {
				return reject(403, originRefused)
			}
			return nil
		},
		OnBeforeUpgrade: func() (ws.HandshakeHeader, error) {
			switch {
			case !protocol:
				return nil, reject(400, noProtocol)
			case origins > 1:
				return nil, reject(400, "several origins")
			case origins == 0 && a.policy.RequireOrigin:
				return nil, reject(403, "no origin")
			}
			return nil, nil
		},
	}
	_, err = u.Upgrade(&x)
	a.b = nil
	if err == nil {
		return x.out.Bytes(), nil
	}
	failed := failure(err)
	if x.out.Len() == 0 {
		return refusal(failed), failed
	}
	return x.out.Bytes(), failed
}

// The reasons of ours for which a request is refused.
const (
	originRefused = "origin refused"
	noProtocol    = "subprotocol sip is not offered"
	notHTTP       = "not HTTP"
)

func reject(status int, reason string) error {
	return ws.RejectConnectionError(ws.RejectionStatus(status), ws.RejectionReason(reason))
}

// failure names what a request was refused for: what gobwas/ws says is of a fixed
// set, too, but for errors of reading, of which there are none when a head is whole.
func failure(err error) *Error {
	var r *ws.ConnectionRejectedError
	if !errors.As(err, &r) {
		return &Error{Status: 400, Reason: "malformed request"}
	}
	return &Error{Status: r.StatusCode(), Reason: strings.TrimPrefix(r.Error(), "handshake error: ")}
}

// foreign finds out early that a peer speaks something else than HTTP, such as SIP
// over TCP: it need not wait for the deadline.
func (a *accepting) foreign() *Error {
	line, _, whole := bytes.Cut(a.b, []byte("\n"))
	word, rest, _ := bytes.Cut(line, []byte(" "))
	for _, c := range word {
		if c < 'A' || c > 'Z' {
			return &Error{Status: 400, Reason: notHTTP}
		}
	}
	if len(word) > 32 || whole && !bytes.Contains(rest, []byte(" HTTP/")) {
		return &Error{Status: 400, Reason: notHTTP}
	}
	return nil
}

// refusal writes an answer that gobwas/ws does not.
func refusal(e *Error) []byte {
	phrase := "Bad Request"
	if e.Status == 431 {
		phrase = "Request Header Fields Too Large"
	}
	return fmt.Appendf(nil, "HTTP/1.1 %d %s\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s",
		e.Status, phrase, len(e.Reason), e.Reason)
}
