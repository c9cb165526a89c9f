// Package tlstest makes certificates for tests: authorities, leaves with any
// names, usages and dates, revocation lists, and the files they are kept in.
//
//	ca := tlstest.NewCA(t, "test CA")
//	leaf := ca.Leaf(t, tlstest.Leaf{DNS: []string{"sip.example.com"}})
//	cert, key := leaf.Files(t)
//
// All of it fails the test that it is given instead of returning errors.
package tlstest
