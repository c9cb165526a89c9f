package rtpengine

import (
	"errors"
	"log/slog"
	"regexp"
	"strconv"
	"sync/atomic"
	"time"

	"sipreactor/reactor/modules/rtpengine/ng"
	"sipreactor/reactor/script"
)

// module is the module in one configuration.
type module struct {
	fleet    fleet
	timeout  time.Duration
	retries  int
	pause    time.Duration // of a node that did not answer
	interval time.Duration
	pings    bool // enabled nodes, too
	failover []*regexp.Regexp

	extraName, setName, errorName script.Literal

	extra   func(*script.Machine) script.Value // nil: extra_id_pv is not set
	setAVP  *script.AVP
	errorTo script.Setter
	set     *script.Local // int, of rtpengine_use_set()
	last    *script.Local // ng.Dict, the statistics of the call
	env     *script.Env

	asked, refused atomic.Uint64
}

// event is raised when a node is taken out, or back.
const event = "E_RTPENGINE_STATUS"

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := &module{
		fleet:   fleet{sets: make(map[int][]*node), moved: &moved{calls: make(map[movedKey]movedCall)}},
		timeout: time.Second, retries: 5, pause: time.Minute, interval: 5 * time.Second,
	}
	return &script.Module{
		Name: "rtpengine", Help: "Has media pass rtpengine.", Instance: m,
		Parameters: m.parameters(), Functions: m.functions(), Variables: m.variables(), Commands: m.commands(),
		Statistics: []script.Statistic{
			{Name: "requests", Help: "Requests to rtpengine.", Value: m.asked.Load, Reset: func() { m.asked.Store(0) }},
			{Name: "failed", Help: "Requests that rtpengine refused or did not answer.", Value: m.refused.Load, Reset: func() { m.refused.Store(0) }},
			{Name: "nodes_down", Help: "Nodes that are not used.", Gauge: true, Value: m.down},
		},
		Events: []script.Event{{Name: event, Help: "A node is taken out, as it does not answer, or back.", Params: []string{"socket", "status", "set"}}},
		Check:  m.check, Start: m.start, Stop: m.stop,
	}
}

func (m *module) parameters() []script.Parameter {
	keep := func(name, help string, into *script.Literal) script.Parameter {
		return script.Parameter{Name: name, Help: help, Type: script.StringParam, Set: func(v script.Literal) error { *into = v; return nil }}
	}
	missing := func(name, why string) script.Parameter {
		return script.Parameter{Name: name, Help: "Not supported.", Type: script.StringParam, Set: func(script.Literal) error {
			return errors.New("is not supported: " + why)
		}}
	}
	const number = script.IntParam
	const noDB = "nodes are those of rtpengine_sock"
	return []script.Parameter{
		{Name: "rtpengine_sock", Type: script.StringParam, Help: `Nodes of a set, 0 unless it says another: "1 == udp:host:port=weight udp:host:port". May be given several times.`,
			Set: func(v script.Literal) error { return m.fleet.add(v.Text) }},
		{Name: "rtpengine_disable_tout", Type: number, Min: 1, Max: 86400, Unit: "seconds", Default: "60", Help: "How long a node that does not answer is left alone.", Set: script.Seconds(&m.pause)},
		{Name: "rtpengine_tout", Type: number, Min: 1, Max: 30, Unit: "seconds", Default: "1", Help: "How long an answer may take before the request is sent again.", Set: script.Seconds(&m.timeout)},
		{Name: "rtpengine_retr", Type: number, Min: 0, Max: 20, Unit: "times", Default: "5", Help: "How often a request is sent again.", Set: script.Into(&m.retries)},
		{Name: "rtpengine_timer_interval", Type: number, Min: 1, Max: 3600, Unit: "seconds", Default: "5", Help: "How often it is looked which nodes are to be pinged.", Set: script.Seconds(&m.interval)},
		{Name: "ping_enabled", Type: script.BoolParam, Default: "0", Help: "Has nodes pinged that are enabled and were not heard of.", Set: script.Into(&m.pings)},
		{Name: "extra_failover_error", Type: script.StringParam, Help: "Regular expression of errors after which an offer goes to another node. May be given several times.", Set: func(v script.Literal) error {
			re, err := regexp.Compile("(?i)" + v.Text)
			if err != nil {
				return errors.New("is no regular expression: " + err.Error())
			}
			m.failover = append(m.failover, re)
			return nil
		}},
		keep("extra_id_pv", "Variable whose value via-branch=extra takes.", &m.extraName),
		keep("setid_avp", "AVP with the number of the set.", &m.setName),
		keep("error_pv", "Variable that gets the error of a function that failed.", &m.errorName),
		missing("notification_sock", "notifications of rtpengine are not received"),
		missing("db_url", noDB), missing("db_table", noDB), missing("socket_column", noDB), missing("set_column", noDB),
	}
}

func (m *module) check(l *script.Loading) {
	m.set, m.last = l.Local(), l.Local()
	if m.extraName.Text != "" {
		m.extra = l.Variable(m.extraName)
	}
	if m.setName.Text != "" {
		m.setAVP = l.AVP(m.setName)
	}
	if m.errorName.Text != "" {
		m.errorTo = l.Setter(m.errorName)
	}
	if len(m.fleet.sets) == 0 {
		l.Notef(l.Place(""), "rtpengine has no rtpengine_sock: its functions fail")
	}
}

// start makes the clients of nodes, and takes over those that the configuration before
// had, with their state and the calls that are remembered.
func (m *module) start(e *script.Env) error {
	m.env = e
	before, _ := e.Previous.(*module)
	if before != nil {
		m.fleet.moved = before.fleet.moved
	}
	for _, list := range m.fleet.sets {
		for i, n := range list {
			if old := before.same(n); old != nil && before.timeout == m.timeout && before.retries == m.retries && old.weight == n.weight {
				list[i] = old
				continue
			}
			n.client = ng.NewClient(n.addr, m.timeout, m.retries)
		}
	}
	e.Every(m.interval, m.probe)
	return nil
}

// same finds the node of the same set and URL.
func (m *module) same(n *node) *node {
	if m == nil {
		return nil
	}
	for _, old := range m.fleet.sets[n.set] {
		if old.url == n.url {
			return old
		}
	}
	return nil
}

func (m *module) stop(next any) {
	after, _ := next.(*module)
	for n := range m.fleet.all {
		if n.client != nil && after.same(n) != n {
			n.client.Close()
		}
	}
}

// changed tells that a node is taken out or back.
func (m *module) changed(n *node, status, why string) {
	m.env.Log.Warn("rtpengine: a node is "+status, "node", n.url, "set", n.set, "why", why)
	if m.env.Heard(event) {
		m.env.Raise(event, script.TextParam("socket", n.url), script.TextParam("status", status), script.NumberParam("set", int64(n.set)))
	}
}

func (m *module) down() (count uint64) {
	for n := range m.fleet.all {
		if n.is() != enabled {
			count++
		}
	}
	return count
}

// setOf gives the set that the message uses: that of rtpengine_use_set(), else that of
// setid_avp, else 0.
func (m *module) setOf(x *script.Machine) (int, error) {
	set, chosen := m.set.Get(x).(int)
	if !chosen && m.setAVP != nil {
		if v := m.setAVP.Get(x, 0); !v.IsNull() {
			n, err := strconv.Atoi(string(x.Text(v)))
			if err != nil {
				return 0, errSet
			}
			set = n
		}
	}
	if m.fleet.sets[set] == nil {
		return 0, errSet
	}
	return set, nil
}

var errSet = errors.New("there is no such set of nodes")

// useSet builds rtpengine_use_set().
func (m *module) useSet(a *script.Args) script.Action {
	set, at := a.Int(0), a.Site()
	if text, ok := a.Fixed(0); ok {
		if n, err := strconv.Atoi(text); err != nil || m.fleet.sets[n] == nil {
			a.Errorf(0, "there is no set %s: rtpengine_sock defines %v", text, m.fleet.numbers())
			return nil
		}
	}
	return func(x *script.Machine) int {
		n, ok := set(x)
		if !ok || m.fleet.sets[int(n)] == nil {
			x.Say(at, script.LevelWarn, "rtpengine: there is no such set of nodes", slog.Int64("set", n))
			return -1
		}
		m.set.Set(x, int(n))
		return 1
	}
}
