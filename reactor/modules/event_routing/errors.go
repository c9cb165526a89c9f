package event_routing

import "errors"

var (
	errUnknown = errors.New("the socket is of no subscription of the script")
	errNobody  = errors.New("nobody can listen here")
)
