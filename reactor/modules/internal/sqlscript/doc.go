// Package sqlscript is what the modules sqlops and avpops have in common: several
// databases by number, SQL of the script, and the preferences of users as AVPs.
//
// Every function waits for its database in Machine.Wait: the message waits, and nothing
// else. A database that fails is logged, once a second for a place, and the
// function returns -1.
package sqlscript
