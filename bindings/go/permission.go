package donjon

import "github.com/donjon-security/donjon/bindings/go/internal/abi"

// PermissionImplies reports whether who was granted a permission has what is
// required: granted "document" or "document:*" implies "document:read", which
// implies "document:read:42". Nothing is granted by what is [ErrMalformed].
func PermissionImplies(granted, required string) (bool, error) {
	return allowed(abi.PermissionImplies(granted, required))
}

// allowed tells a decision from a failure to decide.
func allowed(status int32) (bool, error) {
	if status == abi.StatusPermissionDenied {
		return false, nil
	}
	return status == abi.StatusOK, failure(status)
}
