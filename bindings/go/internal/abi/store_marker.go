package abi

/*
#include <donjon.h>

#cgo noescape donjon_store_marker
#cgo nocallback donjon_store_marker
*/
import "C"

const markerSize = C.DONJON_MARKER_LEN

// What to write after a decision.
const (
	WriteNothing = 0
	WriteMust    = 1
	WriteMay     = 2
)

// Why a store begins anew.
const (
	MarkerMissing    = C.DONJON_MARKER_MISSING
	MarkerDamaged    = C.DONJON_MARKER_DAMAGED
	MarkerRolledBack = C.DONJON_MARKER_ROLLED_BACK
	MarkerSilent     = C.DONJON_MARKER_SILENT
)

// MarkerVerdict is donjon_marker_verdict, with the marker.
type MarkerVerdict struct {
	SinceMS, KeepMS int64
	Write, Reason   uint8
	Marker          []byte
}

// StoreMarker is donjon_store_marker.
func StoreMarker(stored, seen string, maxSilenceMS, nowMS int64) (MarkerVerdict, int32) {
	op, on := in(stored)
	sp, sn := in(seen)
	var verdict C.donjon_marker_verdict
	var marker [markerSize]C.uint8_t
	status := int32(C.donjon_store_marker(op, on, sp, sn, C.int64_t(maxSilenceMS), C.int64_t(nowMS), &marker[0], &verdict))
	v := MarkerVerdict{
		SinceMS: int64(verdict.since_ms), KeepMS: int64(verdict.keep_ms),
		Write: uint8(verdict.write), Reason: uint8(verdict.reason),
	}
	if v.Write != WriteNothing {
		v.Marker = copied(&marker[0], markerSize)
	}
	return v, status
}
