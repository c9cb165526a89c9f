// Package dashboard is sipreactor.json, a Grafana dashboard for what the program
// exposes at /metrics, and the test that holds the two together: every
// expression is parsed by Prometheus' own parser, and every metric and label in
// it has to be there when a running sipreactor is asked. It is a module of its
// own, so that the engine does not depend on Prometheus:
//
//	cd bench/dashboard && go test ./...
package dashboard
