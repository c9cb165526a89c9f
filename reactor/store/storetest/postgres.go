package storetest

import (
	"os"
	"path/filepath"
	"testing"
)

// Postgres starts a server that is empty; its user may make databases.
func Postgres(t testing.TB) *Server {
	t.Helper()
	install, daemon := postgresProgram("initdb"), postgresProgram("postgres")
	s := newServer(t, "PostgreSQL", "postgres", &install, &daemon)
	data := s.dir + "/data"
	c := s.command(install, "-D", data, "-U", "sipreactor", "-A", "scram-sha-256", "--pwfile="+s.file("password", Password+"\n"), "-N", "-E", "UTF8")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", install, err, out)
	}
	s.args = []string{
		daemon, "-D", data, "-p", s.port, "-k", s.dir,
		"-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "shared_buffers=16MB", "-c", "max_connections=50",
	}
	s.url = "postgres://sipreactor:" + Password + "@127.0.0.1:" + s.port + "/%s"
	s.ready = []string{postgresProgram("pg_isready"), "-q", "-h", "127.0.0.1", "-p", s.port}
	s.Start()
	return s
}

// postgresProgram finds what Debian keeps out of the search path.
func postgresProgram(name string) string {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if len(found) > 0 {
		if _, err := os.Stat(found[len(found)-1]); err == nil {
			return found[len(found)-1]
		}
	}
	return name
}
