package abi

/*
#include <donjon.h>

#cgo noescape donjon_reader_span
#cgo nocallback donjon_reader_span
#cgo noescape donjon_reader_read
#cgo nocallback donjon_reader_read
*/
import "C"

// ReaderTailMax is how many of an envelope's last bytes [Sealer.NewReader] needs.
const ReaderTailMax = C.DONJON_READER_TAIL_MAX

// Reader is a donjon_reader.
type Reader struct{ p *C.donjon_reader }

// NewReader is donjon_reader_new.
func (s Sealer) NewReader(context string, now int64, prefix, tail string, size uint64) (r Reader, status int32) {
	cp, cn := in(context)
	p, n := in(prefix)
	tp, tn := in(tail)
	status = int32(C.donjon_reader_new(s.p, cp, cn, C.int64_t(now), p, n, tp, tn, C.uint64_t(size), &r.p))
	return r, status
}

// Len is donjon_reader_len.
func (r Reader) Len() (uint64, int32) {
	var n C.uint64_t
	status := int32(C.donjon_reader_len(r.p, &n))
	return uint64(n), status
}

// Span is donjon_reader_span: where in the envelope the plaintext at offset is.
func (r Reader) Span(offset, length uint64) (sealedOffset, sealedLength uint64, status int32) {
	var at, n C.uint64_t
	status = int32(C.donjon_reader_span(r.p, C.uint64_t(offset), C.uint64_t(length), &at, &n))
	return uint64(at), uint64(n), status
}

// Read is donjon_reader_read. It returns how much of out it filled.
func (r Reader) Read(offset, length uint64, sealed string, out []byte) (int, int32) {
	p, n := in(sealed)
	var filled C.size_t
	status := int32(C.donjon_reader_read(r.p, C.uint64_t(offset), C.uint64_t(length), p, n,
		start(out), C.size_t(len(out)), &filled))
	return int(filled), status
}

// Free is donjon_reader_free.
func (r Reader) Free() { C.donjon_reader_free(r.p) }
