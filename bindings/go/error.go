package donjon

import (
	"errors"
	"log/slog"
	"net/http"

	"github.com/donjon-security/donjon/bindings/go/internal/abi"
)

// An Error is a refusal or a failure of the kernel.
type Error struct {
	Code Code
}

// Error returns the reason for the operator's log. It never quotes the input.
func (e *Error) Error() string {
	return "donjon: " + e.Code.String() + ": " + e.message()
}

func (e *Error) message() string { return abi.StatusMessage(int32(e.Code)) }

// Is reports whether target is an [*Error] of the same code.
func (e *Error) Is(target error) bool {
	other, ok := target.(*Error)
	return ok && other.Code == e.Code
}

// HTTPStatus returns the status that a web service answers with: 401 for the
// client's token, 500 and above for the service's own failure.
func (e *Error) HTTPStatus() int { return abi.StatusHTTP(int32(e.Code)) }

// Public returns all that a client is told, which is the name of the HTTP
// status: refusals that an attacker could learn from look alike.
func (e *Error) Public() string { return http.StatusText(e.HTTPStatus()) }

// LogValue implements [slog.LogValuer]: a log has the name of the code apart from
// the message, to filter and count by.
func (e *Error) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("code", e.Code.String()), slog.String("message", e.message()))
}

// logged is any error as a group like that of [Error.LogValue], without a code
// unless it is or wraps an [*Error].
func logged(err error) slog.Value {
	if refused, is := err.(*SessionError); is {
		return refused.LogValue()
	}
	var kernel *Error
	switch {
	case !errors.As(err, &kernel):
		return slog.GroupValue(slog.String("message", err.Error()))
	case err == error(kernel):
		return kernel.LogValue()
	default:
		return slog.GroupValue(slog.String("code", kernel.Code.String()), slog.String("message", err.Error()))
	}
}

// ErrClosed is returned by calls on what was closed, or never made.
var ErrClosed = errors.New("donjon: use of a closed or empty object")

// Refusals and failures, to compare with by [errors.Is].
var (
	ErrInvalidArgument    error = &Error{CodeInvalidArgument}    // no correct caller passes this
	ErrOutOfMemory        error = &Error{CodeOutOfMemory}        // the input asked for more memory than there is
	ErrInternal           error = &Error{CodeInternal}           // a defect in donjon; nothing was decided
	ErrEntropyUnavailable error = &Error{CodeEntropyUnavailable} // the operating system gave no randomness
	ErrConfig             error = &Error{CodeConfig}             // a key, key set or configuration was refused: see [ConfigError]
	ErrMalformed          error = &Error{CodeMalformed}          // the input is not of its format
	ErrTooLarge           error = &Error{CodeTooLarge}           // the input is over its limit
	ErrUnsupported        error = &Error{CodeUnsupported}        // a format that is deliberately not read

	ErrUnknownKey   error = &Error{CodeUnknownKey}   // no usable key answers to the input
	ErrKeyDisabled  error = &Error{CodeKeyDisabled}  // the key was disabled by an operator
	ErrKeyDestroyed error = &Error{CodeKeyDestroyed} // only the key's id is left
	ErrKeyExpired   error = &Error{CodeKeyExpired}   // the key verified until a time that has passed

	ErrAlgNotAllowed       error = &Error{CodeAlgNotAllowed}       // the algorithm is not on the list, or not the key's
	ErrBadSignature        error = &Error{CodeBadSignature}        // the signature does not hold
	ErrUnsupportedCritical error = &Error{CodeUnsupportedCritical} // the token demands an unknown extension
	ErrBadClaimType        error = &Error{CodeBadClaimType}        // a claim is of the wrong type or out of range
	ErrMissingClaim        error = &Error{CodeMissingClaim}        // a required claim is missing
	ErrExpired             error = &Error{CodeExpired}             // the token's time is over
	ErrNotYetValid         error = &Error{CodeNotYetValid}         // the token's time has not come
	ErrInvalidIssuer       error = &Error{CodeInvalidIssuer}       // another issuer
	ErrInvalidAudience     error = &Error{CodeInvalidAudience}     // another audience
	ErrWrongTokenType      error = &Error{CodeWrongTokenType}      // refresh for access, reset for refresh, ...
	ErrReuseDetected       error = &Error{CodeReuseDetected}       // a refresh token was used again; its family is revoked
	ErrStateStale          error = &Error{CodeStateStale}          // the stored state is gone or behind the token
	ErrRevoked             error = &Error{CodeRevoked}             // the token, its family, its key or its subject
	ErrInvalid             error = &Error{CodeInvalid}             // a purpose token that is not good, for whichever reason

	ErrPasswordMismatch  error = &Error{CodePasswordMismatch}  // another password, or nobody's
	ErrInvalidHash       error = &Error{CodeInvalidHash}       // the stored hash is not of its format
	ErrParamsOutOfBounds error = &Error{CodeParamsOutOfBounds} // the stored hash asks for more than is allowed
	ErrBusy              error = &Error{CodeBusy}              // the memory budget is in use; nothing was hashed

	ErrPermissionDenied    error = &Error{CodePermissionDenied}    // the subject's roles do not allow it
	ErrUnknownPermission   error = &Error{CodeUnknownPermission}   // the policy's catalogue lacks it
	ErrUnknownRole         error = &Error{CodeUnknownRole}         // the policy lacks it
	ErrSeparationOfDuty    error = &Error{CodeSeparationOfDuty}    // roles that exclude each other
	ErrCardinalityExceeded error = &Error{CodeCardinalityExceeded} // as many users have the role as may

	ErrDecryptFailed error = &Error{CodeDecryptFailed} // another context, another key, or not what was sealed

	ErrRateLimited      error = &Error{CodeRateLimited}      // the limit is spent: see [LimitError]
	ErrStoreUnavailable error = &Error{CodeStoreUnavailable} // the store did not answer

	ErrInvalidSession     error = &Error{CodeInvalidSession}     // there is no such session, or no longer: see [SessionError]
	ErrStepUpRequired     error = &Error{CodeStepUpRequired}     // the user has to authenticate again, and then the session is to be rotated
	ErrSessionLimit       error = &Error{CodeSessionLimit}       // the user has as many sessions as may be
	ErrCSRFFailed         error = &Error{CodeCSRFFailed}         // no token shows that the request is from the session's own pages
	ErrCrossSite          error = &Error{CodeCrossSite}          // the request is from another site
	ErrRevocationSetStale error = &Error{CodeRevocationSetStale} // the offline set's time is over, or it was never there
)

// failures holds the sentinel of each code, so that refusing allocates nothing.
var failures = func() [CodeRevocationSetStale + 1]error {
	var table [CodeRevocationSetStale + 1]error
	for _, err := range []error{
		ErrInvalidArgument, ErrOutOfMemory, ErrInternal, ErrEntropyUnavailable, ErrConfig,
		ErrMalformed, ErrTooLarge, ErrUnsupported,
		ErrUnknownKey, ErrKeyDisabled, ErrKeyDestroyed, ErrKeyExpired,
		ErrAlgNotAllowed, ErrBadSignature, ErrUnsupportedCritical, ErrBadClaimType, ErrMissingClaim,
		ErrExpired, ErrNotYetValid, ErrInvalidIssuer, ErrInvalidAudience, ErrWrongTokenType,
		ErrReuseDetected, ErrStateStale, ErrRevoked, ErrInvalid,
		ErrPasswordMismatch, ErrInvalidHash, ErrParamsOutOfBounds, ErrBusy,
		ErrPermissionDenied, ErrUnknownPermission, ErrUnknownRole, ErrSeparationOfDuty, ErrCardinalityExceeded,
		ErrDecryptFailed,
		ErrRateLimited, ErrStoreUnavailable,
		ErrInvalidSession, ErrStepUpRequired, ErrSessionLimit, ErrCSRFFailed, ErrCrossSite, ErrRevocationSetStale,
	} {
		table[err.(*Error).Code] = err
	}
	return table
}()

// failure is the error of a status, nil for success.
func failure(status int32) error {
	if status == abi.StatusOK {
		return nil
	}
	if status > 0 && int(status) < len(failures) && failures[status] != nil {
		return failures[status]
	}
	return &Error{Code(status)}
}
