package abi

/*
#include <donjon.h>

#cgo noescape donjon_revocation_check
#cgo nocallback donjon_revocation_check
*/
import "C"

// RevocationFacts is donjon_revocation_facts.
type RevocationFacts struct {
	IssuedAt, SubjectSince, StoreSince, Skew int64

	TokenRevoked, FamilyRevoked, KeyRevoked bool
}

// RevocationCheck is donjon_revocation_check.
func RevocationCheck(f RevocationFacts) int32 {
	facts := C.donjon_revocation_facts{
		issued_at_s:     C.int64_t(f.IssuedAt),
		subject_since_s: C.int64_t(f.SubjectSince),
		store_since_s:   C.int64_t(f.StoreSince),
		skew_s:          C.int64_t(f.Skew),
		token_revoked:   flag(f.TokenRevoked),
		family_revoked:  flag(f.FamilyRevoked),
		key_revoked:     flag(f.KeyRevoked),
	}
	return int32(C.donjon_revocation_check(&facts))
}

func flag(b bool) C.uint8_t {
	if b {
		return 1
	}
	return 0
}
