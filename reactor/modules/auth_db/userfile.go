package auth_db

import (
	"bufio"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"sipreactor/reactor/digest"
	"sipreactor/tlsstate/regular"
)

// userFile is a file of users. It is looked at again once a second, when somebody asks.
type userFile struct {
	name string
	log  *slog.Logger // of a change that cannot be taken; nil: nobody is told

	mu      sync.Mutex
	looked  time.Time
	written time.Time
	size    int64
	users   map[userKey]string // HA1
}

type userKey struct {
	user, realm string
	algorithm   digest.Algorithm
}

// maxUsers bounds the lines of a file.
const maxUsers = 1_000_000

// read reads the file. With an error, what was read before stays.
func (f *userFile) read() error {
	file, err := regular.Open(f.name)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	switch {
	case err != nil:
		return err
	case info.Mode().Perm()&0o077 != 0:
		return fmt.Errorf("%s can be read by others (%04o): chmod 600 it", f.name, info.Mode().Perm())
	}
	users := make(map[userKey]string)
	lines := bufio.NewScanner(file)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		key, ha1, err := parseUser(line)
		if err != nil {
			return fmt.Errorf("%s:%d: %w", f.name, n, err)
		}
		if len(users) == maxUsers {
			return fmt.Errorf("%s:%d: more than %d users: use a database", f.name, n, maxUsers)
		}
		users[key] = ha1
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%s: %w", f.name, err)
	}
	f.users, f.written, f.size = users, info.ModTime(), info.Size()
	return nil
}

// parseUser reads "user:realm:HA1" or "user:realm:algorithm:HA1". What is wrong is told without the hash.
func parseUser(line string) (k userKey, ha1 string, err error) {
	parts := strings.Split(line, ":")
	if len(parts) == 4 {
		a, ok := digest.ParseAlgorithm(parts[2])
		if !ok {
			return k, "", fmt.Errorf("the algorithm is MD5, SHA-256 or SHA-512-256")
		}
		k.algorithm = a
		parts[2] = parts[3]
	} else if len(parts) != 3 {
		return k, "", fmt.Errorf(`a line is "user:realm:HA1" or "user:realm:algorithm:HA1"`)
	}
	k.user, k.realm, ha1 = parts[0], parts[1], strings.ToLower(parts[2])
	if k.user == "" || len(ha1) != k.algorithm.HexLen() || strings.Trim(ha1, "0123456789abcdef") != "" {
		return k, "", fmt.Errorf("the HA1 of %s has to be %d hexadecimal digits", k.algorithm, k.algorithm.HexLen())
	}
	return k, ha1, nil
}

// find returns the HA1 of a user. A user that has one of another algorithm alone is found without.
func (f *userFile) find(c *digest.Credentials) (ha1 []byte, found bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := time.Now(); now.Sub(f.looked) >= time.Second {
		f.looked = now
		if info, err := os.Stat(f.name); err == nil && (info.ModTime() != f.written || info.Size() != f.size) {
			if err := f.read(); err != nil { // it is as if it had not changed, until it does again
				f.written, f.size = info.ModTime(), info.Size()
				if f.log != nil {
					f.log.Error("auth_db: users_file has changed and is not taken: the users stay as they were", "error", err)
				}
			}
		}
	}
	key := userKey{string(c.User), string(c.Realm), c.Algorithm}
	if hash, ok := f.users[key]; ok {
		return []byte(hash), true
	}
	for a := range digest.SHA512256 + 1 {
		key.algorithm = a
		if _, ok := f.users[key]; ok {
			return nil, true
		}
	}
	return nil, false
}
