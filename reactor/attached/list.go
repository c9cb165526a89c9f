// Package attached has what others keep with something, such as a message, a transaction or a
// call: values by keys, which are the keepers' own, pointers or types of theirs. A few are quicker
// found in a list than in a map.
package attached

// Value is one that somebody keeps.
type Value struct{ Key, Value any }

// List is the values of one thing. The zero value is empty; whoever has the thing guards it.
type List []Value

// Set keeps a value, in the place of what the key had before.
func (l *List) Set(key, value any) {
	for i := range *l {
		if (*l)[i].Key == key {
			(*l)[i].Value = value
			return
		}
	}
	*l = append(*l, Value{key, value})
}

// Get returns the value of a key; nil if it has none.
func (l List) Get(key any) any {
	for i := range l {
		if l[i].Key == key {
			return l[i].Value
		}
	}
	return nil
}
