package mi

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/waittest"
)

// TestFIFOWithoutLineEnds: requests that nothing ends but their JSON are carried
// out at once, in one write and in an opening each, without a timer.
func TestFIFOWithoutLineEnds(t *testing.T) {
	p := servePipes(t, echo(t))
	a, b := p.reader("a"), p.reader("b")
	for range 20 {
		p.write(":a:" + echoRequest("x:y:{}", 1) + ":b:" + echoRequest("{", 2))
		p.expect(a, echoReply("x:y:{}", 1))
		p.expect(b, echoReply("{", 2))
		p.write(":a:" + echoRequest("first", 3))
		p.write(":b:" + echoRequest("second", 4))
		p.expect(a, echoReply("first", 3))
		p.expect(b, echoReply("second", 4))
	}
	// One who dies in the middle has nobody wait who comes behind.
	for _, half := range []string{":a", ":a:", `:a:{"jsonrpc": "2.0", "met`, `:a:{"jsonrpc":`, `:a:[{"x":"\`} {
		p.write(half)
		p.write(":b:" + echoRequest("alive", 5))
		p.expect(b, echoReply("alive", 5))
	}
}

// cli speaks as opensips-cli does: a FIFO for the answer, the request without a
// line end through an opening of its own, then the answer up to its end. One that
// dies leaves its FIFO behind, and nobody reads it.
type cli struct {
	*pipes
	pid int
}

func (c cli) execute(method, params string, id int, dies bool) string {
	c.Helper()
	name := fmt.Sprintf("opensips_fifo_reply_%d_%d", c.pid, id)
	path := filepath.Join(c.dir, name)
	if err := unix.Mkfifo(path, 0o666); err != nil {
		c.Fatal(err)
	}
	requests, err := os.OpenFile(c.name, os.O_WRONLY, 0)
	if err != nil {
		c.Fatal(err)
	}
	fmt.Fprintf(requests, `:%s:{"jsonrpc": "2.0", "id": "%d", "method": %q, "params": %s}`, name, id, method, params)
	requests.Close()
	if dies {
		return ""
	}
	reply, err := os.ReadFile(path)
	if err != nil {
		c.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		c.Fatal(err)
	}
	return string(reply)
}

// TestFIFOOfTheCLI serves clients that write as opensips-cli does, and of which
// some die before they have read their answer.
func TestFIFOOfTheCLI(t *testing.T) {
	p := servePipes(t, echo(t), func(c *FIFOConfig) { c.ReplyTimeout = 3 * time.Second }) // more than who lives takes to read
	c := cli{p, os.Getpid()}
	for n := range 40 {
		dies := n%7 == 3
		c.execute("which", "[]", 2*n, dies)
		want := fmt.Sprintf(`{"jsonrpc":"2.0","result":"a:b:{}\"[%d","id":"%d"}`, n, 2*n+1)
		if got := c.execute("echo", fmt.Sprintf(`["a:b:{}\"[%d"]`, n), 2*n+1, false); got != want {
			t.Fatalf("%s, want %s", got, want)
		}
	}
	waittest.For(t, "who died is told of", func() bool { return p.log.Has("nobody reads") })
	p.Close()
	if n := len(p.slots); n != 0 {
		t.Errorf("%d answers still wait", n)
	}
}
