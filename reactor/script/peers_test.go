package script

import (
	"slices"
	"testing"
)

func TestConfigNamesPeers(t *testing.T) {
	c, err := compile("x.cfg", []byte(`
socket=tls:127.0.0.1:5061
loadmodule "proto_tls.so"
loadmodule "tls_openssl.so"
loadmodule "tls_mgm.so"
modparam("tls_mgm", "client_domain", "a")
modparam("tls_mgm", "match_sip_domain", "[a]Trunk.example, *")
modparam("tls_mgm", "match_ip_address", "[a]192.0.2.1:5061, 192.0.2.2, *")
route {
	if ($rU == "1") forward("tls:192.0.2.3:5063");
	if ($rU == "2") forward("sip:carrier.example:5071;transport=tls");
	if ($rU == "3") $du = "sip:x@[2001:db8::1]:5061;transport=tls";
	if ($rU == "4") $du = "sip:" + $rd;
	if ($rU == "5") $du = "sip:$rd";
	$ru = "sip:TRUNK.example";
	forward();
}
`))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"trunk.example", "192.0.2.1:5061", "192.0.2.2", "192.0.2.3:5063", "carrier.example", "[2001:db8::1]:5061"}
	if !slices.Equal(c.Peers, want) {
		t.Errorf("%q", c.Peers)
	}
}
