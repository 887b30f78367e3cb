package donjon

import "context"

type (
	claimsKey  struct{}
	subjectKey struct{}
	sessionKey struct{}
)

// NewContext returns a copy of ctx that carries claims, as [RequireToken] makes
// it for the handlers that it guards.
func NewContext(ctx context.Context, claims *Claims) context.Context {
	return context.WithValue(ctx, claimsKey{}, claims)
}

// FromContext returns the claims that ctx carries, and whether it carries any.
// Behind [RequireToken] it does.
func FromContext(ctx context.Context) (*Claims, bool) {
	claims, _ := ctx.Value(claimsKey{}).(*Claims)
	return claims, claims != nil
}

func newSubjectContext(ctx context.Context, subject *Subject) context.Context {
	return context.WithValue(ctx, subjectKey{}, subject)
}

// SubjectFromContext returns the subject that ctx carries, and whether it carries
// one. Behind [RequirePermission] it does, until the handler returns.
func SubjectFromContext(ctx context.Context) (*Subject, bool) {
	subject, ok := ctx.Value(subjectKey{}).(*Subject)
	return subject, ok
}

func newSessionContext(ctx context.Context, session *Session) context.Context {
	return context.WithValue(ctx, sessionKey{}, session)
}

// SessionFromContext returns the session that ctx carries, and whether it carries one.
// Behind [RequireSession] it does.
func SessionFromContext(ctx context.Context) (*Session, bool) {
	session, _ := sessionIn(ctx)
	return session, session != nil
}

// sessionIn returns the session that ctx carries, perhaps nil, and whether
// [RequireSession] has looked for one.
func sessionIn(ctx context.Context) (session *Session, isLookedFor bool) {
	session, isLookedFor = ctx.Value(sessionKey{}).(*Session)
	return session, isLookedFor
}
