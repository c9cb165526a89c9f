package workers

import "iter"

// Inline runs items of shards on the goroutine of whoever has read them, which saves
// the two wake-ups that a worker costs: at low rates those are most of what a message
// costs.
//
// Its caller must not wait, and an item may. So items run in a coroutine, and one that
// is about to wait leaves (Leave): a goroutine of the caller's carries the coroutine on
// (Carry), stack and all, and the caller takes another Inline. Order stays what it is
// with workers, because the lead of the shard is borrowed, and only while nobody works
// on that and nothing waits in it.
//
// The caller owns it until it has left; then the goroutine that carries it on does.
type Inline[T Item] struct {
	now func() int64
	do  func(T)

	member *Member
	shard  *Shard[T]
	todo   []T   // under way; the array is the caller's
	until  int64 // what is not begun by then is the shard's
	done   int   // items of todo that were begun
	left   bool

	yield func(struct{}) bool
	next  func() (struct{}, bool)
	stop  func()
}

// NewInline makes one for a member that is no goroutine's. do runs an item, and calls
// Shard.Done behind it; now is the clock of Run. Stop or Carry ends it.
func NewInline[T Item](m *Member, now func() int64, do func(T)) *Inline[T] {
	h := &Inline[T]{now: now, do: do, member: m}
	h.next, h.stop = iter.Pull(h.work)
	return h
}

// work is the coroutine.
func (h *Inline[T]) work(yield func(struct{}) bool) {
	h.yield = yield
	for {
		for h.done < len(h.todo) {
			it := h.todo[h.done]
			h.done++
			h.shard.Begin()
			h.do(it)
			if h.left {
				return
			}
			if h.done < len(h.todo) && h.now() >= h.until {
				break
			}
		}
		if !yield(struct{}{}) {
			return
		}
	}
}

// Run runs the first of the items, as far as the time reaches, and returns how many
// those were. The lead of the shard was lent to the caller, who calls Return behind it
// unless the Inline has left.
func (h *Inline[T]) Run(s *Shard[T], todo []T, until int64) int {
	h.shard, h.todo, h.done, h.until = s, todo, 0, until
	h.member.Leading = true
	h.next()
	h.todo = nil
	return h.done
}

// Return gives the lead back.
func (h *Inline[T]) Return() {
	h.member.Leading = false
	h.shard.TakeBack()
}

// Left reports whether an item has left with it: then Carry runs what is left of that,
// and Run is called no more.
func (h *Inline[T]) Left() bool { return h.left }

// Leave takes the item that is about to wait off the caller's goroutine. It returns
// false when as many wait as may be: the item then stays, and must not wait. It runs in
// the coroutine, and otherwise returns on another goroutine.
func (h *Inline[T]) Leave() bool {
	if !h.shard.LetGo() {
		return false
	}
	h.member.Leading = false
	h.left = true
	h.yield(struct{}{})
	return true
}

// Carry runs what is left of the item that waits, and ends the Inline.
func (h *Inline[T]) Carry() {
	h.next()
	h.stop()
	h.shard.Returned()
}

// Stop ends one that has not left.
func (h *Inline[T]) Stop() { h.stop() }
