package workers

import "iter"

// Inline runs items of shards on the goroutine of whoever has read them, which saves
// the two wake-ups that a worker costs: at low rates those are most of what a message
// costs.
//
// Its caller must not wait, and an item may. So items run in a coroutine, and one that
// is about to wait leaves the shard (Leave) and the caller (Pause), who takes another
// Inline. What is left of it is carried on (Carry), stack and all: by a goroutine that
// waits in its place, or by the caller when what it waits for is there. Order stays what
// it is with workers, because the lead of the shard is borrowed, and only while nobody
// works on that and nothing waits in it.
//
// The caller owns it until it is carried on by a goroutine; then that does.
type Inline[T Item] struct {
	now func() int64
	do  func(T)

	member *Member
	shard  *Shard[T]
	todo   []T   // under way; the array is the caller's
	until  int64 // what is not begun by then is the shard's
	done   int   // items of todo that were begun
	left   bool  // the shard: the lead is no longer lent
	over   bool  // it had left, and its item is done

	yield func(struct{}) bool
	next  func() (struct{}, bool)
	stop  func()
}

// NewInline makes one for a member that is no goroutine's. do runs an item, and calls
// Shard.Done behind it; now is the clock of Run. Stop ends it.
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
				h.over = true
				break
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

// Left reports whether an item has left the shard with it: then Carry runs what is left of
// that, and Run is called no more until Again.
func (h *Inline[T]) Left() bool { return h.left }

// Leave takes the item that is about to wait off the shard, if it has not left already. It
// returns false when as many wait as may be: the item then must not wait. It runs in the
// coroutine, and Pause follows.
func (h *Inline[T]) Leave() bool {
	if h.left {
		return true
	}
	if !h.shard.LetGo() {
		return false
	}
	h.member.Leading = false
	h.left = true
	return true
}

// Pause takes the item that has left off the goroutine that it runs on, and returns when
// that of Carry has it. It runs in the coroutine.
func (h *Inline[T]) Pause() { h.yield(struct{}{}) }

// Carry runs what is left of the item that has left, until it is over or pauses again.
func (h *Inline[T]) Carry() { h.next() }

// Over reports whether the item that has left is done. Again or Stop follows.
func (h *Inline[T]) Over() bool { return h.over }

// Again makes it what it was before its item, which is over, has left.
func (h *Inline[T]) Again() {
	h.shard.Returned()
	h.left, h.over = false, false
}

// Stop ends one that waits for nothing.
func (h *Inline[T]) Stop() {
	if h.over {
		h.Again()
	}
	h.stop()
}
