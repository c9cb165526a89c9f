// yield.go declares a function without a body, which the compiler allows in a
// package with assembly only.
