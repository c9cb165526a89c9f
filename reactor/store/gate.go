package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"
)

// gate bounds those who wait for a database, and spares them one that is gone.
//
//	up    -> down  a statement fails without an answer, or several in a row come too late
//	down  -> probe the back-off is over: who comes now tries, and nobody else meanwhile
//	probe -> up    that one had an answer
//	probe -> down  it had none; the back-off doubles
type gate struct {
	waiting int
	now     func() time.Time

	mu      sync.Mutex
	inside  int
	late    int // statements in a row that came too late
	down    bool
	probing bool
	until   time.Time     // when the next one may try
	backOff time.Duration // after the next failure
	why     error
}

const (
	firstBackOff = 50 * time.Millisecond
	lastBackOff  = 2 * time.Second
	lateIsGone   = 5 // statements in a row
)

// change is what a statement's end told of the database.
type change uint8

const (
	noChange change = iota
	wentDown
	cameBack
)

func (g *gate) init(o Options) {
	g.waiting = o.Waiting
	g.now = time.Now
	g.backOff = firstBackOff
}

// enter reports whether a statement may begin, and whether it is the one that
// tries a database that was gone. Without an error leave is to be called.
func (g *gate) enter() (probe bool, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.down && (g.probing || g.now().Before(g.until)):
		return false, fmt.Errorf("%w: %w", ErrDown, g.why)
	case g.inside >= g.waiting:
		return false, ErrBusy
	}
	g.inside++
	g.probing = g.down
	return g.down, nil
}

// leave notes how a statement ended.
func (g *gate) leave(probe bool, err error) change {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside--
	if probe {
		g.probing = false
	}
	late := errors.Is(err, context.DeadlineExceeded)
	switch {
	case errors.Is(err, context.Canceled):
		return noChange // who asked went away
	case late:
		g.late++
	case !gone(err):
		g.late = 0
		if !g.down {
			return noChange
		}
		g.down, g.why, g.backOff = false, nil, firstBackOff
		return cameBack
	}
	was := g.down
	if was && !probe || late && !probe && g.late < lateIsGone {
		return noChange // one of those that were under way when it went; or it may yet be only slow
	}
	g.down, g.why = true, err
	g.until = g.now().Add(g.backOff)
	g.backOff = min(2*g.backOff, lastBackOff)
	if was {
		return noChange
	}
	return wentDown
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
