package proxy

import "testing"

// A peer that registered the port it listens on gets requests for that port on
// the connection it opened, as the policy says (RFC 5923).
func TestAliasPolicies(t *testing.T) {
	tests := []struct {
		name   string
		policy AliasPolicy
		via    string
		script bool // the script forces it
		ok     bool
	}{
		{"never", AliasNever, ";alias", false, false},
		{"asked", AliasAsked, ";alias", false, true},
		{"not asked", AliasAsked, "", false, false},
		{"always", AliasAlways, "", false, true},
		{"the script's", AliasNever, "", true, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := runWith(t, funcs{request: func(c *Context) {
				if string(c.Msg.MethodName()) == "REGISTER" {
					if tt.script {
						if err := c.ForceTCPAlias(0); err != nil {
							t.Error(err)
						}
					}
					_ = c.Respond(200, nil)
					return
				}
				c.openNothing()
				_ = c.Forward(nil)
			}}, Config{AcceptAliases: tt.policy})
			callee, caller := l.dial(), l.dial()
			// The Via names somebody else's host: the address is the connection's.
			callee.say(request("REGISTER", "sip:x@y", "Via: SIP/2.0/TLS 192.0.2.7:5999;branch=z9hG4bK1"+tt.via))
			callee.expect("SIP/2.0 200 ")
			caller.say(request("OPTIONS", "sip:callee@127.0.0.1:5999;transport=tls", from(caller, "z9hG4bK2")))
			if !tt.ok {
				caller.expect("SIP/2.0 503 ")
				return
			}
			callee.expect("OPTIONS sip:callee@127.0.0.1:5999;transport=tls ")
		})
	}
}

// The newest connection holds an alias; the one before does not get it again.
func TestAliasGoesToTheNewest(t *testing.T) {
	results := make(chan error, 1)
	l := run(t, funcs{request: func(c *Context) {
		results <- c.ForceTCPAlias(5999)
		_ = c.Respond(200, nil)
	}})
	first, second := l.dial(), l.dial()
	for i, tt := range []struct {
		p  *peer
		ok bool
	}{{first, true}, {second, true}, {first, false}, {second, true}} {
		tt.p.say(request("REGISTER", "sip:x@y", from(tt.p, "z9hG4bK"+string(rune('1'+i)))))
		if err := <-results; (err == nil) != tt.ok {
			t.Errorf("claim %d: %v", i, err)
		}
		tt.p.expect("SIP/2.0 200 ")
	}
}
