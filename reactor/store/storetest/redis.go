package storetest

import (
	"net"
	"testing"
)

// Redis starts a server that is empty. Its URL takes the group's name.
func Redis(t testing.TB, options ...string) *Server {
	t.Helper()
	daemon := "redis-server"
	s := newServer(t, "Redis", "redis", &daemon)
	s.args = append([]string{
		daemon, "--port", s.port, "--bind", "127.0.0.1", "--dir", s.dir, "--save", "", "--daemonize", "no",
		"--requirepass", Password,
	}, options...)
	s.url = "redis:%s://:" + Password + "@127.0.0.1:" + s.port + "/"
	s.Start()
	return s
}

// Address returns where the server listens.
func (s *Server) Address() string { return net.JoinHostPort("127.0.0.1", s.port) }
