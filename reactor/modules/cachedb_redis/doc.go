// Package cachedb_redis is OpenSIPS' module cachedb_redis: cache_store() and its
// kind on Redis servers, single ones and clusters.
//
// A group is a cachedb_url: a pool of connections, made at the first command.
// Every command has a deadline (query_timeout) and is run off the loops. A server that is
// gone costs those who ask it an error; its connections come back by themselves.
// Clusters find their nodes and follow what moves by themselves.
package cachedb_redis
