package script

import (
	"strconv"

	"sipreactor/reactor/proxy"
	"sipreactor/sipframe"
)

// refuse reports, as the configuration is loaded, a value that the variable would refuse whenever the assignment ran: a
// constant, or a number, which conditions and functions give, where it takes none.
func (u *Use) refuse(value expression) {
	if u.takes == nil {
		return
	}
	for p, ok := value.(*parenExpr); ok; p, ok = value.(*parenExpr) {
		value = p.X
	}
	what := ""
	switch x := value.(type) {
	case *numberExpr:
		what = u.refused(Int(x.N), strconv.FormatInt(x.N, 10))
	case *stringExpr:
		what = u.refused(Text([]byte(x.Text)), strconv.Quote(clip(x.Text)))
	case *addrExpr:
		what = u.refused(Text([]byte(x.Text)), clip(x.Text))
	case *nullExpr:
		what = u.refused(null, "NULL")
	case *callExpr, *routeCallExpr:
		what = u.refusedNumber("what a function returns, which is a number")
	case *unaryExpr:
		what = u.refusedNumber("what an operator gives, which is a number")
	case *binaryExpr:
		if x.Op != tokPlus {
			what = u.refusedNumber("what an operator gives, which is a number")
		}
	}
	if what != "" {
		u.k.rep.errorf(value.Pos(), "%s cannot be %s: it takes %s", clip(u.v.Text), what, u.allowed)
	}
}

// refused returns what it is called if the variable does not take it.
func (u *Use) refused(v Value, what string) string {
	if u.takes(trialMachine(), v) == nil {
		return ""
	}
	return what
}

// refusedNumber is refused for a number that is known at run time only: one that takes neither 0 nor 1 takes none.
func (u *Use) refusedNumber(what string) string {
	if u.refused(Int(0), what) == "" {
		return ""
	}
	return u.refused(Int(1), what)
}

// trialRequest is a request that no peer has sent.
const trialRequest = "OPTIONS sip:user@host.invalid SIP/2.0\r\n\r\n"

// trialMachine makes a machine to try assignments on.
func trialMachine() *Machine {
	msg := new(sipframe.Message)
	m := &Machine{prog: &Program{xlogLevel: new(LevelSwitch)}, msg: msg, c: &proxy.Context{Msg: msg}}
	if msg.Parse([]byte(trialRequest)) != nil || m.c.SetDestURI([]byte("sip:user@host.invalid")) != nil {
		panic("script: the request of trials is none")
	}
	return m
}
