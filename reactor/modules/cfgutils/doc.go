// Package cfgutils is OpenSIPS' module cfgutils: chance, waiting, locks, variables that
// all messages share, and times.
//
// A script that waits (sleep, usleep, a lock that another message has) lets others take
// over the work. A lock that is not to be had within the longest wait is an error (-1)
// and not a deadlock.
package cfgutils
