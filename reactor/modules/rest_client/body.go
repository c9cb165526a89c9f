package rest_client

import (
	"errors"
	"io"
	"net/http"
	"slices"
)

// heldMost bounds the bodies that are being read, of all requests together: with
// large ones each request would hold up to max_transfer_size for as long as it may
// take. It is no less than what two requests need.
const heldMost = 64 << 20

var (
	errLarge  = errors.New("the answer is larger than max_transfer_size")
	errMemory = errors.New("the answers under way take too much memory")
)

// read returns a body. One that says beforehand that it is too large is not read.
func (c *client) read(resp *http.Response) (body []byte, err error) {
	if c.size > 0 && resp.ContentLength > c.size {
		return nil, errLarge
	}
	var mine int64
	defer func() { c.held.Add(-mine) }()
	for {
		if len(body) == cap(body) {
			more := int64(max(cap(body), 4096))
			if mine += more; c.held.Add(more) > c.most.Load() && c.size > 0 {
				return nil, errMemory
			}
			body = slices.Grow(body, int(more))
		}
		n, err := resp.Body.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case c.size > 0 && int64(len(body)) > c.size:
			return body[:c.size], errLarge
		case errors.Is(err, io.EOF):
			return body, nil
		case err != nil:
			return body, err
		}
	}
}
