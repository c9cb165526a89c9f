// Command sipreactor is a SIP proxy for TLS, TCP and UDP that runs an opensips.cfg.
//
//	sipreactor                    try it: a built-in configuration on loopback
//	sipreactor -f opensips.cfg    run a configuration
//	sipreactor -C -f opensips.cfg check it
//	sipreactor demo               a call and a load through the engine, in one process
//
// SIGTERM and SIGINT drain and exit 0; SIGHUP reads the TLS domains' files again.
package main
