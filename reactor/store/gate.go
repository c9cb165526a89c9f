package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"

	"sipreactor/reactor/store/gate"
)

// lateIsGone is how many statements in a row have no answer in time from a database that is
// taken as gone.
const lateIsGone = 5

// gateConfig returns that of a pool's gate.
func gateConfig(o Options) gate.Config {
	return gate.Config{Most: o.Waiting, LateIsGone: lateIsGone, Gone: ErrDown, Busy: ErrBusy}
}

// outcome returns what a statement's end tells of the database.
func outcome(err error) gate.Outcome {
	switch {
	case errors.Is(err, context.Canceled):
		return gate.Left
	case errors.Is(err, context.DeadlineExceeded):
		return gate.Late
	case gone(err):
		return gate.Silent
	default:
		return gate.Answered
	}
}

// gone reports whether err says that there was no answer, or that the database
// takes no statements: it ends, begins, or has no connection left.
func gone(err error) bool {
	if err == nil {
		return false
	}
	var my *mysql.MySQLError
	if errors.As(err, &my) {
		switch my.Number {
		case 1040, 1053, 1152, 1203: // too many connections, shutdown, aborted, too many of this user
			return true
		}
		return false
	}
	var connecting *pgconn.ConnectError
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		switch pg.Code {
		case "53300", "57P01", "57P02", "57P03": // too many connections, shutdown, crash, not yet up
			return true
		}
		return errors.As(err, &connecting) && pg.Code[:2] != "28" && pg.Code[:2] != "3D"
	}
	var op *net.OpError
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return false
	case errors.As(err, &op), errors.As(err, &connecting),
		errors.Is(err, driver.ErrBadConn), errors.Is(err, mysql.ErrInvalidConn),
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return true
	}
	return false
}
