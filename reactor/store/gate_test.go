package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"

	"sipreactor/reactor/store/gate"
)

// A statement that fails has an answer, unless nobody gave one.
func TestOutcome(t *testing.T) {
	for _, c := range []struct {
		err  error
		want gate.Outcome
	}{
		{nil, gate.Answered},
		{errors.New("syntax error"), gate.Answered},
		{driver.ErrBadConn, gate.Silent},
		{io.EOF, gate.Silent},
		{fmt.Errorf("%w (%w)", context.DeadlineExceeded, io.EOF), gate.Late},
		{context.Canceled, gate.Left},
	} {
		if got := outcome(c.err); got != c.want {
			t.Errorf("%v: %v, want %v", c.err, got, c.want)
		}
	}
}

func TestGone(t *testing.T) {
	for _, c := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{errors.New("no such table"), false},
		{&mysql.MySQLError{Number: 1064}, false},
		{&mysql.MySQLError{Number: 1045}, false}, // access denied
		{&mysql.MySQLError{Number: 1040}, true},  // too many connections
		{&pgconn.PgError{Code: "42601"}, false},
		{&pgconn.PgError{Code: "57P03"}, true}, // starting up
		{fmt.Errorf("x: %w", mysql.ErrInvalidConn), true},
		{context.DeadlineExceeded, false},
		{context.Canceled, false},
		{io.ErrUnexpectedEOF, true},
	} {
		if got := gone(c.err); got != c.want {
			t.Errorf("%v: %v", c.err, got)
		}
	}
}
