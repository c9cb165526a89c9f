// Package figures is what an engine counts, what that is called and how it is added up:
// counters of loops, of shards and of the engine; Stats, their sum at one moment; and one
// table of figures (All), of which statistics, metrics and pages are made.
//
// # Who owns what
//
// Counters cost no core another's cache line where messages pass: a loop counts in its own
// LoopCounters, the workers of a shard in its ShardCounters, and a connection's traffic is
// its loop's to count. What happens once a connection, or less often than that, is counted
// in EngineCounters, by anybody. Whoever adds up only reads, on any goroutine.
package figures
