package tm

import (
	"strconv"
	"time"

	"sipreactor/reactor/script"
	"sipreactor/reactor/transaction"
)

// null is NULL.
var null script.Value

func (m *Module) variables() []script.Variable {
	return []script.Variable{
		{Name: "T_reply_code", Help: "The status code of the last response sent, in an onreply_route of the response at hand, in a failure_route of the winning one; 0: none.",
			Get: script.Simple(func(x *script.Machine) script.Value {
				if !x.HasMessage() {
					return null
				}
				code, _ := m.code(x)
				return script.Int(int64(code))
			})},
		{Name: "T_branch_idx", Help: "The number of the branch at hand, in a failure_route of the one that completed last.",
			Get: script.Simple(func(x *script.Machine) script.Value {
				leg := m.at(x)
				if leg == nil {
					return null
				}
				return script.Int(int64(leg.Number()))
			})},
		{Name: "T_fr_timeout", Help: "How many seconds the transaction waits for a response; NULL: fr_timeout.",
			Get: script.Simple(func(x *script.Machine) script.Value { return m.timeout(x, false) }),
			Set: m.setTimeout(false)},
		{Name: "T_fr_inv_timeout", Help: "How many seconds the transaction waits for a final response behind a provisional one; NULL: fr_inv_timeout.",
			Get: script.Simple(func(x *script.Machine) script.Value { return m.timeout(x, true) }),
			Set: m.setTimeout(true)},
		{Name: "T_ruri", Help: "The Request-URI of the branch at hand.",
			Get: script.Simple(func(x *script.Machine) script.Value {
				leg := m.at(x)
				if leg == nil {
					if e := m.exchange(x); e != nil && len(e.Legs()) > 0 {
						leg = e.Legs()[len(e.Legs())-1]
					}
				}
				if leg == nil {
					return null
				}
				return script.Text(leg.Set.URI())
			})},
		{Name: "T_id", Help: "What names the transaction, in hexadecimal digits.",
			Get: script.Simple(func(x *script.Machine) script.Value {
				e := m.exchange(x)
				if e == nil {
					return null
				}
				return script.Text(x.KeepString(strconv.FormatUint(e.Handle(), 16)))
			})},
		{Name: "T_branch_last_reply_code", Inner: script.OptionalInner, Help: "The last status code that came for a branch, the one at hand or that of a number.",
			Get: m.lastReply},
		{Name: "bavp", Inner: script.ConstInner, Help: "An AVP of the branch at hand.",
			Get: func(u *script.Use) script.Getter {
				name, _ := u.Fixed()
				return func(x *script.Machine, _ int) script.Value {
					if b := legOf(m.at(x)); b != nil {
						if v, ok := b.bavps[name]; ok {
							return v
						}
					}
					return null
				}
			},
			Set: func(u *script.Use) script.Setter {
				name, _ := u.Fixed()
				return script.Setter(func(x *script.Machine, v script.Value) int {
					leg := m.at(x)
					if leg == nil {
						return -1
					}
					b := m.makeLeg(leg)
					if v.IsNull() {
						delete(b.bavps, name)
						return 1
					}
					if b.bavps == nil {
						b.bavps = make(map[string]script.Value)
					}
					if len(b.bavps) >= maxBranchAVPs {
						return -1
					}
					b.bavps[name] = owned(x, v)
					return 1
				})
			}},
	}
}

// maxBranchAVPs bounds the AVPs of a branch.
const maxBranchAVPs = 64

// owned returns a value that outlives the message.
func owned(x *script.Machine, v script.Value) script.Value {
	if v.IsNumber() {
		return v
	}
	return script.Text(append([]byte(nil), x.Text(v)...))
}

// exchange returns the transaction of the message; nil: it has none.
func (m *Module) exchange(x *script.Machine) *transaction.Exchange {
	if !x.HasMessage() {
		return nil
	}
	return transaction.Of(x.Context())
}

// at returns the branch at hand, where a route has one.
func (m *Module) at(x *script.Machine) *transaction.Leg {
	switch x.Kind() {
	case script.BranchRoute, script.OnReplyRoute, script.FailureRoute:
		if e := m.exchange(x); e != nil {
			return e.At()
		}
	default:
	}
	return nil
}

func (m *Module) lastReply(u *script.Use) script.Getter {
	number := u.Inner()
	return func(x *script.Machine, _ int) script.Value {
		leg := m.at(x)
		if number != nil {
			e := m.exchange(x)
			n, err := strconv.Atoi(string(number(x)))
			if e == nil || err != nil || n < 0 || n >= len(e.Legs()) {
				return null
			}
			leg = e.Legs()[n]
		}
		if leg == nil || leg.Received() == 0 {
			return null
		}
		return script.Int(int64(leg.Received()))
	}
}

// timeout returns how long the transaction waits: of the request that may become one, too.
func (m *Module) timeout(x *script.Machine, final bool) script.Value {
	if !x.HasMessage() {
		return null
	}
	t := &m.cfg.Timing
	if e := transaction.Of(x.Context()); e != nil {
		t = e.Timing()
	} else if k, ok := x.Context().Transaction.(*call); ok {
		if final && k.noFinal > 0 {
			return script.Int(seconds(k.noFinal))
		}
		if !final && k.noAnswer > 0 {
			return script.Int(seconds(k.noAnswer))
		}
	}
	if final {
		return script.Int(seconds(t.NoFinal))
	}
	return script.Int(seconds(t.NoAnswer))
}

// maxTimeout is the longest time that a transaction waits.
const maxTimeout = 86400

func (m *Module) setTimeout(final bool) func(u *script.Use) script.Setter {
	return func(u *script.Use) script.Setter {
		at := u.Site()
		return script.Setter(func(x *script.Machine, v script.Value) int {
			d := m.cfg.Timing.NoAnswer
			if final {
				d = m.cfg.Timing.NoFinal
			}
			if !v.IsNull() {
				n, ok := v.Int()
				if !ok || n < 1 || n > maxTimeout {
					return x.Fail(at, "a timeout is 1 to 86400 seconds")
				}
				d = time.Duration(n) * time.Second
			}
			c := x.Context()
			if e := transaction.Of(c); e != nil {
				if final {
					e.SetTimeouts(0, d)
				} else {
					e.SetTimeouts(d, 0)
				}
				return 1
			}
			k := m.callOf(c)
			if final {
				k.noFinal = d
			} else {
				k.noAnswer = d
			}
			return 1
		})
	}
}
