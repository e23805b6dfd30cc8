// Package limits holds the limiters of sending as arithmetic: state and time go in, an answer and a new state come out.
//
//	throughput   Window, Bucket   messages per second of one business number      spec/limits.md section 1
//	pair         PairRule         messages from one business number to one user   spec/limits.md section 2
//	reach        Reach            people reached outside windows in 24 hours      spec/limits.md section 3
//	marketing    MarketCap        marketing templates to one person               spec/limits.md section 4
//	management   Budget           calls of an app on an account per hour          spec/limits.md section 6
//	growth       Upgrade, Raise   when levels and limits rise by themselves       spec/limits.md sections 1.4, 3.2
//
// Times are Unix milliseconds of platform time, given by the caller. Nothing here reads a clock, starts a goroutine or
// takes a lock: whoever owns a number (its lane) owns its limiters, which makes the limits exact. [Reach] alone is shared by
// lanes and locks a shard of itself. The package must not
// know messages, the journal, or which error a refusal becomes.
//
// A send asks first and counts last, so that nothing has to be undone:
//
//	next, wait := limits.Pair.Next(pair, now)       // wait > 0: refused, 131056
//	if !window.AllowOutbound(now, level) { … }      // refused, 130429
//	window.Push(now, level); pair = next            // once the message is accepted
package limits
