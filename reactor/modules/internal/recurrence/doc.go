// Package recurrence tells whether a time lies in periods that come again, such as
// working days from 8 to 18 hours, as OpenSIPS writes them after RFC 2445:
//
//	timezone|dtstart|dtend|duration|freq|until|interval|byday|bymonthday|byyearday|byweekno|bymonth
//
// Fields at the end may be left out, and so may the time zone with its bar; without
// it the times are those of this machine. Expressions are joined by & (and) and /
// (or), which binds less, negated by ! and put in parentheses.
//
// An [Expression] is immutable: any goroutine may ask it.
package recurrence
