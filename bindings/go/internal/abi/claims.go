package abi

// #include <donjon.h>
import "C"

import "unsafe"

// Claims is donjon_claims: what a verification says about the buffer that it
// filled. The kernel writes it in place.
type Claims struct {
	ExpiresAt  int64
	NotBefore  int64
	IssuedAt   int64
	Generation int64

	JSON        Span
	Issuer      Span
	Subject     Span
	TokenID     Span
	Family      Span
	Audience    Span
	Permissions Span
	Roles       Span
	KeyID       Span
}

// kernel is c as the kernel writes it.
func (c *Claims) kernel() *C.donjon_claims { return (*C.donjon_claims)(unsafe.Pointer(c)) }

// Span is donjon_span: a part of the buffer.
type Span struct{ Offset, Length uint32 }

// In returns the part of text that s spans, and whether s is present.
func (s Span) In(text string) (string, bool) {
	if s.Offset == C.DONJON_ABSENT {
		return "", false
	}
	return text[s.Offset : uint64(s.Offset)+uint64(s.Length)], true
}

// A constant index out of range does not compile: Claims and donjon_claims
// have the same size and the same fields at the same places.
var (
	_ = [1]byte{}[unsafe.Sizeof(Span{})-unsafe.Sizeof(C.donjon_span{})]
	_ = [1]byte{}[unsafe.Sizeof(Claims{})-unsafe.Sizeof(C.donjon_claims{})]
	_ = [1]byte{}[unsafe.Offsetof(Claims{}.ExpiresAt)-unsafe.Offsetof(C.donjon_claims{}.expires_at_s)]
	_ = [1]byte{}[unsafe.Offsetof(Claims{}.NotBefore)-unsafe.Offsetof(C.donjon_claims{}.not_before_s)]
	_ = [1]byte{}[unsafe.Offsetof(Claims{}.IssuedAt)-unsafe.Offsetof(C.donjon_claims{}.issued_at_s)]
	_ = [1]byte{}[unsafe.Offsetof(Claims{}.Generation)-unsafe.Offsetof(C.donjon_claims{}.generation)]
	_ = [1]byte{}[unsafe.Offsetof(Claims{}.JSON)-unsafe.Offsetof(C.donjon_claims{}.json)]
	_ = [1]byte{}[unsafe.Offsetof(Claims{}.Issuer)-unsafe.Offsetof(C.donjon_claims{}.issuer)]
	_ = [1]byte{}[unsafe.Offsetof(Claims{}.Subject)-unsafe.Offsetof(C.donjon_claims{}.subject)]
	_ = [1]byte{}[unsafe.Offsetof(Claims{}.TokenID)-unsafe.Offsetof(C.donjon_claims{}.token_id)]
	_ = [1]byte{}[unsafe.Offsetof(Claims{}.Family)-unsafe.Offsetof(C.donjon_claims{}.family)]
	_ = [1]byte{}[unsafe.Offsetof(Claims{}.Audience)-unsafe.Offsetof(C.donjon_claims{}.audience)]
	_ = [1]byte{}[unsafe.Offsetof(Claims{}.Permissions)-unsafe.Offsetof(C.donjon_claims{}.permissions)]
	_ = [1]byte{}[unsafe.Offsetof(Claims{}.Roles)-unsafe.Offsetof(C.donjon_claims{}.roles)]
	_ = [1]byte{}[unsafe.Offsetof(Claims{}.KeyID)-unsafe.Offsetof(C.donjon_claims{}.key_id)]
)
