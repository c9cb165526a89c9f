// Package ring has a queue. It is a value: whoever has it locks it.
package ring

// Ring is a first-in first-out queue that grows and keeps its array. The zero value
// is empty.
type Ring[T any] struct {
	items []T
	head  int
	count int
}

// Len returns how many wait.
func (r *Ring[T]) Len() int { return r.count }

// Push appends.
func (r *Ring[T]) Push(v T) {
	if r.count == len(r.items) {
		r.grow()
	}
	r.items[(r.head+r.count)&(len(r.items)-1)] = v
	r.count++
}

// Pop takes the oldest; there must be one.
func (r *Ring[T]) Pop() T {
	var zero T
	v := r.items[r.head]
	r.items[r.head] = zero
	r.head = (r.head + 1) & (len(r.items) - 1)
	r.count--
	return v
}

func (r *Ring[T]) grow() {
	bigger := make([]T, max(16, 2*len(r.items)))
	for i := range r.count {
		bigger[i] = r.items[(r.head+i)&(len(r.items)-1)]
	}
	r.items, r.head = bigger, 0
}
