package usrloc

import (
	"errors"
	"testing"
	"testing/synctest"
)

// Who waits behind a write that fails is told so at once, however many they are, and nobody of them has the right then.
func TestFlushFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFlush()
		why := errors.New("gone")
		if err := f.lockUnlessFailed(false); err != nil {
			t.Fatal(err)
		}
		told := make(chan error)
		for range 5 {
			go func() { told <- f.lockUnlessFailed(false) }()
		}
		synctest.Wait() // all wait
		f.ended(why)
		for range 5 {
			if err := <-told; !errors.Is(err, why) {
				t.Fatalf("who waited is told %v", err)
			}
		}
		if !errors.Is(f.failed(), why) {
			t.Errorf("it has failed with %v", f.failed())
		}
		f.unlock()
		if err := f.lockUnlessFailed(true); !errors.Is(err, why) {
			t.Errorf("who asks for what is known is told %v", err)
		}
		// Who comes later may try.
		if err := f.lockUnlessFailed(false); err != nil {
			t.Fatal(err)
		}
		f.ended(nil)
		f.unlock()
		if err := f.failed(); err != nil {
			t.Errorf("after a good write it has failed with %v", err)
		}
	})
}

// Who waits behind a write that succeeds has the right next.
func TestFlushPasses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFlush()
		f.lock()
		told := make(chan error)
		go func() { told <- f.lockUnlessFailed(false) }()
		synctest.Wait()
		f.ended(nil)
		f.unlock()
		if err := <-told; err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		go func() { f.lock(); close(done) }()
		synctest.Wait()
		select {
		case <-done:
			t.Error("two have it")
		default:
		}
		f.unlock()
		<-done
		f.unlock()
	})
}
