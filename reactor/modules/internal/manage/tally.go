package manage

import "sipreactor/reactor/rpc"

// Tally counts the rows of a load. The zero value has none. It is of one goroutine while
// the load lasts and does not change later.
type Tally struct {
	Loaded int
	out    int
	why    []string // of the first ones that were left out
}

// maxWhy bounds the rows that a Tally tells of one by one.
const maxWhy = 50

// LeaveOut counts a row that is left out. It reports whether the row is to be told of by
// itself: not, where there are very many.
func (t *Tally) LeaveOut(why error) bool {
	t.out++
	if len(t.why) == maxWhy {
		return false
	}
	t.why = append(t.why, why.Error())
	return true
}

// Out returns how many rows were left out.
func (t *Tally) Out() int { return t.out }

// Answer is what a command answers that has loaded tables: "OK" where no row was left
// out, as OpenSIPS' clients expect, or else how many rows were loaded and left out, and
// why the first of these.
func Answer(tallies ...*Tally) any {
	var all Tally
	for _, t := range tallies {
		all.Loaded += t.Loaded
		all.out += t.out
		all.why = append(all.why, t.why...)
	}
	if all.out == 0 {
		return "OK"
	}
	return rpc.Object{{Name: "loaded", Value: all.Loaded}, {Name: "left_out", Value: all.out}, {Name: "rows", Value: all.why[:min(len(all.why), maxWhy)]}}
}

// Answers tells of a command what Answer gives.
const Answers = " Answers OK, or with loaded, left_out and rows where rows were left out."
