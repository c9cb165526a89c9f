package store

import (
	"context"
	"database/sql"
	"log/slog"
	"net"
	"os"
	"strconv"

	"github.com/go-sql-driver/mysql"
)

// mysqlSockets are where servers listen for clients of the same host.
var mysqlSockets = []string{"/run/mysqld/mysqld.sock", "/var/lib/mysql/mysql.sock", "/tmp/mysql.sock"}

func openMySQL(u URL, o Options) (*sql.DB, error) {
	c := mysql.NewConfig()
	c.User, c.Passwd, c.DBName = u.User, u.Password, u.Name
	c.Net, c.Addr = "tcp", hostPort(u.Host, u.Port, 3306)
	c.Timeout, c.ReadTimeout, c.WriteTimeout = o.Timeout, o.Loading, o.Timeout
	c.InterpolateParams = true // one round trip a statement, and no statement kept by the server
	c.TLSConfig = u.Params.Get("tls")
	c.Logger = mysqlLog{o.Log}
	if u.Host == "localhost" && u.Port == 0 {
		c.DialFunc = dialLocal
	}
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector), nil
}

// dialLocal connects as MySQL's own clients do to "localhost": by the socket in
// the file system, or by TCP where there is none.
func dialLocal(ctx context.Context, network, addr string) (net.Conn, error) {
	var d net.Dialer
	for _, path := range mysqlSockets {
		if _, err := os.Stat(path); err != nil {
			continue
		}
		if c, err := d.DialContext(ctx, "unix", path); err == nil {
			return c, nil
		}
	}
	return d.DialContext(ctx, network, addr)
}

func hostPort(host string, port, usual uint16) string {
	if port == 0 {
		port = usual
	}
	return net.JoinHostPort(host, strconv.Itoa(int(port)))
}

// mysqlLog takes what the driver would write to stderr.
type mysqlLog struct{ log *slog.Logger }

func (l mysqlLog) Print(v ...any) { l.log.Debug("mysql", "message", v) }
