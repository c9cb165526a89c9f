package transaction

import "context"

type heldKey struct{}

// WithHeld returns a context that says which Exchange the goroutine holds, for a command that it carries out: one that
// is about that Exchange acts at once, where it would wait for the holder otherwise. nil: none.
func WithHeld(ctx context.Context, x *Exchange) context.Context {
	if x == nil {
		return ctx
	}
	return context.WithValue(ctx, heldKey{}, x)
}

// Held returns the Exchange of WithHeld; nil: none.
func Held(ctx context.Context) *Exchange {
	x, _ := ctx.Value(heldKey{}).(*Exchange)
	return x
}
