package mi

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/blacklist"
	"sipreactor/reactor/mi/peers"
	"sipreactor/reactor/proxy"
	"sipreactor/reactor/rpc"
	"sipreactor/reactor/statusreport"
	"sipreactor/tlsstate"
)

var (
	_ Engine = (*reactor.Engine)(nil)
	_ Proxy  = (*proxy.Proxy)(nil)
)

// Switch is something that is on or off, such as a tracer. Any goroutine may
// call it.
type Switch interface {
	On() bool
	Set(on bool)
}

// Level is a log level as OpenSIPS numbers them, -3 (alert) to 4 (debug). Any
// goroutine may call it.
type Level interface {
	Level() int
	SetLevel(level int)
}

// Node is what the commands act on. Commands whose part is nil are not there.
type Node struct {
	// Version is the answer of version, such as "sipreactor (1.0 (amd64/linux))".
	Version string
	Started time.Time
	Engine  Engine
	Proxy   Proxy
	// Peers tells what is known of peers.
	Peers func() []peers.Info
	// Traces are the tracings of connections, a transport each.
	Traces []ConnTrace
	// Tracer is the tracing of SIP messages.
	Tracer *Tracer
	// Collectors tells what was sent to each trace collector, in an order that
	// stays.
	Collectors func() []TraceCollector
	// Domains lists the TLS domains in use, Reload reads their files again: all
	// of them or, with an error, none.
	Domains func() []tlsstate.DomainInfo
	Reload  func() error
	// ReloadRoutes reads the configuration's file again and puts its routes, and what
	// can change with them, in the place of those in use: all of it or, with an error,
	// nothing. It tells what changes at a restart only.
	ReloadRoutes func() (atRestart []string, err error)
	// Log is the level of the program's log, XLog that of the script's.
	Log, XLog Level
	// Destinations are the modules that send calls to destinations; nil: there is none.
	Destinations func() []DestinationSource
	// Processes names what ps lists: loops, workers and the like.
	Processes func() []string
	// Kill begins the program's orderly end. It must not wait for it.
	Kill func()
	// Lifetime is how long a connection may be idle; 0 = without end.
	Lifetime time.Duration
	// Reports is how ready parts of the program are; nil leaves the commands out.
	Reports *statusreport.Book
	// Blacklists gives those in use; nil leaves the commands out.
	Blacklists func() *blacklist.Set
	// Script are the statistics that the routing script makes.
	Script Source
	// Extra are further statistics.
	Extra []Source

	once  sync.Once
	stats *Statistics
}

// Statistics gives the node's statistics, always the same: resets are kept in
// them. What the node has is looked at the first time.
func (n *Node) Statistics() *Statistics {
	n.once.Do(func() { n.stats = NewStatistics(n.sources()...) })
	return n.stats
}

func (n *Node) sources() []Source {
	var sources []Source
	if n.Proxy != nil {
		sources = append(sources, ProxyFigures(n.Proxy, n.Started))
	}
	if n.Engine != nil {
		sources = append(sources, EngineFigures(n.Engine), ConnFigures(n.Engine))
	}
	if n.Domains != nil {
		sources = append(sources, CertificateFigures(n.Domains))
	}
	if n.Collectors != nil {
		sources = append(sources, TraceFigures(n.Collectors))
	}
	if n.Script != nil {
		sources = append(sources, n.Script)
	}
	return append(sources, n.Extra...)
}

// Commands gives all commands of the node.
func (n *Node) Commands() []rpc.Command {
	all := n.core()
	all = append(all, n.levels()...)
	all = append(all, n.connections()...)
	all = append(all, n.peerCommands()...)
	all = append(all, n.backoff()...)
	all = append(all, n.destinations()...)
	all = append(all, n.blacklists()...)
	all = append(all, n.reports()...)
	all = append(all, n.tls()...)
	all = append(all, n.tracer()...)
	return append(all, n.Statistics().Commands()...)
}

// plain is the Func of a command that takes nothing and cannot fail.
func plain(f func() any) func(context.Context, *rpc.Args) (any, error) {
	return func(context.Context, *rpc.Args) (any, error) { return f(), nil }
}

func (n *Node) core() []rpc.Command {
	all := []rpc.Command{
		{
			Name: "uptime", Aliases: []string{"core:uptime"}, Module: "core",
			Help: "Tells since when and for how long the program runs.",
			Func: plain(func() any {
				now := time.Now()
				return rpc.Object{{Name: "Now", Value: now.Format(time.ANSIC)}, {Name: "Up since", Value: n.Started.Format(time.ANSIC)},
					{Name: "Up time", Value: fmt.Sprintf("%d [sec]", now.Sub(n.Started)/time.Second)}}
			}),
		},
		{
			Name: "version", Aliases: []string{"core:version"}, Module: "core",
			Help: "Tells the program's version.",
			Func: plain(func() any { return rpc.Object{{Name: "Server", Value: n.Version}} }),
		},
		{
			Name: "pwd", Aliases: []string{"core:pwd"}, Module: "core",
			Help: "Tells the program's working directory.",
			Func: func(context.Context, *rpc.Args) (any, error) {
				wd, err := os.Getwd()
				if err != nil {
					return nil, err
				}
				return rpc.Object{{Name: "WD", Value: wd}}, nil
			},
		},
	}
	if n.ReloadRoutes != nil {
		all = append(all, rpc.Command{
			Name: "reload_routes", Aliases: []string{"core:reload_routes"}, Module: "core",
			Help: "Reads the configuration again and puts its routes in the place of those in use: all of them or, if something is wrong, none.",
			Func: func(context.Context, *rpc.Args) (any, error) {
				atRestart, err := n.ReloadRoutes()
				switch {
				case err != nil:
					return nil, rpc.Failed("Failed to reload", err.Error())
				case len(atRestart) > 0:
					return rpc.Object{{Name: "Status", Value: "OK"}, {Name: "At restart", Value: atRestart}}, nil
				default:
					return "OK", nil
				}
			},
		})
	}
	if n.Processes != nil {
		all = append(all, rpc.Command{
			Name: "ps", Aliases: []string{"core:ps"}, Module: "core",
			Help: "Lists what works inside of the program: loops, workers, handshakers. They are one process.",
			Func: plain(func() any {
				list := []rpc.Object{}
				for i, p := range n.Processes() {
					list = append(list, rpc.Object{{Name: "ID", Value: i}, {Name: "PID", Value: os.Getpid()}, {Name: "Type", Value: p}})
				}
				return rpc.Object{{Name: "Processes", Value: list}}
			}),
		})
	}
	if n.Kill != nil {
		all = append(all, rpc.Command{
			Name: "kill", Aliases: []string{"core:kill"}, Module: "core",
			Help: "Ends the program in order: messages are worked off, connections closed.",
			Func: plain(func() any { n.Kill(); return "OK" }),
		})
	}
	return all
}

const lowestLevel, highestLevel = -3, 4

func (n *Node) levels() []rpc.Command {
	var all []rpc.Command
	check := func(a *rpc.Args) error {
		if l := a.Int("level"); l < lowestLevel || l > highestLevel {
			return rpc.BadParams("level must lie between %d and %d", lowestLevel, highestLevel)
		}
		return nil
	}
	if n.Log != nil {
		all = append(all, rpc.Command{
			Name: "log_level", Aliases: []string{"core:log_level"}, Module: "core",
			Help: "Tells or sets the log level, -3 (alert) to 4 (debug).",
			Params: []rpc.Param{{Name: "level", Kind: rpc.Integer, Optional: true},
				{Name: "pid", Kind: rpc.Integer, Optional: true}},
			Func: func(_ context.Context, a *rpc.Args) (any, error) {
				if !a.Has("level") {
					if a.Has("pid") {
						return nil, rpc.BadParams("pid goes with level")
					}
					one := rpc.Object{{Name: "PID", Value: os.Getpid()}, {Name: "Log level", Value: n.Log.Level()}, {Name: "Type", Value: "sipreactor"}}
					return rpc.Object{{Name: "Processes", Value: []rpc.Object{one}}}, nil
				}
				if err := check(a); err != nil {
					return nil, err
				}
				name := "New global log level"
				if a.Has("pid") {
					if a.Int("pid") != os.Getpid() {
						return nil, rpc.BadParams("Bad PID")
					}
					name = "Log level"
				}
				n.Log.SetLevel(a.Int("level"))
				return rpc.Object{{Name: name, Value: a.Int("level")}}, nil
			},
		})
	}
	if n.XLog != nil {
		all = append(all, rpc.Command{
			Name: "xlog_level", Aliases: []string{"core:xlog_level"}, Module: "core",
			Help:   "Tells or sets the log level of the script, -3 (alert) to 4 (debug).",
			Params: []rpc.Param{{Name: "level", Kind: rpc.Integer, Optional: true}},
			Func: func(_ context.Context, a *rpc.Args) (any, error) {
				if !a.Has("level") {
					return rpc.Object{{Name: "xLog Level", Value: n.XLog.Level()}}, nil
				}
				if err := check(a); err != nil {
					return nil, err
				}
				n.XLog.SetLevel(a.Int("level"))
				return rpc.Object{{Name: "New xLog level", Value: a.Int("level")}}, nil
			},
		})
	}
	return all
}
