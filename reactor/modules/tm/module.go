package tm

import (
	"fmt"
	"sync"
	"time"

	"sipreactor/reactor/modules/signaling"
	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
	"sipreactor/reactor/transaction"
)

// Module is the module for one configuration. Other modules find its transactions by Layer.
type Module struct {
	cfg     transaction.Config
	avpMode int64 // onreply_avp_mode
	stats   bool
	minor   script.Literal
	local   *script.Routine // local_route
	context *script.AVP     // uac_ctx
	views   views

	env    *script.Env
	layer  *transaction.Layer
	calls  sync.Pool // of *call
	legs   sync.Pool // of *legCall
	others sync.Pool // of *sipframe.Message
}

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := &Module{cfg: transaction.Config{Timing: transaction.DefaultTiming()}, stats: true}
	return &script.Module{
		Name:       "tm",
		Help:       "Makes transactions of requests: retransmissions, forking, failover, CANCEL.",
		Instance:   m,
		Parameters: m.parameters(),
		Functions:  m.functions(),
		Variables:  append(m.variables(), m.branchVariables()...),
		Commands:   m.commands(),
		Statistics: m.statistics(),
		Runs:       script.Routes(script.LocalRoute),
		Check:      m.check,
		Start:      m.start,
		Stop:       m.stop,
	}
}

// Layer returns the transactions, from the module's Start on.
func (m *Module) Layer() *transaction.Layer { return m.layer }

func (m *Module) parameters() []script.Parameter {
	t := &m.cfg.Timing
	idle := func(name string, typ script.ParamType, help, note string) script.Parameter {
		return script.Parameter{Name: name, Type: typ, Help: help, Note: note}
	}
	unless := func(name, help string, not *bool) script.Parameter {
		return script.Parameter{Name: name, Type: script.BoolParam, Default: "1", Help: help, Set: func(v script.Literal) error {
			*not = v.Int == 0
			return nil
		}}
	}
	return []script.Parameter{
		{Name: "fr_timeout", Type: script.IntParam, Min: 1, Max: 86400, Unit: "seconds", Default: "30", Help: "How long a request waits for its first response, and one that is no INVITE for its final one.", Set: script.Seconds(&t.NoAnswer)},
		{Name: "fr_inv_timeout", Type: script.IntParam, Min: 1, Max: 86400, Unit: "seconds", Default: "120", Help: "How long an INVITE waits for its final response, from a provisional one on.", Set: script.Seconds(&t.NoFinal)},
		{Name: "wt_timer", Type: script.IntParam, Min: 1, Max: 3600, Unit: "seconds", Default: "5", Help: "How long a transaction that is no INVITE is remembered.", Set: script.Seconds(&t.Wait)},
		{Name: "T1_timer", Type: script.IntParam, Min: 10, Max: 60000, Unit: "milliseconds", Default: "500", Help: "T1, the first interval of retransmissions.", Set: script.Milliseconds(&t.T1)},
		{Name: "T2_timer", Type: script.IntParam, Min: 10, Max: 60000, Unit: "milliseconds", Default: "4000", Help: "T2, the longest interval of retransmissions.", Set: script.Milliseconds(&t.T2)},
		{Name: "restart_fr_on_each_reply", Type: script.BoolParam, Default: "1", Help: "Whether each provisional response begins fr_inv_timeout anew, or only one with another code.", Set: script.Into(&t.RestartOnEach)},
		{Name: "onreply_avp_mode", Type: script.IntParam, Max: 1, Default: "0", Help: "Whether an onreply_route has the AVPs of its transaction (1), or none.", Set: script.Into(&m.avpMode)},
		{Name: "disable_6xx_block", Type: script.BoolParam, Default: "0", Help: "Whether a script may fork after a 6xx.", Set: script.Into(&m.cfg.Go6xx)},
		{Name: "minor_branch_flag", Type: script.AnyParam, Help: "The branch flag of branches that nobody waits for.", Set: func(v script.Literal) error { m.minor = v; return nil }},
		unless("auto_100trying", "Whether an INVITE is answered 100 when its transaction is made.", &m.cfg.Quiet),
		{Name: "enable_stats", Type: script.BoolParam, Default: "1", Help: "Whether statistics are shown.", Note: "statistics are always kept"},
		{Name: "local_request_route", Type: script.StringParam, Help: "The route that is shown each request of ours, as it was sent. It changes nothing and sends nothing.", Set: func(v script.Literal) error {
			m.views.requestName = v
			return nil
		}},
		{Name: "local_reply_route", Type: script.StringParam, Help: "The route that is shown each response of ours by a transaction, but for the 100, as it is sent. It changes nothing and sends nothing.", Set: func(v script.Literal) error {
			m.views.replyName = v
			return nil
		}},
		{Name: "max_transactions", Type: script.IntParam, Min: 1, Max: 8000000, Unit: "transactions", Default: fmt.Sprint(transaction.DefaultMax), Help: "How many transactions there may be; more requests are answered 503.", Set: func(v script.Literal) error {
			m.cfg.Max = int(v.Int)
			return nil
		}},
		idle("delete_timer", script.IntParam, "When a transaction that is still in use is looked at again.", "a transaction is in use as long as somebody holds it, and ends then"),
		unless("ruri_matching", "Whether the Request-URI is compared where messages of peers of RFC 2543 are matched.", &m.cfg.AnyURI),
		unless("via1_matching", "Whether the topmost Via is compared where messages of peers of RFC 2543 are matched.", &m.cfg.AnyVia),
		idle("unix_tx_timeout", script.IntParam, "How long t_write_unix() may take.", "t_write_unix() is not supported"),
		idle("tw_append", script.StringParam, "What t_write_req() adds.", "t_write_req() is not supported"),
		idle("pass_provisional_replies", script.BoolParam, "Whether requests of the management interface see provisional responses.", "a management request has one answer, and t_uac_dlg gives it the final response"),
		idle("syn_branch", script.BoolParam, "How branch parameters are made.", "they are made one way, which is fast and outlives a restart"),
		idle("timer_partitions", script.IntParam, "How many lists of timers there are.", "there is a timer wheel for each worker"),
		{Name: "tm_replication_cluster", Type: script.IntParam, Help: "The cluster of an anycast address.", Set: unsupported("there is no cluster in this version")},
		idle("cluster_param", script.StringParam, "The Via parameter that names the node.", "there is no cluster in this version"),
		idle("cluster_auto_cancel", script.BoolParam, "Whether CANCELs to an anycast address are taken over.", "there is no cluster in this version"),
	}
}

// unsupported is the Set of a parameter that cannot be had.
func unsupported(why string) func(script.Literal) error {
	return func(script.Literal) error { return fmt.Errorf("is not supported: %s", why) }
}

// check looks up what parameters name, and has send_reply() answer by transactions.
func (m *Module) check(l *script.Loading) {
	if m.minor.Text != "" {
		m.cfg.MinorFlag = 1 << l.BranchFlag(m.minor)
	}
	m.views.check(l)
	m.context = l.AVP(script.Literal{Text: "uac_ctx"})
	if s, ok := l.Instance("signaling").(*signaling.Module); ok {
		s.SetResponder(m.sendReply)
	}
}

// start makes the transactions, or takes those of the configuration before over.
func (m *Module) start(e *script.Env) error {
	m.env, m.local = e, e.Program.Route(script.LocalRoute, "")
	m.cfg.Logger = e.Log
	if before, ok := e.Previous.(*Module); ok && before.layer != nil {
		m.layer = before.layer
		m.layer.Configure(m.cfg)
	} else {
		m.layer = transaction.NewLayer(m.cfg, e.Proxy)
		if e.Engine != nil {
			m.layer.Start(e.Engine)
		}
	}
	m.layer.SetScript(m)
	return nil
}

// stop ends the transactions, unless they are another configuration's now.
func (m *Module) stop(next any) {
	if m.layer == nil {
		return
	}
	if _, taken := next.(*Module); !taken && m.env.Engine != nil {
		m.layer.Stop()
	}
}

// sendReply is send_reply(): by the transaction if there is one, else without.
func (m *Module) sendReply(x *script.Machine, code int, reason []byte) error {
	c := x.Context()
	if transaction.Of(c) == nil {
		return c.Respond(code, reason)
	}
	if m.layer.Respond(c, code, reason, nil) != transaction.Relayed {
		return proxy.ErrAnswered
	}
	return nil
}

func (m *Module) statistics() []script.Statistic {
	all := []script.Statistic{{Name: "inuse_transactions", Help: "Transactions that there are.", Gauge: true, Value: func() uint64 {
		if m.layer == nil {
			return 0
		}
		return uint64(m.layer.Live())
	}}}
	for _, name := range transaction.CounterNames() {
		all = append(all, script.Statistic{Name: name.Name, Help: name.Help,
			Value: func() uint64 {
				if m.layer == nil {
					return 0
				}
				return m.layer.Count(name.Name)
			},
			Reset: func() {
				if m.layer != nil {
					m.layer.ResetCount(name.Name)
				}
			}})
	}
	return all
}

// seconds of a timing.
func seconds(d time.Duration) int64 { return int64(d / time.Second) }
