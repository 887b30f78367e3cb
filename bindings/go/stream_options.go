package donjon

import "time"

// StreamOptions are the optional parts of sealing and opening streams and files.
type StreamOptions struct {
	// Threads is how many work on one stream, up to 64; if zero, one. One takes
	// 256 KiB of memory, each of several 2 MiB.
	Threads int

	// Now is when the stream is sealed or opened; if zero, the present.
	Now time.Time
}

const maxThreads = 64

func (o *StreamOptions) checked() (StreamOptions, error) {
	if o == nil {
		o = new(StreamOptions)
	}
	if o.Threads < 0 || o.Threads > maxThreads {
		return *o, ErrInvalidArgument
	}
	return StreamOptions{Threads: max(1, o.Threads), Now: nowOr(o.Now)}, nil
}

// blockSize is how much of a stream goes through the kernel at once: enough to
// forget the call, little enough for a processor's cache.
const blockSize = 128 << 10

// block is [blockSize], or on several threads as much as is worth starting them.
func (o *StreamOptions) block() int {
	if o.Threads == 1 {
		return blockSize
	}
	return o.Threads << 20
}
