package rtpengine

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"

	"sipreactor/reactor/modules/dialog"
	"sipreactor/reactor/modules/internal/relay"
	"sipreactor/reactor/modules/rtpengine/ng"
	"sipreactor/reactor/script"
)

// module is the module in one configuration.
type module struct {
	fleet    *relay.Fleet[*ng.Client]
	table    relay.Table
	timeout  time.Duration
	retries  int
	failover []*regexp.Regexp

	extraName, setName, errorName script.Literal

	extra   func(*script.Machine) script.Value // nil: extra_id_pv is not set
	setAVP  *script.AVP
	errorTo script.Setter
	set     *script.Local // int, of rtpengine_use_set()
	last    *script.Local // ng.Dict, the statistics of the call
	told    bool          // the configuration has a $rtpstat

	env      *script.Env
	dialog   *dialog.Module // nil: not loaded
	notifyAt netip.AddrPort // not valid: nobody notifies
	notify   *relay.Notices[module]

	asked, refused script.Count
}

// event is raised when a node is taken out, or back.
const event = "E_RTPENGINE_STATUS"

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := &module{fleet: relay.New[*ng.Client](event), timeout: time.Second, retries: 5,
		table: relay.Table{Name: "rtpengine", Socket: "socket", Set: "set_id"}}
	m.fleet.WithSet, m.fleet.Check = true, checkURL
	return &script.Module{
		Name: "rtpengine", Help: "Has media pass rtpengine.", Instance: m, Uses: []string{"tm", "dialog"},
		Parameters: m.parameters(), Functions: m.functions(), Variables: m.variables(), Commands: append(m.fleet.Commands("rtpengine", &m.table), m.teardown()),
		Statistics: []script.Statistic{
			{Name: "requests", Help: "Requests to rtpengine.", Count: &m.asked},
			{Name: "failed", Help: "Requests that rtpengine refused or did not answer.", Count: &m.refused},
			{Name: "nodes_down", Help: "Nodes that are not used.", Gauge: true, Value: m.fleet.Down},
		},
		Events: []script.Event{{Name: event, Help: "A node is taken out, as it does not answer, or back.", Params: []string{"socket", "status", "set"}},
			{Name: eventNotification, Help: "rtpengine notifies of something, as DTMF that it has heard. The parameters are the nodes of its JSON.", Params: notified}},
		Check: m.check, Start: m.start, Stop: m.stop, Trial: true,
	}
}

func (m *module) parameters() []script.Parameter {
	keep := func(name, help string, into *script.Literal) script.Parameter {
		return script.Parameter{Name: name, Help: help, Type: script.StringParam, Set: func(v script.Literal) error { *into = v; return nil }}
	}
	const number = script.IntParam
	return append(m.table.Parameters("socket_column", "set_column"), []script.Parameter{
		{Name: "rtpengine_sock", Type: script.StringParam, Help: `Nodes of a set, 0 unless it says another: "1 == udp:host:port=weight udp:host:port". May be given several times.`,
			Set: func(v script.Literal) error { return m.fleet.Add(v.Text, 0) }},
		{Name: "rtpengine_disable_tout", Type: number, Min: 1, Max: 86400, Unit: "seconds", Default: "60", Help: "How long a node that does not answer is left alone.", Set: script.Seconds(&m.fleet.Pause)},
		{Name: "rtpengine_tout", Type: number, Min: 1, Max: 30, Unit: "seconds", Default: "1", Help: "How long an answer may take before the request is sent again.", Set: script.Seconds(&m.timeout)},
		{Name: "rtpengine_retr", Type: number, Min: 0, Max: 20, Unit: "times", Default: "5", Help: "How often a request is sent again.", Set: script.Into(&m.retries)},
		{Name: "rtpengine_timer_interval", Type: number, Min: 1, Max: 3600, Unit: "seconds", Default: "5", Help: "How often it is looked which nodes are to be pinged.", Set: script.Seconds(&m.fleet.Interval)},
		{Name: "ping_enabled", Type: script.BoolParam, Default: "0", Help: "Has nodes pinged that are enabled and were not heard of.", Set: script.Into(&m.fleet.PingEnabled)},
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
		{Name: "notification_sock", Type: script.StringParam, Help: "Address and port, by UDP, that rtpengine sends notifications to. Whoever reaches it can have the event raised.", Set: m.setNotifications},
	}...)
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
	m.dialog, _ = l.Instance("dialog").(*dialog.Module)
	m.table.Check(l)
	if !m.table.Given && len(m.fleet.Numbers()) == 0 {
		l.Notef(l.Place(""), "rtpengine has no rtpengine_sock: its functions fail")
	}
}

// checkURL tells what is wrong with the URL of a node.
func checkURL(url string) error {
	proto, addr, ok := strings.Cut(url, ":")
	if !ok || proto != "udp" && proto != "udp6" {
		return fmt.Errorf("%q is no udp:host:port, and rtpengine has no UNIX socket", url)
	}
	host, port, err := net.SplitHostPort(addr)
	if p, perr := strconv.ParseUint(port, 10, 16); err != nil || perr != nil || p == 0 || host == "" {
		return fmt.Errorf("%q is no udp:host:port", url)
	}
	return nil
}

func (m *module) start(e *script.Env) error {
	m.env = e
	if _, err := m.table.Load(e, m.fleet.Add); err != nil || e.Trial {
		return err
	}
	var before *relay.Fleet[*ng.Client]
	old, ok := e.Previous.(*module)
	if ok {
		before = old.fleet
	}
	if err := m.listen(old); err != nil {
		return err
	}
	m.fleet.Open(e, before, ok && old.timeout == m.timeout && old.retries == m.retries, func(url string) *ng.Client {
		_, addr, _ := strings.Cut(url, ":")
		return ng.NewClient(addr, m.timeout, m.retries, relay.Dial(e.Engine))
	})
	return nil
}

func (m *module) stop(next any) {
	var after *relay.Fleet[*ng.Client]
	n, ok := next.(*module)
	if ok {
		after = n.fleet
	}
	m.unlisten(n)
	m.fleet.Close(after)
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
	if !m.fleet.Has(set) {
		return 0, errSet
	}
	return set, nil
}

var errSet = errors.New("there is no such set of nodes")

// useSet builds rtpengine_use_set().
func (m *module) useSet(a *script.Args) script.Action {
	set, at := a.Int(0), a.Site()
	if text, ok := a.Fixed(0); ok {
		if n, err := strconv.Atoi(text); err != nil || !m.fleet.Has(n) && !m.table.Given {
			a.Errorf(0, "there is no set %s: rtpengine_sock defines %v", text, m.fleet.Numbers())
			return nil
		}
	}
	return func(x *script.Machine) int {
		n, ok := set(x)
		if !ok || !m.fleet.Has(int(n)) {
			x.Say(at, script.LevelWarn, "rtpengine: there is no such set of nodes", slog.Int64("set", n))
			return -1
		}
		m.set.Set(x, int(n))
		return 1
	}
}
