package main

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// These look at the whole process and so run alone, before the parallel ones.

// workers counts the goroutines that wait for messages or handle them.
func workers() int {
	buf := make([]byte, 1<<20)
	return strings.Count(string(buf[:runtime.Stack(buf, true)]), "workers.(*Shard[...]).Run(")
}

func TestContractWorkers(t *testing.T) {
	for _, n := range []int{2, 7} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			before := prepare(t)
			before.eventually("the workers of earlier tests are gone", func() bool { return workers() == 0 })
			c := start(t, core("tcp_workers", n))
			c.eventually("the workers are there", func() bool { return workers() == n })
			p := c.dial("tcp")
			for range 3 * n { // Call-IDs of their own go to all of them
				p.ask(here)
				p.expect(200)
			}
			if there := workers(); there != n {
				t.Errorf("%d workers are %d goroutines", n, there)
			}
		})
	}
}

// loops counts the event loops.
func loops() int {
	buf := make([]byte, 1<<20)
	return strings.Count(string(buf[:runtime.Stack(buf, true)]), "gnet/v2.(*eventloop).run(")
}

func TestContractLoops(t *testing.T) {
	for _, n := range []int{1, 3} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			before := prepare(t)
			before.eventually("the loops of earlier tests are gone", func() bool { return loops() == 0 })
			c := start(t, core("tcp_loops", n))
			c.eventually("the loops are there", func() bool { return loops() == n })
			for range 2 * n {
				p := c.dial("tcp")
				p.ask(here)
				p.expect(200)
			}
		})
	}
}

func TestContractOpenFilesLimit(t *testing.T) {
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
			t.Error(err)
		}
	})
	for _, files := range []int{400, 300} {
		path := config(t, core("open_files_limit", files)+"tcp_max_connections=350\nsocket=tcp:127.0.0.1:"+freePort(t)+
			"\nloadmodule \"proto_tcp.so\"\nroute { exit; }\n")
		ctx, cancel := context.WithCancel(t.Context())
		stderr, code := newOutput(), make(chan int, 1)
		go func() { code <- run(ctx, []string{"-f", path}, newOutput(), stderr) }()
		stderr.wait(t, "msg=ready")
		var now unix.Rlimit
		if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &now); err != nil || now.Cur != uint64(files) {
			t.Errorf("%d files may be open, want %d: %v", now.Cur, files, err)
		}
		// What the connections would need beyond the limit is told at the start.
		if told := strings.Contains(stderr.String(), "open_files_limit"); told != (files < 350) {
			t.Errorf("limit %d for 350 connections: %s", files, stderr)
		}
		cancel()
		if c := <-code; c != exitOK {
			t.Errorf("exit code %d: %s", c, stderr)
		}
	}
}
