// Package storetest starts real database servers for tests: in a folder of their
// own, on a port of 127.0.0.1, as a user without rights when the test is root's.
// A server that is not installed skips the test with a line that says so.
package storetest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"sipreactor/reactor/ports"
)

// Password is that of the servers' user, sipreactor. It has characters that need care in a URL.
const Password = "pa/ss@wo:rd'"

// Server is a database server that a test may kill and bring back.
type Server struct {
	t      testing.TB
	name   string
	dir    string
	port   string
	args   []string
	ready  []string // a program that succeeds once the server has begun; none: it listens then
	cmd    *exec.Cmd
	exited chan struct{} // of cmd
	url    string
	cred   *syscall.Credential
}

// URL returns the db_url of a database of the server, which may not exist yet.
func (s *Server) URL(database string) string { return fmt.Sprintf(s.url, database) }

// Kill ends the server as a crash does.
func (s *Server) Kill() {
	if s.cmd == nil {
		return
	}
	s.Freeze() // else a child of one that is dead is nobody's, and not found
	s.signal(syscall.SIGKILL)
	<-s.exited
	s.cmd = nil
}

// Freeze makes the server take connections and answer nothing, until Thaw. It returns when all of it stands still: a child
// that was made meanwhile would go on and answer.
func (s *Server) Freeze() {
	s.t.Helper()
	for end := time.Now().Add(30 * time.Second); s.moves(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("%s does not stand still", s.name)
		}
		s.signal(syscall.SIGSTOP)
	}
}

// Thaw ends Freeze.
func (s *Server) Thaw() { s.signal(syscall.SIGCONT) }

// moves reports whether the server, or a child of it, is neither stopped nor dead.
func (s *Server) moves() bool {
	for _, p := range s.processes() {
		if !strings.ContainsAny(p.state, "TtZX") {
			return true
		}
	}
	return false
}

// signal reaches the server and its children: those of PostgreSQL are no group.
func (s *Server) signal(sig syscall.Signal) {
	for _, p := range s.processes() {
		_ = syscall.Kill(p.id, sig)
	}
}

// process is one of the server's.
type process struct {
	id    int
	state string
}

// processes returns the server and its children, in this order: one that has stopped makes no more.
func (s *Server) processes() (list []process) {
	own := strconv.Itoa(s.cmd.Process.Pid)
	stat := func(path string) (state, parent string) {
		text, err := os.ReadFile(path)
		if err != nil {
			return "X", ""
		}
		_, rest, _ := strings.Cut(string(text), ") ") // behind the name: state, parent
		if f := strings.Fields(rest); len(f) > 1 {
			return f[0], f[1]
		}
		return "X", ""
	}
	state, _ := stat(filepath.Join("/proc", own, "stat"))
	list = append(list, process{s.cmd.Process.Pid, state})
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		if state, parent := stat(path); parent == own {
			if id, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil {
				list = append(list, process{id, state})
			}
		}
	}
	return list
}

// Start starts the server, again after Kill, and returns when it takes statements.
func (s *Server) Start() {
	s.t.Helper()
	address := net.JoinHostPort("127.0.0.1", s.port)
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		// One that was killed may be remembered for a moment, and its heir gives up at once.
		exited := s.launch()
		for up := true; up; {
			if c, err := net.DialTimeout("tcp", address, time.Second); err == nil {
				c.Close()
				if len(s.ready) == 0 || s.command(s.ready[0], s.ready[1:]...).Run() == nil {
					return
				}
			}
			select {
			case <-exited:
				up = false
			case <-time.After(20 * time.Millisecond):
				up = time.Now().Before(end)
			}
		}
	}
	text, _ := os.ReadFile(filepath.Join(s.dir, "log"))
	s.t.Fatalf("%s does not listen:\n%s", s.name, text[max(0, len(text)-2000):])
}

// launch runs the program; the channel closes when it has ended.
func (s *Server) launch() <-chan struct{} {
	s.t.Helper()
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	if err != nil {
		s.t.Fatal(err)
	}
	defer log.Close()
	cmd := s.command(s.args[0], s.args[1:]...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(exited)
	}()
	s.cmd, s.exited = cmd, exited
	return exited
}

func (s *Server) command(name string, args ...string) *exec.Cmd {
	c := exec.Command(name, args...)
	c.Dir = s.dir
	// Its own temporary files: what starts as the same user removes those that it finds.
	c.Env = append(os.Environ(), "HOME="+s.dir, "TMPDIR="+s.dir, "LC_ALL=C")
	c.SysProcAttr = &syscall.SysProcAttr{Credential: s.cred, Pdeathsig: syscall.SIGKILL}
	return c
}

// newServer makes the folder; programs are those that must be there.
func newServer(t testing.TB, name, account string, programs ...*string) *Server {
	t.Helper()
	for _, p := range programs {
		path, err := exec.LookPath(*p)
		if err != nil {
			t.Skipf("%s is not installed: no %s", name, *p)
		}
		*p = path
	}
	dir, err := os.MkdirTemp("", "storetest")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{t: t, name: name, dir: dir, port: freePort(t)}
	t.Cleanup(func() {
		s.Kill()
		os.RemoveAll(dir)
	})
	if os.Geteuid() == 0 {
		s.cred = credential(t, account)
		if err := os.Chown(dir, int(s.cred.Uid), int(s.cred.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// credential is that of the server's usual account, or of nobody.
func credential(t testing.TB, account string) *syscall.Credential {
	t.Helper()
	u, err := user.Lookup(account)
	if err != nil {
		if u, err = user.Lookup("nobody"); err != nil {
			t.Skipf("no user to run the server as: %v", err)
		}
	}
	uid, _ := strconv.ParseUint(u.Uid, 10, 32)
	gid, _ := strconv.ParseUint(u.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

// file writes a file that the server reads.
func (s *Server) file(name, text string) string {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// freePort returns a port that nobody is given before the server listens, which it does when it is set up.
func freePort(t testing.TB) string {
	t.Helper()
	port, err := ports.Unused()
	if err != nil {
		t.Fatal(err)
	}
	return port
}
