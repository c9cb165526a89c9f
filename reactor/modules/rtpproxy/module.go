package rtpproxy

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strconv"
	"time"

	"sipreactor/reactor/modules/internal/anchor"
	"sipreactor/reactor/modules/internal/relay"
	"sipreactor/reactor/modules/rtpproxy/control"
	"sipreactor/reactor/script"
)

// module is the module in one configuration.
type module struct {
	fleet      *relay.Fleet[*control.Client]
	socks      []script.Literal
	timeout    time.Duration
	retries    int
	defaultSet int
	mark       string
	chosen     *script.Local // int, of set_rtp_proxy_set()
	follower   anchor.Follower
	env        *script.Env
	table      relay.Table
	notifyAt   string                 // where rtpproxy tells that media has ceased; "": nowhere
	notify     *relay.Notices[module] // nil: nobody tells

	asked, refused script.Count
}

// event is raised when a node is taken out, or back.
const event = "E_RTPPROXY_STATUS"

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := &module{fleet: relay.New[*control.Client](event), timeout: time.Second, retries: 5, mark: "a=nortpproxy:yes\r\n",
		table: relay.Table{Name: "rtpproxy_sockets", Socket: "rtpproxy_sock", Set: "set_id"}}
	m.follower = anchor.Follower{Name: "rtpproxy", Engines: map[string]relay.Engine{"rtpproxy": m}}
	m.fleet.Check = func(url string) error { _, _, err := control.Parse(url); return err }
	return &script.Module{
		Name: "rtpproxy", Help: "Has media pass rtpproxy.", Instance: m, Uses: []string{"tm", "dialog"},
		Parameters: m.parameters(), Functions: m.functions(), Commands: m.fleet.Commands("rtpproxy", &m.table),
		Statistics: []script.Statistic{
			{Name: "requests", Help: "Offers, answers and other requests to rtpproxy.", Count: &m.asked},
			{Name: "failed", Help: "Requests that rtpproxy refused or did not answer.", Count: &m.refused},
			{Name: "nodes_down", Help: "Nodes that are not used.", Gauge: true, Value: m.fleet.Down},
		},
		Events: []script.Event{{Name: event, Help: "A node is taken out, as it does not answer, or back.", Params: []string{"socket", "status"}}},
		Check:  m.check, Start: m.start, Stop: m.stop, Trial: true,
	}
}

func (m *module) parameters() []script.Parameter {
	missing := func(name, why string) script.Parameter {
		return script.Parameter{Name: name, Help: "Not supported.", Type: script.AnyParam, Set: func(v script.Literal) error {
			if v.IsInt && v.Int == 0 {
				return nil
			}
			return errors.New("is not supported: " + why)
		}}
	}
	unused := func(name string) script.Parameter {
		return script.Parameter{Name: name, Help: "Has no effect.", Type: script.AnyParam, Note: "no SDP is generated here"}
	}
	return append(m.table.Parameters("rtpp_socket_col", "set_id_col"), []script.Parameter{
		{Name: "rtpproxy_sock", Type: script.StringParam, Help: `Nodes of a set: "1 == udp:host:port|advertised address=weight tcp:host:port /path". May be given several times.`,
			Set: func(v script.Literal) error { m.socks = append(m.socks, v); return nil }},
		{Name: "rtpproxy_disable_tout", Type: script.IntParam, Min: 1, Max: 86400, Unit: "seconds", Default: "60", Help: "How long a node that does not answer is left alone.", Set: script.Seconds(&m.fleet.Pause)},
		{Name: "rtpproxy_timeout", Type: script.AnyParam, Default: "1", Help: "How long an answer may take before the command is sent again, in seconds: 0.01 to 30.", Set: func(v script.Literal) error {
			s, err := strconv.ParseFloat(v.Text, 64)
			if err != nil || !(s >= 0.01 && s <= 30) {
				return fmt.Errorf("is no number of seconds from 0.01 to 30: %q", v.Text)
			}
			m.timeout = time.Duration(s * float64(time.Second))
			return nil
		}},
		{Name: "rtpproxy_retr", Type: script.IntParam, Min: 0, Max: 20, Unit: "times", Default: "5", Help: "How often a command is sent again.", Set: script.Into(&m.retries)},
		{Name: "default_set", Type: script.IntParam, Min: 0, Max: 1<<31 - 1, Default: "0", Help: "The set that is used where no other is named.", Set: script.Into(&m.defaultSet)},
		{Name: "nortpproxy_str", Type: script.StringParam, Default: "a=nortpproxy:yes", Help: "Line that marks an SDP that was changed; empty is none.", Set: script.Into(&m.mark)},
		missing("rtpproxy_autobridge", "the flags i and e say how media is bridged"),
		{Name: "rtpp_notify_socket", Type: script.StringParam, Help: "Where nodes tell that no media of a call comes any more, of those that the flag n asks it for: tcp:host:port, unix:path or a path. The call is ended. Whoever reaches a path may do so, by TCP the addresses of nodes and of this machine.", Set: m.setNotify},
		unused("generated_sdp_port_min"), unused("generated_sdp_port_max"), unused("generated_sdp_media_ip"),
	}...)
}

func (m *module) check(l *script.Loading) {
	m.chosen = l.Local()
	m.follower.Check(l)
	for _, v := range m.socks {
		if err := m.fleet.Add(v.Text, m.defaultSet); err != nil {
			l.Errorf(v.At, "rtpproxy_sock %v", err)
		}
	}
	for n := range m.fleet.All {
		if _, err := netip.ParseAddr(n.Advertised); n.Advertised != "" && err != nil {
			l.Errorf(l.Place("rtpproxy_sock"), "rtpproxy_sock is wrong: %q is no address", n.Advertised)
		}
	}
	m.table.Check(l)
	if m.notifyAt != "" && !m.follower.Ready() {
		l.Notef(l.Place("rtpp_notify_socket"), "notifications of rtpproxy end no call: they need the modules tm and dialog")
	}
	if !m.table.Given && len(m.fleet.Numbers()) == 0 {
		l.Notef(l.Place(""), "rtpproxy has no rtpproxy_sock: its functions fail")
	}
}

func (m *module) start(e *script.Env) error {
	if _, err := m.table.Load(e, m.fleet.Add); err != nil || e.Trial {
		return err
	}
	var before *relay.Fleet[*control.Client]
	var calls *anchor.Follower
	old, ok := e.Previous.(*module)
	if ok {
		before, calls = old.fleet, &old.follower
	}
	m.env = e
	if err := m.listen(old); err != nil {
		return err
	}
	m.follower.Start(e, calls)
	m.fleet.Open(e, before, ok && old.timeout == m.timeout && old.retries == m.retries, func(url string) *control.Client {
		network, addr, _ := control.Parse(url) // it was checked
		return control.NewClient(network, addr, m.timeout, m.retries, relay.Dial(e.Engine))
	})
	return nil
}

func (m *module) stop(next any) {
	var after *relay.Fleet[*control.Client]
	n, _ := next.(*module)
	if n != nil {
		after = n.fleet
	}
	m.unlisten(n)
	m.follower.Stop()
	m.fleet.Close(after)
}

func (m *module) functions() []script.Function {
	const text, number, set = script.TextArg, script.IntArg, script.SetArg
	kinds := func(k ...script.ArgKind) []script.ArgKind { return k }
	const sdpArgs = `(["flags"[, "address"[, set[, $var(node)[, $var(place)[, $var(body)[, "local"]]]]]]])`
	sdp := func(name, help string, answer bool) script.Function {
		return script.Function{Name: name, Usage: name + sdpArgs, Help: help, Args: kinds(text, text, number, set, set, set, text), Routes: withMessage, Async: true, Build: m.exchange(answer)}
	}
	stream := func(name, help string, toUAS bool) script.Function {
		return script.Function{Name: name, Usage: name + `("prompt", count[, set[, $var(node)]])`, Help: help, Args: kinds(text, number, number, set), Min: 2, Routes: withMessage, Async: true, Build: m.stream(toUAS)}
	}
	return []script.Function{
		sdp("rtpproxy_offer", "Has the SDP of an offer name rtpproxy.", false),
		sdp("rtpproxy_answer", "Has the SDP of an answer name rtpproxy.", true),
		{Name: "rtpproxy_unforce", Aliases: []string{"unforce_rtp_proxy"}, Usage: "rtpproxy_unforce([set[, $var(node)]])", Help: "Ends the call's media.", Args: kinds(number, set), Routes: withMessage, Async: true, Build: m.plain("D", 0, 1)},
		stream("rtpproxy_stream2uac", "Plays a prompt, a file of rtpproxy's, to who sent the request, so many times, or with -1 until it is stopped.", false),
		stream("rtpproxy_stream2uas", "The same to who answers it.", true),
		{Name: "rtpproxy_stop_stream2uac", Usage: "rtpproxy_stop_stream2uac([set[, $var(node)]])", Help: "Stops that.", Args: kinds(number, set), Routes: withMessage, Async: true, Build: m.stopStream(false)},
		{Name: "rtpproxy_stop_stream2uas", Usage: "rtpproxy_stop_stream2uas([set[, $var(node)]])", Help: "Stops that.", Args: kinds(number, set), Routes: withMessage, Async: true, Build: m.stopStream(true)},
		{Name: "rtpproxy_start_recording", Aliases: []string{"start_recording"}, Usage: "rtpproxy_start_recording([set[, $var(node)[, \"flags\"]]])", Help: "Begins to record the call; with the flag s into one file.",
			Args: kinds(number, set, script.FixedArg, text, number), Routes: withMessage, Async: true, Build: m.record},
		{Name: "rtpproxy_stats", Usage: "rtpproxy_stats($var(up), $var(down), $var(sent), $var(fail)[, set[, $var(node)]])", Help: "Counts the packets of the call.",
			Args: kinds(set, set, set, set, number, set), Min: 4, Routes: withMessage, Async: true, Build: m.stats},
		{Name: "rtpproxy_all_stats", Usage: "rtpproxy_all_stats($avp(stats)[, set[, $var(node)]])", Help: "Has an AVP be the numbers of the call, in this order: seconds to its timeout, packets of the caller, of the callee, relayed, dropped, and what else the node tells.",
			Args: kinds(script.AVPArg, number, set), Min: 1, Routes: withMessage, Async: true, Build: m.allStats},
		{Name: "set_rtp_proxy_set", Usage: "set_rtp_proxy_set(set)", Help: "Has the message use the nodes of another set.", Args: kinds(number), Min: 1, Routes: withMessage, Build: m.choose},
		{Name: "rtpproxy_engage", Aliases: []string{"engage_rtp_proxy"}, Usage: `rtpproxy_engage(["flags"[, "address"[, set[, $var(node)]]]])`, Args: kinds(text, text, number, set, set),
			Routes: script.Routes(script.RequestRoute, script.FailureRoute, script.BranchRoute), Help: "Has the media of the INVITE's call pass rtpproxy until its end.", Build: m.engage},
	}
}

// withMessage are the routes in which there is a message.
var withMessage = script.Routes(script.RequestRoute, script.OnReplyRoute, script.FailureRoute, script.BranchRoute, script.LocalRoute)

func (m *module) exchange(answer bool) func(a *script.Args) script.Action {
	return func(a *script.Args) script.Action {
		if text, ok := a.Fixed(0); ok {
			if !m.checkFlags(a, text) {
				return nil
			}
		}
		e := &exchange{act: m.newAct(a, 2, 3), answer: answer, flags: a.Text(0), address: a.Text(1), ret: a.Setter(4), body: a.Setter(5), local: a.Text(6)}
		if e.body != nil {
			e.bodyNow = a.Read(5)
		}
		return e.run
	}
}

func (m *module) plain(command string, setArg, nodeArg int) func(a *script.Args) script.Action {
	return func(a *script.Args) script.Action {
		f := m.newAct(a, setArg, nodeArg)
		return func(x *script.Machine) int {
			if _, err := f.plain(x, command); err != nil {
				return f.failed(x, err)
			}
			return 1
		}
	}
}

func (m *module) record(a *script.Args) script.Action {
	if a.Given(3) || a.Given(4) {
		a.Errorf(-1, "a destination of rtpproxy_start_recording() is not supported: rtpproxy records where its own options say")
		return nil
	}
	command := "R"
	switch text, _ := a.Fixed(2); text {
	case "":
	case "s":
		command = "Rs"
	default:
		a.Errorf(2, "unknown flags %q: s is there", text)
		return nil
	}
	return m.plain(command, 0, 1)(a)
}

// stats reads time to live, packets of the caller and the callee, relayed and dropped.
func (m *module) stats(a *script.Args) script.Action {
	f := m.newAct(a, 4, 5)
	set := [4]script.Setter{a.Setter(0), a.Setter(1), a.Setter(2), a.Setter(3)}
	return func(x *script.Machine) int {
		words, err := f.plain(x, "Q")
		if err == nil && len(words) < 5 {
			err = errAnswer
		}
		if err != nil {
			return f.failed(x, err)
		}
		for i, to := range set {
			n, err := strconv.ParseInt(words[i+1], 10, 64)
			if err != nil {
				return f.failed(x, errAnswer)
			}
			if code := to(x, script.Int(n)); code < 0 {
				return code
			}
		}
		return 1
	}
}

// allStats builds rtpproxy_all_stats().
func (m *module) allStats(a *script.Args) script.Action {
	f, to := m.newAct(a, 1, 2), a.AVP(0)
	return func(x *script.Machine) int {
		words, err := f.plain(x, "Q")
		if err != nil {
			return f.failed(x, err)
		}
		to.Clear(x)
		for _, w := range words {
			n, err := strconv.ParseInt(w, 10, 64)
			if err != nil {
				to.Clear(x)
				return f.failed(x, errAnswer)
			}
			if !to.Append(x, script.Int(n)) {
				return x.Fail(f.at, "there are too many numbers")
			}
		}
		return 1
	}
}

// choose builds set_rtp_proxy_set().
func (m *module) choose(a *script.Args) script.Action {
	set, at := a.Int(0), a.Site()
	if text, ok := a.Fixed(0); ok {
		if n, err := strconv.Atoi(text); err != nil || !m.fleet.Has(n) && !m.table.Given {
			a.Errorf(0, "there is no set %s: rtpproxy_sock defines %v", text, m.fleet.Numbers())
			return nil
		}
	}
	return func(x *script.Machine) int {
		n, ok := set(x)
		if !ok || !m.fleet.Has(int(n)) {
			x.Say(at, script.LevelWarn, "rtpproxy: there is no such set of nodes", slog.Int64("set", n))
			return -1
		}
		m.chosen.Set(x, int(n))
		return 1
	}
}
