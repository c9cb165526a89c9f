// Package rest_client is OpenSIPS' module rest_client: rest_get(), rest_post() and
// rest_put() ask HTTP servers.
//
// Each is a wait: others take over the work meanwhile, whether it stands in async() or
// not. Requests are bounded in number, time and size. Connections are kept and shared by
// all workers, where each process of OpenSIPS has its own.
package rest_client
