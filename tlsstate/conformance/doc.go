// Package conformance is what every library's machines have to do, as tests: the
// meetings of two machines, cut at every byte, failures and whose they are, the
// choice of domains, peers' certificates, tickets, key logs.
//
//	func TestConformance(t *testing.T) { conformance.Run(t, here, there) }
//
// Each test that has two ends runs with every library at either.
package conformance
