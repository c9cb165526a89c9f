package script

import "testing"

func TestOldWords(t *testing.T) {
	for _, tt := range []struct {
		cond string
		want bool
	}{
		{`uri == myself`, false}, {`!uri == myself`, true}, {`uri != myself`, true}, {`to_uri == myself`, false},
		{`uri =~ "^sip:\+49"`, true}, {`from_uri =~ "alice"`, true}, {`from_uri =~ "bob"`, false},
		{`method == "INVITE"`, true}, {`method == INVITE`, true}, {`method == BYE`, false},
		{`proto == TLS`, true}, {`proto == UDP`, false}, {`proto == "tls"`, true}, {`af == INET`, true}, {`af == INET6`, false},
		{`src_ip == 127.0.0.1`, false}, {`src_ip != 127.0.0.1`, true}, {`src_ip == 10.0.0.0/8`, true}, {`src_port == 0`, false},
		{`dst_ip == 127.0.0.1`, true}, {`dst_port == 5061`, true},
		{`msg:len > 100`, true}, {`msg:len >= 65535`, false},
	} {
		if got := logged(t, `if (`+tt.cond+`) xlog("yes"); else xlog("no");`) == "yes"; got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.cond, got, tt.want)
		}
	}
}

func TestFlagsByNumber(t *testing.T) {
	got := logged(t, `setflag(5); setbflag(6); if (isflagset("5") && isflagset(5) && !isflagset(6)) xlog("message");
		if (isbflagset(6) && !isbflagset(5)) xlog("branch"); resetflag(5); if (!isflagset(5)) xlog("reset");`)
	if got != "message|branch|reset" {
		t.Errorf("got %s", got)
	}
}
