package donjon

import "log/slog"

// A SessionReason is why a session is refused, for the operator's log: a client is not
// told.
type SessionReason uint8

// The reasons.
const (
	SessionReasonNone      SessionReason = iota
	SessionReasonUnknown                 // it never was, or was ended, or evicted
	SessionReasonMalformed               // the id is none
	SessionReasonIdle                    // it was not used for too long
	SessionReasonAbsolute                // it is as old as one may be
	SessionReasonAddress                 // it comes from another network
	SessionReasonUserAgent               // it comes from another browser
	SessionReasonStore                   // it is older than what the store remembers
	SessionReasonForeign                 // the record is damaged, or another user's
)

var sessionReasons = [...]string{
	"", "unknown", "malformed", "idle", "absolute", "address", "user_agent", "store", "foreign",
}

// String returns the name of the reason, such as "idle"; empty if there is none.
func (r SessionReason) String() string {
	if int(r) >= len(sessionReasons) {
		return "unknown reason"
	}
	return sessionReasons[r]
}

// A SessionError is a refusal that has a reason: [ErrInvalidSession], [ErrExpired],
// [ErrStepUpRequired], [ErrRevoked] or [ErrStateStale].
type SessionError struct {
	Code   Code
	Reason SessionReason
}

// Error returns the refusal and its reason.
func (e *SessionError) Error() string {
	return (&Error{e.Code}).Error() + " (" + e.Reason.String() + ")"
}

// Unwrap returns the [*Error] of the code.
func (e *SessionError) Unwrap() error { return failure(int32(e.Code)) }

// LogValue implements [slog.LogValuer], as [Error.LogValue] does, with the reason.
func (e *SessionError) LogValue() slog.Value {
	return slog.GroupValue(slog.String("code", e.Code.String()),
		slog.String("message", (&Error{e.Code}).message()), slog.String("reason", e.Reason.String()))
}

// refusal is the error of a verdict, nil if it allows.
func refusal(status int32, reason SessionReason) error {
	err := failure(status)
	if err == nil || reason == SessionReasonNone {
		return err
	}
	return &SessionError{Code(status), reason}
}
