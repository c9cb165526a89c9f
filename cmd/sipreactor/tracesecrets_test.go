package main

import (
	"bytes"
	"log/slog"
	"net"
	"strings"
	"testing"

	"sipreactor/reactor/modules/proto_tls"
)

// Secrets go to a collector that others can listen to only when that is said twice.
func TestTraceMasterKeyInClear(t *testing.T) {
	const remote, name = "192.0.2.1", "[c]"
	own := "127.0.0.1"
	if addrs, err := net.InterfaceAddrs(); err == nil {
		for _, a := range addrs {
			if p, ok := a.(*net.IPNet); ok && p.IP.To4() != nil && !p.IP.IsLoopback() {
				own = p.IP.String()
			}
		}
	}
	const key, again = `modparam("proto_tls", "trace_master_key", 1)` + "\n", `modparam("proto_tls", "trace_master_key_in_clear", 1)` + "\n"
	for _, c := range []struct {
		to, said string
		sent     bool
		err, log string
	}{
		{remote, "", false, "", "are not traced"},
		{remote, key, false, ":8:", ""},
		{remote, key + again, true, "", ""},
		{remote, again, true, "", ""},
		{remote, `modparam("proto_tls", "trace_master_key", 0)` + "\n", false, "", ""},
		{remote + ";transport=tls", key, true, "", ""},
		{"127.0.0.1", key, true, "", ""},
		{own, key, true, "", ""},
		{"localhost", "", true, "", ""},
	} {
		cfg, err := loader().Compile("edge.cfg", []byte(`socket=tls:127.0.0.1:5061
loadmodule "proto_tls.so"
loadmodule "proto_hep.so"
modparam("proto_hep", "hep_id", "`+name+c.to+`")
modparam("proto_tls", "trace_destination", "c")
modparam("proto_tls", "trace_on", 1)

`+c.said+`route { exit; }
`))
		if err != nil {
			t.Fatal(err)
		}
		keys := said[proto_tls.Config](cfg, "proto_tls")
		var log bytes.Buffer
		err = settleMasterKey(cfg, slog.New(slog.NewTextHandler(&log, nil)))
		switch {
		case c.err != "":
			if err == nil || !strings.Contains(err.Error(), c.err) || !strings.Contains(err.Error(), "trace_master_key_in_clear") {
				t.Errorf("%s, %q: %v", c.to, c.said, err)
			}
		case err != nil || keys.MasterKey != c.sent || !strings.Contains(log.String(), c.log):
			t.Errorf("%s, %q: sent %v, %v, %s", c.to, c.said, keys.MasterKey, err, &log)
		}
	}
}
