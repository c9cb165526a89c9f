package ng

import "strconv"

// Writer writes a dictionary in bencoding, key by key. The zero value is an empty one.
type Writer struct{ b []byte }

// Reset makes it an empty one again, in the same memory.
func (w *Writer) Reset() { w.b = w.b[:0] }

func (w *Writer) key(key string) {
	if len(w.b) == 0 {
		w.b = append(w.b, 'd')
	}
	w.b = appendText(w.b, key)
}

// Text writes a key with a text.
func (w *Writer) Text(key, v string) {
	w.key(key)
	w.b = appendText(w.b, v)
}

// Bytes writes a key with a text.
func (w *Writer) Bytes(key string, v []byte) {
	w.key(key)
	w.text(v)
}

// Pair writes a key with a list of two texts.
func (w *Writer) Pair(key, a string, b []byte) {
	w.key(key)
	w.b = appendText(append(w.b, 'l'), a)
	w.text(b)
	w.b = append(w.b, 'e')
}

func (w *Writer) text(v []byte) {
	w.b = append(append(strconv.AppendInt(w.b, int64(len(v)), 10), ':'), v...)
}

// List writes a key with a list.
func (w *Writer) List(key string, l List) {
	w.key(key)
	w.b = append(w.b, 'l')
	for _, v := range l {
		w.b = Append(w.b, v)
	}
	w.b = append(w.b, 'e')
}

// Entry writes a key with any value that a Dict may have.
func (w *Writer) Entry(e Entry) {
	w.key(e.Key)
	w.b = Append(w.b, e.Value)
}

// End ends the dictionary and returns it, borrowed from the Writer.
func (w *Writer) End() []byte {
	if len(w.b) == 0 {
		w.b = append(w.b, 'd')
	}
	w.b = append(w.b, 'e')
	return w.b
}
