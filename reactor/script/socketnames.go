package script

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"

	"sipreactor/reactor"
	"sipreactor/reactor/proxy"
)

// namedSocket is a socket that the configuration names by a constant.
type namedSocket struct {
	at   Pos
	text string
}

// nameSocket notes the name of a socket; one with variables is known at run time only.
func (c *settings) nameSocket(at Pos, text string) {
	if text = strings.TrimSpace(text); text != "" && !strings.Contains(text, "$") {
		c.namedSockets = append(c.namedSockets, namedSocket{at, text})
	}
}

// setsSocket reports whether an assignment to a variable names a socket.
func setsSocket(v *varExpr) bool {
	switch v.Name {
	case "fs", "socket_out", "msg.branch.socket":
		return true
	case "branch":
		return v.Arg != nil && v.Arg.Text == "socket"
	default:
		return false
	}
}

// CheckSockets tells which sockets the configuration names by a constant that are none of
// those given: nil, or of type Errors.
func (c *Config) CheckSockets(sockets []*reactor.Socket) error {
	var all []error
	for _, n := range c.namedSockets {
		all = append(all, ErrorAt(n.at, NoSocket(n.text, sockets)))
	}
	return ErrorAt(Pos{}, errors.Join(all...))
}

// noSocket is the error that there is no socket of a name.
type noSocket struct {
	text      string
	elsewhere bool // another machine may have it
}

func (e *noSocket) Error() string { return e.text }

// Is has who checks a configuration for another machine know.
func (e *noSocket) Is(other error) bool { return e.elsewhere && other == syscall.EADDRNOTAVAIL }

// NoSocket is the error that a text names none of the sockets, with those that there are;
// nil if it names one. It is a syscall.EADDRNOTAVAIL where it could name one on another
// machine.
func NoSocket(text string, sockets []*reactor.Socket) error {
	if proxy.FindSocket(text, slices.Values(sockets)) != nil {
		return nil
	}
	var names []string
	for _, s := range sockets {
		name := s.Proto.String() + ":" + s.Addr.String()
		if s.Tag != "" {
			name += " tag " + s.Tag
		}
		names = append(names, name)
	}
	slices.Sort(names)
	there := "there are: " + strings.Join(names[:min(len(names), fewNames)], ", ")
	if len(names) > fewNames {
		there += ", …"
	}
	return &noSocket{fmt.Sprintf("%s is no socket of ours; %s", clip(text), there), proxy.NamesElsewhere(text, slices.Values(sockets))}
}

// socketNamed gives the listener of a name: proto:host[:port] or a tag; nil if there is
// none.
func (m *Machine) socketNamed(want []byte) *reactor.Socket {
	for s := range m.c.Sockets {
		if s.Tag != "" && s.Tag == string(want) || compareFold(m.socketText(s.Addr, s.Proto).s, want) == 0 {
			return s
		}
	}
	if len(want) == 0 {
		return nil
	}
	return proxy.FindSocket(string(want), m.c.Sockets)
}
