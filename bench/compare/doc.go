// Package compare runs the comparison: it starts each system in turn, offers it each load, measures it from outside and
// collects a report. The runs of the systems under one load follow each other, so that what else the machine does hits
// all alike.
package compare
