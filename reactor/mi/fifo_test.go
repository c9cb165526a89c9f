package mi

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/logtest"
	"sipreactor/reactor/internal/waittest"
	"sipreactor/reactor/rpc"
)

// pipes is a FIFO that is served, with the means to speak to it by hand.
type pipes struct {
	testing.TB
	*FIFO
	dir, name string
	log       *logtest.Log
}

// servePipes serves a FIFO that gives up neither readers nor half a request, unless change says otherwise.
func servePipes(t testing.TB, d *rpc.Dispatcher, change ...func(*FIFOConfig)) *pipes {
	t.Helper()
	dir := t.TempDir()
	p := &pipes{TB: t, dir: dir, name: filepath.Join(dir, "fifo"), log: new(logtest.Log)}
	cfg := FIFOConfig{Name: p.name, ReplyDir: dir, ReplyTimeout: patience, Log: slog.New(slog.NewTextHandler(p.log, nil)), tick: patience}
	for _, f := range change {
		f(&cfg)
	}
	var err error
	if p.FIFO, err = ServeFIFO(cfg, d); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// often has the FIFO looked after without a wait.
func often(c *FIFOConfig) { c.tick = 20 * time.Millisecond }

// write writes pieces into the request FIFO.
func (p *pipes) write(pieces ...string) {
	p.Helper()
	f, err := os.OpenFile(p.name, os.O_WRONLY, 0)
	if err != nil {
		p.Fatal(err)
	}
	defer f.Close()
	for _, s := range pieces {
		if _, err := f.WriteString(s); err != nil {
			p.Fatal(err)
		}
	}
}

// reader makes a reply FIFO and opens it.
func (p *pipes) reader(name string) *os.File {
	p.Helper()
	path := filepath.Join(p.dir, name)
	if err := unix.Mkfifo(path, 0o600); err != nil {
		p.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_NONBLOCK, 0)
	if err != nil {
		p.Fatal(err)
	}
	p.Cleanup(func() { f.Close() })
	_ = f.SetReadDeadline(time.Now().Add(patience))
	return f
}

// expect reads an answer of known text.
func (p *pipes) expect(f io.Reader, want string) {
	p.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(f, got); err != nil || string(got) != want {
		p.Fatalf("got %q, %v, not %q", got[:n], err, want)
	}
}

func echoRequest(text string, id int) string {
	return fmt.Sprintf(`{"jsonrpc": "2.0", "method": "echo", "params": [%q], "id": %d}`, text, id)
}

func echoReply(text string, id int) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","result":%q,"id":%d}`, text, id)
}

func TestFIFO(t *testing.T) {
	p := servePipes(t, echo(t))
	r := p.reader("reply")
	p.write(":reply:" + echoRequest("a", 1) + "\n")
	p.expect(r, echoReply("a", 1))
	p.write("::"+echoRequest("nobody hears", 2)+"\n", ":reply:not JSON\n")
	p.expect(r, `{"jsonrpc":"2.0","error":{"code":-32700,"message":"Parse error"},"id":null}`)
	p.write(":reply:[" + strings.Repeat(" ", rpc.MaxRequest-10))
	p.write(strings.Repeat(" ", 20) + "]\n")
	p.expect(r, string(rpc.TooLarge()))

	// A request without an id is answered with nothing, at once.
	silent := make(chan string)
	if err := unix.Mkfifo(filepath.Join(p.dir, "silent"), 0o600); err != nil {
		t.Fatal(err)
	}
	go func() {
		b, err := os.ReadFile(filepath.Join(p.dir, "silent"))
		silent <- fmt.Sprint(string(b), err)
	}()
	p.write(`:silent:{"jsonrpc": "2.0", "method": "echo", "params": ["a"]}` + "\n")
	if got := <-silent; got != "<nil>" {
		t.Errorf("a notification was answered: %s", got)
	}

	info, err := os.Stat(p.name)
	if err != nil || info.Mode() != os.ModeNamedPipe|0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	p.Close()
	p.Close()
	if _, err := os.Stat(p.name); !os.IsNotExist(err) {
		t.Errorf("the FIFO is left: %v", err)
	}
}

// TestFIFOCutAnywhere writes a request in two parts with the cut at every byte.
func TestFIFOCutAnywhere(t *testing.T) {
	p := servePipes(t, echo(t))
	r := p.reader("reply")
	request := ":reply:" + echoRequest("a\"}", 1) + "\n"
	w, err := os.OpenFile(p.name, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for at := range request {
		_, _ = w.WriteString(request[:at])
		if rand.IntN(4) == 0 {
			time.Sleep(time.Millisecond) // lets the two be read apart
		}
		_, _ = w.WriteString(request[at:])
		p.expect(r, echoReply("a\"}", 1))
	}
}

// TestFIFODeadReaders: readers that never come, that leave, or that take
// nothing cost the others nothing.
func TestFIFODeadReaders(t *testing.T) {
	d := echo(t)
	if err := d.Register(rpc.Command{Name: "much", Func: func(context.Context, *rpc.Args) (any, error) {
		return strings.Repeat("x", 1<<20), nil
	}}); err != nil {
		t.Fatal(err)
	}
	p := servePipes(t, d, func(c *FIFOConfig) { c.ReplyTimeout = time.Second })
	if err := unix.Mkfifo(filepath.Join(p.dir, "dead"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(p.dir, "file"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(p.dir, "file"), filepath.Join(p.dir, "link")); err != nil {
		t.Fatal(err)
	}
	stuck := p.reader("stuck") // takes nothing
	r := p.reader("reply")
	for i := range maxAnswering + 4 { // more than can wait at once
		p.write(":dead:" + echoRequest("a", i) + "\n")
	}
	p.write(`:stuck:{"jsonrpc":"2.0","method":"much","id":1}` + "\n")
	for _, name := range []string{"missing", "../fifo", ".", "..", "/etc/passwd", "file", "link"} {
		p.write(":" + name + ":" + echoRequest("a", 1) + "\n")
	}
	p.write(":reply:" + echoRequest("a", 1) + "\n")
	p.expect(r, echoReply("a", 1))
	p.Close()
	if b, err := os.ReadFile(filepath.Join(p.dir, "file")); err != nil || string(b) != "mine" {
		t.Errorf("a file was written to: %q, %v", b, err)
	}
	for _, complaint := range []string{"nobody reads", "without a path", "it is no FIFO", "no such file", "too many levels of symbolic links", "i/o timeout"} {
		if !p.log.Has(complaint) {
			t.Errorf("the log does not say %q", complaint)
		}
	}
	_ = stuck
}

// TestFIFOHalfRequests: what a writer left unfinished is forgotten.
func TestFIFOHalfRequests(t *testing.T) {
	p := servePipes(t, echo(t), often)
	r := p.reader("reply")
	p.write(`:reply:{"jsonrpc": "2.0", "met`)
	waittest.For(t, "it is forgotten", func() bool { return p.log.Has("half a request") })
	p.write(":reply:" + echoRequest("a", 1) + "\n")
	p.expect(r, echoReply("a", 1))
	p.write("hello?\n")
	waittest.For(t, "junk is told of", func() bool { return p.log.Has("unreadable request") })
}

// TestFIFOBehindPieces: a request at once behind what another writer left is carried
// out, and the log names whose that was.
func TestFIFOBehindPieces(t *testing.T) {
	p := servePipes(t, echo(t))
	r := p.reader("reply")
	for i, left := range []string{`:gone:{"jsonrpc": "2.0", "met`, `hod": "echo"}`, "junk", ":gone", ":gone:[\"" + strings.Repeat("x", rpc.MaxRequest)} {
		p.write(left)
		p.write(":reply:" + echoRequest("a", i))
		p.expect(r, echoReply("a", i))
	}
	if !p.log.Has("unreadable request") || !p.log.Has("reply=gone") {
		t.Error("the log does not tell of it")
	}
}

func TestFIFOIsMadeAgain(t *testing.T) {
	p := servePipes(t, echo(t), often)
	r := p.reader("reply")
	if err := os.Remove(p.name); err != nil {
		t.Fatal(err)
	}
	waittest.For(t, "the FIFO is back", func() bool { return p.log.Has("made again") })
	p.write(":reply:" + echoRequest("a", 1) + "\n")
	p.expect(r, echoReply("a", 1))

	// Something else in its place is left alone, until that is gone too.
	if err := os.Remove(p.name); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.name, nil, 0o600); err == nil {
		waittest.For(t, "it is told of", func() bool { return p.log.Has("is no FIFO") || p.log.Has("made again") })
	}
	_ = os.Remove(p.name)
	waittest.For(t, "the FIFO is back again", func() bool {
		info, err := os.Lstat(p.name)
		return err == nil && info.Mode()&os.ModeNamedPipe != 0
	})
}

func TestFIFORefuses(t *testing.T) {
	p := servePipes(t, echo(t))
	d := echo(t)
	if _, err := ServeFIFO(FIFOConfig{Name: p.name}, d); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("a FIFO in use: %v", err)
	}
	file := filepath.Join(p.dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ServeFIFO(FIFOConfig{Name: file}, d); err == nil || !strings.Contains(err.Error(), "no FIFO") {
		t.Errorf("a file: %v", err)
	}
	if _, err := ServeFIFO(FIFOConfig{Name: filepath.Join(p.dir, "no", "where")}, d); err == nil {
		t.Error("a folder that is not there")
	}
	for _, c := range []FIFOConfig{{User: "no such user"}, {Group: "no such group"}} {
		c.Name = filepath.Join(p.dir, "new")
		if _, err := ServeFIFO(c, d); err == nil {
			t.Errorf("%+v", c)
		}
		if _, err := os.Lstat(c.Name); !os.IsNotExist(err) {
			t.Errorf("it is left: %v", err)
		}
	}
}

// TestFIFOLeftBehind: what a program that crashed left is replaced, with the
// owners and the mode that are asked for.
func TestFIFOLeftBehind(t *testing.T) {
	name := filepath.Join(t.TempDir(), "fifo")
	if err := unix.Mkfifo(name, 0o666); err != nil {
		t.Fatal(err)
	}
	f, err := ServeFIFO(FIFOConfig{Name: name, Mode: 0o660, User: fmt.Sprint(os.Getuid()), Group: fmt.Sprint(os.Getgid())}, echo(t))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// TestFIFOClose: the answer to a request that was carried out is delivered,
// even to a reader who comes after Close has begun.
func TestFIFOClose(t *testing.T) {
	d, begun, release := slowCommand(t)
	p := servePipes(t, d)
	if err := unix.Mkfifo(filepath.Join(p.dir, "late"), 0o600); err != nil {
		t.Fatal(err)
	}
	// Open for both: neither the opening nor the first read sees an end.
	late, err := os.OpenFile(filepath.Join(p.dir, "late"), os.O_RDWR|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer late.Close()
	_ = late.SetReadDeadline(time.Now().Add(patience))
	p.write(`:late:{"jsonrpc":"2.0","method":"slow","id":1}` + "\n")
	<-begun
	close(release)
	closed := make(chan bool)
	go func() { p.Close(); close(closed) }()
	b := make([]byte, 4096)
	n, err := late.Read(b)
	if reply := string(b[:n]); err != nil || !strings.HasPrefix(reply, `{"jsonrpc":"2.0",`) || !strings.HasSuffix(reply, `"id":1}`) {
		t.Errorf("%s, %v", reply, err)
	}
	<-closed
}
