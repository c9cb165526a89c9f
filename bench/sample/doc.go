// Package sample measures other processes from outside, by what Linux tells in /proc and by perf: CPU time of each
// thread, memory, and system calls. A Group is a process group, so that a server that forks is measured whole.
package sample
