package reason

import (
	"errors"

	"sipreactor/tlsstate"
)

// OfHandshake turns what the TLS layer says during a handshake into an Error.
func OfHandshake(err error) *Error {
	var t *tlsstate.Error
	if !errors.As(err, &t) {
		return Fail(HandshakeFailed, err)
	}
	r := HandshakeFailed
	if t.Rejected() {
		r = RejectedByDomain
	}
	return &Error{Reason: r, Blame: t.Blame, Detail: t.Error(), Err: err}
}

// OfRead turns what the codec of an established connection says into one.
func OfRead(err error) *Error {
	e := Fail(ReadError, err)
	var t *tlsstate.Error
	if errors.As(err, &t) {
		e.Blame = t.Blame
	}
	return e
}

// Alerted reports whether the peer has ended a connection with an alert. One that just
// goes away may have taken what it acknowledged.
func Alerted(why *Error) bool {
	var t *tlsstate.Error
	return errors.As(why, &t) && t.Alert.Received
}
