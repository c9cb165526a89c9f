// Package tlstest is what tests of TLS are made of: authorities, leaves with any
// names, usages and dates, revocation lists, and the files they are kept in.
//
//	ca := tlstest.NewCA(t, "test CA")
//	leaf := ca.Leaf(t, tlstest.Leaf{DNS: []string{"sip.example.com"}})
//	cert, key := leaf.Files(t)
//
// And two machines that talk to each other, of whatever libraries, with every
// byte between them in the hands of the test:
//
//	w := tlstest.NewWorld(t)
//	l := tlstest.Pairing{Server: a, Client: b}.Link(t, w, nil)
//	server, client := l.Connect(t, "sip.example.com", tlstest.OneByte)
//
// All of it fails the test that it is given instead of returning errors.
package tlstest
