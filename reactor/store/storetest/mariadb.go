package storetest

import (
	"fmt"
	"strings"
	"testing"
)

// MariaDB starts a server that is empty; its user may make databases.
func MariaDB(t testing.TB) *Server {
	t.Helper()
	install, daemon := "mariadb-install-db", "mariadbd"
	s := newServer(t, "MariaDB", "mysql", &install, &daemon)
	data := s.dir + "/data"
	c := s.command(install, "--no-defaults", "--datadir="+data, "--skip-test-db", "--auth-root-authentication-method=normal")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", install, err, out)
	}
	// An init file has one statement a line.
	begin := s.file("begin.sql", fmt.Sprintf("CREATE OR REPLACE USER sipreactor@'%%' IDENTIFIED BY '%s';\nGRANT ALL ON *.* TO sipreactor@'%%';\n",
		strings.ReplaceAll(Password, "'", "''")))
	s.args = []string{
		daemon, "--no-defaults", "--datadir=" + data, "--socket=" + s.dir + "/socket", "--port=" + s.port,
		"--bind-address=127.0.0.1", "--init-file=" + begin, "--innodb-buffer-pool-size=16M",
		"--skip-name-resolve", "--max-connections=50",
	}
	s.url = "mysql://sipreactor:" + Password + "@127.0.0.1:" + s.port + "/%s"
	s.Start()
	return s
}
