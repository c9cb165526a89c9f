package sipframe

import "strconv"

// Rewriter makes a new message of an old one: edits are noted against offsets of
// the message as it came, and AppendTo writes the result in one pass. It keeps
// the new bytes in an arena of its own, so what it is given may be changed
// afterwards; only the message must stay. Used again it allocates nothing. One
// goroutine at a time.
//
// What edits mean does not depend on their order, but for texts at one offset:
//
//   - a byte that any Delete or Replace covers is left out, however many do;
//   - a text is written where its offset is, also when the bytes around it are
//     deleted; Replace is a Delete and an Insert at the start of the span;
//   - texts at the same offset are written in the order of the calls;
//   - what lies behind the end of the message counts as its end.
type Rewriter struct {
	raw   []byte
	msg   *Message
	edits []edit // sorted by off, then by call
	arena []byte
}

// edit deletes drop bytes at off and writes len bytes of the arena there.
type edit struct{ off, drop, text, len uint32 }

// Reset forgets all edits and starts over with m, which must stay as it is
// until AppendTo.
func (r *Rewriter) Reset(m *Message) {
	r.msg, r.raw = m, m.Raw()
	r.edits, r.arena = r.edits[:0], r.arena[:0]
}

// Release lets go of the message and keeps the memory for the next one.
func (r *Rewriter) Release() {
	r.msg, r.raw = nil, nil
	r.edits, r.arena = r.edits[:0], r.arena[:0]
}

// Replace puts the concatenation of b in the place of s.
func (r *Rewriter) Replace(s Span, b ...[]byte) {
	from := len(r.arena)
	for _, p := range b {
		r.arena = append(r.arena, p...)
	}
	r.add(s, from)
}

// ReplaceUint puts a decimal number in the place of s.
func (r *Rewriter) ReplaceUint(s Span, n uint64) {
	from := len(r.arena)
	r.arena = strconv.AppendUint(r.arena, n, 10)
	r.add(s, from)
}

// Delete leaves s out.
func (r *Rewriter) Delete(s Span) { r.add(s, len(r.arena)) }

// Insert writes b at offset off, in front of the byte that stands there.
func (r *Rewriter) Insert(off uint32, b []byte) {
	from := len(r.arena)
	r.arena = append(r.arena, b...)
	r.add(Span{Off: off}, from)
}

// InsertBefore writes header lines, with their line ends, in front of header i.
func (r *Rewriter) InsertBefore(i int, b []byte) {
	r.Insert(r.msg.Header(i).Line.Off, b)
}

// InsertAfter writes header lines, with their line ends, behind header i.
func (r *Rewriter) InsertAfter(i int, b []byte) {
	r.Insert(r.msg.Header(i).Line.End(), b)
}

// Prepend writes header lines, with their line ends, in front of the first header.
func (r *Rewriter) Prepend(b []byte) { r.Insert(r.msg.HeadersOffset(), b) }

// Append writes header lines, with their line ends, behind the last header.
func (r *Rewriter) Append(b []byte) { r.Insert(r.msg.HeadersEnd(), b) }

// DeleteHeader leaves header i out, with its folds.
func (r *Rewriter) DeleteHeader(i int) { r.Delete(r.msg.Header(i).Line) }

// DeleteValue leaves out value v, such as ValueIter gives, of header i, with
// the comma that goes with it; the whole header when it is the only one. To
// leave out all values of a header use DeleteHeader.
func (r *Rewriter) DeleteValue(i int, v Span) {
	h := r.msg.Header(i)
	to := skipLWS(r.raw, int(v.End()), int(h.Value.End()))
	switch {
	case to < int(h.Value.End()):
		to = skipLWS(r.raw, to+1, int(h.Value.End()))
		r.Delete(span(int(v.Off), to))
	case v.Off > h.Value.Off:
		from := int(v.Off)
		for r.raw[from-1] != ',' {
			from--
		}
		from--
		for isLWS(r.raw[from-1]) {
			from--
		}
		r.Delete(span(from, to))
	default:
		r.Delete(h.Line)
	}
}

// add notes an edit whose text is the arena from there on.
func (r *Rewriter) add(s Span, from int) {
	n := uint32(len(r.raw))
	off := min(s.Off, n)
	e := edit{off: off, drop: min(s.Len, n-off), text: uint32(from), len: uint32(len(r.arena) - from)}
	r.edits = append(r.edits, e)
	i := len(r.edits) - 1
	for i > 0 && r.edits[i-1].off > off {
		r.edits[i] = r.edits[i-1]
		i--
	}
	r.edits[i] = e
}

// AppendTo writes the message with its edits behind dst and returns the longer
// slice. It may be called again.
func (r *Rewriter) AppendTo(dst []byte) []byte {
	pos := uint32(0)
	for i := range r.edits {
		e := &r.edits[i]
		if e.off > pos {
			dst = append(dst, r.raw[pos:e.off]...)
			pos = e.off
		}
		dst = append(dst, r.arena[e.text:e.text+e.len]...)
		pos = max(pos, e.off+e.drop)
	}
	return append(dst, r.raw[pos:]...)
}

// Len tells how many bytes AppendTo will write.
func (r *Rewriter) Len() int {
	n, pos := len(r.arena), uint32(0)
	for i := range r.edits {
		e := &r.edits[i]
		if e.off > pos {
			n += int(e.off - pos)
			pos = e.off
		}
		pos = max(pos, e.off+e.drop)
	}
	return n + len(r.raw) - int(pos)
}
