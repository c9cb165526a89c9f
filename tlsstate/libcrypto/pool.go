//go:build openssl

package libcrypto

// #cgo LDFLAGS: -lcrypto -lpthread
// #include "pool.h"
import "C"

import (
	"errors"
	"os"
	"runtime"
	"runtime/cgo"
	"sync"
	"unsafe"
)

// pool makes signatures on threads of C's own. A goroutine that signs in C takes
// its processor along for a millisecond; the runtime's monitor, awake all the
// while, takes that away and has to find another when the goroutine is back.
var pool signers

// signers is the Go side of the threads in pool.c: it starts them with the first
// signature, and has a goroutine while there are signatures under way.
type signers struct {
	start  sync.Once
	wakeup *os.File // can be read when a signature is done; nil: there are no threads
	mu     sync.Mutex
	under  int // signatures under way
}

// done gets a signature, or why there is none.
type done func(signature []byte, err error)

var errNoSignature = errors.New("libcrypto: the key does not sign")

// submit has a task worked off; false when there are no threads.
func (p *signers) submit(t *C.struct_task, d done) bool {
	p.start.Do(func() {
		// There is always a core for traffic.
		if fd := C.pool_start(C.int(max(1, runtime.GOMAXPROCS(0)-1))); fd >= 0 {
			p.wakeup = os.NewFile(uintptr(fd), "signatures")
		}
	})
	if p.wakeup == nil {
		return false
	}
	t.caller = C.uintptr_t(cgo.NewHandle(d))
	p.mu.Lock()
	p.under++
	first := p.under == 1
	p.mu.Unlock()
	C.pool_submit(t)
	if first {
		go p.collect()
	}
	return true
}

// collect hands out what is done until nothing is under way.
func (p *signers) collect() {
	var count [8]byte
	for {
		_, _ = p.wakeup.Read(count[:])
		n := 0
		for t := C.pool_collect(); t != nil; n++ {
			next := t.next
			p.settle(t)
			t = next
		}
		p.mu.Lock()
		p.under -= n
		idle := p.under == 0
		p.mu.Unlock()
		if idle {
			return
		}
	}
}

// settle tells the caller of a task how it ended.
func (p *signers) settle(t *C.struct_task) {
	h := cgo.Handle(t.caller)
	d := h.Value().(done)
	h.Delete()
	if t.ok == 0 {
		C.task_free(t)
		d(nil, errNoSignature)
		return
	}
	sig := C.GoBytes(unsafe.Pointer(C.task_sig(t)), C.int(t.sig_len))
	C.task_free(t)
	d(sig, nil)
}
