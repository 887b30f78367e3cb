package abi

/*
#include <donjon.h>

#cgo noescape donjon_blind_index_value
#cgo nocallback donjon_blind_index_value
*/
import "C"

// BlindIndex is a donjon_blind_index.
type BlindIndex struct{ p *C.donjon_blind_index }

// BlindIndexColumn is what a blind index is over.
type BlindIndexColumn struct {
	Tenant, Table, Column string
	Bits                  uint32
}

// NewBlindIndex is donjon_blind_index_new.
func NewBlindIndex(k Keyring, c BlindIndexColumn) (i BlindIndex, status int32) {
	np, nn := in(c.Tenant)
	tp, tn := in(c.Table)
	cp, cn := in(c.Column)
	status = int32(C.donjon_blind_index_new(k.p, np, nn, tp, tn, cp, cn, C.uint32_t(c.Bits), &i.p))
	return i, status
}

// BlindIndexDiagnose is donjon_blind_index_diagnose.
func BlindIndexDiagnose(k Keyring, c BlindIndexColumn) ([]byte, int32) {
	np, nn := in(c.Tenant)
	tp, tn := in(c.Table)
	cp, cn := in(c.Column)
	return filled(answerSize, func(out *C.uint8_t, size C.size_t, written *C.size_t) C.int32_t {
		return C.donjon_blind_index_diagnose(k.p, np, nn, tp, tn, cp, cn, C.uint32_t(c.Bits), out, size, written)
	})
}

// Value is donjon_blind_index_value. Size is how much room the value needs.
func (i BlindIndex) Value(now int64, value string, size int) ([]byte, int32) {
	p, n := in(value)
	return filled(size, func(out *C.uint8_t, size C.size_t, written *C.size_t) C.int32_t {
		return C.donjon_blind_index_value(i.p, C.int64_t(now), p, n, out, size, written)
	})
}

// Candidates is donjon_blind_index_candidates: values of size bytes, one after
// the other.
func (i BlindIndex) Candidates(now int64, value string, size int) ([]byte, int32) {
	p, n := in(value)
	const keys = 4 // as many as a column has, or it is asked twice
	return filled(keys*size, func(out *C.uint8_t, size C.size_t, written *C.size_t) C.int32_t {
		return C.donjon_blind_index_candidates(i.p, C.int64_t(now), p, n, out, size, written)
	})
}

// Free is donjon_blind_index_free.
func (i BlindIndex) Free() { C.donjon_blind_index_free(i.p) }
