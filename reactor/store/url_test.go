package store

import (
	"strings"
	"testing"
)

func TestParseURL(t *testing.T) {
	for _, c := range []struct {
		text                 string
		user, password, host string
		port                 uint16
		name, printed        string
	}{
		{"mysql://opensips:opensipsrw@localhost/opensips", "opensips", "opensipsrw", "localhost", 0, "opensips", "mysql://opensips:***@localhost/opensips"},
		{"mysql://u:p@h:3307/d", "u", "p", "h", 3307, "d", "mysql://u:***@h:3307/d"},
		{"postgres://u:p/a@s:s@[::1]:5433/d?sslmode=disable", "u", "p/a@s:s", "::1", 5433, "d", "postgres://u:***@[::1]:5433/d"},
		{"postgres://[fe80::1]/d", "", "", "fe80::1", 0, "d", "postgres://[fe80::1]/d"},
		{"postgres:///d", "", "", "localhost", 0, "d", "postgres://localhost/d"},
		{"mysql://u@h/d", "u", "", "h", 0, "d", "mysql://u@h/d"},
		{"sqlite:///var/lib/x.db", "", "", "", 0, "/var/lib/x.db", "sqlite:///var/lib/x.db"},
		{"sqlite:/var/lib/x.db", "", "", "", 0, "/var/lib/x.db", "sqlite:///var/lib/x.db"},
		{"text:///var/dbtext/opensips", "", "", "", 0, "/var/dbtext/opensips", "text:///var/dbtext/opensips"},
		{"text://tables", "", "", "", 0, "tables", "text://tables"},
	} {
		u, err := ParseURL(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if u.User != c.user || u.Password != c.password || u.Host != c.host || u.Port != c.port || u.Name != c.name {
			t.Errorf("%s: %#v", c.text, u)
		}
		if u.String() != c.printed {
			t.Errorf("%s is printed %s, want %s", c.text, u, c.printed)
		}
	}
}

func TestURLErrorsKeepPassword(t *testing.T) {
	for text, want := range map[string]string{
		"":                            "begins with",
		"oracle://u:secret@h/d":       "begins with",
		"mysql://u:secret@h":          "names no database",
		"mysql://u:secret@h:0/d":      "port",
		"mysql://u:secret@h:http/d":   "port",
		"mysql://u:secret@h/d?x=1":    "unknown parameter",
		"postgres://u:secret@[::1/d":  "no ]",
		"postgres://u:secret@[::1]x/": "names no database",
		"sqlite://":                   "wants a path",
		"text:///":                    "wants a path",
	} {
		_, err := ParseURL(text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: the error tells the password: %v", text, err)
		}
	}
}
