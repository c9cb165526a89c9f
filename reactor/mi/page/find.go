package page

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/mi"
)

// maxFound is how many connections a search shows.
const maxFound = 50

// found is one connection that a search found.
type found struct {
	ID, Proto, Remote, Local, Direction, Phase string
	TLS, Domain, Name                          string
	Queue                                      int
	Stuck                                      bool
	Age, Idle                                  float64 // seconds
}

// finding is the answer of find_conns.
type finding struct {
	Connections []found
	Total       int
}

// finder searches for all who ask, one search at a time. Whoever asks for the
// same words again gets the same answer while it is fresh.
type finder struct {
	engine mi.Engine

	mu    sync.Mutex
	words string
	last  *finding
	until time.Time
}

// find lists at most maxFound of the connections that hold the words. The answer
// is not to be changed.
func (f *finder) find(words string) *finding {
	f.mu.Lock()
	defer f.mu.Unlock()
	began := time.Now()
	if f.last == nil || f.words != words || !began.Before(f.until) {
		f.words, f.last = words, f.search(strings.Fields(strings.ToLower(words)))
		f.until = rest(began)
	}
	return f.last
}

func (f *finder) search(words []string) *finding {
	var first []reactor.ConnInfo // of those that hold the words, in order
	total := 0
	f.engine.Conns(func(i *reactor.ConnInfo) bool {
		if len(words) > 0 && !holds(i, words) {
			return true
		}
		total++
		at, _ := slices.BinarySearchFunc(first, i, func(a reactor.ConnInfo, b *reactor.ConnInfo) int {
			return cmp.Or(boolCompare(b.Stuck, a.Stuck), cmp.Compare(b.Queue, a.Queue), cmp.Compare(a.Age, b.Age), cmp.Compare(a.Conn, b.Conn))
		})
		if at < maxFound {
			first = slices.Insert(first, at, *i)
			first = first[:min(len(first), maxFound)]
		}
		return true
	})
	result := &finding{Connections: []found{}, Total: total}
	for _, i := range first {
		result.Connections = append(result.Connections, found{ID: idText(i.Conn), Proto: i.Proto.String(),
			Remote: i.Remote.String(), Local: addrText(i.Local), Direction: direction(i.Outbound), Phase: i.Phase.String(),
			TLS: i.TLSVersion, Domain: i.Domain, Name: commonName(&i), Queue: i.Queue, Stuck: i.Stuck,
			Age: i.Age.Seconds(), Idle: i.Idle.Seconds()})
	}
	return result
}

// holds tells whether a connection has each of the words in something of it.
func holds(i *reactor.ConnInfo, words []string) bool {
	text := strings.ToLower(strings.Join([]string{idText(i.Conn), i.Proto.String(), i.Remote.String(), addrText(i.Local),
		direction(i.Outbound), i.Phase.String(), i.TLSVersion, i.Domain, commonName(i)}, "\n"))
	for _, w := range words {
		if !strings.Contains(text, w) {
			return false
		}
	}
	return true
}

// commonName is the peer's name by its certificate.
func commonName(i *reactor.ConnInfo) string {
	if i.Peer == nil {
		return ""
	}
	return brief(i.Peer.Subject.CommonName)
}
