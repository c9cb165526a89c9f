//go:build openssl

package openssl

// #include <malloc.h>
import "C"

// HeapInUse is how many bytes of C's heap are allocated, as mallinfo2 of glibc
// says: what connections and domains cost besides Go's heap. It walks the
// allocator's lists, so it is for tests and status pages. Any goroutine.
func HeapInUse() int64 {
	info := C.mallinfo2()
	return int64(info.uordblks + info.hblkhd)
}
