package journal

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/hikyaku/hikyaku/internal/clock"
)

// Options says where a journal lives and how much it may hold in memory. Only Dir must be set.
type Options struct {
	// Dir holds the streams of this process; empty only with Cluster.URL.
	Dir string
	// Partitions is fixed when the journal is created; 0 means what it was created with, 8 for a new one.
	Partitions int
	// Clock is platform time: it stamps frames and ages leases. Time limits of the machinery use the machine's clock.
	// nil means the machine's clock.
	Clock clock.Clock
	// Logger gets what the server warns of; nil discards it.
	Logger *slog.Logger

	// MaxFrameRecords and MaxFrameBytes close a frame; 0 means 1,500 and 512 KiB. The records of one Append stay together
	// even if they exceed them, up to 1 MiB.
	MaxFrameRecords int
	MaxFrameBytes   int
	// TailBytes is the memory for recent frames per partition, counting each frame about twice its stored size; 0 means
	// 4 MiB. Readers that fall further behind read from disk.
	TailBytes int
	// AppendTimeout is how long an append waits for its acknowledgement, in machine time; 0 means 10 s.
	AppendTimeout time.Duration
	// MaxAge lets the server delete frames older than this in machine time, read or not; 0 means never. Retention is Trim:
	// an age limit obeys a machine whose clock is wrong.
	MaxAge time.Duration

	// Cluster makes this process a node of a cluster, or a client of one; nil embeds a single server.
	Cluster *Cluster

	shared *node // tests: a second journal on the streams of the first
}

// Cluster says how to replicate. With URL the streams live on NATS servers elsewhere; else this process runs one of the
// nodes, which connect to each other by routes.
type Cluster struct {
	URL string // nats://user:password@host:port,… of an external cluster; then Dir and the fields below Replicas are unused

	Replicas int // of every stream; 0 means 3

	Node   string   // name of this node, unique and stable
	Listen string   // host:port where routes of other nodes arrive
	Routes []string // host:port of every node, this one may be among them
	Secret string   // shared by all nodes; who knows it may join
}

const (
	defaultPartitions = 8
	maxPartitions     = 1024
	// maxMessage is the largest frame, below the server's limit of 1 MiB for a message with its headers.
	maxMessage = maxPayload - 4<<10
	maxPayload = 1 << 20
	// waitingFrames is how many frames' worth of records may wait per log before Append blocks.
	waitingFrames = 4
)

// normal fills in the defaults.
func (o Options) normal() (Options, error) {
	if o.Clock == nil {
		o.Clock = clock.System()
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	o.MaxFrameRecords = or(o.MaxFrameRecords, 1500)
	o.MaxFrameBytes = or(o.MaxFrameBytes, 512<<10)
	o.TailBytes = or(o.TailBytes, 4<<20)
	o.AppendTimeout = or(o.AppendTimeout, 10*time.Second)
	if c := o.Cluster; c != nil {
		c := *c
		c.Replicas = or(c.Replicas, 3)
		o.Cluster = &c
	}
	if o.MaxFrameBytes > maxMessage {
		return o, fmt.Errorf("MaxFrameBytes is %d, at most %d fit into a message", o.MaxFrameBytes, maxMessage)
	}
	if o.Partitions < 0 || o.Partitions > maxPartitions {
		return o, fmt.Errorf("%d partitions: 1 to %d are possible", o.Partitions, maxPartitions)
	}
	if o.Dir == "" && !o.external() && o.shared == nil {
		return o, fmt.Errorf("journal needs a directory")
	}
	return o, nil
}

func (o Options) external() bool { return o.Cluster != nil && o.Cluster.URL != "" }

// alone reports whether this process is the only one that can write to the streams.
func (o Options) alone() bool { return o.Cluster == nil }

func (o Options) replicas() int {
	if o.Cluster == nil {
		return 1
	}
	return o.Cluster.Replicas
}

func or[T int | time.Duration](v, otherwise T) T {
	if v <= 0 {
		return otherwise
	}
	return v
}
