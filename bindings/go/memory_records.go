package donjon

import (
	"bytes"
	"cmp"
	"container/heap"
	"context"
	"fmt"
	"iter"
	"strings"
	"sync"
	"time"
)

// MemoryRecords is a [RecordStore] in this process, which is bounded and forgets
// everything with the process. Several processes need a store that they share. The
// zero MemoryRecords is ready for use; its fields are not to be changed afterwards.
//
// When it is full of records whose time is not over, it takes no new ones: it never
// forgets what was revoked to make room. That is [ErrStoreUnavailable].
type MemoryRecords struct {
	// Capacity is how many records there is room for; if zero, 100,000. A user has one
	// for all of his sessions, and one more for each token of his that is revoked.
	Capacity int

	mu      sync.Mutex
	records map[string]*memoryRecord
	queue   expiries
}

const defaultMemoryRecords = 100_000

type memoryRecord struct {
	key     string
	value   []byte    // which is replaced, and never changed
	expires time.Time // by the monotonic clock: nobody sets it
	place   int       // in the queue
}

var (
	_ RecordStore   = (*MemoryRecords)(nil)
	_ RecordScanner = (*MemoryRecords)(nil)
)

// GetMany implements [RecordStore].
func (m *MemoryRecords) GetMany(ctx context.Context, keys []string) ([][]byte, error) {
	if err := m.usable(ctx); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.expire()
	values := make([][]byte, len(keys))
	for i, key := range keys {
		values[i] = m.value(key)
	}
	return values, nil
}

// Replace implements [RecordStore].
func (m *MemoryRecords) Replace(ctx context.Context, key string, before, after []byte, keep time.Duration) (bool, error) {
	if err := m.usable(ctx); err != nil {
		return false, err
	}
	if keep <= 0 && len(after) > 0 {
		return false, ErrInvalidArgument
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.expire()
	record := m.records[key]
	switch {
	case !bytes.Equal(m.value(key), before):
		return false, nil
	case len(after) == 0:
		if record != nil {
			m.remove(record)
		}
		return true, nil
	case record == nil:
		err := m.add(&memoryRecord{key: key, value: bytes.Clone(after), expires: time.Now().Add(keep)})
		return err == nil, err
	default:
		record.value, record.expires = bytes.Clone(after), time.Now().Add(keep)
		heap.Fix(&m.queue, record.place)
		return true, nil
	}
}

// Scan implements [RecordScanner].
func (m *MemoryRecords) Scan(ctx context.Context, part string) iter.Seq2[ScannedRecord, error] {
	values, err := m.containing(ctx, part)
	if err != nil {
		return failedScan(err)
	}
	return func(yield func(ScannedRecord, error) bool) {
		for _, value := range values {
			if !yield(value, nil) {
				return
			}
		}
	}
}

func (m *MemoryRecords) containing(ctx context.Context, part string) ([]ScannedRecord, error) {
	if err := m.usable(ctx); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.expire()
	var values []ScannedRecord
	for key, record := range m.records {
		if strings.Contains(key, part) {
			values = append(values, ScannedRecord{key, record.value})
		}
	}
	return values, nil
}

// Len returns how many records there are.
func (m *MemoryRecords) Len() int {
	if m == nil {
		return 0
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.expire()
	return len(m.records)
}

func (m *MemoryRecords) usable(ctx context.Context) error {
	if m == nil {
		return ErrClosed
	}
	return ctx.Err()
}

func (m *MemoryRecords) value(key string) []byte {
	if record := m.records[key]; record != nil {
		return record.value
	}
	return nil
}

func (m *MemoryRecords) add(record *memoryRecord) error {
	capacity := cmp.Or(m.Capacity, defaultMemoryRecords)
	if len(m.records) >= capacity {
		return fmt.Errorf("%w: there are %d records in memory, and none is over", ErrStoreUnavailable, capacity)
	}
	if m.records == nil {
		m.records = make(map[string]*memoryRecord)
	}
	m.records[record.key] = record
	heap.Push(&m.queue, record)
	return nil
}

func (m *MemoryRecords) remove(record *memoryRecord) {
	heap.Remove(&m.queue, record.place)
	delete(m.records, record.key)
}

// expire removes the records whose time is over.
func (m *MemoryRecords) expire() {
	if len(m.queue) == 0 {
		return
	}
	now := time.Now()
	for len(m.queue) > 0 && !m.queue[0].expires.After(now) {
		m.remove(m.queue[0])
	}
}

// expiries is a [heap.Interface], whose first record is over before all others.
type expiries []*memoryRecord

func (e expiries) Len() int           { return len(e) }
func (e expiries) Less(i, j int) bool { return e[i].expires.Before(e[j].expires) }

func (e expiries) Swap(i, j int) {
	e[i], e[j] = e[j], e[i]
	e[i].place, e[j].place = i, j
}

func (e *expiries) Push(x any) {
	record := x.(*memoryRecord)
	record.place = len(*e)
	*e = append(*e, record)
}

func (e *expiries) Pop() any {
	last := len(*e) - 1
	record := (*e)[last]
	(*e)[last] = nil
	*e = (*e)[:last]
	return record
}
