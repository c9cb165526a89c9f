package tlsstate_test

import (
	"errors"
	"fmt"
	"net/netip"

	"sipreactor/tlsstate"
)

// A client and a server machine, with nothing between them but this function.
func ExampleSet_NewServer() {
	cert, key, err := tlsstate.Ephemeral([]string{"sip.example.com"}, false)
	if err != nil {
		panic(err)
	}
	noClientCertificate := false
	set, err := tlsstate.Build(tlsstate.Config{Domains: []tlsstate.DomainConfig{
		{Name: "in", Role: tlsstate.Server, VerifyCert: &noClientCertificate,
			Certificates: []tlsstate.KeyPair{{CertificatePEM: cert, PrivateKeyPEM: key}}},
		{Name: "out", Role: tlsstate.Client, CAPEM: cert},
	}})
	if err != nil {
		panic(err)
	}

	local, remote := netip.MustParseAddrPort("192.0.2.1:5061"), netip.MustParseAddrPort("192.0.2.2:40000")
	server, err := set.NewServer(local, remote)
	if err != nil {
		panic(err)
	}
	defer server.Stop()
	client, err := set.NewClient(tlsstate.ClientQuery{SIPDomain: "sip.example.com", Addr: local})
	if err != nil {
		panic(err)
	}
	defer client.Stop()

	advance := func(m tlsstate.Machine) {
		if err := m.Handshake(); err != nil && !errors.Is(err, tlsstate.ErrWantRead) {
			panic(err)
		}
	}
	carry := func(from, to tlsstate.Machine) {
		to.Feed(from.Output())
		advance(to) // now the bytes are used or copied
		from.Sent(len(from.Output()))
	}
	advance(client)
	for client.Phase() == tlsstate.Handshaking || server.Phase() == tlsstate.Handshaking {
		carry(client, server)
		carry(server, client)
	}

	if _, err := client.Write([]byte("OPTIONS sip:sip.example.com SIP/2.0\r\n")); err != nil {
		panic(err)
	}
	server.Feed(client.Output())
	p := make([]byte, 16384)
	n, err := server.Read(p)
	fmt.Printf("%s %v, %q\n", server.State().VersionName(), err, p[:n])
	_, err = server.Read(p)
	fmt.Println(err == tlsstate.ErrWantRead)
	// Output:
	// TLSv1.3 <nil>, "OPTIONS sip:sip.example.com SIP/2.0\r\n"
	// true
}
