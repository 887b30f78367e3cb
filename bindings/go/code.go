package donjon

import "github.com/donjon-security/donjon/bindings/go/internal/abi"

// A Code is the kernel's number for an outcome. The numbers are pinned and the
// same in every language.
type Code int32

// The codes of refusals and failures.
const (
	CodeInvalidArgument    Code = 1
	CodeBufferTooSmall     Code = 2
	CodeOutOfMemory        Code = 3
	CodeInternal           Code = 4
	CodeEntropyUnavailable Code = 5
	CodeConfig             Code = 6
	CodeMalformed          Code = 7
	CodeTooLarge           Code = 8
	CodeUnsupported        Code = 9

	CodeUnknownKey   Code = 20
	CodeKeyDisabled  Code = 21
	CodeKeyDestroyed Code = 22
	CodeKeyExpired   Code = 23

	CodeAlgNotAllowed       Code = 40
	CodeBadSignature        Code = 41
	CodeUnsupportedCritical Code = 42
	CodeBadClaimType        Code = 43
	CodeMissingClaim        Code = 44
	CodeExpired             Code = 45
	CodeNotYetValid         Code = 46
	CodeInvalidIssuer       Code = 47
	CodeInvalidAudience     Code = 48
	CodeWrongTokenType      Code = 49
	CodeReuseDetected       Code = 50
	CodeStateStale          Code = 51
	CodeRevoked             Code = 52
	CodeInvalid             Code = 53

	CodePasswordMismatch  Code = 60
	CodeInvalidHash       Code = 61
	CodeParamsOutOfBounds Code = 62
	CodeBusy              Code = 63

	CodePermissionDenied    Code = 80
	CodeUnknownPermission   Code = 81
	CodeUnknownRole         Code = 82
	CodeSeparationOfDuty    Code = 83
	CodeCardinalityExceeded Code = 84

	CodeDecryptFailed Code = 100

	CodeRateLimited      Code = 120
	CodeStoreUnavailable Code = 121

	CodeInvalidSession     Code = 140
	CodeStepUpRequired     Code = 141
	CodeSessionLimit       Code = 142
	CodeCSRFFailed         Code = 143
	CodeCrossSite          Code = 144
	CodeRevocationSetStale Code = 145
)

// String returns the pinned name of c, such as "bad_signature".
func (c Code) String() string { return abi.StatusName(int32(c)) }
