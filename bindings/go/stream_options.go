package donjon

import "time"

// StreamOptions are the optional parts of sealing and opening streams and files.
type StreamOptions struct {
	// Threads is how many work on one stream, up to 64; if zero, one. Each takes
	// some 256 KiB of memory.
	Threads int

	// Now is when the stream is sealed or opened; if zero, the present.
	Now time.Time
}

// blockSize is how much of a stream goes through the kernel at once, per thread:
// enough to forget the call, little enough for a processor's cache.
const blockSize = 128 << 10

func (o *StreamOptions) checked() (StreamOptions, error) {
	if o == nil {
		o = new(StreamOptions)
	}
	checked := StreamOptions{Threads: max(1, o.Threads), Now: nowOr(o.Now)}
	if o.Threads < 0 || o.Threads > maxThreads {
		return checked, ErrInvalidArgument
	}
	return checked, nil
}

const maxThreads = 64
