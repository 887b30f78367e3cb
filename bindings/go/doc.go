// Package donjon signs and checks tokens, hashes passwords, decides by roles,
// encrypts data at rest, limits how often things happen and keeps sessions, with the
// donjon security kernel.
//
// A [Keyring] holds keys. An [Issuer] mints access and refresh tokens with it, a
// [Verifier] checks them, and [PurposeTokens] makes and consumes the tokens of
// password resets, e-mail verifications and invitations. [RequireToken] guards
// an [net/http.Handler], [JWKSHandler] publishes the public keys, and a
// [JWKSClient] verifies the tokens of an issuer elsewhere by the keys that it
// publishes.
//
// A [Hasher] hashes and verifies passwords with Argon2id in a bounded amount of
// memory, and verifies what other libraries have stored. [CheckStrength] judges
// a new password, [BreachPrefix] and [BreachCount] look it up among breached
// ones.
//
// A [Policy] says which role is granted which permission. A [Subject] is
// somebody's roles in it, and answers what he may and why.
// [RequirePermission] and its kin guard routes behind [RequireToken], or behind
// [RequireSession] with roles that are looked up.
//
// A [Sealer] seals data at rest in envelopes, which open in the [Context] that they
// were sealed for and in no other: at once, as a [SealWriter] and a [SealedReader],
// or in part by a [SealedReaderAt]. A [DataKey] seals the cells of encrypted columns
// ([EncryptedString] and its kin), which a [BlindIndex] finds again. Keys come from a
// Keyring, a passphrase or a [KeyProvider]. [Fernet] and [OpenAESEngine] read what
// Python services have encrypted.
//
// [Limits] are how often something may happen, such as "10/minute". A [LimitTable]
// keeps what is spent in this process, the module redisstore in Redis; a [Limiter]
// says what becomes of a request when the store is down. [RateLimit] guards an
// [net/http.Handler], a [Lockout] guards log-ins, and [Proxies] tell which [Client] a
// request is from.
//
// A [SessionManager] keeps the sign-ins of users, by cookies and by refresh tokens, in a
// [RecordStore]: in this process ([MemoryRecords]), or in Redis by the module redisstore.
// A [LogInHandler] begins sessions, [RequireSession] guards an [net/http.Handler],
// [SessionHandlers] let users look after their sign-ins, and [RefreshHandler] renews
// tokens. [Revocations] refuse tokens that
// were revoked; [OfflineRevocations] do so without asking the store, by signed sets that
// a [RevocationSetHandler] publishes and a [RevocationSetClient] fetches.
//
// Every decision is the kernel's, which is the same code in every language that
// it is used from. This package adds the clock, the transport and Go's idiom.
//
// # Expectations
//
// A verifier is told what it expects or told to waive it; what is left empty is
// refused when the verifier is made, never waived by omission.
//
// # Errors
//
// A refusal is an [*Error]; compare with [errors.Is] and the Err variables. No
// claims are returned with an error, and what cannot be decided is denied. A key
// set, configuration or policy that is refused is a [*ConfigError], which says
// why and where, in words for whoever wrote it, and never quotes a key. An
// error's text is for the operator's log, where [log/slog] makes the name of its
// code an attribute of its own; a client is shown [Error.Public] and no more.
//
// # Time
//
// Operations read the system's clock. Those that depend on it can be given
// another time: by a method whose name ends in At, or by a field Now or Clock.
//
// # Lifetime and concurrency
//
// Every type with a method Close is safe for concurrent use. Keyrings and policies never change: what
// would change one returns another. Close releases what an object holds at once,
// or as soon as the calls that are running on it have returned; closing twice is
// harmless, and calls after Close return [ErrClosed], or deny. What is never
// closed is released after it has become unreachable, as are limits, tables of them and
// proxies, which have no Close.
//
// Hashing a password takes a tenth of a second and a lot of memory: calls of a
// [Hasher] take a context, and wait for their turn. Those of a [Limiter], a
// [Lockout], a [SessionManager] and [Revocations] wait for the store, if that is
// elsewhere. No other call waits. What a
// sealer of [SealerFromPassphrase] seals and opens costs as much or more, without
// waiting: let users do so one at a time.
package donjon

import "github.com/donjon-security/donjon/bindings/go/internal/abi"

// Version returns the version of the kernel that is linked in.
func Version() string { return abi.Version() }
