package codec

import (
	"errors"

	"sipreactor/reactor/internal/websocket"
	"sipreactor/sipframe"
	"sipreactor/tlsstate"
)

// Upgrade is the codec of a connection that is to be WebSocket while it shakes hands:
// after TLS, if it has that, the opening handshake of HTTP passes through it. When
// Handshake is done the codec below takes over: Below, behind what Rest has.
type Upgrade struct {
	Codec
	tls     tlsstate.Machine // the same codec, of wss
	secured bool
	opening websocket.Opening
	opened  bool
}

// NewUpgrade puts an opening handshake in front of a codec: a TLS machine whose own
// handshake comes first, or a Plain.
func NewUpgrade(below Codec, opening websocket.Opening) *Upgrade {
	u := &Upgrade{Codec: below, secured: true, opening: opening}
	if m, ok := below.(tlsstate.Machine); ok {
		u.tls, u.secured = m, false
	}
	return u
}

// readHandshake is how much of a handshake is read at a time.
const readHandshake = 4 << 10

// Handshake goes on as far as the bytes reach, as tlsstate.Machine's does.
func (u *Upgrade) Handshake() error {
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
func (u *Upgrade) feed(b []byte) error {
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

// Below returns the codec that the opening handshake passes through.
func (u *Upgrade) Below() Codec { return u.Codec }

// Talk returns what was said in the opening handshake so far, as it may be told: without
// what is secret.
func (u *Upgrade) Talk() (request, answer string) {
	r, a := u.opening.Talk()
	return websocket.Told(r), websocket.Told(a)
}

// Rest returns the peer's bytes behind the opening handshake, in plaintext: the first of
// its messages.
func (u *Upgrade) Rest() []byte { return u.opening.Rest() }

// Machine returns the TLS machine that a codec is, or that an Upgrade stands in front
// of; nil without TLS.
func Machine(k Codec) tlsstate.Machine {
	if u, ok := k.(*Upgrade); ok {
		k = u.Codec
	}
	m, _ := k.(tlsstate.Machine)
	return m
}
