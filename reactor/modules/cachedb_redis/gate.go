package cachedb_redis

import (
	"context"
	"errors"
	"net"

	"github.com/redis/go-redis/v9"

	"sipreactor/reactor/store/gate"
)

var (
	errGone = errors.New("the servers are gone")
	errBusy = errors.New("too many commands wait for the servers")
)

// gateConfig is that of a group's gate.
var gateConfig = gate.Config{Most: 512, LateIsGone: 3, Gone: errGone, Busy: errBusy}

// outcome returns what a command's end tells of the servers.
func outcome(err error) gate.Outcome {
	var timeout net.Error
	switch {
	case err == nil, errors.Is(err, redis.Nil), isAnswer(err):
		return gate.Answered
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return gate.Late
	default:
		return gate.Silent
	}
}
