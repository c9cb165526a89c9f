package rtpengine

import (
	"errors"
	"strings"

	"sipreactor/reactor/modules/internal/relay"
	"sipreactor/reactor/modules/internal/relay/cookie"
	"sipreactor/reactor/modules/rtpengine/ng"
)

// node is one rtpengine in one set.
type node = relay.Node[*ng.Client]

var errNoNode = errors.New("no rtpengine is there")

// refusal is an error that rtpengine answered.
type refusal string

func (r refusal) Error() string { return "rtpengine: " + string(r) }

// failoverErrors are the answers after which another node may do.
var failoverErrors = []string{
	"Parallel session limit reached", "Ran out of ports", "CPU usage limit exceeded", "Load limit exceeded", "Bandwidth limit exceeded",
}

func (m *module) failsOver(reason string) bool {
	for _, s := range failoverErrors {
		if strings.Contains(reason, s) {
			return true
		}
	}
	for _, re := range m.failover {
		if re.MatchString(reason) {
			return true
		}
	}
	return false
}

// ours reports whether an error is no fault of the node's.
func ours(err error) bool {
	return errors.Is(err, cookie.ErrBusy) || errors.Is(err, cookie.ErrLarge) || errors.Is(err, cookie.ErrClosed)
}
