package rtpengine

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"sipreactor/reactor/modules/rtpengine/ng"
)

// state is whether a node is used.
type state int32

const (
	enabled  state = iota
	disabled       // by the management interface, until that enables it
	probing        // it did not answer; it is pinged from time to time
)

// node is one rtpengine in one set.
type node struct {
	url    string // as rtpengine_sock has it, without the weight
	addr   string // host:port
	set    int
	weight int // 0: used when no other answers
	client *ng.Client

	state atomic.Int32
	// recheck is when it is pinged, and heard when it answered last, in nanoseconds of
	// UNIX time.
	recheck, heard atomic.Int64
}

func (n *node) is() state { return state(n.state.Load()) }

// fleet are the nodes in their sets.
type fleet struct {
	sets  map[int][]*node
	moved *moved
}

// all yields the nodes, set by set.
func (f *fleet) all(yield func(*node) bool) {
	for _, set := range f.numbers() {
		for _, n := range f.sets[set] {
			if !yield(n) {
				return
			}
		}
	}
}

// numbers lists the sets.
func (f *fleet) numbers() (list []int) {
	for set := range f.sets {
		list = append(list, set)
	}
	slices.Sort(list)
	return list
}

// add reads a value of rtpengine_sock: [set ==] udp:host:port[=weight]...
func (f *fleet) add(text string) error {
	set := 0
	if number, rest, ok := strings.Cut(text, "=="); ok {
		n, err := strconv.ParseUint(strings.TrimSpace(number), 10, 31)
		if err != nil {
			return fmt.Errorf("is wrong: %q is no number of a set", strings.TrimSpace(number))
		}
		set, text = int(n), rest
	}
	for word := range strings.FieldsSeq(text) {
		n := &node{set: set, weight: 1}
		var ok bool
		var weight string
		if n.url, weight, ok = strings.Cut(word, "="); ok {
			w, err := strconv.ParseUint(weight, 10, 16)
			if err != nil {
				return fmt.Errorf("is wrong: %q is no weight", weight)
			}
			n.weight = int(w)
		}
		proto, addr, ok := strings.Cut(n.url, ":")
		if !ok || proto != "udp" && proto != "udp6" {
			return fmt.Errorf("is wrong: %q is no udp:host:port, and rtpengine has no UNIX socket", n.url)
		}
		host, port, err := net.SplitHostPort(addr)
		if p, perr := strconv.ParseUint(port, 10, 16); err != nil || perr != nil || p == 0 || host == "" {
			return fmt.Errorf("is wrong: %q is no udp:host:port", n.url)
		}
		n.addr = addr
		if slices.ContainsFunc(f.sets[set], func(o *node) bool { return o.url == n.url }) {
			return fmt.Errorf("names %s twice in set %d", n.url, set)
		}
		f.sets[set] = append(f.sets[set], n)
	}
	return nil
}

// choose gives the node of a call among those that are enabled and not tried; with a
// url, that one, whatever its state. nil: there is none.
func (f *fleet) choose(set int, callID, url string, tried []*node) *node {
	list := f.sets[set]
	if url != "" {
		for _, n := range list {
			if n.url == url && !slices.Contains(tried, n) {
				return n
			}
		}
		return nil
	}
	usable := func(n *node) bool { return n.is() == enabled && !slices.Contains(tried, n) }
	if n := f.moved.get(set, callID); n != nil && usable(n) {
		return n
	}
	return best(list, callID, usable)
}

// home is the node that the call would have if all were enabled.
func (f *fleet) home(set int, callID string) *node {
	return best(f.sets[set], callID, func(*node) bool { return true })
}

// best gives the usable node with the highest score; one of weight 0 only without others.
func best(list []*node, callID string, usable func(*node) bool) (found *node) {
	top := math.Inf(-1)
	for _, n := range list {
		if !usable(n) {
			continue
		}
		if s := score(n, callID); found == nil || s > top {
			found, top = n, s
		}
	}
	return found
}

// score is that of weighted rendezvous hashing: each node is first for its share of all
// calls. Nodes of weight 0 are behind all others.
func score(n *node, callID string) float64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(n.url))
	_, _ = h.Write([]byte{0})
	_, _ = h.Write([]byte(callID))
	x := h.Sum64()
	x ^= x >> 33 // FNV leaves the upper bits alike for texts that differ at their end
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	x ^= x >> 33
	u := (float64(x>>11) + 0.5) / (1 << 53)
	if n.weight == 0 {
		return u - 1e6
	}
	return -float64(n.weight) / math.Log(u) // above 0
}

// maxMoved bounds the calls that are remembered.
const maxMoved = 65536

// moved remembers the nodes of calls that did not get their own.
type moved struct {
	mu    sync.Mutex
	calls map[movedKey]movedCall
}

type movedKey struct {
	set  int
	call string
}

type movedCall struct {
	to *node
	at time.Time
}

func (m *moved) get(set int, callID string) *node {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.calls[movedKey{set, callID}].to
}

// put remembers where a call went; to nil forgets it. Above maxMoved calls keep no memory
// of it.
func (m *moved) put(set int, callID string, to *node) {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := movedKey{set, callID}
	if to == nil {
		delete(m.calls, key)
		return
	}
	if _, there := m.calls[key]; there || len(m.calls) < maxMoved {
		m.calls[key] = movedCall{to, time.Now()}
	}
}

// sweep forgets calls whose end was not seen.
func (m *moved) sweep(before time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key, c := range m.calls {
		if c.at.Before(before) {
			delete(m.calls, key)
		}
	}
}

var errNoNode = errors.New("no rtpengine is there")

// refusal is an error that rtpengine answered.
type refusal string

func (r refusal) Error() string { return "rtpengine: " + string(r) }

// failoverErrors are the answers after which another node may do.
var failoverErrors = []string{
	"Parallel session limit reached", "Ran out of ports", "CPU usage limit exceeded", "Load limit exceeded", "Bandwidth limit exceeded",
}

func (m *module) failsOver(reason string) bool {
	for _, s := range failoverErrors {
		if strings.Contains(reason, s) {
			return true
		}
	}
	for _, re := range m.failover {
		if re.MatchString(reason) {
			return true
		}
	}
	return false
}

// maxAsk is the longest time that a request takes with all nodes that are tried.
const maxAsk = 30 * time.Second

// ask sends a request to the node of its call, and an offer to others when that fails. It
// blocks.
func (m *module) ask(q *question) (ng.Dict, *node, error) {
	ctx, cancel := context.WithTimeout(context.Background(), maxAsk)
	defer cancel()
	var tried []*node
	failed := errNoNode
	offer := q.command == "offer"
	for {
		n := m.fleet.choose(q.set, q.callID, q.url, tried)
		if n == nil {
			return nil, nil, failed
		}
		answer, err := n.client.Do(ctx, q.dict)
		if err == nil {
			m.heard(n)
			if answer.Text("result") == "ok" {
				m.remember(q, n)
				return answer, n, nil
			}
			reason := answer.Text("error-reason")
			if reason == "" {
				reason = answer.Text("result")
			}
			if reason == "load limit" {
				reason = answer.Text("message") + " (Load limit exceeded)"
			}
			failed = refusal(reason)
			if !m.failsOver(reason) {
				return nil, n, failed
			}
		} else {
			failed = err
			m.unheard(n, err)
		}
		if !offer || q.url != "" || ctx.Err() != nil {
			return nil, n, failed
		}
		tried = append(tried, n)
	}
}

// remember keeps where a call went that is not where it would be found, until its end.
func (m *module) remember(q *question, n *node) {
	switch {
	case q.command == "delete":
		m.fleet.moved.put(q.set, q.callID, nil)
	case q.command == "offer" && q.url == "" && m.fleet.home(q.set, q.callID) != n:
		m.fleet.moved.put(q.set, q.callID, n)
	}
}

// heard notes that a node answered.
func (m *module) heard(n *node) {
	n.heard.Store(time.Now().UnixNano())
	if n.state.CompareAndSwap(int32(probing), int32(enabled)) {
		m.changed(n, "active", "it answers")
	}
}

// unheard takes a node out that cannot be reached. What is a matter of ours is not the
// node's.
func (m *module) unheard(n *node, err error) {
	if errors.Is(err, ng.ErrBusy) || errors.Is(err, ng.ErrLarge) || errors.Is(err, ng.ErrClosed) {
		return
	}
	n.recheck.Store(time.Now().Add(m.pause).UnixNano())
	if n.state.CompareAndSwap(int32(enabled), int32(probing)) {
		m.changed(n, "inactive", err.Error())
	}
}

// probe pings the nodes whose time it is.
func (m *module) probe(ctx context.Context) {
	now := time.Now()
	var all sync.WaitGroup
	for n := range m.fleet.all {
		switch n.is() {
		case disabled:
			continue
		case enabled:
			if !m.pings || now.Sub(time.Unix(0, n.heard.Load())) < m.interval {
				continue
			}
		case probing:
			if now.UnixNano() < n.recheck.Load() {
				continue
			}
			n.client.Renew()
		}
		all.Go(func() { m.ping(ctx, n) })
	}
	all.Wait()
	m.fleet.moved.sweep(now.Add(-24 * time.Hour))
}

func (m *module) ping(ctx context.Context, n *node) {
	answer, err := n.client.Do(ctx, ng.Dict{{Key: "command", Value: "ping"}})
	switch {
	case ctx.Err() != nil:
	case err != nil:
		m.unheard(n, err)
	case answer.Text("result") == "pong":
		m.heard(n)
	}
}
