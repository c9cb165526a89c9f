package mi

import (
	"context"
	"os/exec"
	"testing"
	"time"
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

// client speaks as opensips-cli does: a FIFO for the answer, the request without a
// line end through an opening of its own, then the answer up to its end.
const client = `
import json, os, sys
requests, replies = sys.argv[1], sys.argv[2]

def execute(method, params, ident):
    name = "opensips_fifo_reply_%d_%d" % (os.getpid(), ident)
    path = os.path.join(replies, name)
    os.mkfifo(path)
    os.chmod(path, 0o666)
    request = json.dumps({"jsonrpc": "2.0", "id": str(ident), "method": method, "params": params})
    fifo = open(requests, "w")
    fifo.write(":%s:%s" % (name, request))
    fifo.close()
    if ident % 7 == 3:  # one dies here: its FIFO stays behind, nobody reads it
        return None
    with open(path, "r") as f:
        answer = json.loads(f.read())
    os.unlink(path)
    return answer["result"]

for n in range(20):
    execute("which", [], 2 * n)
    answer = execute("echo", ["a:b:{}\"[%d" % n], 2 * n + 1)
    if answer is not None and answer != "a:b:{}\"[%d" % n:
        sys.exit("answered %r" % answer)
print("done")
`

// TestFIFOPython serves a client that is written as opensips-cli is, and that at
// times dies before it has read its answer.
func TestFIFOPython(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("there is no python3")
	}
	p := servePipes(t, echo(t), func(c *FIFOConfig) { c.ReplyTimeout = 50 * time.Millisecond })
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, python, "-c", client, p.name, p.dir).CombinedOutput()
	if err != nil || string(out) != "done\n" {
		t.Fatalf("%v: %s", err, out)
	}
	eventually(t, "who died is told of", func() bool { return p.log.has("nobody reads") })
	p.Close()
	if n := len(p.slots); n != 0 {
		t.Errorf("%d answers still wait", n)
	}
}
