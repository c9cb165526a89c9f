package b2b_logic

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	b2b "sipreactor/reactor/modules/b2b_entities"
	"sipreactor/reactor/script"
	"sipreactor/sipframe"
)

// Module is b2b_logic of one configuration.
type Module struct {
	calls                    *calls
	entities                 *b2b.Module
	requestRoute, replyRoute script.Literal
	onRequest, onReply       *script.Routine
	fromName, addressText    script.Literal
	from                     func(x *script.Machine) script.Value // nil: as the caller has it
	address                  func(x *script.Machine) []byte
	user, callIDHeader       string
	custom                   []string
	pattern                  *regexp.Regexp
	setup, lasts             time.Duration
}

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := &Module{calls: &calls{byKey: map[string]*call{}}, setup: time.Minute, lasts: 12 * time.Hour}
	return &script.Module{
		Name: "b2b_logic", Help: "A back-to-back user agent: calls of two sessions, joined as the script has it.", Needs: []string{"b2b_entities", "tm"}, Instance: m,
		Note:       "calls are in memory, and end with the program; 100rel is not offered from one party to the other",
		Parameters: m.parameters(), Functions: m.functions(), Variables: m.variables(), Commands: m.commands(),
		Statistics: []script.Statistic{{Name: "calls", Help: "Calls that there are.", Gauge: true, Value: func() uint64 { return m.calls.len() }}},
		Lacks: []script.Lack{
			{Kind: script.LacksFunction, Names: "b2b_bridge_request b2b_trigger_scenario", Why: "calls begin with an INVITE that b2b_init_request() is called for"},
			{Kind: script.LacksCommand, Names: "b2b_trigger_scenario", Why: "calls begin with an INVITE that b2b_init_request() is called for"},
			{Kind: script.LacksParameter, Names: "script_scenario extern_scenario", Why: "scenarios in XML are gone since OpenSIPS 3.2: routes say what is to be done, script_req_route and script_reply_route"},
		},
		Check: m.check,
		Start: func(e *script.Env) error {
			if old, ok := e.Previous.(*Module); ok {
				m.calls = old.calls
			}
			e.Every(time.Second, func(context.Context) { m.sweep(time.Now()) })
			return nil
		},
	}
}

func (m *Module) parameters() []script.Parameter {
	idle := func(name string, kind script.ParamType, help, why string) script.Parameter {
		return script.Parameter{Name: name, Type: kind, Help: help, Note: why}
	}
	keep := func(name string, kind script.ParamType, help string, to *script.Literal) script.Parameter {
		return script.Parameter{Name: name, Type: kind, Help: help, Set: func(v script.Literal) error {
			*to = v
			return nil
		}}
	}
	const memory = "calls are in memory, and end with the program"
	return []script.Parameter{
		keep("script_req_route", script.WordParam, "The route that is run for requests of calls; without it they are passed on.", &m.requestRoute),
		keep("script_reply_route", script.WordParam, "The route that is run for responses of calls; without it they are passed on.", &m.replyRoute),
		{Name: "custom_headers", Type: script.StringParam, Help: "Headers that are passed from one party to the other, by semicolons, besides Supported, Allow, Proxy-Require, Session-Expires, Min-SE and Require.", Set: m.setCustom},
		{Name: "custom_headers_regexp", Type: script.StringParam, Help: "The expression of names of headers that are passed, too: /^x-/i.", Set: m.setPattern},
		keep("b2bl_from_spec_param", script.StringParam, "The variable with From of the INVITE to the callee; by default as the caller has it.", &m.fromName),
		keep("server_address", script.StringParam, "URI of our Contact, with variables; by default that of the socket.", &m.addressText),
		{Name: "contact_user", Type: script.BoolParam, Default: "0", Help: "Whether our Contact has the user of the caller's From ", Set: func(v script.Literal) error {
			if v.Int != 0 {
				m.user = "yes"
			}
			return nil
		}},
		{Name: "init_callid_hdr", Type: script.StringParam, Help: "The header that tells the callee the Call-ID of the caller's INVITE.", Set: func(v script.Literal) error {
			if !sipframe.IsToken([]byte(v.Text)) {
				return fmt.Errorf("is the name of a header: found %q", v.Text)
			}
			m.callIDHeader = v.Text
			return nil
		}},
		{Name: "b2bl_th_init_timeout", Type: script.IntParam, Min: 1, Max: 3600, Default: "60", Unit: "seconds", Help: "How long a call may take to be answered.", Set: script.Seconds(&m.setup)},
		{Name: "max_duration", Type: script.IntParam, Max: 7 * 86400, Default: "43200", Unit: "seconds", Help: "How long a call lasts at most; 0 is a week.", Set: func(v script.Literal) error {
			m.lasts = time.Duration(v.Int) * time.Second
			if v.Int == 0 {
				m.lasts = 7 * 24 * time.Hour
			}
			return nil
		}},
		idle("hash_size", script.IntParam, "Size of a table.", "tables grow by themselves"), idle("cleanup_period", script.IntParam, "How often calls are looked at.", "a call ends in the second that its time is over"),
		idle("db_url", script.StringParam, "The database.", memory), idle("db_mode", script.IntParam, "When calls are stored.", memory), idle("db_table", script.StringParam, "The table.", memory),
		idle("update_period", script.IntParam, "How often calls are stored.", memory), idle("cachedb_url", script.StringParam, "The cache.", memory), idle("cachedb_key_prefix", script.StringParam, "What keys there begin with.", memory),
		idle("use_init_sdp", script.BoolParam, "Whether a new party gets the caller's SDP.", "a new party is asked for an offer"),
		idle("b2bl_early_update", script.BoolParam, "Whether calls that ring are bridged.", "a call is bridged once it is answered"),
		idle("old_entity_term_delay", script.IntParam, "How long the BYE to a leg that is replaced waits.", "it is sent at once"),
	}
}

func (m *Module) setCustom(v script.Literal) error {
	for name := range strings.SplitSeq(v.Text, ";") {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		if !sipframe.IsToken([]byte(name)) {
			return fmt.Errorf("is names of headers with semicolons between them: found %q", name)
		}
		m.custom = append(m.custom, name)
	}
	return nil
}

// setPattern reads an expression, /expression/ or /expression/flags.
func (m *Module) setPattern(v script.Literal) (err error) {
	text, flags := v.Text, ""
	if rest, ok := strings.CutPrefix(text, "/"); ok {
		i := strings.LastIndexByte(rest, '/')
		if i < 0 {
			return fmt.Errorf("is expression, /expression/ or /expression/flags: found %q", text)
		}
		text, flags = rest[:i], rest[i+1:]
	}
	if strings.Trim(flags, "ie") != "" {
		return fmt.Errorf("has the unknown flags %q: i and e are there", flags)
	}
	if strings.Contains(flags, "i") {
		text = "(?i)" + text
	}
	m.pattern, err = regexp.Compile(text)
	return err
}

func (m *Module) check(l *script.Loading) {
	m.entities, _ = l.Instance("b2b_entities").(*b2b.Module)
	if m.requestRoute.Text != "" {
		m.onRequest = l.Route(script.RequestRoute, m.requestRoute)
	}
	if m.replyRoute.Text != "" {
		m.onReply = l.Route(script.RequestRoute, m.replyRoute)
	}
	if m.fromName.Text != "" {
		m.from = l.Variable(m.fromName)
	}
	if m.addressText.Text != "" {
		m.address = l.Format(m.addressText)
		if text := m.addressText.Text; !strings.Contains(text, "$") && !isURI(text) {
			l.Errorf(m.addressText.At, "server_address is no URI such as sip:host:port")
		}
	}
}
