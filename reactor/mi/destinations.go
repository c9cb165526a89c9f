package mi

import (
	"context"
	"time"

	"sipreactor/reactor/rpc"
)

// Destination is where a module sends calls, as an operator thinks of it.
type Destination struct {
	// Module, Group and Name tell it from all others: dispatcher, default:1 and a URI, or
	// drouting, a partition and the id of a gateway.
	Module, Group, Name string
	URI                 string
	Kind                string // "" is a destination; "carrier" is a group of them, which has no URI
	State               string // Active, Inactive, Probing, Unreachable, Resting
	Since               time.Time
	Why                 string // who or what decided the state; "" nobody said
	Calls               uint64 // requests that were sent there
	Running             int64  // of those, without a final response
	Answers             [6]uint64
	// Failed could not be sent, Silent got no answer in time.
	Failed, Silent uint64
	Latency        time.Duration // mean time to the first answer of late; 0 = there was none
}

// DestinationSource is a module that sends calls to destinations. Any goroutine may
// call it.
type DestinationSource interface {
	// Destinations lists them.
	Destinations() []Destination
	// SetDestination enables or disables one. An error is told as it is.
	SetDestination(group, name string, on bool) error
	// ProbeDestination pings one, whatever its state, and tells what became of it.
	ProbeDestination(ctx context.Context, group, name string) (string, error)
}

// probeTime is how long a ping of the operator's may take.
const probeTime = 10 * time.Second

// destinations are the commands about destinations of all modules.
func (n *Node) destinations() []rpc.Command {
	if n.Destinations == nil {
		return nil
	}
	which := []rpc.Param{{Name: "module"}, {Name: "group"}, {Name: "name"}}
	return []rpc.Command{
		{
			Name: "destinations", Module: "core", Help: "Lists where modules send calls: sets, gateways and carriers, with state, calls, answers and latency.",
			Params: []rpc.Param{{Name: "module", Optional: true}},
			Func:   func(_ context.Context, a *rpc.Args) (any, error) { return n.listDestinations(a.Text("module")), nil },
		},
		{
			Name: "destination_enable", Module: "core", Help: "Has a destination get calls again.", Params: which,
			Func: func(_ context.Context, a *rpc.Args) (any, error) { return n.setDestination(a, true) },
		},
		{
			Name: "destination_disable", Module: "core", Help: "Has a destination get no more calls, until it is enabled.", Params: which,
			Func: func(_ context.Context, a *rpc.Args) (any, error) { return n.setDestination(a, false) },
		},
		{
			Name: "destination_probe", Module: "core", Help: "Pings a destination and tells what became of it.", Params: which,
			Func: func(ctx context.Context, a *rpc.Args) (any, error) {
				s, err := n.destinationSource(a)
				if err != nil {
					return nil, err
				}
				ctx, cancel := context.WithTimeout(ctx, probeTime)
				defer cancel()
				answer, err := s.ProbeDestination(ctx, a.Text("group"), a.Text("name"))
				if err != nil {
					return nil, err
				}
				return rpc.Object{{Name: "Answer", Value: answer}}, nil
			},
		},
	}
}

// DestinationList lists the destinations of all modules.
func (n *Node) DestinationList() (all []Destination) {
	if n.Destinations == nil {
		return nil
	}
	for _, s := range n.Destinations() {
		all = append(all, s.Destinations()...)
	}
	return all
}

func (n *Node) listDestinations(module string) any {
	list := []rpc.Object{}
	for _, d := range n.DestinationList() {
		if module != "" && module != d.Module {
			continue
		}
		o := rpc.Object{{Name: "Module", Value: d.Module}, {Name: "Group", Value: d.Group}, {Name: "Name", Value: d.Name}}
		if d.Kind != "" {
			o = append(o, rpc.Field{Name: "Kind", Value: d.Kind})
		}
		if d.URI != "" {
			o = append(o, rpc.Field{Name: "URI", Value: d.URI})
		}
		o = append(o, rpc.Field{Name: "State", Value: d.State})
		if !d.Since.IsZero() {
			o = append(o, rpc.Field{Name: "Since", Value: d.Since.Format(time.RFC3339)})
		}
		if d.Why != "" {
			o = append(o, rpc.Field{Name: "Why", Value: d.Why})
		}
		if d.Kind == "" {
			o = append(o, rpc.Field{Name: "Calls", Value: d.Calls}, rpc.Field{Name: "Running", Value: d.Running}, rpc.Field{Name: "Answers", Value: rpc.Object{
				{Name: "2xx", Value: d.Answers[1]}, {Name: "3xx", Value: d.Answers[2]}, {Name: "4xx", Value: d.Answers[3]}, {Name: "5xx", Value: d.Answers[4]}, {Name: "6xx", Value: d.Answers[5]}}},
				rpc.Field{Name: "Failed", Value: d.Failed}, rpc.Field{Name: "Silent", Value: d.Silent}, rpc.Field{Name: "Latency ms", Value: d.Latency.Milliseconds()})
		}
		list = append(list, o)
	}
	return rpc.Object{{Name: "Destinations", Value: list}}
}

// destinationSource finds the module that a command names by one of its destinations.
func (n *Node) destinationSource(a *rpc.Args) (DestinationSource, error) {
	for _, s := range n.Destinations() {
		for _, d := range s.Destinations() {
			if d.Module == a.Text("module") && d.Group == a.Text("group") && d.Name == a.Text("name") {
				return s, nil
			}
		}
	}
	return nil, &rpc.Error{Code: rpc.CodeNotFound, Message: "Destination not found"}
}

func (n *Node) setDestination(a *rpc.Args, on bool) (any, error) {
	s, err := n.destinationSource(a)
	if err != nil {
		return nil, err
	}
	if err := s.SetDestination(a.Text("group"), a.Text("name"), on); err != nil {
		return nil, err
	}
	return "OK", nil
}
