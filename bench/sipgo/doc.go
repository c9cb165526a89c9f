// Package sipgobench sets sipframe beside the parser of github.com/emiago/sipgo on the same bytes. It is a module of
// its own, so that the engine does not depend on what it is compared with:
//
//	cd bench/sipgo && go test -bench . -count 6
package sipgobench
