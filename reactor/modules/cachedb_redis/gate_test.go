package cachedb_redis

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/redis/go-redis/v9"

	"sipreactor/reactor/store/gate"
)

// That there is no such key is an answer; a server that is late may only be slow.
func TestOutcome(t *testing.T) {
	for _, c := range []struct {
		err  error
		want gate.Outcome
	}{
		{nil, gate.Answered},
		{redis.Nil, gate.Answered},
		{errors.New("refused"), gate.Silent},
		{context.DeadlineExceeded, gate.Late},
		{fmt.Errorf("read: %w", os.ErrDeadlineExceeded), gate.Late},
	} {
		if got := outcome(c.err); got != c.want {
			t.Errorf("%v: %v, want %v", c.err, got, c.want)
		}
	}
}
