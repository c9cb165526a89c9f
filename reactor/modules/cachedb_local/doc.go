// Package cachedb_local is OpenSIPS' module cachedb_local: collections of keys and
// values in memory, with a time to live, behind cache_store() and its kind.
//
// A collection is shared by all workers: locks over parts of it, held for one lookup.
// It is bounded (Max): where it is full of what has not expired, nothing more is stored.
// Cluster replication and restart persistency are errors at load.
package cachedb_local
