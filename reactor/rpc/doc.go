// Package rpc is commands in JSON-RPC 2.0, as OpenSIPS' management interface has
// them: what a [Command] is called, takes and does, and the [Dispatcher] that carries
// out requests for them. It knows neither who declares commands nor what brings the
// requests: modules of the language and package mi do.
//
// A request has at most [MaxRequest] bytes, a batch at most [MaxBatch] of them.
package rpc
