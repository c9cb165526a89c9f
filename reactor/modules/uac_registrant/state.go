package uac_registrant

import "sipreactor/reactor/script"

// state is where a registration is. The numbers are OpenSIPS'.
type state uint8

// The states.
const (
	notRegistered            state = iota // no REGISTER has been sent, or the account is disabled
	registering                           // a REGISTER is under way
	authenticating                        // one with credentials is
	registered                            // the registrar has the binding
	registerTimeout                       // there was no answer
	internalError                         // something was wrong here
	wrongCredentials                      // the registrar does not take the credentials
	registrarError                        // another answer of the registrar
	unregistering                         // a REGISTER that removes the binding is under way
	authenticatingUnregister              // one with credentials is
	states
)

var stateNames = [states]string{
	"NOT_REGISTERED_STATE", "REGISTERING_STATE", "AUTHENTICATING_STATE", "REGISTERED_STATE", "REGISTER_TIMEOUT_STATE",
	"INTERNAL_ERROR_STATE", "WRONG_CREDENTIALS_STATE", "REGISTRAR_ERROR_STATE", "UNREGISTERING_STATE",
	"AUTHENTICATING_UNREGISTER_STATE",
}

// String returns the name that management shows.
func (s state) String() string { return stateNames[s] }

// underWay reports whether an answer is awaited.
func (s state) underWay() bool {
	return s == registering || s == authenticating || s == unregistering || s == authenticatingUnregister
}

// failed reports whether the last try came to nothing.
func (s state) failed() bool { return s >= registerTimeout && s <= registrarError }

// eventOf is the event of each state that is entered.
var eventOf = [states]string{
	registering: "E_REGISTRANT_REGISTERING", authenticating: "E_REGISTRANT_AUTHENTICATING",
	registered: "E_REGISTRANT_REGISTERED", registerTimeout: "E_REGISTRANT_REGISTER_TIMEOUT",
	internalError: "E_REGISTRANT_INTERNAL_ERROR", wrongCredentials: "E_REGISTRANT_WRONG_CREDENTIALS",
	registrarError: "E_REGISTRANT_REGISTRAR_ERROR", unregistering: "E_REGISTRANT_UNREGISTERING",
	authenticatingUnregister: "E_REGISTRANT_AUTHENTICATING_UNREGISTER",
}

// events are those that an event_route can be for.
func events() (list []script.Event) {
	help := [states]string{
		registering: "The first REGISTER of a registration, or of its refresh, was sent.", authenticating: "A REGISTER with credentials was sent.",
		registered: "A registrar has accepted a registration.", registerTimeout: "A registrar did not answer.",
		internalError: "A REGISTER could not be made or sent.", wrongCredentials: "A registrar has refused the credentials.",
		registrarError: "A registrar has refused a registration.", unregistering: "A REGISTER that removes the binding was sent.",
		authenticatingUnregister: "A REGISTER with credentials that removes the binding was sent.",
	}
	for s, name := range eventOf {
		if name != "" {
			list = append(list, script.Event{Name: name, Help: help[s], Params: []string{"aor", "contact", "registrar"}})
		}
	}
	return list
}
