package donjon

import "context"

type claimsKey struct{}

// NewContext returns a copy of ctx that carries claims, as [RequireToken] makes
// it for the handlers that it guards.
func NewContext(ctx context.Context, claims *Claims) context.Context {
	return context.WithValue(ctx, claimsKey{}, claims)
}

// FromContext returns the claims that ctx carries, and whether it carries any.
// Behind [RequireToken] it does.
func FromContext(ctx context.Context) (*Claims, bool) {
	claims, ok := ctx.Value(claimsKey{}).(*Claims)
	return claims, ok
}
