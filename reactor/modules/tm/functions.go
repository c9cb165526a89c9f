package tm

import (
	"regexp"
	"strconv"

	"sipreactor/reactor/script"
	"sipreactor/reactor/transaction"
	"sipreactor/sipframe"
)

// Kinds of routes, as the documentation gives them to functions.
var (
	requestOnly    = script.Routes(script.RequestRoute)
	requestFailure = script.Routes(script.RequestRoute, script.FailureRoute)
	arming         = script.Routes(script.RequestRoute, script.BranchRoute, script.OnReplyRoute, script.FailureRoute)
)

func (m *Module) functions() []script.Function {
	text, number := script.TextArg, script.IntArg
	return []script.Function{
		{Name: "t_relay", Usage: `t_relay(["flags"][, "proto:host:port"])`, Help: "Sends the request on by a transaction, which it makes where there is none. The destination may stand alone, as in OpenSIPS 2. Codes: -1 error, -2 bad message, -3 no branch or canceled, -4 unresolvable, -5 blacklisted, -6 not sent.",
			Args: []script.ArgKind{text, text}, Routes: requestFailure, Build: m.relay},
		{Name: "t_newtran", Usage: "t_newtran()", Help: "Makes a transaction of the request; a retransmission ends the script. -10: there is one already.",
			Routes: requestOnly, Build: m.newtran},
		{Name: "t_reply", Usage: `t_reply(code, "reason")`, Help: "Answers the request by its transaction, which it makes where there is none.",
			Args: []script.ArgKind{number, text}, Min: 2, Routes: requestFailure, Build: script.StatusAction(func(x *script.Machine, _ *script.Site, code int, reason []byte) int {
				return m.respond(x, code, reason, nil)
			})},
		{Name: "t_reply_with_body", Usage: `t_reply_with_body(code, "reason", "body")`, Help: "t_reply() with a body, whose Content-Type append_to_reply() gives.",
			Args: []script.ArgKind{number, text, text}, Min: 3, Routes: requestFailure, Build: m.replyWithBody},
		{Name: "t_check_trans", Usage: "t_check_trans()", Help: "Whether the request belongs to a transaction: a CANCEL or the ACK to a negative response; a retransmission ends the script. -2: the ACK to a 2xx.",
			Routes: script.Routes(script.RequestRoute, script.BranchRoute, script.FailureRoute), Build: m.checkTrans},
		{Name: "t_check_status", Usage: `t_check_status("regular expression")`, Help: "Whether the status code matches: of the last response sent, in an onreply_route of the response, in a failure_route of the winning one.",
			Args: []script.ArgKind{script.RegexArg}, Min: 1, Routes: arming, Build: m.checkStatus},
		{Name: "t_local_replied", Usage: `t_local_replied("all" or "last")`, Help: "Whether all responses of branches, or the last one, are ours: nothing came.",
			Args: []script.ArgKind{script.FixedArg}, Min: 1, Routes: arming, Build: m.localReplied},
		{Name: "t_was_cancelled", Usage: "t_was_cancelled()", Help: "Whether the client has canceled the INVITE.",
			Routes: arming, Build: func(a *script.Args) script.Action {
				at := a.Site()
				return func(x *script.Machine) int {
					e := transaction.Of(x.Context())
					if e == nil {
						x.Say(at, script.LevelError, "script: t_was_cancelled(): the message has no transaction")
						return -1
					}
					return yes(e.Canceled())
				}
			}},
		{Name: "t_on_failure", Usage: `t_on_failure("failure_route")`, Help: "Has a failure_route run once no branch is left that might succeed.",
			Args: []script.ArgKind{script.FailureRouteArg}, Routes: arming, Min: 1, Build: m.arm(func(_ *script.Machine, k *call, r *script.Routine) { k.onFailure = r })},
		{Name: "t_on_branch", Usage: `t_on_branch("branch_route")`, Help: "Has a branch_route run before each branch is sent.",
			Args: []script.ArgKind{script.BranchRouteArg}, Routes: arming, Min: 1, Build: m.arm(func(_ *script.Machine, k *call, r *script.Routine) { k.onBranch = r })},
		{Name: "t_on_reply", Usage: `t_on_reply("onreply_route")`, Help: "Has an onreply_route run for each response; in a branch_route, for those of the branch.",
			Args: []script.ArgKind{script.ReplyRouteArg}, Routes: arming, Min: 1, Build: m.arm(m.armReply)},
		{Name: "t_cancel_branch", Usage: `t_cancel_branch(["a" or "o"])`, Help: "Cancels the branch whose response is at hand, all branches (a) or the others (o).",
			Args: []script.ArgKind{script.FixedArg}, Routes: script.Routes(script.OnReplyRoute), Build: m.cancelBranch},
		{Name: "t_add_hdrs", Usage: `t_add_hdrs("Name: value\r\n")`, Help: "Has all requests that are sent for the transaction, which has to be there, carry more headers: branches, ACKs and CANCELs.",
			Args: []script.ArgKind{script.HeadersArg}, Min: 1, Routes: arming, Build: m.addHeaders},
		{Name: "t_add_cancel_reason", Usage: `t_add_cancel_reason("Reason: ...\r\n")`, Help: "Has the CANCEL give another Reason when it is relayed.",
			Args: []script.ArgKind{script.HeaderArg}, Min: 1, Routes: requestOnly, Build: m.cancelReason},
		{Name: "t_replicate", Usage: `t_replicate("URI"[, "flags"])`, Help: "Sends a copy of the request; nobody hears of its responses.",
			Args: []script.ArgKind{text, text}, Min: 1, Routes: requestOnly, Build: m.replicate},
		{Name: "t_flush_flags", Usage: "t_flush_flags()", Help: "Keeps the message flags as they are with the transaction.",
			Routes: script.Routes(script.RequestRoute, script.BranchRoute), Build: func(*script.Args) script.Action {
				return func(x *script.Machine) int {
					e := transaction.Of(x.Context())
					if e == nil {
						return -1
					}
					m.attached(e).flags = x.Context().Flags()
					return 1
				}
			}},
		{Name: "t_new_request", Usage: `t_new_request("method", "URI", "from", "to"[, "content type and body"[, "context"]])`, Help: "Sends a request of our own.",
			Args: []script.ArgKind{script.MethodArg, text, text, text, text, text}, Min: 4, Routes: script.Anywhere, Build: m.newRequest},
		{Name: "t_reply_by_callid", Usage: `t_reply_by_callid(code, "reason"[, "Call-ID"[, "CSeq"]])`, Help: "Answers an INVITE that waits, by its Call-ID and CSeq number, which are the message's unless given.",
			Args: []script.ArgKind{number, text, text, text}, Min: 2, Routes: requestOnly, Build: m.replyByCallID},
		{Name: "t_wait_for_new_branches", Usage: "t_wait_for_new_branches([number])", Help: "Has the transaction wait for branches that are injected, until fr_inv_timeout is over or so many came.",
			Args: []script.ArgKind{number}, Routes: script.Routes(script.RequestRoute, script.FailureRoute, script.OnReplyRoute), Build: m.waitForBranches},
		{Name: "t_wait_no_more_branches", Usage: "t_wait_no_more_branches()", Help: "Has the transaction no longer wait for branches.",
			Routes: arming, Build: func(*script.Args) script.Action {
				return func(x *script.Machine) int {
					e := transaction.Of(x.Context())
					if e == nil {
						return -1
					}
					e.WaitForBranches(0)
					return 1
				}
			}},
		{Name: "t_inject_branches", Usage: `t_inject_branches("msg"[, "cancel" or "last"])`, Help: "Adds the branches of the message to its transaction and sends them.",
			Args: []script.ArgKind{script.FixedArg, script.FixedArg}, Min: 1, Routes: script.Routes(script.RequestRoute, script.FailureRoute), Build: m.inject},
		{Name: "t_get_branch_idx_by_attr", Usage: `t_get_branch_idx_by_attr("attribute"[, "text"[, number[, $var(result)[, offset]]]])`, Help: "Finds a branch by an attribute, and its value where one is given.",
			Args: []script.ArgKind{text, text, number, script.SetArg, number}, Min: 1, Routes: script.Routes(script.OnReplyRoute, script.BranchRoute, script.FailureRoute), Build: m.branchByAttr},
		m.unsupported("t_write_req", `t_write_req("info", "fifo")`, "Writes the request to a FIFO.", "it is not supported: exec() or an event takes its place"),
		m.unsupported("t_write_unix", `t_write_unix("info", "socket")`, "Writes the request to a Unix socket.", "it is not supported: exec() or an event takes its place"),
		m.unsupported("t_anycast_replicate", "t_anycast_replicate()", "Hands a CANCEL or an ACK to the other nodes of an anycast address.", "it is not supported: there is no cluster in this version"),
	}
}

func (m *Module) unsupported(name, usage, help, why string) script.Function {
	return script.Function{Name: name, Usage: usage, Help: help, Args: []script.ArgKind{script.TextArg, script.TextArg}, Routes: script.Requests,
		Build: func(a *script.Args) script.Action {
			a.Errorf(-1, "%s() is not to be had: %s", name, why)
			return nil
		}}
}

func yes(b bool) int {
	if b {
		return 1
	}
	return -1
}

func (m *Module) newtran(*script.Args) script.Action { return m.begin }

// StartTransaction is script.Starter, for async().
func (m *Module) StartTransaction(x *script.Machine) int {
	if ret := m.begin(x); ret != -10 {
		return ret
	}
	return 1
}

func (m *Module) begin(x *script.Machine) int {
	c := x.Context()
	_, err := m.layer.Begin(c)
	switch err {
	case nil:
		return 1
	case transaction.ErrRepeat:
		return 0
	case transaction.ErrExists:
		return -10
	case transaction.ErrMethod:
		return 1
	default: // it has been answered
		return 0
	}
}

func (m *Module) respond(x *script.Machine, code int, reason, body []byte) int {
	k := m.callOf(x.Context())
	k.machine = x
	rc := m.layer.Respond(x.Context(), code, reason, body)
	k.machine = nil
	return rc
}

func (m *Module) replyWithBody(a *script.Args) script.Action {
	body := a.Text(2)
	return script.StatusAction(func(x *script.Machine, _ *script.Site, code int, reason []byte) int {
		b, _ := body(x)
		return m.respond(x, code, reason, b)
	})(a)
}

func (m *Module) checkTrans(*script.Args) script.Action {
	return func(x *script.Machine) int {
		c := x.Context()
		switch {
		case transaction.Of(c) != nil:
			return 1
		case c.Msg.Method() == sipframe.ACK:
			if m.layer.Find(c) != 0 {
				return 1
			}
			if c.HasToTag() {
				return -2
			}
			return -1
		case c.Msg.Method() == sipframe.CANCEL:
			return yes(m.layer.Find(c) != 0)
		case m.layer.Repeat(c):
			return 0
		}
		return -1
	}
}

// code returns the status code that the message is about.
func (m *Module) code(x *script.Machine) (int, bool) {
	c := x.Context()
	if x.Kind() == script.OnReplyRoute && !c.Msg.IsRequest() {
		if e := transaction.Of(c); e != nil && e.At() != nil {
			return e.At().Received(), true // as it came
		}
		return c.Msg.StatusCode(), true
	}
	e := transaction.Of(c)
	if e == nil {
		return 0, false
	}
	if k := m.attached(e); k.failing {
		if k.best == nil {
			return 0, true
		}
		return k.best.Status(), true
	}
	return e.Responded(), true
}

func (m *Module) checkStatus(a *script.Args) script.Action {
	re, at := a.Regex(0), a.Site()
	return func(x *script.Machine) int {
		r := re(x)
		if r == nil {
			return -1
		}
		code, ok := m.code(x)
		if !ok {
			x.Say(at, script.LevelError, "script: t_check_status(): the message has no transaction")
			return -1
		}
		return yes(matchesCode(r, code))
	}
}

func matchesCode(r *regexp.Regexp, code int) bool {
	var b [8]byte
	return r.Match(strconv.AppendInt(b[:0], int64(code), 10))
}

func (m *Module) localReplied(a *script.Args) script.Action {
	all, _ := a.Fixed(0)
	if all != "all" && all != "last" {
		a.Errorf(0, `t_local_replied() takes "all" or "last"`)
		return nil
	}
	at := a.Site()
	return func(x *script.Machine) int {
		e := transaction.Of(x.Context())
		if e == nil {
			x.Say(at, script.LevelError, "script: t_local_replied(): the message has no transaction")
			return -1
		}
		if all == "last" {
			leg := e.At()
			return yes(leg == nil || leg.Branch.Local() || leg.Status() == 0 && leg.Received() == 0)
		}
		for _, leg := range e.Legs() {
			if leg.Received() != 0 {
				return -1
			}
		}
		return 1
	}
}

func (m *Module) arm(set func(x *script.Machine, k *call, r *script.Routine)) func(a *script.Args) script.Action {
	return func(a *script.Args) script.Action {
		route := a.Route(0)
		if route == nil {
			return nil
		}
		return func(x *script.Machine) int {
			r := route(x)
			if r == nil {
				return -1
			}
			set(x, m.callOf(x.Context()), r)
			return 1
		}
	}
}

// armReply arms an onreply_route: for the branch that is about to be sent, else for all.
func (m *Module) armReply(x *script.Machine, k *call, r *script.Routine) {
	if e := transaction.Of(x.Context()); x.Kind() == script.BranchRoute && e != nil && e.At() != nil {
		m.makeLeg(e.At()).onReply = r
		return
	}
	k.onReply = r
}

func (m *Module) addHeaders(a *script.Args) script.Action {
	text, at := a.Text(0), a.Site()
	return func(x *script.Machine) int {
		e := transaction.Of(x.Context())
		b, ok := text(x)
		if e == nil || !ok {
			return -1
		}
		return x.Reported(at, e.AddHeaders(b))
	}
}
