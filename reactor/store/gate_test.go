package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"
)

func TestGate(t *testing.T) {
	now := time.Unix(1000, 0)
	g := gate{waiting: 3, now: func() time.Time { return now }, backOff: firstBackOff}
	enter := func(wantProbe bool, want error) {
		t.Helper()
		probe, err := g.enter()
		if probe != wantProbe || !errors.Is(err, want) {
			t.Fatalf("probe %v, %v; want %v, %v", probe, err, wantProbe, want)
		}
	}
	leave := func(probe bool, err error, want change) {
		t.Helper()
		if got := g.leave(probe, err); got != want {
			t.Fatalf("change %v, want %v", got, want)
		}
	}
	for range 3 {
		enter(false, nil)
	}
	enter(false, ErrBusy)
	leave(false, errors.New("syntax error"), noChange)
	leave(false, driver.ErrBadConn, wentDown)
	enter(false, ErrDown)
	leave(false, io.EOF, noChange) // was under way when it went
	now = now.Add(firstBackOff)
	enter(true, nil)
	enter(false, ErrDown) // one tries, no more
	leave(true, io.EOF, noChange)
	now = now.Add(firstBackOff)
	enter(false, ErrDown) // the back-off has doubled
	now = now.Add(firstBackOff)
	enter(true, nil)
	leave(true, context.Canceled, noChange) // who tried went away: the next one tries
	enter(true, nil)
	leave(true, context.DeadlineExceeded, noChange)
	now = now.Add(lastBackOff)
	enter(true, nil)
	leave(true, nil, cameBack)
	enter(false, nil)
	leave(false, nil, noChange)
	// Slow is not gone, unless nothing else happens.
	for range lateIsGone - 1 {
		enter(false, nil)
		leave(false, context.DeadlineExceeded, noChange)
	}
	enter(false, nil)
	leave(false, nil, noChange)
	for i := range lateIsGone {
		enter(false, nil)
		want := noChange
		if i == lateIsGone-1 {
			want = wentDown
		}
		leave(false, context.DeadlineExceeded, want)
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
