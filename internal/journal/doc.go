// Package journal keeps what happened: records, packed into frames, durable before anyone is answered.
//
// Every partition is a [Log], one NATS JetStream file stream. Embedded, the server runs inside this process, listens on no
// port and syncs every frame to disk before it acknowledges; in a cluster the same code talks to servers that joined each
// other, or to an external one, and a frame is acknowledged when a majority has it. Only this package knows NATS.
//
//	Append ─► open frame ─► queue ─► writer ─► publish, expecting last sequence = n ─► acknowledged: n+1 is durable
//	             ▲ records join it                │ one frame in flight per log              │
//	             └── while another is in flight ──┘                          done callbacks ◄┴► tail ─► readers (Next)
//
// Batching is natural: there is no timer, whatever arrives while a frame is in flight is the next frame.
//
// A log is healthy or failed:
//
//	healthy ── refused, timed out, no answer, fenced ──► failed ── Resume ──► healthy
//
// A failed log answers every Append with the error that failed it, because after a lost answer nobody knows whether the
// frame is in the stream. Resume asks the stream, so that a frame that landed is found, and reports the true last sequence.
// Every frame names the sequence it expects to follow; a writer that another one overtook is refused ([ErrFenced]) and must
// not Resume unless it still owns the partition (see [Lease]). A new owner resumes the log and appends a frame, which may be
// empty: from then on the old owner's appends are refused.
//
// The package does not know what records mean, who reads them, or who owns a partition. Locks: Journal.linkMu (restarts of
// the server) may be held while Log.mu is taken, never the other way round; Log.mu is held for no input or output.
package journal
