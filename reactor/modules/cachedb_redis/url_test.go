package cachedb_redis

import (
	"slices"
	"strings"
	"testing"
)

func TestParseURL(t *testing.T) {
	for text, want := range map[string]groupURL{
		"redis:group1://localhost:6379/":          {name: "redis:group1", hosts: []string{"localhost:6379"}},
		"redis://localhost":                       {name: "redis", hosts: []string{"localhost:6379"}},
		"redis:g://:pass@w@h:1/3":                 {name: "redis:g", password: "pass@w", hosts: []string{"h:1"}, database: 3},
		"redis:g://user:pass@[::1]:7,b/":          {name: "redis:g", user: "user", password: "pass", hosts: []string{"[::1]:7", "b:6379"}},
		"redis:l://u:p@localhost/2?socket=/run/r": {name: "redis:l", user: "u", password: "p", hosts: []string{"localhost:6379"}, socket: "/run/r", database: 2},
	} {
		u, err := parseURL(text)
		if err != nil || u.name != want.name || u.user != want.user || u.password != want.password || !slices.Equal(u.hosts, want.hosts) ||
			u.socket != want.socket || u.database != want.database {
			t.Errorf("%s: %+v, %v", text, u, err)
		}
	}
	for text, want := range map[string]string{
		"":                                  "begins with redis://",
		"mongodb://x":                       "begins with redis://",
		"redis:://h":                        "begins with redis://",
		"redis://secret@h":                  "user:password",
		"redis://":                          "names no host",
		"redis://:secret@h,/":               "names no host",
		"redis://:secret@h:x/":              "port",
		"redis://:secret@h/x":               "is no number",
		"redis://:secret@h/?x=1":            "unknown parameter",
		"redis://:secret@h/?tls_domain=x":   "not supported",
		"redis://:secret@a,b/?socket=/run/": "several hosts",
	} {
		if _, err := parseURL(text); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
