package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/pflag"
)

// processOptions are the flags by which OpenSIPS is started, so that its unit files and init scripts start this
// program, too.
type processOptions struct {
	workdir     string   // "" stays where it is
	user, group string   // to run as once the sockets are bound, by name or number; "" ours
	pidFile     string   // "" none
	listen      []string // sockets beside those of the configuration
	logStderr   bool     // whatever the configuration says
	notes       []string // what was given and does nothing here
}

// add adds the flags; notes gives those that were given and do nothing, when the command line has been read.
func (o *processOptions) add(f *pflag.FlagSet, check *bool) (notes func() []string) {
	f.BoolVarP(check, "check-only", "c", false, "the same as -C")
	f.StringArrayVarP(&o.listen, "listen", "l", nil, "listen on this socket, too: proto:host[:port]; may be given several times")
	f.BoolVarP(&o.logStderr, "log-stderr", "E", false, "log to standard error whatever stderror_enabled says")
	f.StringVarP(&o.workdir, "workdir", "w", "", "work in this directory")
	f.StringVarP(&o.user, "user", "u", "", "run as this user once the sockets are bound")
	f.StringVarP(&o.group, "group", "g", "", "run as this group once the sockets are bound")
	f.StringVarP(&o.pidFile, "pid-file", "P", "", "write the process's number to this file")
	f.BoolP("foreground", "D", false, "taken for OpenSIPS: the program stays in the foreground anyway")
	f.BoolP("no-daemon", "F", false, "taken for OpenSIPS: the program stays in the foreground anyway")
	f.StringP("shm-memory", "m", "", "taken for OpenSIPS: there is no shared memory (GOMEMLIMIT bounds what there is)")
	f.StringP("pkg-memory", "M", "", "taken for OpenSIPS: there is no memory of processes (GOMEMLIMIT bounds what there is)")
	return func() (given []string) {
		for _, name := range []string{"shm-memory", "pkg-memory"} {
			if flag := f.Lookup(name); flag.Changed {
				given = append(given, fmt.Sprintf("-%s %s does nothing: %s", flag.Shorthand, flag.Value, strings.TrimPrefix(flag.Usage, "taken for OpenSIPS: ")))
			}
		}
		return given
	}
}

// identity is who the program runs as.
type identity struct {
	uid, gid int
	groups   []int
}

// identity finds the user and the group that were asked for; nil without. The group of a user alone is its own, with
// all others that it is in.
func (o *processOptions) identity() (*identity, error) {
	if o.user == "" && o.group == "" {
		return nil, nil
	}
	id := &identity{uid: -1, gid: -1}
	if o.user != "" {
		u, err := user.Lookup(o.user)
		if err != nil {
			if u, err = user.LookupId(o.user); err != nil {
				return nil, fmt.Errorf("-u %s: there is no such user", o.user)
			}
		}
		id.uid, _ = strconv.Atoi(u.Uid)
		id.gid, _ = strconv.Atoi(u.Gid)
		if list, err := u.GroupIds(); err == nil {
			for _, g := range list {
				if n, err := strconv.Atoi(g); err == nil {
					id.groups = append(id.groups, n)
				}
			}
		}
	}
	if o.group != "" {
		g, err := user.LookupGroup(o.group)
		if err != nil {
			if g, err = user.LookupGroupId(o.group); err != nil {
				return nil, fmt.Errorf("-g %s: there is no such group", o.group)
			}
		}
		id.gid, _ = strconv.Atoi(g.Gid)
	}
	if len(id.groups) == 0 {
		id.groups = []int{id.gid}
	}
	return id, nil
}

// take makes the process run as the identity: all of its threads, for good. Who is that already stays so.
func (id *identity) take() error {
	if id == nil || (id.uid < 0 || os.Geteuid() == id.uid) && os.Getegid() == id.gid {
		return nil
	}
	if err := syscall.Setgroups(id.groups); err != nil {
		return os.NewSyscallError("setgroups", err)
	}
	if err := syscall.Setgid(id.gid); err != nil {
		return os.NewSyscallError("setgid", err)
	}
	if id.uid >= 0 {
		if err := syscall.Setuid(id.uid); err != nil {
			return os.NewSyscallError("setuid", err)
		}
	}
	return nil
}

// writePID writes the process's number to a file and gives what removes it. A file that names another process that
// lives is an error.
func writePID(name string, id *identity) (remove func(), err error) {
	if name == "" {
		return func() {}, nil
	}
	if b, err := os.ReadFile(name); err == nil {
		n, err := strconv.Atoi(strings.TrimSpace(string(b)))
		if err == nil && n > 0 && n != os.Getpid() && !errors.Is(syscall.Kill(n, 0), syscall.ESRCH) {
			return nil, fmt.Errorf("-P %s: process %d is running", name, n)
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("-P: %w", err)
	}
	if err := os.WriteFile(name, fmt.Appendf(nil, "%d\n", os.Getpid()), 0o644); err != nil { //nolint:gosec // others read it
		return nil, fmt.Errorf("-P: %w", err)
	}
	if id != nil {
		_ = os.Chown(name, id.uid, id.gid) // so that it can be removed; where the directory forbids that, it stays
	}
	return func() { _ = os.Remove(name) }, nil
}
