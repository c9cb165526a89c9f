package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Snapshot is what was made of tables: immutable, replaced as a whole, read by
// any number of goroutines without a lock.
//
//	s := &store.Snapshot[sets]{Source: db, Make: makeSets, Cache: "/var/lib/sipreactor/dispatcher.cache", Log: log}
//	if err := s.Start(ctx); err != nil {
//		return err
//	}
//	go s.Recover(ctx)
//	... s.Get().find(7)
//
// The fields are set before Start and not changed.
type Snapshot[T any] struct {
	Source Source
	// Make loads the tables from a source and makes the value. The source may be
	// the file of the last good state and not the database.
	Make func(ctx context.Context, s Source) (*T, error)
	// Cache is the file of the last good state; "" none.
	Cache string
	Log   *slog.Logger // who is warned; nil nobody

	mu    sync.Mutex // a load is under way
	value atomic.Pointer[T]
	stale atomic.Bool
}

// Get returns the value; nil before Start.
func (s *Snapshot[T]) Get() *T { return s.value.Load() }

// Stale reports whether the value is that of an earlier run, because the
// database was away.
func (s *Snapshot[T]) Stale() bool { return s.stale.Load() }

// Start loads for the first time. When the database is away, the last good state
// serves, with a warning; anything else that is wrong is an error.
func (s *Snapshot[T]) Start(ctx context.Context) error {
	err := s.Reload(ctx)
	if err == nil || s.Cache == "" || !Unreachable(err) {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c, cacheErr := readCache(s.Cache)
	if errors.Is(cacheErr, fs.ErrNotExist) {
		return err
	}
	var v *T
	if cacheErr == nil {
		v, cacheErr = s.Make(ctx, c)
	}
	if cacheErr != nil {
		return fmt.Errorf("%w; and the last good state cannot be used: %w", err, cacheErr)
	}
	s.value.Store(v)
	s.stale.Store(true)
	if s.Log != nil {
		s.Log.Warn("the database is away: the last good state serves", "file", s.Cache, "of", c.when.Format(time.RFC3339), "error", err)
	}
	return nil
}

// Reload loads again: all or nothing. After an error the value is what it was.
func (s *Snapshot[T]) Reload(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := newCacheWriter(s.Source, s.Cache)
	v, err := s.Make(ctx, w)
	if err != nil {
		w.abandon()
		return err
	}
	s.value.Store(v)
	s.stale.Store(false)
	if err := w.finish(); err != nil && s.Log != nil {
		s.Log.Warn("the last good state was not written", "file", s.Cache, "error", err)
	}
	return nil
}

// The pauses between two tries of Recover.
const (
	firstRecover = time.Second
	lastRecover  = 30 * time.Second
)

// Recover loads as soon as the database is back, if an earlier state serves
// since Start. It returns when there is nothing to wait for.
func (s *Snapshot[T]) Recover(ctx context.Context) {
	for wait := firstRecover; s.Stale(); wait = min(2*wait, lastRecover) {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		err := s.Reload(ctx)
		if err != nil && !Unreachable(err) && s.Log != nil {
			s.Log.Error("the database is back, and its tables cannot be used", "error", err)
		}
	}
}

// Unreachable reports whether an error says that the database did not answer,
// and not that it answered something wrong.
func Unreachable(err error) bool {
	return gone(err) || errors.Is(err, ErrDown) || errors.Is(err, ErrBusy) || errors.Is(err, context.DeadlineExceeded)
}
