package drouting

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"

	"sipreactor/reactor/modules/internal/destination"
	"sipreactor/reactor/proxy"
)

// GatewayRow is a row of dr_gateways.
type GatewayRow struct {
	ID          string
	Type        int
	Address     string
	Strip       int
	Prefix      string // pri_prefix
	Attrs       *string
	Probe       ProbeMode
	State       int // 0 active, 1 inactive, 2 probing
	Socket      string
	Description string
}

// ProbeMode is when a gateway is pinged.
type ProbeMode uint8

// The modes, as the table numbers them.
const (
	NeverProbe ProbeMode = iota
	ProbeDisabled
	ProbeAlways
)

// Gateway is where calls go.
type Gateway struct {
	Address destination.Address
	Row     GatewayRow
	Health  *destination.Health
	carrier *Carrier // the first that has it; nil none
	socket  *proxy.SocketName
	where   string // the row in its table
	behind  []byte // what of the URI stands behind the user: host, port, parameters
}

// finish takes the address apart.
func (g *Gateway) finish() {
	_, b, _ := bytes.Cut([]byte(g.Address.URI), []byte{':'})
	if i := bytes.IndexByte(b, '@'); i >= 0 {
		b = b[i+1:]
	}
	g.behind = b
}

// tableState gives the state that the table says, and why it is so.
func (g *Gateway) tableState(volatile bool) (destination.State, string) {
	if volatile || g.Row.State == 0 {
		return destination.Active, "table"
	}
	if g.Row.State == 2 {
		return destination.Probing, "table"
	}
	return destination.Inactive, "table"
}

// Status is the state as the management interface and the event name it.
func (g *Gateway) Status() string {
	switch g.Health.State() {
	case destination.Active:
		return "Active"
	case destination.Probing:
		return "Probing"
	default:
		if g.Health.Why() == byOperator {
			return "Disabled MI"
		}
		return "Inactive"
	}
}

// CarrierRow is a row of dr_carriers.
type CarrierRow struct {
	ID          string
	Gateways    string // ids, each with =weight or without
	Flags       int
	Sort        Sort
	State       int // 0 enabled, 1 disabled
	Attrs       *string
	Description string
}

// The flags of a carrier.
const (
	onlyFirst       = 1 << iota // its first gateway that gets calls, and no other
	carrierDisabled             // as State says, too
)

// Carrier is a group of gateways.
type Carrier struct {
	Row     CarrierRow
	members []member
	enabled *atomic.Bool // outlives a reload
}

// Enabled tells whether calls go to it.
func (c *Carrier) Enabled() bool { return c.enabled.Load() }

// Sort is how a list of gateways or carriers is ordered for a call.
type Sort uint8

// The orders: as the list has it, or by chance, those of more weight sooner.
const (
	asListed Sort = iota
	byWeight
)

// parseSort reads the column sort_alg.
func parseSort(s string) (Sort, error) {
	switch strings.ToUpper(strings.TrimSpace(s)) {
	case "", "N":
		return asListed, nil
	case "W":
		return byWeight, nil
	case "Q":
		return 0, fmt.Errorf("Q wants the module qrouting, which is not supported")
	default:
		return 0, fmt.Errorf("%q is neither N nor W", s)
	}
}

// member is an entry of a list: a gateway or a carrier.
type member struct {
	gateway *Gateway
	carrier *Carrier
	weight  int
}

// maxMembers bounds a list.
const maxMembers = 256

// parseMembers reads a list: ids separated by commas, each with =weight or without,
// carriers with a # before their id. Ids that are not there are given back.
func parseMembers(s string, gateways map[string]*Gateway, carriers map[string]*Carrier) (list []member, missing []string, err error) {
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		id, weight, weighted := strings.Cut(part, "=")
		m := member{}
		if weighted {
			if m.weight, err = strconv.Atoi(strings.TrimSpace(weight)); err != nil || m.weight < 0 || m.weight > 1<<20 {
				return nil, nil, fmt.Errorf("%q: the weight is no number from 0 to %d", part, 1<<20)
			}
		}
		id = strings.TrimSpace(id)
		if name, ok := strings.CutPrefix(id, "#"); ok {
			m.carrier = carriers[name]
		} else {
			m.gateway = gateways[id]
		}
		if m.gateway == nil && m.carrier == nil {
			missing = append(missing, id)
			continue
		}
		if list = append(list, m); len(list) > maxMembers {
			return nil, nil, fmt.Errorf("more than %d gateways and carriers", maxMembers)
		}
	}
	return list, missing, nil
}
