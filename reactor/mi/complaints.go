package mi

import (
	"log/slog"
	"time"

	"sipreactor/reactor/internal/repeats"
)

// complaints tell of what the clients of a management socket did, or did not do. A client's name
// is what it chooses: so many as they like of them are not told apart.
type complaints struct {
	log           *slog.Logger
	socket        slog.Attr // which socket it is
	subject, whom string    // begins each line; the key of the client's name

	told repeats.Table[complaint]
}

// complaint is what lines have in common that are told as one.
type complaint struct{ what, of string }

// complain tells of a client; "" is none in particular.
func (c *complaints) complain(what, of string, args ...any) {
	held, ok := c.told.Open(time.Now(), complaint{what, clip(of)})
	if !ok {
		return
	}
	if of != "" {
		args = append([]any{c.whom, of}, args...)
	}
	if held > 0 {
		args = append(args, "more", held)
	}
	c.log.Warn(c.subject+": "+what, append(args, c.socket)...)
}

// clip bounds a name that a table keeps.
func clip(name string) string { return name[:min(len(name), 64)] }
