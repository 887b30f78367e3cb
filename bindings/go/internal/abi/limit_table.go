package abi

/*
#include <donjon.h>

#cgo noescape donjon_limit_table_spend
#cgo nocallback donjon_limit_table_spend
#cgo noescape donjon_limit_table_give_back
#cgo nocallback donjon_limit_table_give_back
#cgo noescape donjon_limit_table_forget
#cgo nocallback donjon_limit_table_forget
#cgo noescape donjon_limit_table_stats
#cgo nocallback donjon_limit_table_stats
#cgo nocallback donjon_limit_table_free
*/
import "C"

// LimitTable is a donjon_limit_table.
type LimitTable struct{ p *C.donjon_limit_table }

// LimitTableStatistics is donjon_limit_table_statistics.
type LimitTableStatistics struct{ Entries, Capacity, Expired, Evicted, Refused, Bytes uint64 }

// NewLimitTable is donjon_limit_table_new.
func NewLimitTable(config string) (t LimitTable, status int32) {
	p, n := in(config)
	status = int32(C.donjon_limit_table_new(p, n, &t.p))
	return t, status
}

// Spend is donjon_limit_table_spend. It allocates nothing.
func (t LimitTable) Spend(l Limits, key string, nowMS int64, cost uint32) (LimitVerdict, int32) {
	p, n := in(key)
	var verdict C.donjon_limit_verdict
	status := int32(C.donjon_limit_table_spend(t.p, l.p, p, n, C.int64_t(nowMS), C.uint32_t(cost), &verdict))
	return limitVerdict(&verdict), status
}

// GiveBack is donjon_limit_table_give_back.
func (t LimitTable) GiveBack(l Limits, key string, spentAtMS, nowMS int64, cost uint32) int32 {
	p, n := in(key)
	return int32(C.donjon_limit_table_give_back(t.p, l.p, p, n,
		C.int64_t(spentAtMS), C.int64_t(nowMS), C.uint32_t(cost)))
}

// Forget is donjon_limit_table_forget.
func (t LimitTable) Forget(key string) int32 {
	p, n := in(key)
	return int32(C.donjon_limit_table_forget(t.p, p, n))
}

// Stats is donjon_limit_table_stats.
func (t LimitTable) Stats() (LimitTableStatistics, int32) {
	var s C.donjon_limit_table_statistics
	status := int32(C.donjon_limit_table_stats(t.p, &s))
	return LimitTableStatistics{
		Entries: uint64(s.entries), Capacity: uint64(s.capacity), Expired: uint64(s.expired),
		Evicted: uint64(s.evicted), Refused: uint64(s.refused), Bytes: uint64(s.bytes),
	}, status
}

// Free is donjon_limit_table_free.
func (t LimitTable) Free() { C.donjon_limit_table_free(t.p) }
