package rescue

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// calm are goroutines that run unguarded, by file and what is called, and why they may.
var calm = map[string]string{
	"reactor/internal/dispatch/shard.go func":            "a worker rescues item by item",
	"reactor/internal/dispatch/inline.go h.carry":        "a worker rescues item by item",
	"reactor/stop.go func":                               "the end of the engine",
	"reactor/internal/handshakes/pool.go p.run":          "a machine rescues its steps",
	"reactor/internal/poller/poller.go func":             "gnet",
	"reactor/internal/poller/enroll.go func":             "it waits for gnet, and counts",
	"reactor/internal/watch/watch.go w.run":              "the engine cannot do without it",
	"reactor/script/background.go w.run":                 "routes rescue themselves",
	"reactor/modules/internal/notify/notify.go func":     "it puts something into a channel",
	"reactor/names/cache.go c.ask":                       "its look-up is rescued",
	"reactor/hep/link.go watch":                          "it reads to nowhere",
	"reactor/modules/rtpengine/notifications.go func":    "relay.Notices.Go guards",
	"reactor/internal/dispatch/await.go h.carry":         "a worker rescues item by item",
	"reactor/modules/rtpproxy/notifications.go s.accept": "relay.Notices.Go guards",
	"cmd/sipreactor/logwriter.go w.run":                  "who logs panics",
	"cmd/sipreactor/signals.go func":                     "it starts and ends the program",
	"cmd/sipreactor/zone.go func":                        "a tool",
	"cmd/sipreactor/phone.go p.read":                     "a tool",
	"cmd/sipreactor/demo.go func":                        "a tool",
	"cmd/sipreactor/demostateful.go func":                "a tool",
}

// TestGoroutines finds goroutines whose panic would end the process: each is begun by this
// package or by script.Env, has a rescue inside, or is in the list.
func TestGoroutines(t *testing.T) {
	root := filepath.Join("..", "..")
	used := map[string]bool{}
	for _, top := range []string{"reactor", "cmd"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(path string, d fs.DirEntry, err error) error {
			name, _ := filepath.Rel(root, path)
			switch {
			case err != nil:
				return err
			case d.IsDir() && (d.Name() == "testdata" || strings.HasSuffix(d.Name(), "test") || d.Name() == "load" || name == filepath.Join("reactor", "rescue")):
				return filepath.SkipDir
			case !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
				return nil
			}
			files := token.NewFileSet()
			f, err := parser.ParseFile(files, path, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(f, func(n ast.Node) bool {
				run := begun(n)
				if run == nil || rescued(run) {
					return true
				}
				key := filepath.ToSlash(name) + " " + called(run)
				if used[key] = true; calm[key] == "" {
					t.Errorf("%s: a panic of this goroutine ends the process: rescue.Go, script.Env.Go, or a reason in %q", files.Position(n.Pos()), key)
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for key := range calm {
		if !used[key] {
			t.Errorf("%q begins no such goroutine any more", key)
		}
	}
}

// begun gives what a go statement or a WaitGroup's Go runs; nil for anything else.
func begun(n ast.Node) ast.Expr {
	switch n := n.(type) {
	case *ast.GoStmt:
		return n.Call.Fun
	case *ast.CallExpr:
		s, ok := n.Fun.(*ast.SelectorExpr)
		if !ok || s.Sel.Name != "Go" || len(n.Args) != 1 {
			return nil
		}
		switch on := s.X.(type) { // script.Env.Go guards
		case *ast.Ident:
			if on.Name == "e" || on.Name == "env" {
				return nil
			}
		case *ast.SelectorExpr:
			if on.Sel.Name == "env" || on.Sel.Name == "Env" {
				return nil
			}
		}
		return n.Args[0]
	}
	return nil
}

// rescued reports whether a function literal has a rescue in it.
func rescued(run ast.Expr) bool {
	lit, ok := run.(*ast.FuncLit)
	if !ok {
		return false
	}
	found := false
	ast.Inspect(lit.Body, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if s, ok := call.Fun.(*ast.SelectorExpr); ok {
			on, _ := s.X.(*ast.Ident)
			found = found || s.Sel.Name == "Guard" || s.Sel.Name == "rescue" || on != nil && on.Name == "rescue"
		}
		return true
	})
	return found
}

// called names what runs: func for a literal.
func called(run ast.Expr) string {
	switch x := run.(type) {
	case *ast.SelectorExpr:
		if on, ok := x.X.(*ast.Ident); ok {
			return on.Name + "." + x.Sel.Name
		}
		return x.Sel.Name
	case *ast.Ident:
		return x.Name
	default:
		return "func"
	}
}
