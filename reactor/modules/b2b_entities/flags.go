package b2b_entities

import (
	"fmt"
	"time"
)

// maxLasts bounds the time of a session.
const maxLasts = 7 * 24 * time.Hour

// parseFlags reads flags: t and a number of seconds, a, r, d, h, b, n.
func parseFlags(text string) (f flags, err error) {
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case 't':
			n := time.Duration(0)
			from := i
			for i+1 < len(text) && text[i+1] >= '0' && text[i+1] <= '9' {
				i++
				n = min(n*10+time.Duration(text[i]-'0'), maxLasts)
			}
			if f.lasts = n * time.Second; i == from || f.lasts <= 0 || f.lasts > maxLasts {
				return f, fmt.Errorf("t is followed by a number of seconds from 1 to %d", maxLasts/time.Second)
			}
		case 'a':
			f.acks = true
		case 'r':
			f.replies = true
		case 'd':
			f.noAck = true
		case 'h':
			f.headers = true
		case 'b':
			f.body = true
		case 'n':
			f.mum = true
		case ' ':
		default:
			return f, fmt.Errorf("unknown flag %q: tNN, a, r, d, h, b and n are there", c)
		}
	}
	return f, nil
}
