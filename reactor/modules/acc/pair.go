package acc

import (
	"sync"

	"sipreactor/sipframe"
)

// pair is a response and the request, as far as they are there.
type pair struct {
	response, request   *sipframe.Message
	response1, request1 sipframe.Message
}

var pairs = sync.Pool{New: func() any { return new(pair) }}

func parsed(response, request []byte) *pair {
	p := pairs.Get().(*pair)
	if response != nil && p.response1.Parse(response) == nil {
		p.response = &p.response1
	}
	if request != nil && p.request1.Parse(request) == nil {
		p.request = &p.request1
	}
	return p
}

func (p *pair) free() {
	p.response, p.request = nil, nil
	p.response1.Reset()
	p.request1.Reset()
	pairs.Put(p)
}
