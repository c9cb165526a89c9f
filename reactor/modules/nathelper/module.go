package nathelper

import (
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"sipreactor/reactor/modules/usrloc"
	"sipreactor/reactor/rpc"
	"sipreactor/reactor/script"
	"sipreactor/reactor/transaction"
)

// module is nathelper of one configuration.
type module struct {
	interval    time.Duration
	natedOnly   bool
	pingStreams bool
	received    script.Literal
	receivedAVP *script.AVP
	forceSocket string
	sipFlag     script.Literal
	removeFlag  script.Literal
	latencyFlag script.Literal
	from        script.Literal
	method      string
	ignored     map[int]bool // codes of answers that say nothing
	mark        string
	skipOld     string
	threshold   time.Duration
	maxLost     int64

	sipBit, removeBit, latencyBit uint32 // branch flags as a contact has them; 0 none
	places                        *usrloc.Module
	env                           *script.Env
	off                           atomic.Bool // by management
	pings                         pinger
}

// New returns the module for a configuration.
func New(*script.Config) *script.Module {
	m := &module{method: "OPTIONS", mark: "a=nortpproxy:yes\r\n", threshold: 3 * time.Second, maxLost: 3}
	return &script.Module{
		Name: "nathelper", Help: "Helps with NAT: tests, addresses that are put right, pings.", Instance: m,
		Parameters: m.parameters(), Functions: m.functions(), Statistics: m.pings.statistics(),
		Commands: []rpc.Command{{Name: "nh_enable_ping", Aliases: []string{"nathelper:enable_ping"}, Module: "nathelper",
			Help:   "Tells whether contacts are pinged, or turns that on (1) or off (0).",
			Params: []rpc.Param{{Name: "status", Kind: rpc.Integer, Optional: true}}, Func: m.enable}},
		Check: m.check, Start: m.start,
	}
}

func (m *module) parameters() []script.Parameter {
	keep := func(name, help string, into *script.Literal) script.Parameter {
		return script.Parameter{Name: name, Help: help, Type: script.StringParam, Set: func(v script.Literal) error { *into = v; return nil }}
	}
	text := func(name, help string, into *string) script.Parameter {
		return script.Parameter{Name: name, Help: help, Type: script.StringParam, Default: strings.TrimSpace(*into), Set: script.Into(into)}
	}
	const spread = "pings are spread over natping_interval"
	return []script.Parameter{
		{Name: "natping_interval", Type: script.IntParam, Min: 0, Max: 86400, Unit: "seconds", Default: "0", Set: script.Seconds(&m.interval),
			Help: "How often a contact is pinged; 0 is never."},
		{Name: "ping_nated_only", Type: script.BoolParam, Default: "0", Set: script.Into(&m.natedOnly),
			Help: "Only contacts with usrloc's nat_bflag are pinged."},
		{Name: "natping_tcp", Type: script.BoolParam, Default: "0", Set: script.Into(&m.pingStreams),
			Help: "Contacts over TCP and TLS are pinged, too."},
		keep("received_avp", "AVP that fix_nated_register() fills.", &m.received),
		keep("sipping_bflag", "Branch flag of contacts that are pinged by a SIP request.", &m.sipFlag),
		keep("remove_on_timeout_bflag", "Branch flag of contacts that go when they answer no pings.", &m.removeFlag),
		{Name: "sipping_from", Type: script.StringParam, Help: "URI in From of pings.", Set: m.setFrom},
		{Name: "sipping_method", Type: script.StringParam, Default: m.method, Help: "Method of pings.", Set: script.Checked(script.CheckPing, &m.method)},
		{Name: "sipping_ignore_rpl_codes", Type: script.StringParam, Help: "Codes of answers that say nothing, with commas.", Set: m.setIgnored},
		{Name: "force_socket", Type: script.StringParam, Help: "Listener to ping from, where a contact has none: [proto:]host[:port] or its tag.", Socket: true, Set: script.Into(&m.forceSocket)},
		text("nortpproxy_str", "Line that marks a session description that was changed.", &m.mark),
		text("oldip_skip", "o and c leave out a=oldoip and a=oldcip.", &m.skipOld),
		{Name: "ping_threshold", Type: script.IntParam, Min: 1, Max: 3600, Unit: "seconds", Default: "3", Set: script.Seconds(&m.threshold),
			Help: "How long an answer to a ping may take."},
		{Name: "max_pings_lost", Type: script.IntParam, Min: 1, Max: 1000, Unit: "pings", Default: "3", Set: script.Into(&m.maxLost),
			Help: "Pings without an answer, one behind the other, after which a contact goes."},
		{Name: "natping_partitions", Help: "Bursts of pings.", Type: script.IntParam, Note: spread},
		{Name: "natping_processes", Help: "Processes that ping.", Type: script.IntParam, Note: spread},
		{Name: "natping_socket", Help: "Address that pings pretend to come from.", Type: script.StringParam, Note: "pings come from the listener of the contact"},
		keep("sipping_latency_flag", "Branch flag of contacts whose latency is kept.", &m.latencyFlag),
		{Name: "cluster_id", Help: "Cluster.", Type: script.IntParam, Note: "there is no cluster"},
		{Name: "cluster_sharing_tag", Help: "Tag of the node that pings.", Type: script.StringParam, Note: "there is no cluster"},
	}
}

func (m *module) setFrom(v script.Literal) error {
	m.from = v
	return script.CheckURI(v.Text)
}

func (m *module) setIgnored(v script.Literal) error {
	m.ignored = make(map[int]bool)
	for w := range strings.SplitSeq(v.Text, ",") {
		var code int
		if _, err := fmt.Sscanf(strings.TrimSpace(w), "%3d", &code); err != nil || code < 100 || code > 699 {
			return fmt.Errorf("is wrong: %q is no status code", w)
		}
		m.ignored[code] = true
	}
	return nil
}

func (m *module) functions() []script.Function {
	const text = script.TextArg
	kinds := func(k ...script.ArgKind) []script.ArgKind { return k }
	return []script.Function{
		{Name: "nat_uac_test", Usage: `nat_uac_test("tests")`, Min: 1, Help: "Reports whether one of the tests says that the sender is behind NAT.",
			Args: kinds(text), Build: m.uacTest,
			Routes: script.Routes(script.RequestRoute, script.OnReplyRoute, script.FailureRoute, script.BranchRoute)},
		{Name: "fix_nated_contact", Usage: `fix_nated_contact(["parameters"[, "flags"]])`, Help: "Has Contact name where the message came from.",
			Args: kinds(text, text), Build: m.fixContact, Routes: script.Routes(script.RequestRoute, script.OnReplyRoute, script.BranchRoute),
			Reach: script.Routes(script.FailureRoute, script.LocalRoute)},
		{Name: "fix_nated_sdp", Usage: `fix_nated_sdp("flags"[, "address"[, "lines"]])`, Min: 1, Help: "Has the session description name where the message came from.",
			Args: kinds(text, text, text), Build: m.fixSDP,
			Routes: script.Routes(script.RequestRoute, script.OnReplyRoute, script.FailureRoute, script.BranchRoute)},
		{Name: "fix_nated_register", Usage: "fix_nated_register()", Help: "Keeps in received_avp where the REGISTER came from.",
			Build: m.fixRegister, Routes: script.Routes(script.RequestRoute), Reach: script.Requests},
		{Name: "add_rcv_param", Usage: "add_rcv_param([in the URI])", Help: "Has Contact tell where the message came from.",
			Args: kinds(script.IntArg), Build: m.addReceived, Routes: script.Routes(script.RequestRoute)},
		{Name: "restore_nated_ruri", Usage: "restore_nated_ruri()", Help: "Puts back what fix_nated_contact() kept by preserve-uri.",
			Build: m.restore, Routes: script.Routes(script.RequestRoute, script.BranchRoute)},
	}
}

// uacTest builds nat_uac_test().
func (m *module) uacTest(a *script.Args) script.Action {
	list, at := a.Text(0), a.Site()
	if text, ok := a.Fixed(0); ok {
		t, err := parseTests(text)
		if err != nil {
			a.Errorf(0, "%v", err)
			return nil
		}
		return func(x *script.Machine) int { return truth(t.passes(x)) }
	}
	return func(x *script.Machine) int {
		b, _ := list(x)
		t, err := parseTests(string(b))
		if err != nil {
			return x.Fail(at, err.Error())
		}
		return truth(t.passes(x))
	}
}

func truth(ok bool) int {
	if ok {
		return 1
	}
	return -1
}

func (m *module) check(l *script.Loading) {
	if m.received.Text != "" {
		m.receivedAVP = l.AVP(m.received)
		for _, keeper := range []string{"registrar", "mid_registrar"} {
			if core, ok := l.Instance(keeper).(interface{ ReceivedAVP() string }); ok && strings.TrimSpace(core.ReceivedAVP()) != strings.TrimSpace(m.received.Text) {
				l.Errorf(m.received.At, `received_avp %s is not the one that %s reads, %q: modparam("nathelper|%s", "received_avp", ...) sets both`, m.received.Text, keeper, core.ReceivedAVP(), keeper)
			}
		}
	}
	if m.sipFlag.Text != "" {
		m.sipBit = 1 << l.BranchFlag(m.sipFlag)
	}
	if m.removeFlag.Text != "" {
		m.removeBit = 1 << l.BranchFlag(m.removeFlag)
	}
	if m.latencyFlag.Text != "" {
		m.latencyBit = 1 << l.BranchFlag(m.latencyFlag)
	}
	m.places, _ = l.Instance("usrloc").(*usrloc.Module)
	switch {
	case m.interval == 0:
	case m.places == nil:
		l.Errorf(l.Place("natping_interval"), `pings need the module usrloc: loadmodule "usrloc.so"`)
	case m.natedOnly && m.places.NATFlagName() == "":
		l.Errorf(l.Place("ping_nated_only"), `ping_nated_only needs modparam("usrloc", "nat_bflag", "name")`)
	case m.from.Text == "" && m.sipBit|m.removeBit != 0:
		l.Notef(l.Place("natping_interval"), `without modparam("nathelper", "sipping_from", "sip:pinger@example.org") no SIP request pings: contacts with sipping_bflag or remove_on_timeout_bflag are pinged as the others are`)
		m.sipBit, m.removeBit = 0, 0
	case m.from.Text != "":
		if m.pings.tm, _ = l.Instance("tm").(transactions); m.pings.tm == nil {
			l.Errorf(m.from.At, `pings by SIP requests need the module tm: loadmodule "tm.so"`)
		}
	}
}

// transactions is the module tm, whose transactions are there once it has started.
type transactions interface{ Layer() *transaction.Layer }
