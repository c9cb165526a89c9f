package phase

import "sipreactor/reactor/internal/reason"

// Life is where a connection is in its life, where it was when its end began, and why
// that is. Its owner alone moves it, under the connection's lock, and may look where it
// is without; everybody else does either under the lock. The zero Life is connecting.
type Life struct {
	at   Phase
	left Phase         // while it is closing, and then: the phase before
	why  *reason.Error // it is to end; nil: it is not
}

// Begin is for a connection that does not begin with a connect. Nobody else sees it yet.
func (l *Life) Begin(at Phase) { l.at = at }

// At returns the phase that it is in.
func (l *Life) At() Phase { return l.at }

// Was returns the phase that it is in, or was in when its end began.
func (l *Life) Was() Phase {
	if l.at == Closing {
		return l.left
	}
	return l.at
}

// Enter moves on to the next phase. What the table does not have is a fault of ours.
func (l *Life) Enter(to Phase) {
	if !l.at.May(to) {
		panic("reactor: connection cannot go from " + l.at.String() + " to " + to.String())
	}
	if to == Closing {
		l.left = l.at
	}
	l.at = to
}

// End notes why it is to end, and reports whether that is new: the first reason stays.
func (l *Life) End(why *reason.Error) bool {
	if l.why != nil || l.at == Closed {
		return false
	}
	l.why = why
	return true
}

// Why returns why it is to end; nil: it is not.
func (l *Life) Why() *reason.Error { return l.why }

// Ends reports whether it is about to end, or is over.
func (l *Life) Ends() bool { return l.why != nil || l.at >= Closing }
