package script

import (
	"fmt"
	"runtime/debug"
	"time"
)

// panicking is what lines of panics have in common that are told as one.
type panicking struct {
	at    Pos
	cause string
}

// rescue ends a panic with one line, once in a while for each place and cause. Who runs something of the script on no
// worker of the engine defers it: there nobody else would keep the program from ending. On a worker the engine does.
func (p *Program) rescue(at Pos) {
	c := recover()
	if c == nil {
		return
	}
	cause := fmt.Sprint(c)
	cause = cause[:min(len(cause), 256)]
	if held, ok := p.panics.Open(time.Now(), panicking{at, cause}); ok {
		p.logger().Error("the script has panicked", "at", at.String(), "panic", cause, "more", held, "stack", string(debug.Stack()))
	}
}
