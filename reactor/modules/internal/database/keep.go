package database

import (
	"context"
	"path/filepath"

	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
)

// Keep reads what a module keeps in memory for the first time, and has it read again,
// while the module runs, as long as it is that of an earlier run. cache names the file in
// state_dir for that, without its suffix; "" is none. The source is the caller's, who
// closes it after an error, too.
func Keep[T any](e *script.Env, source store.Source, cache string, load func(context.Context, store.Source) (*T, error)) (*store.Snapshot[T], error) {
	s := &store.Snapshot[T]{Source: source, Make: load, Log: e.Log}
	if e.StateDir != "" && cache != "" {
		s.Cache = filepath.Join(e.StateDir, cache+".cache")
	}
	if err := s.Start(context.Background()); err != nil {
		return nil, err
	}
	e.Go(s.Recover)
	return s, nil
}
