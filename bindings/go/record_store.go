package donjon

import (
	"context"
	"iter"
	"time"
)

// A RecordStore keeps the records of a [SessionManager] and of [Revocations], by key:
// [MemoryRecords] in one process, the module redisstore for several, of whatever
// language. The kernel writes every record and decides by it; a store knows nothing
// of what is in one. Its methods give up when their context is done, and are safe for
// concurrent use.
type RecordStore interface {
	// GetMany returns the values of keys in their order, nil where there is none: what
	// was there at some time during the call, and never from a replica that may lag.
	// Nobody changes the bytes.
	GetMany(ctx context.Context, keys []string) ([][]byte, error)

	// Replace puts after in the place of before, to be kept for so long at least, and
	// reports whether it did: only if before is what is there, in one atomic step. An
	// empty before is no value, an empty after leaves none. An error says nothing about
	// whether it did.
	Replace(ctx context.Context, key string, before, after []byte, keep time.Duration) (bool, error)
}

// A RecordScanner is a [RecordStore] that can be walked, as [Revocations.Publish] has
// to.
type RecordScanner interface {
	// Scan yields all keys that part is in, with their values, in any order, some of them
	// perhaps twice: those that were there all the time among them. It ends with the
	// first error.
	Scan(ctx context.Context, part string) iter.Seq2[ScannedRecord, error]
}

// A ScannedRecord is one that [RecordScanner] yields.
type ScannedRecord struct {
	Key   string // as [RecordStore] has it
	Value []byte
}
