package nat_traversal

import (
	"context"
	"path/filepath"
	"time"

	"sipreactor/reactor"
	core "sipreactor/reactor/dialog"
	"sipreactor/reactor/modules/dialog"
	"sipreactor/reactor/modules/nathelper"
	"sipreactor/reactor/modules/tm"
	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
	"sipreactor/reactor/transaction"
)

// module is nat_traversal of one configuration.
type module struct {
	interval  int64 // seconds; 0 and less: nothing is kept
	method    string
	from      string
	headers   string
	stateFile string
	tm        *tm.Module
	dialog    *dialog.Module
	env       *script.Env
	kept      *table // those who go on with it have the same
	unlisten  func()
	path      string // of the state file; "" there is none
}

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := &module{interval: 60, method: "NOTIFY", stateFile: "keepalive_state"}
	const noCluster = "there is no cluster"
	return &script.Module{
		Name: "nat_traversal", Help: "Keeps the way to phones behind NAT open.", Uses: []string{"tm", "dialog"}, Instance: m,
		Parameters: []script.Parameter{
			{Name: "keepalive_interval", Type: script.IntParam, Min: -86400, Max: 86400, Unit: "seconds", Default: "60", Set: script.Into(&m.interval), Help: "In which time each address gets one request; 0 or less: none gets any."},
			{Name: "keepalive_method", Type: script.StringParam, Default: m.method, Set: script.Checked(script.CheckPing, &m.method), Help: "Method of the requests."},
			{Name: "keepalive_from", Type: script.StringParam, Default: "sip:keepalive@ADDRESS", Set: script.Checked(script.CheckURI, &m.from), Help: "URI in From of the requests."},
			{Name: "keepalive_extra_headers", Type: script.StringParam, Set: m.setHeaders, Help: "Further headers of the requests, each with its CRLF."},
			{Name: "keepalive_state_file", Type: script.StringParam, Default: m.stateFile, Set: script.Into(&m.stateFile), Restart: true, Help: "File in state_dir that keeps the addresses over a restart; an empty one is none."},
			{Name: "cluster_id", Type: script.IntParam, Help: "Cluster.", Note: noCluster},
			{Name: "cluster_sharing_tag", Type: script.StringParam, Help: "Tag of the node that sends.", Note: noCluster},
		},
		Functions:  m.functions(),
		Variables:  m.variables(),
		Statistics: m.statistics(),
		Check:      m.check, Start: m.start, Stop: m.stop,
	}
}

func (m *module) functions() []script.Function {
	messages := script.Routes(script.RequestRoute, script.OnReplyRoute, script.FailureRoute, script.BranchRoute)
	return []script.Function{
		{Name: "client_nat_test", Usage: "client_nat_test(tests)", Args: []script.ArgKind{script.IntArg}, Min: 1, Routes: messages, Build: natTest,
			Help: "Reports whether one of the tests says that the sender is behind NAT: 1 a private address in Contact, 2 another address or port in Via, 4 a private address in Via, 8 another address in Contact; their sum is several."},
		{Name: "fix_contact", Usage: "fix_contact()", Routes: script.Routes(script.RequestRoute, script.OnReplyRoute, script.BranchRoute), Reach: script.Messages,
			Help: "Has Contact name where the message came from. -1: there is none.",
			Build: func(a *script.Args) script.Action {
				at := a.Site()
				return func(x *script.Machine) int { return nathelper.FixContacts(x, at) }
			}},
		{Name: "nat_keepalive", Usage: "nat_keepalive()", Routes: script.Routes(script.RequestRoute), Reach: script.Requests, Build: m.keep,
			Help: "Has the address of a REGISTER or SUBSCRIBE kept for as long as the 2xx says, that of an INVITE as long as its dialog lasts. It is called before the request is answered or sent on."},
	}
}

// numbers of nathelper's tests, by those of client_nat_test().
var numbers = [...]uint8{1, 2 | 16, 4, 32}

func natTest(a *script.Args) script.Action {
	tests, at := a.Int(0), a.Site()
	return func(x *script.Machine) int {
		n, ok := tests(x)
		if !ok || n < 0 || n >= 1<<len(numbers) {
			return x.Fail(at, "the tests are a number from 0 to 15")
		}
		var list uint8
		for i, number := range numbers {
			if n&(1<<i) != 0 {
				list |= number
			}
		}
		return script.Yes(nathelper.BehindNAT(x, list))
	}
}

// trackKey is the key of a message's answer to whether its dialog is to be followed.
type trackKey struct{}

// tracks reports whether the dialog of an INVITE is followed for nat_keepalive() where the script does not follow it.
func tracks(c *proxy.Context) bool {
	off, _ := c.Attachment(trackKey{}).(bool)
	return !off
}

func (m *module) variables() []script.Variable {
	return []script.Variable{
		{Name: "source_uri", Help: "URI of where the message came from.", Get: script.Simple(func(x *script.Machine) script.Value { return script.Text(nathelper.SourceURI(x)) })},
		{Name: "keepalive.socket", Inner: script.AnyInner, Help: "The listener that an address is kept by, which a URI names; NULL: it is not kept.", Get: m.socketOf},
		{Name: "nat_traversal.track_dialog", Help: "Whether nat_keepalive() follows the dialog of an INVITE; 1 at first.",
			Get: script.Simple(func(x *script.Machine) script.Value {
				if tracks(x.Context()) {
					return script.Int(1)
				}
				return script.Int(0)
			}),
			Set: func(*script.Use) script.Setter {
				return func(x *script.Machine, v script.Value) int {
					n, ok := v.Int()
					x.Context().Attach(trackKey{}, ok && n == 0)
					return 1
				}
			}},
	}
}

func (m *module) socketOf(u *script.Use) script.Getter {
	name := u.Inner()
	if name == nil {
		u.Errorf("$keepalive.socket(uri) names no URI")
		return nil
	}
	return func(x *script.Machine, _ int) script.Value {
		k, ok := placeOf(name(x))
		if !ok || m.kept == nil {
			return script.Value{}
		}
		s := m.kept.socket(k, x.Now().Unix())
		if s == nil {
			return script.Value{}
		}
		return script.Text(x.KeepString(s.Proto.String() + ":" + s.Addr.String()))
	}
}

func (m *module) statistics() []script.Statistic {
	count := func(name, help string, of func(c counts) int) script.Statistic {
		return script.Statistic{Name: name, Help: help, Gauge: true, Value: func() uint64 {
			if m.kept == nil {
				return 0
			}
			return uint64(of(m.kept.count(time.Now().Unix())))
		}}
	}
	return []script.Statistic{
		count("keepalive_endpoints", "Addresses that are kept.", func(c counts) int { return c.all }),
		count("registered_endpoints", "Addresses that are kept for a registration.", func(c counts) int { return c.registered }),
		count("subscribed_endpoints", "Addresses that are kept for a subscription.", func(c counts) int { return c.subscribed }),
		count("dialog_endpoints", "Addresses that are kept for a dialog.", func(c counts) int { return c.inDialogs }),
	}
}

func (m *module) check(l *script.Loading) {
	m.tm, _ = l.Instance("tm").(*tm.Module)
	m.dialog, _ = l.Instance("dialog").(*dialog.Module)
	if m.interval > 0 && m.tm == nil && !l.Partial() {
		l.Errorf(l.Place("keepalive_interval"), `keepalives need the module tm: loadmodule "tm.so", or modparam("nat_traversal", "keepalive_interval", 0)`)
	}
	if m.dialog != nil {
		m.dialog.Watch(func(c core.Change) {
			if h, ok := c.Dialog.Attachment(heldKey).(*held); ok && c.New == core.Ended {
				h.release()
			}
		})
	}
}

func (m *module) start(e *script.Env) error {
	m.env = e
	if m.interval <= 0 || e.Trial {
		return nil
	}
	m.kept = newTable(int(m.interval))
	if old, ok := e.Previous.(*module); ok && old.kept != nil {
		m.kept, m.path = old.kept, old.path
		m.kept.spread(int(m.interval))
	} else if m.path = m.stateFile; m.path != "" && !filepath.IsAbs(m.path) {
		if m.path = ""; e.StateDir != "" {
			m.path = filepath.Join(e.StateDir, m.stateFile)
		}
	}
	m.unlisten = m.tm.Layer().Listen(m.happened)
	if e.Previous == nil {
		m.restore()
	}
	turn := 0
	e.Every(time.Second, func(context.Context) {
		if turn++; turn >= int(m.interval) {
			turn = 0
			m.save()
		}
		for _, k := range m.kept.due(turn, time.Now().Unix()) {
			m.send(k)
		}
	})
	return nil
}

func (m *module) stop(next any) {
	if m.unlisten != nil {
		m.unlisten()
	}
	if n, ok := next.(*module); m.kept != nil && (!ok || n.kept != m.kept) {
		m.save()
	}
}

// happened follows transactions: transaction.Listener.
func (m *module) happened(h *transaction.Happening) {
	if h.What == transaction.Created {
		if p, ok := h.Context.Attachment(pendingKey{}).(*pending); ok {
			h.Exchange.Listen(p.happened)
		}
	}
}

// listener is one of those that there are, by its text; nil: there is none.
func (m *module) listener(text string) *reactor.Socket {
	return proxy.FindSocket(text, m.env.Listeners)
}
