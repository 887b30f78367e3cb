// donjon: a security kernel that services embed.
//
// THE CONTRACT
//
// 1. Functions return an int32_t: DONJON_OK (0) is success, every other number is one of the
//    DONJON_* codes below. donjon_status_str() names it. There is no errno and no last error.
// 2. Handles (donjon_keyring, donjon_issuer, ...) never change once made, or look after their own
//    locks (donjon_hasher, donjon_encryptor, ...). Every function may be called from any thread on a
//    shared handle. Each has a _free that accepts NULL; no other call
//    consumes a handle, whether it succeeds or fails. Freeing one while another thread still uses
//    it is the caller's mistake.
// 3. Text and bytes come as pointer and length. (NULL, 0) is valid and empty. NULL with a length,
//    or a length over PTRDIFF_MAX, is DONJON_INVALID_ARGUMENT.
// 4. Byte outputs are (out, cap, out_len). Too small: DONJON_BUFFER_TOO_SMALL, the length needed in
//    *out_len, and nothing else written. On any other failure nothing is written at all, but that
//    functions that open what was sealed may leave zeros in out: never plaintext. Outputs are not
//    NUL-terminated. Calls that mint something check cap against the bound of their *_bound
//    function first, so that a token is never made and thrown away.
// 5. Outputs may not overlap inputs or one another.
// 6. Time is Unix time: _s in seconds, _ms in milliseconds. DONJON_NEVER stands for a time that is
//    not there. The library reads no clock.
// 7. Configurations and documents are UTF-8 JSON, read strictly: a duplicate or unknown member of a
//    configuration is DONJON_CONFIG_ERROR.
// 8. Randomness comes from the operating system at each call, so nothing repeats after fork().


#ifndef DONJON_H
#define DONJON_H

#include <stddef.h>
#include <stdint.h>

// sqlalchemy-utils' padding "pkcs5".
#define DONJON_PADDING_PKCS5 0

// sqlalchemy-utils' padding "naive", which a column has that names none.
#define DONJON_PADDING_NAIVE 1

// sqlalchemy-utils' padding "oneandzeroes".
#define DONJON_PADDING_ONE_AND_ZEROES 2

// sqlalchemy-utils' padding "zeroes".
#define DONJON_PADDING_ZEROES 3

// The longest context, in bytes: all parts, and four bytes for each.
#define DONJON_CONTEXT_MAX 4096

// The characters of a Fernet key.
#define DONJON_FERNET_KEY_LEN 44

// "However old the token is", for donjon_fernet_decrypt.
#define DONJON_NO_TTL -1

// The longest password, in bytes; longer ones are TOO_LARGE, before anything is computed from them.
#define DONJON_PASSWORD_MAX 4096

// The longest stored hash that is read, in bytes, and the cap that donjon_hasher_hash wants.
#define DONJON_PASSWORD_HASH_MAX 512

// The bytes of a key set's state.
#define DONJON_JWKS_STATE_LEN 24

// A token named a key that the set lacks.
#define DONJON_JWKS_UNKNOWN_KEY 1

// The host looks after the set from time to time, or for the first time.
#define DONJON_JWKS_PERIODIC 2

// A fetch brought a good set.
#define DONJON_JWKS_FETCHED 3

// A fetch failed.
#define DONJON_JWKS_FAILED 4

// The longest key of a table, in bytes; longer ones are TOO_LARGE.
#define DONJON_LIMIT_KEY_MAX 1024

// The most limits that one key is held to at once.
#define DONJON_LIMITS_MAX 8

// The bytes of the longest state of a key. One limit's is at most 23, but for a sliding log's: 10, and 6 for
// each of its amount.
#define DONJON_LIMIT_STATE_MAX 3152

// X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset.
#define DONJON_LIMIT_HEADERS_X 1

// RateLimit-Policy and RateLimit, as draft-ietf-httpapi-ratelimit-headers-10 has them.
#define DONJON_LIMIT_HEADERS_IETF 2

// The matrix as JSON: {"permissions":[…],"roles":[…],"cells":{"admin":{"document:read":"granted"}}};
// a cell is "granted", "some" (instances) or "denied", and absent where nothing is granted.
#define DONJON_MATRIX_JSON 0

// The matrix as a Markdown table.
#define DONJON_MATRIX_MARKDOWN 1

// The matrix as a page of HTML that stands alone.
#define DONJON_MATRIX_HTML 2

// As many last bytes of an envelope as tell that it is whole.
#define DONJON_READER_TAIL_MAX 16399

// The bytes of a family's state.
#define DONJON_REFRESH_STATE_LEN 32

// A token, by its jti.
#define DONJON_REVOKED_TOKEN 1

// A refresh family, with the access tokens that carry its id.
#define DONJON_REVOKED_FAMILY 2

// All tokens of a subject that were issued until now: "log out everywhere".
#define DONJON_REVOKED_SUBJECT 3

// All tokens that a key signed.
#define DONJON_REVOKED_KEY 4

// As many first bytes of any envelope as tell all that stands before its first chunk, and the cap for a
// header.
#define DONJON_ENVELOPE_PREFIX_MAX 6336

// The plaintext of every chunk but the last, in bytes.
#define DONJON_CHUNK_LEN 16384

// A data key, in bytes.
#define DONJON_DATA_KEY_LEN 32

// The longest passphrase, in bytes.
#define DONJON_PASSPHRASE_MAX 4096

// The characters of a CSRF token.
#define DONJON_CSRF_TOKEN_LEN 64

// The longest Set-Cookie, in bytes.
#define DONJON_SET_COOKIE_MAX 1024

// The characters of a session id.
#define DONJON_SESSION_ID_LEN 64

// Nothing more is to be said.
#define DONJON_SESSION_REASON_NONE 0

// There is no such session: there never was, or it ended, was revoked or evicted.
#define DONJON_SESSION_REASON_UNKNOWN 1

// Not the form of a session id.
#define DONJON_SESSION_REASON_MALFORMED 2

// Not used for too long.
#define DONJON_SESSION_REASON_IDLE 3

// Begun too long ago.
#define DONJON_SESSION_REASON_ABSOLUTE 4

// From another network.
#define DONJON_SESSION_REASON_ADDRESS 5

// From another browser.
#define DONJON_SESSION_REASON_USER_AGENT 6

// Begun before the moment since which the store is known to have lost nothing.
#define DONJON_SESSION_REASON_STORE 7

// The record is damaged, or another user's.
#define DONJON_SESSION_REASON_FOREIGN 8

// The record stays as it is.
#define DONJON_SESSION_WRITE_NOTHING 0

// What was granted holds only once the record is replaced: if that fails, read again and ask again. A refusal
// holds anyway.
#define DONJON_SESSION_WRITE_MUST 1

// Replace the record; if that fails, never mind.
#define DONJON_SESSION_WRITE_MAY 2

// A bit of changes: the client is in another network.
#define DONJON_SESSION_CHANGED_ADDRESS 1

// A bit of changes: the client is another browser.
#define DONJON_SESSION_CHANGED_USER_AGENT 2

// donjon_sessions_revoke: the sign-in that handle names.
#define DONJON_SESSIONS_ONE 1

// donjon_sessions_revoke: all but the sign-in that handle names.
#define DONJON_SESSIONS_OTHERS 2

// donjon_sessions_revoke: all.
#define DONJON_SESSIONS_ALL 3

// The version of the ABI: changes only when a program built against it would break. The soname
// carries it.
#define DONJON_ABI_VERSION 1

// "No such time", wherever a time is optional.
#define DONJON_NEVER INT64_MIN

// The call did what it says.
#define DONJON_OK 0

// An argument that no correct caller passes: NULL with a length, an enum out of range.
#define DONJON_INVALID_ARGUMENT 1

// The output buffer is too small; *out_len has the length needed.
#define DONJON_BUFFER_TOO_SMALL 2

// Memory that the input asked for could not be had.
#define DONJON_OUT_OF_MEMORY 3

// A defect in donjon; nothing was decided.
#define DONJON_INTERNAL_ERROR 4

// The operating system gave no randomness; nothing was made.
#define DONJON_ENTROPY_UNAVAILABLE 5

// A key, a key set or a configuration was refused when it was loaded.
#define DONJON_CONFIG_ERROR 6

// The input is not of its format.
#define DONJON_MALFORMED 7

// The input is over its limit.
#define DONJON_TOO_LARGE 8

// A format that is deliberately not read: JWE, compressed or JSON-serialised tokens.
#define DONJON_UNSUPPORTED 9

// No usable key answers to the token.
#define DONJON_UNKNOWN_KEY 20

// The key is there, and an operator disabled it.
#define DONJON_KEY_DISABLED 21

// The key was destroyed; only its id is left.
#define DONJON_KEY_DESTROYED 22

// The key verified until a time that has passed.
#define DONJON_KEY_EXPIRED 23

// The algorithm is not on the list, or not the key's.
#define DONJON_ALG_NOT_ALLOWED 40

// The signature does not hold.
#define DONJON_BAD_SIGNATURE 41

// The token demands an extension that is not understood.
#define DONJON_UNSUPPORTED_CRITICAL 42

// A claim is of the wrong JSON type or out of range.
#define DONJON_BAD_CLAIM_TYPE 43

// A required claim is missing.
#define DONJON_MISSING_CLAIM 44

// The token's time is over.
#define DONJON_EXPIRED 45

// The token's time has not come.
#define DONJON_NOT_YET_VALID 46

// Another issuer.
#define DONJON_INVALID_ISSUER 47

// Another audience.
#define DONJON_INVALID_AUDIENCE 48

// A token of another type: refresh for access, reset for refresh.
#define DONJON_WRONG_TOKEN_TYPE 49

// A refresh token was used again after its time: its family is to be revoked.
#define DONJON_REUSE_DETECTED 50

// The stored state is behind the token, or gone: log in again.
#define DONJON_STATE_STALE 51

// The token, its family, its key or all tokens of its subject were revoked.
#define DONJON_REVOKED 52

// A single-purpose token that is not good, for whichever reason.
#define DONJON_INVALID 53

// The password is not the one that was hashed, or the user is not known.
#define DONJON_PASSWORD_MISMATCH 60

// The stored hash is not of its format.
#define DONJON_INVALID_HASH 61

// The stored hash asks for more work or memory than is allowed.
#define DONJON_PARAMS_OUT_OF_BOUNDS 62

// As many hashes run as the memory budget allows; none was begun.
#define DONJON_BUSY 63

// The subject's roles do not allow it.
#define DONJON_PERMISSION_DENIED 80

// The policy's catalogue has no such permission.
#define DONJON_UNKNOWN_PERMISSION 81

// The policy has no such role.
#define DONJON_UNKNOWN_ROLE 82

// Roles that exclude each other.
#define DONJON_SEPARATION_OF_DUTY 83

// As many users have the role as may.
#define DONJON_CARDINALITY_EXCEEDED 84

// What is stored does not open: another key, another context, or not what was sealed.
#define DONJON_DECRYPT_FAILED 100

// rate_limited: the limit is spent.
#define DONJON_RATE_LIMITED 120

// store_unavailable: the store did not answer. Never a function's of this library: hosts answer it whose
// store is down.
#define DONJON_STORE_UNAVAILABLE 121

// No such session, or one that its store, its address or its user's limit has ended.
#define DONJON_INVALID_SESSION 140

// The session stands, and its user has to authenticate again before it does.
#define DONJON_STEP_UP_REQUIRED 141

// The user has as many sessions as may be, and none is evicted for another.
#define DONJON_SESSION_LIMIT 142

// The CSRF token is missing, or not the session's.
#define DONJON_CSRF_FAILED 143

// A request that changes something, from a page of another site.
#define DONJON_CROSS_SITE 144

// The offline revocation set is over its time, or not of its time yet.
#define DONJON_REVOCATION_SET_STALE 145

// The bytes of a store's marker.
#define DONJON_MARKER_LEN 24

// There is no marker: a new store, or one that was flushed.
#define DONJON_MARKER_MISSING 1

// What is stored is no marker.
#define DONJON_MARKER_DAMAGED 2

// The marker is older than it was before: the store was restored.
#define DONJON_MARKER_ROLLED_BACK 3

// Nobody said for too long that the store is alive: it may have been restored since.
#define DONJON_MARKER_SILENT 4

// One of the permissions is enough.
#define DONJON_ANY 1

// All of the permissions are needed.
#define DONJON_ALL 2

// The longest token, in bytes; longer ones are TOO_LARGE.
#define DONJON_TOKEN_MAX 28676

// The offset of a span that is not there.
#define DONJON_ABSENT UINT32_MAX

// The index of an encrypted column: keyed hashes of its values, to find equal ones by.
//
// Whoever reads the table sees which rows have equal values, and how often each is there: do not index a
// column of few values. Two values that differ share an index value with a probability of 2^-bits, so open
// what was found, and compare. Bring values into one form (case, blanks, Unicode) before they come here.
typedef struct donjon_blind_index donjon_blind_index;

// Opens one envelope of any size in constant memory. What it writes is authentic, chunk by chunk; that it
// was the whole, donjon_decryptor_finish says: until then, use nothing of it that the rest could change.
// It belongs to the process that began it, as an encryptor does.
typedef struct donjon_decryptor donjon_decryptor;

// Seals one envelope of any size in constant memory. What is pushed from several threads comes in some
// order. It belongs to the process that began it: after a fork, the child's copy is INVALID_ARGUMENT.
typedef struct donjon_encryptor donjon_encryptor;

// Fernet keys (github.com/fernet/spec): for what Python's cryptography.fernet wrote, and for as long as a
// migration has to write it. Seal what is new with a donjon_sealer: a Fernet token opens wherever it is
// moved to.
//
// Whatever is wrong with a token is DECRYPT_FAILED; its HMAC is checked before its time and its padding.
// Keys and tokens are read strictly: canonical, padded base64url, and nothing around it.
typedef struct donjon_fernet donjon_fernet;

// Hashes and verifies passwords with Argon2id inside a budget of memory, which all calls on the handle
// share: what does not fit waits for its turn. The memory is kept for the next hash, and wiped after
// each. bcrypt and PBKDF2, which need none, take as much of the budget as a hash of the hasher's own, so
// that no more of them run at once. scrypt's memory counts, but is allocated for each hash and not wiped;
// one scrypt runs at a time in a process.
// Hash in no thread while another forks: in the child, its share of the budget stays taken.
typedef struct donjon_hasher donjon_hasher;

// Mints access and refresh tokens with the primary token key of a keyring. After a rotation, make a
// new one.
typedef struct donjon_issuer donjon_issuer;

// A set of keys. It never changes: every change makes a new handle, and both must be freed. Secrets are
// wiped when the last handle that holds them is freed.
typedef struct donjon_keyring donjon_keyring;

// The states of limits in one process, bounded: some 60 bytes for a key, however long it is. When it is full,
// what is expired goes, then the key nearest to a full allowance; one with nothing left never. Looks after its
// own locks.
typedef struct donjon_limit_table donjon_limit_table;

// What one key is held to: one limit or several, which are spent all or nothing. Never changes.
typedef struct donjon_limits donjon_limits;

// Names the counters that an attempt to log in is charged to, and makes device tokens. Never changes.
typedef struct donjon_lockout donjon_lockout;

// Roles and permissions, loaded. It never changes: to replace it, load another and swap the pointers.
// Subjects keep their policy alive, so the old one may be freed at once.
typedef struct donjon_policy donjon_policy;

// The proxies before a host: which header they write, and which of them to believe.
typedef struct donjon_proxies donjon_proxies;

// Mints and checks single-purpose tokens (password reset, e-mail verification, invitation), each bound
// to a state: once that has changed, the token is dead.
typedef struct donjon_purpose_tokens donjon_purpose_tokens;

// Opens any range of an envelope that the host keeps, from just the chunks that hold it.
typedef struct donjon_reader donjon_reader;

// An offline revocation set whose signature holds. Never changes.
typedef struct donjon_revocation_set donjon_revocation_set;

// Names revocation records in a store, and decides by what is found there. Never changes.
typedef struct donjon_revocations donjon_revocations;

// Seals and opens under one source of keys: a keyring, a passphrase, a host's KMS or HSM, or a data key.
// Everything that takes a sealer takes any of them.
//
// A function that opens writes as it goes: where it fails, the output holds zeros or what it held before,
// and never plaintext. Its output and its inputs do not overlap (INVALID_ARGUMENT).
typedef struct donjon_sealer donjon_sealer;

// Decides about the sign-ins of users: sessions with cookies, and families of refresh tokens. Never changes.
//
// The host keeps one record per user in a store, under the key that donjon_sessions_keys or donjon_sessions_key
// says, and replaces it by compare-and-set: from exactly the bytes that it read to those in record, for keep_ms.
// Every function here that takes a record is pure: it is given what is stored (empty for nothing), and says what
// was decided, and what to store. now_ms and store_since_ms (the since_ms of donjon_store_marker's verdict, 0 for
// none) are not negative.
typedef struct donjon_sessions donjon_sessions;

// Roles that are active together, and what they may do under the policy that they were activated with,
// which they keep alive.
typedef struct donjon_subject donjon_subject;

// Checks tokens against keys and expectations.
typedef struct donjon_verifier donjon_verifier;

// A password matches.
typedef struct {
  // 1: hash the password anew and store that: parameters, pepper or scheme are not the hasher's.
  uint32_t needs_rehash;
  // 1: the password is longer than what the scheme looked at (bcrypt: 72 bytes), so the rest of it
  // was never checked.
  uint32_t truncated;
} donjon_password_verdict;

// Whether to fetch.
typedef struct {
  // 1: fetch now, having stored state; 0: do not, and store state.
  uint8_t fetch;
  // Zero.
  uint8_t reserved[7];
  // If not: when asking again may have another answer.
  int64_t retry_after_ms;
  // The next state.
  uint8_t state[DONJON_JWKS_STATE_LEN];
} donjon_jwks_verdict;

// What was decided about a cost, and how the limit stands that decided it: of several, the one that makes the
// caller wait longest, or, where all allowed it, the one with the least left.
typedef struct {
  // 1: the cost was there, and is spent. Of a cost of 0: a cost of 1 is there, and nothing is spent.
  uint32_t allowed;
  // 1: the cost is more than can ever be there.
  uint32_t never_allowed;
  // How much of the limit may be had at once.
  uint32_t limit;
  // How much is left of it.
  uint32_t remaining;
  // Which limit it is, counted from 0 in the order in which they were written.
  uint32_t index;
  // 1: a table had no place left for the key, and decided as it was configured.
  uint32_t table_full;
  // Until all of it is there again, in milliseconds.
  int64_t reset_after_ms;
  // 0 if allowed; -1 if never allowed; else after so many milliseconds the cost is there, and not before, if
  // nobody else spends.
  int64_t retry_after_ms;
  // Until the state of the key says nothing any more, in milliseconds: how long to store it.
  int64_t keep_ms;
} donjon_limit_verdict;

// What a table holds, and what became of what it does not.
typedef struct {
  // The keys that are there.
  uint64_t entries;
  // The keys that there is room for.
  uint64_t capacity;
  // Entries that went when nothing was left to remember of them.
  uint64_t expired;
  // Entries that went for others to come.
  uint64_t evicted;
  // Times that a new key found only locked ones, and no place.
  uint64_t refused;
  // The memory that the table holds, in bytes.
  uint64_t bytes;
} donjon_limit_table_statistics;

// Who sent a request. Texts are not terminated; what is behind them is zero.
typedef struct {
  // Its address, as RFC 5952 writes it: no port, no zone, never IPv4-mapped.
  uint8_t ip[46];
  // The bytes of ip.
  uint8_t ip_len;
  // 1: the header said so. 0: it is the peer.
  uint8_t from_header;
  // What its limits count in: an IPv4 address, or an IPv6 network such as 2001:db8:1:2::/64.
  uint8_t bucket[50];
  // The bytes of bucket.
  uint8_t bucket_len;
  // Zero.
  uint8_t reserved;
} donjon_client;

// What a refresh token that was presented leads to.
typedef struct {
  // DONJON_OK: mint the token of state. DONJON_REUSE_DETECTED: store state, which revokes the family,
  // and refuse. DONJON_REVOKED, DONJON_STATE_STALE: refuse; state is all zero.
  int32_t status;
  // 1: state must first replace the stored one, by compare-and-swap; where that fails, read again and
  // ask again. 0: it is what is stored.
  uint8_t changed;
  // Zero.
  uint8_t reserved[3];
  // The next state.
  uint8_t state[DONJON_REFRESH_STATE_LEN];
} donjon_refresh_verdict;

// What the host's store says about one token.
typedef struct {
  // The token's iat, or DONJON_NEVER.
  int64_t issued_at_s;
  // The subject's last "log out everywhere", or DONJON_NEVER. To log out everywhere, store
  // max(now, the last one + 1): the second of two in one second also puts out who came in between.
  int64_t subject_since_s;
  // When the store's marker was written; DONJON_NEVER if it is gone, which refuses every token.
  int64_t store_since_s;
  // How far apart the clocks may be: 0 to 300. Issuers stamp for 2; with more, a log-in right after a
  // "log out everywhere" is refused for that long.
  int64_t skew_s;
  // Not 0: the token's jti is listed.
  uint8_t token_revoked;
  // Not 0: its family is revoked.
  uint8_t family_revoked;
  // Not 0: the key that signed it is listed.
  uint8_t key_revoked;
  // Zero.
  uint8_t reserved[5];
} donjon_revocation_facts;

// What was decided about a sign-in.
typedef struct {
  // DONJON_OK, or why not.
  int32_t status;
  // More about it, for the log: DONJON_SESSION_REASON_*.
  uint8_t reason;
  // What to do with the record: DONJON_SESSION_WRITE_*.
  uint8_t write;
  // What is not as it was: DONJON_SESSION_CHANGED_*.
  uint8_t changes;
  // Zero.
  uint8_t reserved;
  // How long to keep the record, in milliseconds. It carries its own times: keeping it longer does no harm.
  int64_t keep_ms;
} donjon_session_verdict;

// What a store's marker says of the store.
typedef struct {
  // When the store's knowledge begins: sessions and tokens from before are dead. 0: it always knew.
  int64_t since_ms;
  // How long the store has to keep the marker.
  int64_t keep_ms;
  // 1: the marker must be written, by compare-and-set, before anything is decided by this; where that fails,
  // read everything again. 2: it may be written; if that fails, never mind. 0: it is what is stored.
  uint8_t write;
  // DONJON_MARKER_*: why the store begins anew; 0: it does not. Worth a log line.
  uint8_t reason;
  // Zero.
  uint8_t reserved[6];
} donjon_marker_verdict;

// A stretch of the output buffer. offset is DONJON_ABSENT where there is none.
typedef struct {
  // Where it begins.
  uint32_t offset;
  // Its bytes.
  uint32_t length;
} donjon_span;

// The claims of a token that was verified. Spans point into the buffer that came with it.
typedef struct {
  // "exp" in whole seconds, rounded down; DONJON_NEVER where absent.
  int64_t expires_at_s;
  // "nbf", likewise.
  int64_t not_before_s;
  // "iat", likewise.
  int64_t issued_at_s;
  // A refresh token's place in its family; -1 where absent.
  int64_t generation;
  // All claims: one JSON object without white space.
  donjon_span json;
  // "iss", as text.
  donjon_span issuer;
  // "sub", as text.
  donjon_span subject;
  // "jti", as text.
  donjon_span token_id;
  // A refresh token's family, as text.
  donjon_span family;
  // "aud", as JSON: a string or a list of strings.
  donjon_span audience;
  // "permissions", as JSON: a list of strings.
  donjon_span permissions;
  // "roles", as JSON: a list of strings.
  donjon_span roles;
  // The id of the key that signed, as text.
  donjon_span key_id;
} donjon_claims;

// A bare JWS whose signature holds. Spans point into the buffer that came with it.
typedef struct {
  // The payload, as it was signed.
  donjon_span payload;
  // The algorithm's name.
  donjon_span alg;
  // The id of the key that signed.
  donjon_span key_id;
} donjon_jws;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// Opens the text of a column that sqlalchemy-utils' AesEngine wrote, to be sealed anew: UTF-8. There is no
// writing it: it is not authenticated, so that whoever can write the column can change what this returns,
// and can read it where an answer depends on what opens (a padding oracle). About one wrong secret in a
// million opens a short value, to a text that nobody wrote.
//
// secret: the column's, as it was configured. padding: one of DONJON_PADDING_*.
// cap: at least the longest value that so many characters may hold, which BUFFER_TOO_SMALL says before any
//   work; text_len is always enough.
//
// Errors: DECRYPT_FAILED (another secret, another padding, not what AesEngine wrote), INVALID_ARGUMENT
// (padding), OUT_OF_MEMORY, BUFFER_TOO_SMALL.
int32_t donjon_aes_engine_open(const uint8_t *secret,
                               size_t secret_len,
                               uint32_t padding,
                               const uint8_t *text,
                               size_t text_len,
                               uint8_t *out,
                               size_t cap,
                               size_t *out_len);

// Makes the index of a column from the "blind-index" secrets of a keyring, which may be freed afterwards.
//
// tenant: may be empty. Tenant, table and column each have keys of their own; 4,084 bytes together.
// bits: 8 to 256, of which 32 find one wrong row in a column of four thousand million values.
//
// Errors: CONFIG_ERROR (no primary; a key that is no secret; two live keys with one "epoch", modulo 256),
// INVALID_ARGUMENT (bits), TOO_LARGE.
int32_t donjon_blind_index_new(const donjon_keyring *keyring,
                               const uint8_t *tenant,
                               size_t tenant_len,
                               const uint8_t *table,
                               size_t table_len,
                               const uint8_t *column,
                               size_t column_len,
                               uint32_t bits,
                               donjon_blind_index **out);

// Says why donjon_blind_index_new refuses a keyring or a column: null if it does not, else
// `{"error":"config_error","path":"","message":"…"}`.
//
// Errors: BUFFER_TOO_SMALL.
int32_t donjon_blind_index_diagnose(const donjon_keyring *keyring,
                                    const uint8_t *tenant,
                                    size_t tenant_len,
                                    const uint8_t *table,
                                    size_t table_len,
                                    const uint8_t *column,
                                    size_t column_len,
                                    uint32_t bits,
                                    uint8_t *out,
                                    size_t cap,
                                    size_t *out_len);

// What to store for a value, beside its ciphertext: 1 + ⌈bits / 8⌉ bytes under the primary key.
//
// now_s: for the key's end, not negative.
//
// Errors: KEY_EXPIRED (the primary), INVALID_ARGUMENT, BUFFER_TOO_SMALL.
int32_t donjon_blind_index_value(const donjon_blind_index *index,
                                 int64_t now_s,
                                 const uint8_t *value,
                                 size_t value_len,
                                 uint8_t *out,
                                 size_t cap,
                                 size_t *out_len);

// What to look for: what donjon_blind_index_value stores, or stored, under each key that may be used now.
// Of equal length, one after the other, the primary's first. A disabled key's rows are not found.
//
// now_s: for the keys' ends, not negative.
//
// Errors: KEY_EXPIRED (the primary), INVALID_ARGUMENT, BUFFER_TOO_SMALL.
int32_t donjon_blind_index_candidates(const donjon_blind_index *index,
                                      int64_t now_s,
                                      const uint8_t *value,
                                      size_t value_len,
                                      uint8_t *out,
                                      size_t cap,
                                      size_t *out_len);

// Frees the index of a column; its keys are wiped.
void donjon_blind_index_free(donjon_blind_index *index);

// Seals bytes with C2SP chunked-encryption (Cobblestone-256) and nothing around it, for what other
// implementations are to open. Sealers do the same, and look after keys.
//
// key: 32 random bytes. context: any bytes, as they are. cap: at least the plaintext's length,
// 72 bytes, and 16 for each whole 16 KiB.
//
// Errors: INVALID_ARGUMENT, TOO_LARGE, ENTROPY_UNAVAILABLE, BUFFER_TOO_SMALL.
int32_t donjon_chunked_seal(const uint8_t *key,
                            size_t key_len,
                            const uint8_t *context,
                            size_t context_len,
                            const uint8_t *plaintext,
                            size_t plaintext_len,
                            uint8_t *out,
                            size_t cap,
                            size_t *out_len);

// Opens what donjon_chunked_seal, or another implementation, sealed.
//
// cap: at least the plaintext's length, which BUFFER_TOO_SMALL says; the message's is always enough.
//
// Errors: DECRYPT_FAILED, INVALID_ARGUMENT (key), BUFFER_TOO_SMALL.
int32_t donjon_chunked_open(const uint8_t *key,
                            size_t key_len,
                            const uint8_t *context,
                            size_t context_len,
                            const uint8_t *message,
                            size_t message_len,
                            uint8_t *out,
                            size_t cap,
                            size_t *out_len);

// Appends a part to a context: the place that a ciphertext belongs to, such as table, column and row. It
// begins empty, and must be the same when sealing and when opening.
//
// A part is encoded as its length, four bytes big-endian, and itself, so that ("ab", "c") and ("a", "bc")
// differ; functions that take a context refuse what is not encoded so.
// out: the context with the part; may be where context is. cap: DONJON_CONTEXT_MAX is enough for any.
//
// Errors: TOO_LARGE, INVALID_ARGUMENT (no context), BUFFER_TOO_SMALL.
int32_t donjon_context_append(const uint8_t *context,
                              size_t context_len,
                              const uint8_t *part,
                              size_t part_len,
                              uint8_t *out,
                              size_t cap,
                              size_t *out_len);

// Makes a data key for a scope (a tenant, a subject, a table): a sealer of cells, and the wrapped key to
// store once. Where the stored key is deleted, and no backup of it opens, the cells are shredded.
//
// wrapping: a sealer of a keyring, a KMS or a passphrase. scope: any bytes, at most DONJON_CONTEXT_MAX;
// the same when it is opened. cap: at least DONJON_ENVELOPE_PREFIX_MAX. data_key: free it with
// donjon_sealer_free.
//
// Errors: INVALID_ARGUMENT (wrapping is a data key itself), otherwise as donjon_sealer_seal.
int32_t donjon_data_key_new(const donjon_sealer *wrapping,
                            const uint8_t *scope,
                            size_t scope_len,
                            int64_t now_s,
                            uint8_t *out,
                            size_t cap,
                            size_t *out_len,
                            donjon_sealer **data_key);

// Unwraps a stored data key: a sealer of cells.
//
// data_key: free it with donjon_sealer_free.
//
// Errors: as donjon_sealer_open; another scope is DECRYPT_FAILED.
int32_t donjon_data_key_open(const donjon_sealer *wrapping,
                             const uint8_t *scope,
                             size_t scope_len,
                             int64_t now_s,
                             const uint8_t *wrapped,
                             size_t wrapped_len,
                             donjon_sealer **data_key);

// Wraps a stored data key anew: gives what to store in its place. Its cells stay as they are.
//
// from: opens it. to: wraps it; a sealer of a keyring, a KMS or a passphrase, often the same handle.
// cap: at least DONJON_ENVELOPE_PREFIX_MAX.
//
// Errors: as donjon_data_key_open, for from; as donjon_data_key_new, for to.
int32_t donjon_data_key_rewrap(const donjon_sealer *from,
                               const donjon_sealer *to,
                               const uint8_t *scope,
                               size_t scope_len,
                               int64_t now_s,
                               const uint8_t *wrapped,
                               size_t wrapped_len,
                               uint8_t *out,
                               size_t cap,
                               size_t *out_len);

// Reads the beginning of an envelope.
//
// context, now_s: as donjon_sealer_open. threads: as donjon_encryptor_new.
// prefix: the envelope's first DONJON_ENVELOPE_PREFIX_MAX bytes, or all of a shorter one.
// consumed: how many of them stand before the first chunk; push what comes after those.
//
// Errors: as donjon_sealer_open.
int32_t donjon_decryptor_new(const donjon_sealer *sealer,
                             const uint8_t *context,
                             size_t context_len,
                             int64_t now_s,
                             uint32_t threads,
                             const uint8_t *prefix,
                             size_t prefix_len,
                             size_t *consumed,
                             donjon_decryptor **decryptor);

// Pushes what comes next of the envelope: writes the plaintext of the chunks that it completed.
//
// cap: donjon_stream_bound of the input is enough. BUFFER_TOO_SMALL pushes nothing.
//
// Errors: DECRYPT_FAILED (a chunk is not authentic; from then on always), INVALID_ARGUMENT (after the
// end), TOO_LARGE, OUT_OF_MEMORY (no thread), BUFFER_TOO_SMALL.
int32_t donjon_decryptor_push(const donjon_decryptor *decryptor,
                              const uint8_t *sealed,
                              size_t sealed_len,
                              uint8_t *out,
                              size_t cap,
                              size_t *out_len);

// Ends the envelope: writes the plaintext of its last chunk. OK says that the whole was there.
//
// cap: donjon_stream_bound(0) is enough.
//
// Errors: as donjon_decryptor_push.
int32_t donjon_decryptor_finish(const donjon_decryptor *decryptor,
                                uint8_t *out,
                                size_t cap,
                                size_t *out_len);

// Frees a decryptor, and wipes its key and what it holds.
void donjon_decryptor_free(donjon_decryptor *decryptor);

// A cap that every push and finish of so much input is content with, of an encryptor and of a decryptor.
size_t donjon_stream_bound(size_t input_len);

// Begins an envelope: writes all that stands before its first chunk.
//
// context, now_s: as donjon_sealer_seal. threads: 1 to 64; pushes of 1 MiB and more are shared by so many.
// cap: at least DONJON_ENVELOPE_PREFIX_MAX. The sealer may be freed afterwards.
//
// Errors: as donjon_sealer_seal.
int32_t donjon_encryptor_new(const donjon_sealer *sealer,
                             const uint8_t *context,
                             size_t context_len,
                             int64_t now_s,
                             uint32_t threads,
                             uint8_t *out,
                             size_t cap,
                             size_t *out_len,
                             donjon_encryptor **encryptor);

// Pushes plaintext: writes the chunks that it completed, which may be none.
//
// cap: donjon_stream_bound of the plaintext is enough. BUFFER_TOO_SMALL pushes nothing.
//
// Errors: INVALID_ARGUMENT (after the end), TOO_LARGE, OUT_OF_MEMORY (no thread: the stream is over),
// BUFFER_TOO_SMALL.
int32_t donjon_encryptor_push(const donjon_encryptor *encryptor,
                              const uint8_t *plaintext,
                              size_t plaintext_len,
                              uint8_t *out,
                              size_t cap,
                              size_t *out_len);

// Ends the envelope: writes its last chunk. What was not finished does not open.
//
// cap: donjon_stream_bound(0) is enough.
//
// Errors: as donjon_encryptor_push.
int32_t donjon_encryptor_finish(const donjon_encryptor *encryptor,
                                uint8_t *out,
                                size_t cap,
                                size_t *out_len);

// Frees an encryptor, and wipes its key and what it holds.
void donjon_encryptor_free(donjon_encryptor *encryptor);

// Judges whether what was sealed under a data key is gone for good, once its wrapped form was deleted where
// it was stored. A backup still has that, so the keys that wrapped it must be destroyed (what lives on
// re-wrapped first), or the backups gone:
// {"erased":true,"by":"keys_destroyed","alive":[],"backups_expire_s":null}. "by" is "keys_destroyed",
// "backups_expired" or null; "alive" the keys that are not destroyed.
//
// The answer is about this keyring: a copy of it from before a key was destroyed still opens.
//
// key_ids: a JSON list of the ids of every key that ever wrapped the data key. backups_expire_s: from when on
//   no backup has a wrapped form, or DONJON_NEVER if that is never or not known.
//
// Errors: UNKNOWN_KEY (no "envelope" key of the keyring); CONFIG_ERROR (a derived key, which cannot be
// destroyed, and no end of the backups); INVALID_ARGUMENT (no ids, a negative time); MALFORMED (not a list of
// strings), TOO_LARGE (over 512 of them), BUFFER_TOO_SMALL.
int32_t donjon_erasure(const donjon_keyring *keyring,
                       const uint8_t *key_ids,
                       size_t key_ids_len,
                       int64_t backups_expire_s,
                       int64_t now_s,
                       uint8_t *out,
                       size_t cap,
                       size_t *out_len);

// Reads keys: one of DONJON_FERNET_KEY_LEN characters, or several separated by commas, at most 64. The first
// makes tokens, all of them read.
//
// Errors: CONFIG_ERROR.
int32_t donjon_fernet_new(const uint8_t *keys,
                          size_t keys_len,
                          donjon_fernet **out);

// The characters of the token of so many bytes, just as donjon_fernet_encrypt writes it. SIZE_MAX if there
// is no such token.
size_t donjon_fernet_token_len(size_t plaintext_len);

// Makes a token, under the first key.
//
// now_s: stands in the token, for anyone to read; not negative.
// cap: at least donjon_fernet_token_len(plaintext_len).
//
// Errors: INVALID_ARGUMENT, OUT_OF_MEMORY, ENTROPY_UNAVAILABLE, BUFFER_TOO_SMALL.
int32_t donjon_fernet_encrypt(const donjon_fernet *fernet,
                              int64_t now_s,
                              const uint8_t *plaintext,
                              size_t plaintext_len,
                              uint8_t *out,
                              size_t cap,
                              size_t *out_len);

// The plaintext of a token that one of the keys made.
//
// ttl_s: the token was made at most so long ago, and no more than 60 s from now; DONJON_NO_TTL for a token
//   of any time. No other negative number, and now_s neither.
// cap: at least the longest plaintext that so many characters may hold, which BUFFER_TOO_SMALL says before
//   any work; token_len is always enough.
//
// Errors: DECRYPT_FAILED, INVALID_ARGUMENT, OUT_OF_MEMORY, BUFFER_TOO_SMALL.
int32_t donjon_fernet_decrypt(const donjon_fernet *fernet,
                              int64_t now_s,
                              int64_t ttl_s,
                              const uint8_t *token,
                              size_t token_len,
                              uint8_t *out,
                              size_t cap,
                              size_t *out_len);

// The same plaintext and time under the first key, whichever of the keys made the token.
//
// cap: at least token_len; the new token is just as long.
//
// Errors: DECRYPT_FAILED, OUT_OF_MEMORY, ENTROPY_UNAVAILABLE, BUFFER_TOO_SMALL.
int32_t donjon_fernet_rotate(const donjon_fernet *fernet,
                             const uint8_t *token,
                             size_t token_len,
                             uint8_t *out,
                             size_t cap,
                             size_t *out_len);

// When a token was made, if one of the keys made it: Unix seconds, INT64_MAX for what is beyond them.
//
// Errors: DECRYPT_FAILED, OUT_OF_MEMORY.
int32_t donjon_fernet_timestamp(const donjon_fernet *fernet,
                                const uint8_t *token,
                                size_t token_len,
                                int64_t *out);

// SECRET: a fresh key.
//
// cap: at least DONJON_FERNET_KEY_LEN.
//
// Errors: ENTROPY_UNAVAILABLE, BUFFER_TOO_SMALL.
int32_t donjon_fernet_generate_key(uint8_t *out, size_t cap, size_t *out_len);

// SECRET: the key of a password, by PBKDF2 with HMAC-SHA-256, as services derive it with
// cryptography's PBKDF2HMAC. 100,000 iterations take some tens of milliseconds.
//
// salt: the one that the data was written with. Where it was random and stored nowhere, the data is lost.
// iterations: 1 to 10,000,000. password, salt: up to 4,096 bytes each.
// cap: at least DONJON_FERNET_KEY_LEN.
//
// Errors: PARAMS_OUT_OF_BOUNDS (iterations, before any work), TOO_LARGE, BUFFER_TOO_SMALL.
int32_t donjon_fernet_derive_key(const uint8_t *password,
                                 size_t password_len,
                                 const uint8_t *salt,
                                 size_t salt_len,
                                 uint32_t iterations,
                                 uint8_t *out,
                                 size_t cap,
                                 size_t *out_len);

// Frees Fernet keys; they are wiped.
void donjon_fernet_free(donjon_fernet *fernet);

// Makes a hasher. The keyring may be freed afterwards.
//
// peppers: a keyring with a primary "password-pepper" secret, which every new hash depends on; or NULL.
//   A stored hash names its pepper, so that all keys of the purpose verify.
// config: empty for the defaults, or {"preset":"default","memory_kib":65536,"time_cost":3,
//   "parallelism":1,"hash_len":32,"salt_len":16,"memory_budget_kib":262144,"max_wait_ms":10000,
//   "legacy":["bcrypt","pbkdf2","scrypt","argon2i","argon2d"],"allow_weak":false}, any member left out.
//   "preset": "default" (64 MiB, 3 passes, 1 lane), "owasp" (19 MiB, 2, 1), "rfc9106" (2 GiB, 1, 4) or
//   "rfc9106-low-memory" (64 MiB, 3, 4); what else is given overrides it. Lanes run one after the other.
//   "memory_budget_kib": what all hashes of this handle hold at most, at least one hash's memory.
//   "max_wait_ms": how long a hash waits for its turn, up to 60,000; 0 not to wait. scrypt may wait
//   twice: for memory, and to be alone.
//   "legacy": the schemes that stored hashes are verified with besides Argon2id; none by default.
//   "allow_weak": takes parameters under OWASP's minimums, salts from 8 and hashes from 12 bytes; for
//   tests.
//
// Errors: CONFIG_ERROR.
int32_t donjon_hasher_new(const donjon_keyring *peppers,
                          const uint8_t *config,
                          size_t config_len,
                          donjon_hasher **out);

// Says why donjon_hasher_new refuses a configuration: null if it does not, else
// `{"error":"config_error","path":"","message":"…"}`.
//
// Errors: BUFFER_TOO_SMALL.
int32_t donjon_hasher_diagnose(const donjon_keyring *peppers,
                               const uint8_t *config,
                               size_t config_len,
                               uint8_t *out,
                               size_t cap,
                               size_t *out_len);

// How long a hash waits for memory before it is BUSY, in milliseconds: for a host that queues by itself.
// 0 for a NULL hasher.
uint32_t donjon_hasher_max_wait_ms(const donjon_hasher *hasher);

// How many hashes of the hasher's own parameters run at once: the number of threads that are worth
// having. 0 for a NULL hasher.
uint32_t donjon_hasher_slots(const donjon_hasher *hasher);

// Hashes a password: a PHC string to store. Takes tens of milliseconds, and may wait.
//
// password: any bytes, never cut. now_s: for the pepper's end; not negative, where there is one.
// cap: at least DONJON_PASSWORD_HASH_MAX.
//
// Errors: TOO_LARGE (password), BUSY, OUT_OF_MEMORY, KEY_EXPIRED (the primary pepper),
// ENTROPY_UNAVAILABLE, BUFFER_TOO_SMALL.
int32_t donjon_hasher_hash(const donjon_hasher *hasher,
                           const uint8_t *password,
                           size_t password_len,
                           int64_t now_s,
                           uint8_t *out,
                           size_t cap,
                           size_t *out_len);

// Verifies a password against a stored hash: OK if it matches. Takes tens of milliseconds, and may wait.
//
// Stored hashes: Argon2id as a PHC string; those of the schemes that the configuration enables: bcrypt,
// and PBKDF2, scrypt and Argon2 as passlib and Django write them. An empty text, and Django's unusable
// password (any text that begins with `!`), say that there is no password: they cost what an unknown user
// costs, and are PASSWORD_MISMATCH.
// now_s: for the peppers' ends; not negative, where there are any. out: written on OK only.
//
// Errors: PASSWORD_MISMATCH; TOO_LARGE (password); INVALID_HASH, PARAMS_OUT_OF_BOUNDS, UNSUPPORTED (a
// legacy scheme that is not enabled); UNKNOWN_KEY, KEY_DISABLED, KEY_DESTROYED, KEY_EXPIRED (its pepper);
// BUSY, OUT_OF_MEMORY.
int32_t donjon_hasher_verify(const donjon_hasher *hasher,
                             const uint8_t *password,
                             size_t password_len,
                             const uint8_t *hash,
                             size_t hash_len,
                             int64_t now_s,
                             donjon_password_verdict *out);

// What to call where no such user is known: costs what donjon_hasher_verify costs for a hash of the
// hasher's own parameters, and never is OK.
//
// Errors: PASSWORD_MISMATCH, TOO_LARGE, BUSY, OUT_OF_MEMORY.
int32_t donjon_hasher_verify_unknown_user(const donjon_hasher *hasher,
                                          const uint8_t *password,
                                          size_t password_len,
                                          int64_t now_s);

// Whether a stored hash should be made anew at the user's next log-in: 1 or 0.
//
// Errors: as donjon_hasher_verify, as far as the stored hash goes. An empty text, and one that begins with
// `!`, is INVALID_HASH: there is nothing to make anew.
int32_t donjon_hasher_needs_rehash(const donjon_hasher *hasher,
                                   const uint8_t *hash,
                                   size_t hash_len,
                                   int64_t now_s,
                                   uint32_t *out);

// Frees a hasher and its memory.
void donjon_hasher_free(donjon_hasher *hasher);

// Makes an issuer. The keyring may be freed afterwards.
//
// config: {"issuer":"https://a","audience":"api","access_ttl_s":1800,"refresh_ttl_s":604800}. "issuer"
//   and "audience" (a string or a list) must be there; null waives them. The lives may be left out.
//
// Errors: CONFIG_ERROR (the configuration, or no primary token key that signs).
int32_t donjon_issuer_new(const donjon_keyring *keyring,
                          const uint8_t *config,
                          size_t config_len,
                          donjon_issuer **out);

// Says why donjon_issuer_new refuses a configuration: null if it does not, else
// `{"error":"config_error","path":"","message":"…"}`.
//
// Errors: BUFFER_TOO_SMALL.
int32_t donjon_issuer_diagnose(const donjon_keyring *keyring,
                               const uint8_t *config,
                               size_t config_len,
                               uint8_t *out,
                               size_t cap,
                               size_t *out_len);

// The bytes that a token takes at most, for a subject and claims of these lengths: the cap that
// donjon_issuer_access and donjon_issuer_refresh want. 0 for a NULL issuer.
size_t donjon_issuer_bound(const donjon_issuer *issuer, size_t subject_len, size_t claims_len);

// Mints an access token ("at+jwt"): iss, sub, aud, iat, exp, a random jti, then the further claims.
//
// subject: UTF-8, 1 to 1,024 bytes.
// claims: further claims, one JSON object, among them "permissions" and "roles" (lists of strings), and
//   "family" (22 characters), the refresh family that the token is revoked with; empty for none. They may
//   not name a claim that the issuer writes.
// ttl_s: the token's life; 0 for the issuer's.
// since_s: the subject's last "log out everywhere", or DONJON_NEVER; iat is stamped late enough for the
//   token to outlive it.
// cap: at least donjon_issuer_bound(issuer, subject_len, claims_len).
//
// Errors: INVALID_ARGUMENT (subject, ttl_s, a claim that the issuer writes), BAD_CLAIM_TYPE,
// MALFORMED, TOO_LARGE (claims), BUFFER_TOO_SMALL, ENTROPY_UNAVAILABLE.
int32_t donjon_issuer_access(const donjon_issuer *issuer,
                             const uint8_t *subject,
                             size_t subject_len,
                             const uint8_t *claims,
                             size_t claims_len,
                             int64_t ttl_s,
                             int64_t since_s,
                             int64_t now_s,
                             uint8_t *out,
                             size_t cap,
                             size_t *out_len);

// Mints the refresh token ("rt+jwt") that a family stands at: see donjon_refresh_begin and
// donjon_refresh_rotate. The same state gives a token with the same jti, whoever asks.
//
// state: DONJON_REFRESH_STATE_LEN bytes. The rest as donjon_issuer_access.
//
// Errors: as donjon_issuer_access; MALFORMED (state), REVOKED (the family), CONFIG_ERROR (the keyring
// has no primary "state-binding" secret).
int32_t donjon_issuer_refresh(const donjon_issuer *issuer,
                              const uint8_t *state,
                              size_t state_len,
                              const uint8_t *subject,
                              size_t subject_len,
                              const uint8_t *claims,
                              size_t claims_len,
                              int64_t ttl_s,
                              int64_t since_s,
                              int64_t now_s,
                              uint8_t *out,
                              size_t cap,
                              size_t *out_len);

// Frees an issuer.
void donjon_issuer_free(donjon_issuer *issuer);

// Signs complete claims: nothing is added, the registered ones are checked for their types. For tokens
// of other shapes than an issuer mints.
//
// kid: the key, which must be primary or active; empty for the primary token key, or the only one that
//   signs. typ: the header's typ, up to 64 printable ASCII characters; empty for none.
// claims: one JSON object of up to 16 KiB. cap: at least donjon_token_sign_bound(typ_len, claims_len).
//
// Errors: UNKNOWN_KEY, KEY_DISABLED, KEY_DESTROYED, ALG_NOT_ALLOWED (the key), INVALID_ARGUMENT (typ),
// MALFORMED, BAD_CLAIM_TYPE, TOO_LARGE (claims), BUFFER_TOO_SMALL.
int32_t donjon_token_sign(const donjon_keyring *keyring,
                          const uint8_t *kid,
                          size_t kid_len,
                          const uint8_t *typ,
                          size_t typ_len,
                          const uint8_t *claims,
                          size_t claims_len,
                          uint8_t *out,
                          size_t cap,
                          size_t *out_len);

// The bytes that a token of donjon_token_sign takes at most.
size_t donjon_token_sign_bound(size_t typ_len, size_t claims_len);

// Decides whether to fetch a key set now, so that tokens with invented key ids make no storm of fetches.
//
// state: what was stored; state_len 0 at first. event: one of DONJON_JWKS_*.
// cooldown_ms: the least time between two fetches, doubled by each failure in a row up to 32 times;
//   30,000 is a good choice. max_age_ms: the age at which a set is fetched again; 600,000 is.
//
// Errors: MALFORMED (state), INVALID_ARGUMENT (event, a time that is not positive).
int32_t donjon_jwks_refresh(const uint8_t *state,
                            size_t state_len,
                            int32_t event,
                            int64_t now_ms,
                            int64_t cooldown_ms,
                            int64_t max_age_ms,
                            donjon_jwks_verdict *verdict);

// Makes fresh keys: per purpose a primary one and an active one, the next primary.
//
// spec: a JSON object of purposes and algorithms; empty stands for
//   {"token":"EdDSA","state-binding":"HS256"}. Algorithms: HS256, HS384, HS512, ES256, EdDSA.
// now_s: the keys' time of creation.
//
// Errors: CONFIG_ERROR (spec), ENTROPY_UNAVAILABLE.
int32_t donjon_keyring_generate(const uint8_t *spec,
                                size_t spec_len,
                                int64_t now_s,
                                donjon_keyring **out);

// Reads a JWK Set (RFC 7517): one of donjon's, or an identity provider's. A key without "purpose" and
// "status" is an active token key. Keys of types and curves that donjon does not know are left out.
//
// Errors: CONFIG_ERROR (not strict JSON, a weak secret, a degenerate key, two keys with one kid, two
// primaries of one purpose, over 256 KiB or 512 keys).
int32_t donjon_keyring_from_jwks(const uint8_t *jwks,
                                 size_t jwks_len,
                                 donjon_keyring **out);

// Says why donjon_keyring_from_jwks refuses a key set: null if it does not, else
// `{"error":"config_error","path":"keys[3]","message":"…"}`, which says nothing of the key itself.
//
// Errors: BUFFER_TOO_SMALL.
int32_t donjon_keyring_diagnose(const uint8_t *jwks,
                                size_t jwks_len,
                                uint8_t *out,
                                size_t cap,
                                size_t *out_len);

// Derives the keyring of a master secret; every host that is given both has the same keys.
//
// master: base64url, without padding, of at least 32 random bytes.
// config: empty, or {"keys":[{"purpose":"token","alg":"EdDSA","epoch":2,"oldest":1,"disabled":[]}]},
//   each entry in the place of its purpose's default (epoch 1 of token/EdDSA and
//   state-binding/HS256). "epoch" is the primary key, the one after it is active, those from "oldest"
//   (default: "epoch") up verify. To rotate, make a keyring with the next epoch.
//
// Errors: CONFIG_ERROR.
int32_t donjon_keyring_from_master(const uint8_t *master,
                                   size_t master_len,
                                   const uint8_t *config,
                                   size_t config_len,
                                   donjon_keyring **out);

// A keyring of one raw HMAC secret, as its primary token key.
//
// alg: HS256, HS384 or HS512; the secret is at least as long as the hash. kid: may be empty.
//
// Errors: CONFIG_ERROR (too short, repeated, a placeholder, the text of a public key).
int32_t donjon_keyring_from_secret(const uint8_t *secret,
                                   size_t secret_len,
                                   const uint8_t *alg,
                                   size_t alg_len,
                                   const uint8_t *kid,
                                   size_t kid_len,
                                   donjon_keyring **out);

// A keyring of one PEM key: SPKI or PKCS#1 public, PKCS#8 or SEC1 private. A private key becomes the
// primary token key, a public one is active.
//
// alg: the algorithm that the key is for; it must fit. kid: may be empty.
//
// Errors: CONFIG_ERROR.
int32_t donjon_keyring_from_pem(const uint8_t *pem,
                                size_t pem_len,
                                const uint8_t *alg,
                                size_t alg_len,
                                const uint8_t *kid,
                                size_t kid_len,
                                donjon_keyring **out);

// The keyring and one more JWK.
//
// Errors: CONFIG_ERROR, as donjon_keyring_from_jwks; also for a key of an unknown type.
int32_t donjon_keyring_import(const donjon_keyring *keyring,
                              const uint8_t *jwk,
                              size_t jwk_len,
                              donjon_keyring **out);

// The keyring in which the active key of a purpose is its primary, a fresh key is active, and the old
// primary, if there is one, verifies on until now_s + overlap_s: give at least the longest life of what
// it signed. Of "envelope", "blind-index" and "settings" keys, whose work is stored, the old primary opens
// on without an end, whatever overlap_s, and no key leaves the keyring: destroy one when nothing is stored
// under it any more, or to erase what is. Keys of other purposes leave when their time to verify is over.
//
// purpose: such as "token". alg: of the new keys; empty for the same as before.
//
// Errors: CONFIG_ERROR (unknown purpose or algorithm, no algorithm where no key says which, over 512 keys,
// or derived keys, which rotate by their epoch), ENTROPY_UNAVAILABLE.
int32_t donjon_keyring_rotate(const donjon_keyring *keyring,
                              const uint8_t *purpose,
                              size_t purpose_len,
                              const uint8_t *alg,
                              size_t alg_len,
                              int64_t now_s,
                              int64_t overlap_s,
                              donjon_keyring **out);

// The keyring in which one key has another status.
//
// status: "active", "verify-only", "disabled" or "destroyed". not_after_s: until when a verify-only key
//   checks, or DONJON_NEVER for no end.
//
// Errors: UNKNOWN_KEY, CONFIG_ERROR (unknown status, a destroyed key, destroying a derived one).
int32_t donjon_keyring_set_status(const donjon_keyring *keyring,
                                  const uint8_t *kid,
                                  size_t kid_len,
                                  const uint8_t *status,
                                  size_t status_len,
                                  int64_t not_after_s,
                                  donjon_keyring **out);

// SECRET: the whole keyring as a JWK Set, for the operator's secret store.
//
// Errors: BUFFER_TOO_SMALL.
int32_t donjon_keyring_to_jwks(const donjon_keyring *keyring,
                               uint8_t *out,
                               size_t cap,
                               size_t *out_len);

// The public keys that check tokens at now_s, as a JWK Set for /.well-known/jwks.json.
//
// Errors: BUFFER_TOO_SMALL.
int32_t donjon_keyring_public_jwks(const donjon_keyring *keyring,
                                   int64_t now_s,
                                   uint8_t *out,
                                   size_t cap,
                                   size_t *out_len);

// What a log may say of the keyring, as JSON: {"keys":[{"kid","kty","alg","purpose","status",
// "created_s","not_after_s","thumbprint"}]}. What is not there is null. No key material; thumbprints
// (RFC 7638) of public keys only.
//
// Errors: BUFFER_TOO_SMALL.
int32_t donjon_keyring_summary(const donjon_keyring *keyring,
                               uint8_t *out,
                               size_t cap,
                               size_t *out_len);

// Frees a keyring. Issuers and verifiers made from it live on.
void donjon_keyring_free(donjon_keyring *keyring);

// Makes a table.
//
// config: empty for the defaults, or {"capacity":100000,"when_full":"refuse"}, any member left out.
//   "capacity": how many keys there is room for, up to 100,000,000; up to a fifth more may be there.
//   "when_full": what becomes of a new key where only keys are that have nothing left: "refuse", or "allow",
//   uncounted. Both are counted as refused, and the verdict has table_full.
//
// Errors: CONFIG_ERROR, ENTROPY_UNAVAILABLE, OUT_OF_MEMORY.
int32_t donjon_limit_table_new(const uint8_t *config,
                               size_t config_len,
                               donjon_limit_table **out);

// Spends a cost of all limits for a key, or of none; and keeps the state.
//
// key: up to DONJON_LIMIT_KEY_MAX bytes. One key belongs to one donjon_limits: put a prefix before what several
//   of them count. now_ms, cost: as donjon_limits_spend; a clock that does not step, such as the monotonic one
//   with an offset, is best.
//
// Errors: INVALID_ARGUMENT (now_ms), TOO_LARGE (key), OUT_OF_MEMORY. A limit that is spent is no error.
int32_t donjon_limit_table_spend(const donjon_limit_table *table,
                                 const donjon_limits *limits,
                                 const uint8_t *key,
                                 size_t key_len,
                                 int64_t now_ms,
                                 uint32_t cost,
                                 donjon_limit_verdict *out);

// Gives a key back what was spent at spent_at_ms, as far as time has not: never more than was spent.
//
// Errors: INVALID_ARGUMENT (a time), TOO_LARGE (key), OUT_OF_MEMORY.
int32_t donjon_limit_table_give_back(const donjon_limit_table *table,
                                     const donjon_limits *limits,
                                     const uint8_t *key,
                                     size_t key_len,
                                     int64_t spent_at_ms,
                                     int64_t now_ms,
                                     uint32_t cost);

// Forgets what a key has spent.
//
// Errors: TOO_LARGE (key).
int32_t donjon_limit_table_forget(const donjon_limit_table *table,
                                  const uint8_t *key,
                                  size_t key_len);

// What a table holds, and what became of what it does not. Looks at all of its parts, one after the other.
int32_t donjon_limit_table_stats(const donjon_limit_table *table,
                                 donjon_limit_table_statistics *out);

// Frees a table.
void donjon_limit_table_free(donjon_limit_table *table);

// Makes limits.
//
// config: one of
//   {"limits":"10/second; 100/hour","algorithm":"gcra","burst":20}: as the Python package limits reads them:
//     second, minute, hour, day, month (30 days), year (360 days); several with ; , or | between them, no two
//     of one period, 8 at most. "algorithm": "gcra" (the default), "token_bucket", "fixed_window",
//     "sliding_window" or "sliding_log" (amounts up to 64). "burst": how much may be had at once, of a single
//     limit under gcra or token_bucket; its amount unless given.
//   {"lockout":{"attempts":5,"lock_s":900,"growth":1,"max_lock_s":86400}}: any member left out is so. Attempts
//     are spent before they are made, and given back when they succeed.
//   {"profile":"session-cluster/session_create"}: one of donjon_limit_profiles.
//
// Errors: CONFIG_ERROR.
int32_t donjon_limits_new(const uint8_t *config,
                          size_t config_len,
                          donjon_limits **out);

// Says why donjon_limits_new refuses a configuration: null if it does not, else
// `{"error":"config_error","path":"limits","message":"expected an amount at byte 7"}`.
//
// Errors: BUFFER_TOO_SMALL.
int32_t donjon_limits_diagnose(const uint8_t *config,
                               size_t config_len,
                               uint8_t *out,
                               size_t cap,
                               size_t *out_len);

// What the limits are: {"algorithm":"gcra","limits":[{"amount":10,"period_s":1,"burst":10}]}, in the order in
// which they were written.
//
// Errors: BUFFER_TOO_SMALL.
int32_t donjon_limits_describe(const donjon_limits *limits,
                               uint8_t *out,
                               size_t cap,
                               size_t *out_len);

// Spends a cost of all limits, or of none. Pure: the host stores the state.
//
// state: what was stored for the key; empty for nothing. A state of other limits is converted, so that as much
//   is used as was, and no more is left; a damaged one is all used from now on. Clocks that step back give
//   nothing back.
// now_ms: not negative. Later than 2^47 - 1 (the year 6429) is that.
// cost: 0 asks and spends nothing.
// out: what to store now, for keep_ms; the same bytes, if nothing was spent. Up to DONJON_LIMIT_STATE_MAX.
//
// Errors: INVALID_ARGUMENT (now_ms), BUFFER_TOO_SMALL. A limit that is spent is no error.
int32_t donjon_limits_spend(const donjon_limits *limits,
                            const uint8_t *state,
                            size_t state_len,
                            int64_t now_ms,
                            uint32_t cost,
                            donjon_limit_verdict *verdict,
                            uint8_t *out,
                            size_t cap,
                            size_t *out_len);

// Gives back a cost that was spent at spent_at_ms, as far as time has not given it back already: never more than
// was spent. Pure: out is what to store now, and may be kept for as long as the state was.
//
// Errors: INVALID_ARGUMENT (a time), BUFFER_TOO_SMALL.
int32_t donjon_limits_give_back(const donjon_limits *limits,
                                const uint8_t *state,
                                size_t state_len,
                                int64_t spent_at_ms,
                                int64_t now_ms,
                                uint32_t cost,
                                uint8_t *out,
                                size_t cap,
                                size_t *out_len);

// The same arithmetic for Redis and Valkey, as a Lua script that spends atomically. It is the same for all
// limits of one algorithm.
//
// KEYS: the key. ARGV: donjon_limits_script_args. Reply: bytes: what it did (one), the time in milliseconds (six,
// big-endian), and the state before. 1: it spent; 0: it did not; 2: the state is of other limits, or damaged,
// and untouched. donjon_limits_spend of that state, time and cost is the verdict. After 2, what it says to store
// is to be put in place of that state, whatever the verdict, by donjon_compare_and_set_script; if that answers
// 0, start again.
//
// Errors: BUFFER_TOO_SMALL.
int32_t donjon_limits_script(const donjon_limits *limits,
                             uint8_t *out,
                             size_t cap,
                             size_t *out_len);

// The ARGV of donjon_limits_script, as a JSON list of texts.
//
// now_ms: DONJON_NEVER for the server's clock; the list is then good for every call with that cost.
//
// Errors: INVALID_ARGUMENT (now_ms), BUFFER_TOO_SMALL.
int32_t donjon_limits_script_args(const donjon_limits *limits,
                                  uint32_t cost,
                                  int64_t now_ms,
                                  uint8_t *out,
                                  size_t cap,
                                  size_t *out_len);

// A Lua script that replaces a value if it is what is expected.
//
// KEYS: the key. ARGV: what is expected, empty for nothing; the new value, empty to delete; its time to live in
// milliseconds, empty to leave that as it is. Reply: 1, it did; 0, something else was there.
//
// Errors: BUFFER_TOO_SMALL.
int32_t donjon_compare_and_set_script(uint8_t *out,
                                      size_t cap,
                                      size_t *out_len);

// The header fields of an answer to a request that the verdict was about, as JSON:
// [["X-RateLimit-Limit","5"],...]. Retry-After, in seconds, rounded up, comes with every refusal that ends.
//
// now_ms: the wall clock's. fields: DONJON_LIMIT_HEADERS_X, DONJON_LIMIT_HEADERS_IETF, or both (3).
//
// Errors: INVALID_ARGUMENT (fields, a time, a verdict that is none of these limits'), BUFFER_TOO_SMALL.
int32_t donjon_limits_headers(const donjon_limits *limits,
                              const donjon_limit_verdict *verdict,
                              int64_t now_ms,
                              uint32_t fields,
                              uint8_t *out,
                              size_t cap,
                              size_t *out_len);

// The body of a 429, as JSON: {"error":{"code":"rate_limited","message":"Rate limit exceeded","details":
// {"limit":5,"remaining":0,"reset_time":1800000060,"retry_after":12}}}. Times are in seconds, reset_time Unix
// time; retry_after is null where no time will do.
//
// now_ms: the wall clock's. code: the error's code; empty for "rate_limited".
//
// Errors: INVALID_ARGUMENT (a time, the verdict), BUFFER_TOO_SMALL.
int32_t donjon_limits_refusal(const donjon_limit_verdict *verdict,
                              int64_t now_ms,
                              const uint8_t *code,
                              size_t code_len,
                              uint8_t *out,
                              size_t cap,
                              size_t *out_len);

// The limits of both requirement documents' endpoints:
// {"deepinsight":{"login":{"limits":"5/minute","algorithm":"sliding_log"},...},"session-cluster":{...}}.
//
// Errors: BUFFER_TOO_SMALL.
int32_t donjon_limit_profiles(uint8_t *out,
                              size_t cap,
                              size_t *out_len);

// Frees limits.
void donjon_limits_free(donjon_limits *limits);

// Makes a lock-out from a keyring, which may be freed afterwards: its primary "device" secret names counters;
// its token keys and "state-binding" secrets make and check device tokens.
//
// Errors: CONFIG_ERROR (one of them is missing).
int32_t donjon_lockout_new(const donjon_keyring *keyring,
                           donjon_lockout **out);

// The counters that an attempt to log in is charged to, as JSON: the address's and the account's,
// [{"key":"address:…","on_success":"give_back"},{"key":"account:…","on_success":"forget"}], or, with a good
// device token, that device's alone.
//
// Spend 1 of each key, in this order, *before* hashing, of limits that {"lockout":{...}} makes; if one refuses, give back what
// was spent of the others and do not hash. After a success forget the key, or give back what was spent; after a
// failure do nothing. Do the same for accounts that do not exist.
//
// account: as it was typed, in the form in which equal ones are equal; 1 to 1,024 bytes. address: the client's,
//   from donjon_proxies_client: its bucket; empty for none.
// device: the device token that the client sent; empty for none. subject, state: what it has to be bound to:
//   the account's subject and its stored hash; empty if the account is not known. A token that is not good is
//   as if there were none.
//
// Errors: INVALID_ARGUMENT (an empty account), TOO_LARGE, BUFFER_TOO_SMALL.
int32_t donjon_lockout_counters(const donjon_lockout *lockout,
                                const uint8_t *account,
                                size_t account_len,
                                const uint8_t *address,
                                size_t address_len,
                                const uint8_t *subject,
                                size_t subject_len,
                                const uint8_t *state,
                                size_t state_len,
                                const uint8_t *device,
                                size_t device_len,
                                int64_t now_s,
                                uint8_t *out,
                                size_t cap,
                                size_t *out_len);

// Makes a device token (typ: device+jwt), to give to a client after it has logged in: it is good for the
// account's counter alone, until state, the stored hash, changes. It never logs in.
//
// cap: at least donjon_purpose_tokens_bound(6, subject_len).
//
// Errors: INVALID_ARGUMENT (an empty subject, ttl_s, now_s), TOO_LARGE, KEY_EXPIRED, BUFFER_TOO_SMALL,
// ENTROPY_UNAVAILABLE.
int32_t donjon_lockout_device_token(const donjon_lockout *lockout,
                                    const uint8_t *subject,
                                    size_t subject_len,
                                    const uint8_t *state,
                                    size_t state_len,
                                    int64_t ttl_s,
                                    int64_t now_s,
                                    uint8_t *out,
                                    size_t cap,
                                    size_t *out_len);

// Frees a lock-out.
void donjon_lockout_free(donjon_lockout *lockout);

// Judges a new password: {"valid":false,"score":0.8333333333333334,"checks":{"length":true,
// "uppercase":true,"lowercase":true,"digits":true,"special":true,"common":false},"feedback":["..."]}.
// The score is the share of the checks that passed.
//
// profile: empty or "composition": 12 characters, upper and lower case, a digit, one of
//   !@#$%^&*()_+-=[]{}|;:,.<>?, not common. "nist-800-63b-4": 15 characters, not common.
//   "nist-800-63b-4-mfa", for a password beside another factor: 8 characters, not common.
// user_inputs: a JSON list of what the user is called (name, address), which the password should not be
//   made of; empty for none. Up to 16 texts of up to 256 bytes.
//
// Errors: INVALID_ARGUMENT (profile), TOO_LARGE (password, user_inputs), MALFORMED (the password is not
// UTF-8, user_inputs), BUFFER_TOO_SMALL.
int32_t donjon_password_strength(const uint8_t *profile,
                                 size_t profile_len,
                                 const uint8_t *password,
                                 size_t password_len,
                                 const uint8_t *user_inputs,
                                 size_t user_inputs_len,
                                 uint8_t *out,
                                 size_t cap,
                                 size_t *out_len);

// zxcvbn's estimate of how many guesses a password takes: {"score":2,"guesses_log10":7.2,
// "feedback":{"warning":"..." or null,"suggestions":["..."]}}, the score from 0 to 4. Only the first 100
// characters are looked at, fewer of a text full of symbols that may stand for letters. Takes up to
// some tenths of a second.
//
// user_inputs: as donjon_password_strength.
//
// Errors: UNSUPPORTED (the library was built without zxcvbn), TOO_LARGE, MALFORMED, BUFFER_TOO_SMALL.
int32_t donjon_password_estimate(const uint8_t *password,
                                 size_t password_len,
                                 const uint8_t *user_inputs,
                                 size_t user_inputs_len,
                                 uint8_t *out,
                                 size_t cap,
                                 size_t *out_len);

// Which range of breached passwords to fetch: the first five hexadecimal digits, in upper case, of the
// password's SHA-1. Only they leave the host.
//
// Errors: TOO_LARGE, BUFFER_TOO_SMALL.
int32_t donjon_password_breach_prefix(const uint8_t *password,
                                      size_t password_len,
                                      uint8_t *out,
                                      size_t cap,
                                      size_t *out_len);

// How often the password was seen in breaches, by the range that was fetched; 0 if it is not in it.
//
// range: lines of 35 hexadecimal digits, a colon and a count, up to 1 MiB.
//
// Errors: TOO_LARGE, MALFORMED (anything else in range, or nothing: an error page is no all-clear).
int32_t donjon_password_breach_count(const uint8_t *password,
                                     size_t password_len,
                                     const uint8_t *range,
                                     size_t range_len,
                                     uint64_t *out);

// Whether a grant of "granted" grants all of "required": DONJON_OK if so. "document" implies
// "document:read", which implies "document:read:42"; "*" is any name of its segment, "read,update" both.
//
// Errors: PERMISSION_DENIED (also if required is no permission), MALFORMED (granted is none).
int32_t donjon_permission_implies(const uint8_t *granted,
                                  size_t granted_len,
                                  const uint8_t *required,
                                  size_t required_len);

// Loads a policy document (JSON; its schema: donjon_policy_schema):
//   {"permissions":["document:create","document:read:{id}"],
//    "roles":{"viewer":{"allow":["document:read"]},
//             "editor":{"inherits":["viewer"],"allow":["document:*"],"deny":[]}},
//    "constraints":{"static_separation":[{"roles":["a","b"],"at_most":1}],
//                   "dynamic_separation":[],"cardinality":[{"role":"owner","at_most":1}]}}
// The world is closed: a role or permission that is not declared refuses the policy.
//
// Errors: CONFIG_ERROR, MALFORMED (not strict JSON), TOO_LARGE; donjon_policy_diagnose says where.
int32_t donjon_policy_new(const uint8_t *document, size_t document_len, donjon_policy **out);

// Says why donjon_policy_new refuses a document: null if it does not, else
// `{"error":"config_error","path":"roles.editor.allow[0]","message":"…"}`.
//
// Errors: BUFFER_TOO_SMALL.
int32_t donjon_policy_diagnose(const uint8_t *document,
                               size_t document_len,
                               uint8_t *out,
                               size_t cap,
                               size_t *out_len);

// A policy that is shipped, as a document to start from: "deepinsight" or "session-cluster".
//
// Errors: INVALID_ARGUMENT (another name), BUFFER_TOO_SMALL.
int32_t donjon_policy_shipped(const uint8_t *name,
                              size_t name_len,
                              uint8_t *out,
                              size_t cap,
                              size_t *out_len);

// The JSON Schema (draft 2020-12) of a policy document.
//
// Errors: BUFFER_TOO_SMALL.
int32_t donjon_policy_schema(uint8_t *out, size_t cap, size_t *out_len);

// Reads a casbin CSV file of the plain RBAC model ("p, role, object, action[, deny]" and "g, user, role")
// as {"policy":{…},"assignments":{"ann":["editor"]}}.
//
// Errors: MALFORMED (another kind of line, or a name that a role or permission cannot have), CONFIG_ERROR
// (roles that inherit each other), TOO_LARGE, BUFFER_TOO_SMALL.
int32_t donjon_policy_import_casbin(const uint8_t *csv,
                                    size_t csv_len,
                                    uint8_t *out,
                                    size_t cap,
                                    size_t *out_len);

// The policy in its canonical form: a JSON document that donjon_policy_new reads, the same for every way
// of writing the policy.
//
// Errors: BUFFER_TOO_SMALL.
int32_t donjon_policy_document(const donjon_policy *policy,
                               uint8_t *out,
                               size_t cap,
                               size_t *out_len);

// SHA-256 of the canonical form, 32 bytes: two hosts with one digest decide alike.
//
// Errors: BUFFER_TOO_SMALL.
int32_t donjon_policy_digest(const donjon_policy *policy,
                             uint8_t *out,
                             size_t cap,
                             size_t *out_len);

// Whether a check of this permission can ever be granted: ask when the service starts, for a misspelt
// permission is denied for ever. A last segment in braces, as in "document:read:{id}", is any instance.
//
// Errors: MALFORMED, UNKNOWN_PERMISSION.
int32_t donjon_policy_check_permission(const donjon_policy *policy,
                                       const uint8_t *permission,
                                       size_t permission_len);

// Whether the policy has this role.
//
// Errors: UNKNOWN_ROLE.
int32_t donjon_policy_check_role(const donjon_policy *policy, const uint8_t *role, size_t role_len);

// Whether a user who has roles (a JSON list) may be given role too, by static separation of duty and
// cardinality. Roles may be of tenants ("editor@acme"); one without a tenant counts in each. members: the
// users who have role now; count and assign in one transaction.
//
// Errors: UNKNOWN_ROLE, SEPARATION_OF_DUTY, CARDINALITY_EXCEEDED, MALFORMED (roles), TOO_LARGE.
int32_t donjon_policy_assign(const donjon_policy *policy,
                             const uint8_t *roles,
                             size_t roles_len,
                             const uint8_t *role,
                             size_t role_len,
                             uint64_t members);

// The roles that a permission is granted to, sorted: a JSON list.
//
// Errors: BUFFER_TOO_SMALL.
int32_t donjon_policy_who_can(const donjon_policy *policy,
                              const uint8_t *permission,
                              size_t permission_len,
                              uint8_t *out,
                              size_t cap,
                              size_t *out_len);

// The permission matrix, every role against every permission; format: DONJON_MATRIX_JSON, _MARKDOWN,
// _HTML.
//
// Errors: INVALID_ARGUMENT (format), TOO_LARGE (over 1,048,576 cells), BUFFER_TOO_SMALL.
int32_t donjon_policy_matrix(const donjon_policy *policy,
                             uint32_t format,
                             uint8_t *out,
                             size_t cap,
                             size_t *out_len);

// What changes for whom when after replaces before, in effective permissions:
// {"roles":{"added":[],"removed":[],"changed":{"editor":{"gained":["document:read"],"lost":[]}}},
//  "permissions":{"added":[],"removed":[]},"constraints":{"added":[],"removed":[]}}.
//
// Errors: TOO_LARGE (over 16,777,216 roles times permissions), BUFFER_TOO_SMALL.
int32_t donjon_policy_diff(const donjon_policy *before,
                           const donjon_policy *after,
                           uint8_t *out,
                           size_t cap,
                           size_t *out_len);

// What is probably not meant, as a JSON list of {"kind","path","message"}; kinds: "unreachable_role",
// "separation_violation", "shadowed_grant", "empty_role", "equal_roles", "unused_permission".
//
// Errors: TOO_LARGE (over 16,777,216 roles times permissions), BUFFER_TOO_SMALL.
int32_t donjon_policy_lint(const donjon_policy *policy,
                           uint8_t *out,
                           size_t cap,
                           size_t *out_len);

// Frees a policy. Its subjects live on.
void donjon_policy_free(donjon_policy *policy);

// Says what proxies are before a host.
//
// config: empty for none, so that the peer is the client; or {"header":"x-forwarded-for",
//   "trusted":["10.0.0.0/8","2001:db8::/32"],"hops":0,"ipv6_prefix":64}, any member left out or null.
//   "header": the one header that the proxies write: "x-forwarded-for", "forwarded" (RFC 7239) or
//   "x-real-ip". No other is ever looked at.
//   "trusted": the networks of the proxies, up to 4,096, or single addresses. Bits behind the prefix, leading
//   zeros, zones and IPv4-mapped networks are refused. None: nobody is believed.
//   "hops": instead of them, how many proxies every request passes, up to 255: the client is that entry from
//   the right. Only where nothing but the proxies reaches the host.
//   "ipv6_prefix": how many bits of an IPv6 address are its bucket, 32 to 128.
//
// Errors: CONFIG_ERROR.
int32_t donjon_proxies_new(const uint8_t *config,
                           size_t config_len,
                           donjon_proxies **out);

// Says why donjon_proxies_new refuses a configuration: null if it does not, else
// `{"error":"config_error","path":"trusted[0]","message":"…"}`.
//
// Errors: BUFFER_TOO_SMALL.
int32_t donjon_proxies_diagnose(const uint8_t *config,
                                size_t config_len,
                                uint8_t *out,
                                size_t cap,
                                size_t *out_len);

// The client of a request: the peer, unless it is a proxy that is believed and the header names another.
//
// peer: the address that the connection came from, with or without a port.
// lines: the values of all lines of the header, as they came, with a LF between two; empty if there are none.
//   They may be anything. The last 16 KiB are read, from the right and no further than needed: entries of
//   trusted networks are passed over, and the first other one is the client, or the leftmost if there is no
//   other. An entry that is no address on the way there, and of "x-real-ip" anything but one address, leaves
//   it at the peer.
//
// Errors: MALFORMED (the peer is no address, as of a Unix socket, and no header speaks for it).
int32_t donjon_proxies_client(const donjon_proxies *proxies,
                              const uint8_t *peer,
                              size_t peer_len,
                              const uint8_t *lines,
                              size_t lines_len,
                              donjon_client *out);

// Frees proxies.
void donjon_proxies_free(donjon_proxies *proxies);

// Makes the tokens of a keyring, which may be freed afterwards.
//
// Errors: CONFIG_ERROR (no primary token key that signs, or no primary "state-binding" secret).
int32_t donjon_purpose_tokens_new(const donjon_keyring *keyring, donjon_purpose_tokens **out);

// The bytes that a purpose token takes at most: the cap that donjon_purpose_tokens_mint wants.
size_t donjon_purpose_tokens_bound(size_t purpose_len, size_t subject_len);

// Mints a token (typ: the purpose and "+jwt") that does one thing for subject as long as state is what it is now.
//
// purpose: such as "reset", "verify-email", "invite": lower-case letters, digits, hyphens; up to 32.
// state: what the token may change once: the stored password hash, the address. Up to 4,096 bytes.
// cap: at least donjon_purpose_tokens_bound(purpose_len, subject_len).
//
// Errors: INVALID_ARGUMENT (purpose, an empty subject, ttl_s), TOO_LARGE, BUFFER_TOO_SMALL,
// ENTROPY_UNAVAILABLE.
int32_t donjon_purpose_tokens_mint(const donjon_purpose_tokens *tokens,
                                   const uint8_t *purpose,
                                   size_t purpose_len,
                                   const uint8_t *subject,
                                   size_t subject_len,
                                   const uint8_t *state,
                                   size_t state_len,
                                   int64_t ttl_s,
                                   int64_t now_s,
                                   uint8_t *out,
                                   size_t cap,
                                   size_t *out_len);

// Checks a token of this purpose, subject and state. A good one is not used up: replace the old state
// by compare-and-swap, so that of two uses at once one fails.
//
// Errors: INVALID, whatever is wrong with the token; INVALID_ARGUMENT (purpose, pointers).
int32_t donjon_purpose_tokens_check(const donjon_purpose_tokens *tokens,
                                    const uint8_t *purpose,
                                    size_t purpose_len,
                                    const uint8_t *subject,
                                    size_t subject_len,
                                    const uint8_t *state,
                                    size_t state_len,
                                    const uint8_t *token,
                                    size_t token_len,
                                    int64_t now_s);

// Frees the tokens of a keyring.
void donjon_purpose_tokens_free(donjon_purpose_tokens *tokens);

// Makes a reader, once the end of the envelope has been seen to be its end.
//
// context, now_s: as donjon_sealer_open. prefix: the envelope's first DONJON_ENVELOPE_PREFIX_MAX bytes,
// tail: its last DONJON_READER_TAIL_MAX bytes, or both all of a shorter one. total_len: of all of it.
//
// Errors: as donjon_sealer_open; INVALID_ARGUMENT (a tail of another length).
int32_t donjon_reader_new(const donjon_sealer *sealer,
                          const uint8_t *context,
                          size_t context_len,
                          int64_t now_s,
                          const uint8_t *prefix,
                          size_t prefix_len,
                          const uint8_t *tail,
                          size_t tail_len,
                          uint64_t total_len,
                          donjon_reader **out);

// The length of the plaintext.
int32_t donjon_reader_len(const donjon_reader *reader, uint64_t *out);

// Which bytes of the envelope donjon_reader_read wants for a range of plaintext; none beyond its end.
int32_t donjon_reader_span(const donjon_reader *reader,
                           uint64_t offset,
                           uint64_t len,
                           uint64_t *span_offset,
                           uint64_t *span_len);

// Opens a range of plaintext: as much of len as there is from offset on.
//
// span: the bytes of the envelope that donjon_reader_span says. cap: at least what comes out; len is
// always enough.
//
// Errors: DECRYPT_FAILED (they are not authentic), INVALID_ARGUMENT (they are not as many), TOO_LARGE,
// OUT_OF_MEMORY, BUFFER_TOO_SMALL.
int32_t donjon_reader_read(const donjon_reader *reader,
                           uint64_t offset,
                           uint64_t len,
                           const uint8_t *span,
                           size_t span_len,
                           uint8_t *out,
                           size_t cap,
                           size_t *out_len);

// Frees a reader, and wipes its key.
void donjon_reader_free(donjon_reader *reader);

// Begins a family: mint its first token with donjon_issuer_refresh.
//
// state: receives DONJON_REFRESH_STATE_LEN bytes.
//
// Errors: ENTROPY_UNAVAILABLE.
int32_t donjon_refresh_begin(int64_t now_ms, uint8_t *state);

// The family's id as its tokens carry it, in 22 characters: the key to store the state under.
//
// Errors: MALFORMED (state), BUFFER_TOO_SMALL.
int32_t donjon_refresh_family(const uint8_t *state,
                              size_t state_len,
                              uint8_t *out,
                              size_t cap,
                              size_t *out_len);

// Decides about a refresh token that was verified.
//
// state: what the store has for the family; state_len 0 if nothing, which is STATE_STALE.
// family, generation: from the token's donjon_claims.
// grace_ms: how long after a rotation the token before it still leads to the same successor; 0 to
//   300,000, and 10,000 is a good choice.
//
// The decision is in *verdict. Errors: MALFORMED (state), INVALID_ARGUMENT (generation, grace_ms).
int32_t donjon_refresh_rotate(const uint8_t *state,
                              size_t state_len,
                              const uint8_t *family,
                              size_t family_len,
                              int64_t generation,
                              int64_t now_ms,
                              int64_t grace_ms,
                              donjon_refresh_verdict *verdict);

// The state from which no token of the family is minted any more: what a log-out stores.
//
// out: receives DONJON_REFRESH_STATE_LEN bytes.
//
// Errors: MALFORMED (state).
int32_t donjon_refresh_revoke(const uint8_t *state, size_t state_len, uint8_t *out);

// Decides whether a token that verifies was taken back since. DONJON_OK: it was not.
//
// Errors: REVOKED, MISSING_CLAIM (no iat), INVALID_ARGUMENT (skew_s).
int32_t donjon_revocation_check(const donjon_revocation_facts *facts);

// The bytes of a revocation set at most, made of records of so many bytes; 0 if those are too many.
size_t donjon_revocation_set_bound(size_t records_len);

// Signs a revocation set with the keyring's primary token key, for those who cannot ask the store.
//
// sequence: higher than that of every set before.
// store_since_ms: of the store's marker, read with the records.
// skew_s: that of the rules of revocation.
// issued_at_s, valid_until_s: now, and up to 86,400 seconds later; from then on the set refuses every token.
// records: all revocation records of the store, each behind its length as a big-endian u32. Those that may be
//   forgotten are left out.
// cap: at least donjon_revocation_set_bound(records_len).
//
// Errors: CONFIG_ERROR (no primary token key that signs and has an id), KEY_EXPIRED, MALFORMED (one of records is
// none), TOO_LARGE (over 2 GiB of records, or 65,535 keys), INVALID_ARGUMENT, BUFFER_TOO_SMALL,
// ENTROPY_UNAVAILABLE, OUT_OF_MEMORY.
int32_t donjon_revocation_set_sign(const donjon_keyring *keyring,
                                   uint64_t sequence,
                                   int64_t store_since_ms,
                                   int64_t skew_s,
                                   int64_t issued_at_s,
                                   int64_t valid_until_s,
                                   const uint8_t *records,
                                   size_t records_len,
                                   uint8_t *out,
                                   size_t cap,
                                   size_t *out_len);

// Opens a revocation set, and keeps a copy of its bytes.
//
// keyring: with the token key that signed it; it may be freed afterwards.
// last_sequence: that of the last set that was opened; 0 for none.
//
// Errors: MALFORMED, UNKNOWN_KEY, KEY_DISABLED, KEY_DESTROYED, KEY_EXPIRED, BAD_SIGNATURE, STATE_STALE (older than
// the last), REVOCATION_SET_STALE (its time is over, or has not come), OUT_OF_MEMORY.
int32_t donjon_revocation_set_open(const uint8_t *set,
                                   size_t set_len,
                                   const donjon_keyring *keyring,
                                   uint64_t last_sequence,
                                   int64_t now_s,
                                   donjon_revocation_set **out);

// Decides about a token that verifies, without a store. DONJON_OK: it was not taken back before the set was
// signed. What is empty is not looked up.
//
// issued_at_s: the token's iat, or DONJON_NEVER.
// is_probable: receives 1, with REVOKED, where the answer rests on a hash that one token in about a million shares
//   with a revoked one: ask the store, where it can be reached. 0: it is certain. Written with DONJON_OK and
//   REVOKED alike.
//
// Errors: REVOKED, REVOCATION_SET_STALE (refuse, whatever the token), MISSING_CLAIM (no iat).
int32_t donjon_revocation_set_check(const donjon_revocation_set *set,
                                    const uint8_t *subject,
                                    size_t subject_len,
                                    const uint8_t *token_id,
                                    size_t token_id_len,
                                    const uint8_t *family,
                                    size_t family_len,
                                    const uint8_t *key_id,
                                    size_t key_id_len,
                                    int64_t issued_at_s,
                                    int64_t now_s,
                                    uint8_t *is_probable);

// What a revocation set says of itself, as JSON: {"sequence","issued_at_s","valid_until_s","store_since_s","ids",
// "subjects","keys","bytes","false_positive_rate"}: ids are tokens and families; the rate is that of one look-up
// of a token or a family that is not among them.
//
// Errors: BUFFER_TOO_SMALL.
int32_t donjon_revocation_set_info(const donjon_revocation_set *set,
                                   uint8_t *out,
                                   size_t cap,
                                   size_t *out_len);

// Frees a revocation set.
void donjon_revocation_set_free(donjon_revocation_set *set);

// Makes the rules of revocation from a keyring, which may be freed afterwards: "device" secrets name users in
// the store.
//
// config: empty, or {"skew_s":2,"longest_ttl_s":2592000}: how far apart the clocks of issuers may be (0 to 300),
//   and how long the longest token lives (up to 100 years). Either may be left out.
//
// Errors: CONFIG_ERROR (no primary "device" secret; config).
int32_t donjon_revocations_new(const donjon_keyring *keyring,
                               const uint8_t *config,
                               size_t config_len,
                               donjon_revocations **out);

// Says why donjon_revocations_new refuses a configuration: null if it does not, else
// {"error":"config_error","path":"","message":"a member is not known"}.
//
// Errors: BUFFER_TOO_SMALL.
int32_t donjon_revocations_diagnose(const donjon_keyring *keyring,
                                    const uint8_t *config,
                                    size_t config_len,
                                    uint8_t *out,
                                    size_t cap,
                                    size_t *out_len);

// What to read for a token that verifies, as a JSON list of keys: of its subject, its id and its family, each
// under every usable "device" secret, the primary's first; and of the key that signed it. What is empty is not
// asked for. The store's marker has a key of its own, "epoch": see donjon_store_marker.
//
// Errors: BUFFER_TOO_SMALL.
int32_t donjon_revocations_keys(const donjon_revocations *revocations,
                                const uint8_t *subject,
                                size_t subject_len,
                                const uint8_t *token_id,
                                size_t token_id_len,
                                const uint8_t *family,
                                size_t family_len,
                                const uint8_t *key_id,
                                size_t key_id_len,
                                uint8_t *out,
                                size_t cap,
                                size_t *out_len);

// Decides about a token that verifies by what the store has. DONJON_OK: it was not taken back.
//
// subject, token_id, family, key_id: as donjon_revocations_keys was given them.
// issued_at_s: the token's iat, or DONJON_NEVER.
// values: what was found under each of those keys, in their order: its length as a big-endian u32, then its
//   bytes; length 0 for nothing. What is damaged counts as revoked.
// store_since_ms: from donjon_store_marker.
//
// Errors: REVOKED, MISSING_CLAIM (no iat), INVALID_ARGUMENT (values that are not as many as the keys;
// store_since_ms).
int32_t donjon_revocations_check(const donjon_revocations *revocations,
                                 const uint8_t *subject,
                                 size_t subject_len,
                                 const uint8_t *token_id,
                                 size_t token_id_len,
                                 const uint8_t *family,
                                 size_t family_len,
                                 const uint8_t *key_id,
                                 size_t key_id_len,
                                 int64_t issued_at_s,
                                 const uint8_t *values,
                                 size_t values_len,
                                 int64_t store_since_ms);

// What donjon_issuer_access and donjon_issuer_refresh have to be told as since_s, so that a new token of the
// subject lives; DONJON_NEVER for nothing.
//
// values: as for donjon_revocations_check, of the keys of the subject alone.
//
// Errors: REVOKED (a record is damaged, and no token would live until the subject is revoked again),
// INVALID_ARGUMENT (values that are not as many as the keys; store_since_ms).
int32_t donjon_revocations_issue_since(const donjon_revocations *revocations,
                                       const uint8_t *subject,
                                       size_t subject_len,
                                       const uint8_t *values,
                                       size_t values_len,
                                       int64_t store_since_ms,
                                       int64_t *since_s);

// The key that a revocation is written under.
//
// kind: DONJON_REVOKED_*.
// subject: whose token or family it is, or who is logged out everywhere; of a key it is of no matter.
// id: the jti, the family or the key's id, of 1 to 1,024 bytes; of a subject it is of no matter.
//
// Errors: INVALID_ARGUMENT (kind, id, an empty subject that is logged out), BUFFER_TOO_SMALL.
int32_t donjon_revocations_key(const donjon_revocations *revocations,
                               uint32_t kind,
                               const uint8_t *subject,
                               size_t subject_len,
                               const uint8_t *id,
                               size_t id_len,
                               uint8_t *out,
                               size_t cap,
                               size_t *out_len);

// The record that a revocation is, to be written over what is stored by compare-and-set; where that fails, read
// again and ask again.
//
// kind, subject, id: as for donjon_revocations_key.
// stored: what is there now; empty for nothing.
// until_s: when the token, the last token of the family, or the key ends anyway; DONJON_NEVER: as long from now
//   as the longest token lives. Of a subject it is of no matter: all its tokens die that were issued until now,
//   and the second of two such revocations in one second takes those with it that came in between.
// store_since_ms: from donjon_store_marker, of the read that stored is from; only for a subject.
// keep_ms: receives how long the store has to keep the record.
//
// Errors: INVALID_ARGUMENT (as donjon_revocations_key; store_since_ms), BUFFER_TOO_SMALL.
int32_t donjon_revocations_revoke(const donjon_revocations *revocations,
                                  uint32_t kind,
                                  const uint8_t *subject,
                                  size_t subject_len,
                                  const uint8_t *id,
                                  size_t id_len,
                                  const uint8_t *stored,
                                  size_t stored_len,
                                  int64_t until_s,
                                  int64_t now_ms,
                                  int64_t store_since_ms,
                                  int64_t *keep_ms,
                                  uint8_t *out,
                                  size_t cap,
                                  size_t *out_len);

// Frees the rules of revocation.
void donjon_revocations_free(donjon_revocations *revocations);

// Makes a sealer of the "envelope" secrets of a keyring: it seals under the primary, and opens under the
// one that an envelope names. The keyring may be freed afterwards.
//
// Errors: CONFIG_ERROR (no primary; a key that is no secret or has no id).
int32_t donjon_sealer_new(const donjon_keyring *keyring,
                          donjon_sealer **out);

// Says why donjon_sealer_new refuses a keyring: null if it does not, else
// `{"error":"config_error","path":"","message":"…"}`.
//
// Errors: BUFFER_TOO_SMALL.
int32_t donjon_sealer_diagnose(const donjon_keyring *keyring,
                               uint8_t *out,
                               size_t cap,
                               size_t *out_len);

// Makes a sealer of a passphrase. Each envelope costs one Argon2id: when it is sealed, of these
// parameters; when it is opened, of those that it says, within bounds. Its memory is allocated for each,
// and wiped.
//
// memory_kib, time_cost, parallelism: all 0 for the default, 256 MiB, 3 passes, 1 lane. At most 1 GiB,
//   16 passes, 16 lanes, and four passes over 1 GiB of work.
//
// Errors: INVALID_ARGUMENT (an empty passphrase), TOO_LARGE, PARAMS_OUT_OF_BOUNDS.
int32_t donjon_sealer_from_passphrase(const uint8_t *passphrase,
                                      size_t passphrase_len,
                                      uint32_t memory_kib,
                                      uint32_t time_cost,
                                      uint32_t parallelism,
                                      donjon_sealer **out);

// Makes a sealer of a data key that the host's KMS or HSM has wrapped or unwrapped. It opens those
// envelopes alone that hold this wrapped key; what it seals holds it too.
//
// To seal: have the KMS make a data key, or wrap one of donjon_external_key_generate. To open: give the
// KMS what donjon_envelope_inspect says. The data key is copied; wipe the host's.
// key_id: names the KMS's key, 1 to 128 bytes. wrapped_key: what the KMS made, 1 to 6,144 bytes.
//
// Errors: INVALID_ARGUMENT.
int32_t donjon_sealer_from_external(const uint8_t *data_key,
                                    size_t data_key_len,
                                    const uint8_t *key_id,
                                    size_t key_id_len,
                                    const uint8_t *wrapped_key,
                                    size_t wrapped_key_len,
                                    donjon_sealer **out);

// Draws a data key for a KMS or HSM that wraps keys and makes none.
//
// cap: at least DONJON_DATA_KEY_LEN.
//
// Errors: ENTROPY_UNAVAILABLE, BUFFER_TOO_SMALL.
int32_t donjon_external_key_generate(uint8_t *out, size_t cap, size_t *out_len);

// The id of the key that new envelopes name: the keyring's primary, the KMS's, the data key's own; empty
// for a passphrase.
//
// Errors: BUFFER_TOO_SMALL.
int32_t donjon_sealer_key_id(const donjon_sealer *sealer,
                             uint8_t *out,
                             size_t cap,
                             size_t *out_len);

// The length of the envelope of so much plaintext, just as donjon_sealer_seal writes it.
//
// Errors: TOO_LARGE.
int32_t donjon_sealer_sealed_len(const donjon_sealer *sealer, size_t plaintext_len, size_t *out);

// Seals bytes for a context: the very same opens them, and no other.
//
// context: of donjon_context_append, or empty. now_s: for the end of a keyring's key, not negative.
// cap: at least donjon_sealer_sealed_len of the plaintext.
//
// Errors: INVALID_ARGUMENT (not a context), KEY_EXPIRED (the primary), TOO_LARGE, OUT_OF_MEMORY,
// ENTROPY_UNAVAILABLE, BUFFER_TOO_SMALL.
int32_t donjon_sealer_seal(const donjon_sealer *sealer,
                           const uint8_t *context,
                           size_t context_len,
                           int64_t now_s,
                           const uint8_t *plaintext,
                           size_t plaintext_len,
                           uint8_t *out,
                           size_t cap,
                           size_t *out_len);

// Opens an envelope, whole or not at all.
//
// cap: at least the plaintext's length, which BUFFER_TOO_SMALL says before any work; the envelope's is
// always enough.
//
// Errors: DECRYPT_FAILED (another context, another kind, cut off, changed, no envelope); UNKNOWN_KEY,
// KEY_DISABLED, KEY_DESTROYED, KEY_EXPIRED (the key that it names; no other is tried);
// PARAMS_OUT_OF_BOUNDS (of a passphrase's, before any work); INVALID_ARGUMENT, TOO_LARGE (context),
// OUT_OF_MEMORY, BUFFER_TOO_SMALL.
int32_t donjon_sealer_open(const donjon_sealer *sealer,
                           const uint8_t *context,
                           size_t context_len,
                           int64_t now_s,
                           const uint8_t *envelope,
                           size_t envelope_len,
                           uint8_t *out,
                           size_t cap,
                           size_t *out_len);

// Whether an envelope or a wrapped data key should be wrapped anew: 1 if the key that it names is not the
// one that wraps now (of a passphrase: if its parameters are others), else 0.
//
// prefix: its first DONJON_ENVELOPE_PREFIX_MAX bytes, or all of it.
//
// Errors: DECRYPT_FAILED (none of a kind that this sealer wraps).
int32_t donjon_sealer_needs_rewrap(const donjon_sealer *sealer,
                                   const uint8_t *prefix,
                                   size_t prefix_len,
                                   uint32_t *out);

// Changes the key of an envelope without touching its payload: gives the header to put in the place of
// the old one, whose length is old_header_len.
//
// from: opens the envelope. to: wraps its data key; of the same kind as from, often the same handle. Of
//   external keys, the same data key wrapped anew.
// prefix: the envelope's first DONJON_ENVELOPE_PREFIX_MAX bytes, or all of it.
// cap: at least DONJON_ENVELOPE_PREFIX_MAX.
//
// Errors: as donjon_sealer_open, for from; as donjon_sealer_seal, for to; INVALID_ARGUMENT (another kind
// or data key).
int32_t donjon_sealer_rewrap(const donjon_sealer *from,
                             const donjon_sealer *to,
                             int64_t now_s,
                             const uint8_t *prefix,
                             size_t prefix_len,
                             size_t *old_header_len,
                             uint8_t *out,
                             size_t cap,
                             size_t *out_len);

// Says what an envelope, a cell or a wrapped data key says of itself, before any key is asked for:
// `{"kind":"self-contained","key_id":"…","header_len":134,"wrapped_key":null,"memory_kib":null,
// "time_cost":null,"parallelism":null}`. Nothing of it is authentic yet.
//
// kind: "self-contained", "data-key", "cell", "passphrase" or "external". key_id: the key that opens it.
// wrapped_key: base64url of what the KMS is to unwrap, of an external one. header_len: where the payload
// begins.
//
// Errors: DECRYPT_FAILED (no envelope), BUFFER_TOO_SMALL.
int32_t donjon_envelope_inspect(const uint8_t *prefix,
                                size_t prefix_len,
                                uint8_t *out,
                                size_t cap,
                                size_t *out_len);

// Frees a sealer, and wipes its keys.
void donjon_sealer_free(donjon_sealer *sealer);

// The value of a Set-Cookie that carries a session id:
// "__Host-session=…; Path=/; Max-Age=86400; Secure; HttpOnly; SameSite=Lax".
//
// id: empty for one that clears the cookie.
//
// Errors: INVALID_SESSION (not an id), BUFFER_TOO_SMALL.
int32_t donjon_sessions_cookie(const donjon_sessions *sessions,
                               const uint8_t *id,
                               size_t id_len,
                               uint8_t *out,
                               size_t cap,
                               size_t *out_len);

// The value of a Set-Cookie that carries a CSRF token to the scripts of the session's pages, in a cookie of the
// session's name and "-csrf": "__Host-session-csrf=…; Path=/; Max-Age=86400; Secure; SameSite=Lax".
//
// token: empty for one that clears the cookie.
//
// Errors: INVALID_ARGUMENT (not a token), BUFFER_TOO_SMALL.
int32_t donjon_sessions_csrf_cookie(const donjon_sessions *sessions,
                                    const uint8_t *token,
                                    size_t token_len,
                                    uint8_t *out,
                                    size_t cap,
                                    size_t *out_len);

// The session id in a Cookie header; empty if there is no such cookie.
//
// header: the header's value; of several lines, all, joined by "; ".
//
// Errors: INVALID_SESSION (the cookie is there twice, or has no id), TOO_LARGE (over 16 KiB), BUFFER_TOO_SMALL.
int32_t donjon_sessions_read_cookie(const donjon_sessions *sessions,
                                    const uint8_t *header,
                                    size_t header_len,
                                    uint8_t *out,
                                    size_t cap,
                                    size_t *out_len);

// Makes a CSRF token for a session: DONJON_CSRF_TOKEN_LEN characters, good for no other session. Each differs,
// and all stay good as long as the session does. A session that was rotated has another id, and wants a new one.
//
// cap: at least DONJON_CSRF_TOKEN_LEN.
//
// Errors: INVALID_SESSION (not an id), BUFFER_TOO_SMALL, ENTROPY_UNAVAILABLE.
int32_t donjon_sessions_csrf_token(const donjon_sessions *sessions,
                                   const uint8_t *id,
                                   size_t id_len,
                                   uint8_t *out,
                                   size_t cap,
                                   size_t *out_len);

// Whether a request may do what it asks for, as far as browsers and other sites are concerned. Ask before
// anything is done, log-in included. It is no check of the session: that is donjon_sessions_check's.
//
// GET, HEAD and OPTIONS may: they have to change nothing. Any other method has to come from a page of the service
// itself or of a trusted origin, or from no page at all; and with a session, has to carry a token of it, unless
// the configuration says "csrf_token":"not_required".
//
// id: the session's; empty for none. method: as it was sent.
// sec_fetch_site, origin, host: the headers Sec-Fetch-Site, Origin and Host (or :authority, as the browser sent
//   it); empty for one that is not there.
// csrf_token: what the request carries in a header or a field; empty for none.
//
// Errors: CROSS_SITE (from a page of another site), CSRF_FAILED (no token of this session).
int32_t donjon_sessions_check_request(const donjon_sessions *sessions,
                                      const uint8_t *id,
                                      size_t id_len,
                                      const uint8_t *method,
                                      size_t method_len,
                                      const uint8_t *sec_fetch_site,
                                      size_t sec_fetch_site_len,
                                      const uint8_t *origin,
                                      size_t origin_len,
                                      const uint8_t *host,
                                      size_t host_len,
                                      const uint8_t *csrf_token,
                                      size_t csrf_token_len);

// Makes sessions from a keyring, which may be freed afterwards: its "device" secrets name records, its "csrf" secrets
// make CSRF tokens.
//
// config: every member may be left out; the values here are those that it then has:
//   {"idle_timeout_s":28800,"absolute_timeout_s":86400,"touch_interval_s":60,
//    "max_per_user":5,"at_limit":"evict_oldest",
//    "address":{"on_change":"invalidate","ipv4_prefix":24,"ipv6_prefix":48},
//    "user_agent":{"on_change":"report"},
//    "family_lifetime_s":2592000,"family_idle_timeout_s":604800,"refresh_grace_ms":10000,"sealed":false,
//    "cookie":{"name":"__Host-session","same_site":"lax","domain":null,"path":"/","persistent":true,
//              "insecure":false},
//    "csrf_token":"required","trusted_origins":[]}
//   A session ends when it was not used for idle_timeout_s, and after absolute_timeout_s in any case; that it was used
//   is noted once in touch_interval_s, which is at most half of the former. "max_per_user": sign-ins of one user, 1 to
//   64, sessions and families together; "at_limit" may be "refuse". "on_change": what happens if the client is in
//   another network of so many bits, or another browser: "invalidate", "step_up" or "report". "family_*": the same of
//   families; "refresh_grace_ms" as donjon_refresh_rotate has it. "sealed": records are envelopes of the keyring's
//   "envelope" secret. "cookie": "same_site" may be "strict" or "none"; a name that does not begin with __Host- or
//   __Secure- wants "insecure", which is for development without TLS. "csrf_token" may be "not_required".
//   "trusted_origins": `["https://app.example.com"]`, whose pages may send requests too.
//
// Errors: CONFIG_ERROR (a member, or a missing secret: see donjon_sessions_diagnose).
int32_t donjon_sessions_new(const donjon_keyring *keyring,
                            const uint8_t *config,
                            size_t config_len,
                            donjon_sessions **out);

// Says why donjon_sessions_new refuses a configuration: null if it does not, else
// `{"error":"config_error","path":"cookie.name","message":"…"}`.
//
// Errors: BUFFER_TOO_SMALL.
int32_t donjon_sessions_diagnose(const donjon_keyring *keyring,
                                 const uint8_t *config,
                                 size_t config_len,
                                 uint8_t *out,
                                 size_t cap,
                                 size_t *out_len);

// The bytes of the longest record: the next_cap that these functions want. 0 for NULL.
size_t donjon_sessions_record_bound(const donjon_sessions *sessions);

// The bytes of the longest session JSON: the session_cap that these functions want. 0 for NULL.
size_t donjon_sessions_session_bound(const donjon_sessions *sessions);

// The keys that a user's record may be under, as a JSON list of texts: new sign-ins go under the first. The others are
// of "device" secrets of before: they are not empty until their last session has ended; delete them at the next log-in.
//
// Errors: INVALID_ARGUMENT (an empty subject), TOO_LARGE (over 1,024 bytes), BUFFER_TOO_SMALL.
int32_t donjon_sessions_keys(const donjon_sessions *sessions,
                             const uint8_t *subject,
                             size_t subject_len,
                             uint8_t *out,
                             size_t cap,
                             size_t *out_len);

// The key of the record that a session is in.
//
// Errors: INVALID_SESSION (not a session id), BUFFER_TOO_SMALL.
int32_t donjon_sessions_key(const donjon_sessions *sessions,
                            const uint8_t *id,
                            size_t id_len,
                            uint8_t *out,
                            size_t cap,
                            size_t *out_len);

// Begins a session for a user who has just logged in, or, with an empty subject, for nobody.
//
// record: what is stored under the first of donjon_sessions_keys; empty for nobody, whose record goes under
//   donjon_sessions_key of the new id. A damaged record is replaced.
// address, user_agent: the client's, from donjon_proxies_client (its ip) and the User-Agent header; empty for none,
//   which is then not compared. Of the address, its network is kept; of the browser, 8 bytes of a hash.
// label: what to call the sign-in in lists. Control characters and marks that turn the direction of text are dropped,
//   and what is over 64 bytes. data: up to 512 bytes that the host wants back at each check.
// id: receives DONJON_SESSION_ID_LEN bytes, if the status of the verdict is OK: what the client is to send, and nobody
//   else is to see.
// verdict: OK, to be written (must); or SESSION_LIMIT, where at_limit is "refuse".
// next: the record to store. next_cap: at least donjon_sessions_record_bound.
// session: {"handle":"…","subject":"ann","kind":"cookie","label":"…","data":"…","created_ms":…,"seen_ms":…,
//   "expires_ms":…,"network":"192.0.2.0/24","evicted":[{"handle":"…","kind":"tokens"}]}; empty if there is none.
//   "data" is base64url; "handle" names the sign-in and is no secret. "evicted": what had to make room, the oldest
//   first; before next is stored, revoke the families among them (donjon_revocations_revoke), for their access tokens
//   would live on. session_cap: at least donjon_sessions_session_bound.
//
// Errors: INVALID_ARGUMENT (a time, an address that is none, a record for nobody), TOO_LARGE (subject, data),
// KEY_EXPIRED (of a "sealed" record), BUFFER_TOO_SMALL, ENTROPY_UNAVAILABLE.
int32_t donjon_sessions_create(const donjon_sessions *sessions,
                               const uint8_t *record,
                               size_t record_len,
                               const uint8_t *subject,
                               size_t subject_len,
                               const uint8_t *address,
                               size_t address_len,
                               const uint8_t *user_agent,
                               size_t user_agent_len,
                               const uint8_t *label,
                               size_t label_len,
                               const uint8_t *data,
                               size_t data_len,
                               int64_t now_ms,
                               int64_t store_since_ms,
                               uint8_t *id,
                               donjon_session_verdict *verdict,
                               uint8_t *next,
                               size_t next_cap,
                               size_t *next_len,
                               uint8_t *session,
                               size_t session_cap,
                               size_t *session_len);

// Decides about a session id that was sent.
//
// record: what is stored under donjon_sessions_key of the id.
// verdict, the first that applies:
//   INVALID_SESSION, MALFORMED: not the form of an id; UNKNOWN: nothing is stored, or not this session; FOREIGN: the
//     record is damaged, or not that of the user whom the id names; STORE: older than store_since_ms (may write).
//   EXPIRED, IDLE or ABSOLUTE (may write).
//   INVALID_SESSION (must write) or STEP_UP_REQUIRED, ADDRESS or USER_AGENT: as configured.
//   OK (may write, when it was seen, once in the touch interval).
// next, next_cap, session, session_cap: as donjon_sessions_create, without "evicted". There is a session if the
//   status is OK or STEP_UP_REQUIRED.
//
// Errors: INVALID_ARGUMENT (a time, an address that is none), KEY_EXPIRED (of a "sealed" record), BUFFER_TOO_SMALL,
// ENTROPY_UNAVAILABLE.
int32_t donjon_sessions_check(const donjon_sessions *sessions,
                              const uint8_t *record,
                              size_t record_len,
                              const uint8_t *id,
                              size_t id_len,
                              const uint8_t *address,
                              size_t address_len,
                              const uint8_t *user_agent,
                              size_t user_agent_len,
                              int64_t now_ms,
                              int64_t store_since_ms,
                              donjon_session_verdict *verdict,
                              uint8_t *next,
                              size_t next_cap,
                              size_t *next_len,
                              uint8_t *session,
                              size_t session_cap,
                              size_t *session_len);

// Gives a session a new id: after the user has authenticated again, and before what it may do is more. The old id is no
// session any more; when it began, its label and its place in lists stay. Neither address nor browser are compared:
// they are taken as they are now.
//
// data: replaces what is kept; empty leaves it as it is.
// new_id: receives DONJON_SESSION_ID_LEN bytes, if the status of the verdict is OK.
// verdict: OK, to be written (must); otherwise as donjon_sessions_check.
//
// Errors: as donjon_sessions_check; TOO_LARGE (data).
int32_t donjon_sessions_rotate(const donjon_sessions *sessions,
                               const uint8_t *record,
                               size_t record_len,
                               const uint8_t *id,
                               size_t id_len,
                               const uint8_t *address,
                               size_t address_len,
                               const uint8_t *user_agent,
                               size_t user_agent_len,
                               const uint8_t *data,
                               size_t data_len,
                               int64_t now_ms,
                               int64_t store_since_ms,
                               uint8_t *new_id,
                               donjon_session_verdict *verdict,
                               uint8_t *next,
                               size_t next_cap,
                               size_t *next_len,
                               uint8_t *session,
                               size_t session_cap,
                               size_t *session_len);

// Begins a family of refresh tokens for a user who has just logged in, as donjon_sessions_create begins a session.
//
// state: receives DONJON_REFRESH_STATE_LEN bytes, if the status of the verdict is OK: mint its token with
//   donjon_issuer_refresh once the record is written.
//
// Errors: as donjon_sessions_create; INVALID_ARGUMENT also for an empty subject.
int32_t donjon_sessions_begin_family(const donjon_sessions *sessions,
                                     const uint8_t *record,
                                     size_t record_len,
                                     const uint8_t *subject,
                                     size_t subject_len,
                                     const uint8_t *address,
                                     size_t address_len,
                                     const uint8_t *user_agent,
                                     size_t user_agent_len,
                                     const uint8_t *label,
                                     size_t label_len,
                                     const uint8_t *data,
                                     size_t data_len,
                                     int64_t now_ms,
                                     int64_t store_since_ms,
                                     uint8_t *state,
                                     donjon_session_verdict *verdict,
                                     uint8_t *next,
                                     size_t next_cap,
                                     size_t *next_len,
                                     uint8_t *session,
                                     size_t session_cap,
                                     size_t *session_len);

// Decides about a refresh token that was verified, as donjon_refresh_rotate does, where the families are in records.
//
// record: what is stored under one of donjon_sessions_keys of the token's subject: the one that has it, else the first.
// family, generation, issued_at_s: from the token's donjon_claims; issued_at_s DONJON_NEVER if it has none.
// state: receives DONJON_REFRESH_STATE_LEN bytes, if the status of the verdict is OK: mint its token with
//   donjon_issuer_refresh once the record is written, if it must be.
// verdict:
//   OK: a token of state; to be written (must), unless it repeats one within the grace.
//   REVOKED, UNKNOWN: the family was revoked or evicted. STATE_STALE, STORE: the store may have lost it. Either with
//     FOREIGN: the record is damaged, or another user's.
//   EXPIRED, IDLE or ABSOLUTE (may write).
//   REUSE_DETECTED: the token was used before (must write: without the family). Revoke the family first.
//   STATE_STALE, UNKNOWN: the store knows less than the token.
//   changes are only reported, and kept with the next rotation: phones move.
// next, next_cap, session, session_cap: as donjon_sessions_check.
//
// Errors: as donjon_sessions_check; INVALID_ARGUMENT (an empty subject, generation), TOO_LARGE (subject).
int32_t donjon_sessions_refresh(const donjon_sessions *sessions,
                                const uint8_t *record,
                                size_t record_len,
                                const uint8_t *subject,
                                size_t subject_len,
                                const uint8_t *family,
                                size_t family_len,
                                int64_t generation,
                                int64_t issued_at_s,
                                const uint8_t *address,
                                size_t address_len,
                                const uint8_t *user_agent,
                                size_t user_agent_len,
                                int64_t now_ms,
                                int64_t store_since_ms,
                                uint8_t *state,
                                donjon_session_verdict *verdict,
                                uint8_t *next,
                                size_t next_cap,
                                size_t *next_len,
                                uint8_t *session,
                                size_t session_cap,
                                size_t *session_len);

// The live sign-ins of a user, by when they began, as a JSON list of what donjon_sessions_check gives as session, each
// with "current":true or false. A damaged record, and another user's, have none.
//
// subject: the record's. Empty: that of the session id current, under whose key the record is.
// current: the id or the handle of the sign-in that asks; empty for none.
//
// Errors: INVALID_ARGUMENT (a time), TOO_LARGE (subject), BUFFER_TOO_SMALL.
int32_t donjon_sessions_list(const donjon_sessions *sessions,
                             const uint8_t *record,
                             size_t record_len,
                             const uint8_t *subject,
                             size_t subject_len,
                             const uint8_t *current,
                             size_t current_len,
                             int64_t now_ms,
                             int64_t store_since_ms,
                             uint8_t *out,
                             size_t cap,
                             size_t *out_len);

// Ends sign-ins of a user.
//
// subject: the record's. Empty: that of the session id handle, under whose key the record is.
// which: DONJON_SESSIONS_*. handle: the handle, or the session id, of the one that goes, or that stays; empty for ALL.
// verdict: OK, to be written (must) if anything goes, next empty if nothing is left; INVALID_SESSION, UNKNOWN: there
//   is no such sign-in. ALL of a damaged record deletes it.
// next, next_cap: as donjon_sessions_create. revoked: what went, as donjon_sessions_list has it without "current".
//   Before next is stored, revoke the families among it (donjon_revocations_revoke): their access tokens would live on.
//
// Errors: INVALID_ARGUMENT (which, a time), TOO_LARGE (subject), KEY_EXPIRED (of a "sealed" record),
// BUFFER_TOO_SMALL, ENTROPY_UNAVAILABLE.
int32_t donjon_sessions_revoke(const donjon_sessions *sessions,
                               const uint8_t *record,
                               size_t record_len,
                               const uint8_t *subject,
                               size_t subject_len,
                               uint32_t which,
                               const uint8_t *handle,
                               size_t handle_len,
                               int64_t now_ms,
                               int64_t store_since_ms,
                               donjon_session_verdict *verdict,
                               uint8_t *next,
                               size_t next_cap,
                               size_t *next_len,
                               uint8_t *revoked,
                               size_t revoked_cap,
                               size_t *revoked_len);

// Frees sessions.
void donjon_sessions_free(donjon_sessions *sessions);

// Seals the value of a setting under the keyring's primary "settings" secret: a text of one line that begins
// with `sealed:`, for an environment or a configuration file. No other setting opens it.
//
// name: as the setting is called, up to 4,092 bytes. value: UTF-8, up to 64 KiB. now_s: for the key's end,
// not negative.
// cap: at least the text's length, which BUFFER_TOO_SMALL says before any work; 512 bytes more than twice
//   the value's are always enough.
//
// Errors: CONFIG_ERROR (no primary "settings" secret, or a key that is not of 32 bytes), KEY_EXPIRED (the
// primary), TOO_LARGE, INVALID_ARGUMENT, OUT_OF_MEMORY, ENTROPY_UNAVAILABLE, BUFFER_TOO_SMALL.
int32_t donjon_setting_seal(const donjon_keyring *keyring,
                            const uint8_t *name,
                            size_t name_len,
                            const uint8_t *value,
                            size_t value_len,
                            int64_t now_s,
                            uint8_t *out,
                            size_t cap,
                            size_t *out_len);

// The value of a sealed setting.
//
// cap: at least the value's length, which BUFFER_TOO_SMALL says; sealed_len is always enough.
//
// Errors: MALFORMED (it does not begin with `sealed:`: it was never sealed); DECRYPT_FAILED (another
// setting's, or not what was sealed); UNKNOWN_KEY, KEY_DISABLED, KEY_DESTROYED, KEY_EXPIRED (the key that it
// names; no other is tried); CONFIG_ERROR, as donjon_setting_seal; TOO_LARGE (over 128 KiB; name),
// INVALID_ARGUMENT, OUT_OF_MEMORY, BUFFER_TOO_SMALL.
int32_t donjon_setting_open(const donjon_keyring *keyring,
                            const uint8_t *name,
                            size_t name_len,
                            const uint8_t *sealed,
                            size_t sealed_len,
                            int64_t now_s,
                            uint8_t *out,
                            size_t cap,
                            size_t *out_len);

// The version of the ABI that this library has; compare it with DONJON_ABI_VERSION on load.
uint32_t donjon_abi_version(void);

// The version of the library, such as "0.1.0". Static.
const char *donjon_version(void);

// The pinned name of a status, such as "bad_signature"; "unknown_status" for any other number. Static.
const char *donjon_status_str(int32_t status);

// One line about a status for the operator's log; a client is told nothing but the HTTP status. Static.
const char *donjon_status_message(int32_t status);

// What a web service answers to a request that ended in this status: 401 for the client's token, 500
// for the service's own mistake and for unknown numbers.
int32_t donjon_status_http(int32_t status);

// Decides whether a store that holds sessions or revocations still knows what it was told. Its marker lies under
// the key "epoch", and is read together with whatever is asked of the store.
//
// stored: what is there; empty for nothing.
// seen: the latest marker that this process saw of the store *before it began this read*; empty for none.
//   Afterwards what is seen is raised to the new marker, never lowered: the later one has the greater bytes.
// max_silence_ms: after so long without a sign of life the store counts as restored; 1 to 100 years. The marker
//   is due every second while anybody asks.
// marker: receives DONJON_MARKER_LEN bytes, the marker from now on.
//
// Errors: INVALID_ARGUMENT (seen is no marker; max_silence_ms, now_ms), STORE_UNAVAILABLE (by this clock the store's
// knowledge begins in the future: let nobody in, and do not count the marker as seen).
int32_t donjon_store_marker(const uint8_t *stored,
                            size_t stored_len,
                            const uint8_t *seen,
                            size_t seen_len,
                            int64_t max_silence_ms,
                            int64_t now_ms,
                            uint8_t *marker,
                            donjon_marker_verdict *verdict);

// Activates roles: a JSON list of "role" or "role@tenant", as a verified token carries them. tenant: the
// tenant that the checks are about; empty for none, where only roles without a tenant are active.
// permissions: the token's own JSON list, which only narrows what the roles allow; (NULL, 0) if it has
// none ("[]" allows nothing). Roles that the policy lacks are left out; donjon_subject_explain names them.
//
// Errors: SEPARATION_OF_DUTY, MALFORMED (not a list of strings), TOO_LARGE (over 4,096 of them),
// INVALID_ARGUMENT (tenant).
int32_t donjon_subject_new(const donjon_policy *policy,
                           const uint8_t *roles,
                           size_t roles_len,
                           const uint8_t *tenant,
                           size_t tenant_len,
                           const uint8_t *permissions,
                           size_t permissions_len,
                           donjon_subject **out);

// Whether the subject may do permission, or permission to instance: "document:read" to "42" is
// "document:read:42". DONJON_OK if so. instance, which may be a client's text, is one literal name: one
// with "*", ",", ":", white space or control characters is denied. Empty: none.
//
// Errors: PERMISSION_DENIED.
int32_t donjon_subject_has(const donjon_subject *subject,
                           const uint8_t *permission,
                           size_t permission_len,
                           const uint8_t *instance,
                           size_t instance_len);

// Whether role is active, itself or inherited. DONJON_OK if so. Permissions say more: ask for them.
//
// Errors: PERMISSION_DENIED.
int32_t donjon_subject_has_role(const donjon_subject *subject,
                                const uint8_t *role,
                                size_t role_len);

// Whether the subject may do any, or all, of permissions (a JSON list, at most 256), each to instance if
// there is one. mode: DONJON_ANY, DONJON_ALL. DONJON_OK if so. Any of none: denied.
//
// Errors: PERMISSION_DENIED, INVALID_ARGUMENT (mode; all of none), MALFORMED (not a list of strings),
// TOO_LARGE.
int32_t donjon_subject_check(const donjon_subject *subject,
                             uint32_t mode,
                             const uint8_t *permissions,
                             size_t permissions_len,
                             const uint8_t *instance,
                             size_t instance_len);

// Explains what donjon_subject_check decides, as JSON for the log: {"allowed":false,"mode":"all",
// "reason":"missing","permissions":[{"permission":"document:read","allowed":false,"reason":"missing",
// "grants":[{"role":"editor","via":["chief","editor"],"grant":"document:*"}],"denies":[]}],
// "unknown_roles":["ghost"]}. Reasons: "granted", "denied", "missing", "unknown_permission",
// "malformed_permission", "token_lacks", "empty". A client is told nothing of it.
//
// Errors: INVALID_ARGUMENT (mode), MALFORMED, TOO_LARGE, BUFFER_TOO_SMALL.
int32_t donjon_subject_explain(const donjon_subject *subject,
                               uint32_t mode,
                               const uint8_t *permissions,
                               size_t permissions_len,
                               const uint8_t *instance,
                               size_t instance_len,
                               uint8_t *out,
                               size_t cap,
                               size_t *out_len);

// What the subject may do: a JSON list of catalogue entries; of open ones also "document:read:42" (this
// instance), or "document:read:*" and "!document:read:42" (all but this one).
//
// Errors: BUFFER_TOO_SMALL.
int32_t donjon_subject_permissions(const donjon_subject *subject,
                                   uint8_t *out,
                                   size_t cap,
                                   size_t *out_len);

// Frees a subject.
void donjon_subject_free(donjon_subject *subject);

#if defined(DONJON_TEST_ENTROPY)
// The bytes that calls of this thread draw from now on; once they run dry, ENTROPY_UNAVAILABLE.
// (NULL, 0) goes back to the operating system. Only in libraries built for the conformance shim.
int32_t donjon_test_entropy(const uint8_t *entropy, size_t entropy_len);
#endif

// Makes a verifier. The keyring may be freed afterwards.
//
// config: {"issuer":"https://a","audience":["api"],"type":"at+jwt","algorithms":["EdDSA"],
//   "leeway_s":0,"require":["sub"],"legacy_type_claim":"token_type"}.
//   "issuer", "audience" (the token names any one of them), "type" and "algorithms" must be there; null
//   waives the first three. "leeway_s": 0 to 300. "require": further claims that must be there besides
//   "exp"; null waives "exp" too. "legacy_type_claim": for tokens that keep their type in a claim, as
//   "access", "refresh" or the purpose; the claim is then mandatory.
//
// Errors: CONFIG_ERROR.
int32_t donjon_verifier_new(const donjon_keyring *keyring,
                            const uint8_t *config,
                            size_t config_len,
                            donjon_verifier **out);

// Says why donjon_verifier_new refuses a configuration: null if it does not, else
// `{"error":"config_error","path":"","message":"…"}`.
//
// Errors: BUFFER_TOO_SMALL.
int32_t donjon_verifier_diagnose(const donjon_keyring *keyring,
                                 const uint8_t *config,
                                 size_t config_len,
                                 uint8_t *out,
                                 size_t cap,
                                 size_t *out_len);

// Checks a token. On success *claims says where in out its claims lie; cap = 2 * token_len always
// suffices.
//
// Errors, the first that applies: INVALID_ARGUMENT (a negative now_s); MALFORMED, TOO_LARGE,
// UNSUPPORTED (shape); ALG_NOT_ALLOWED,
// UNSUPPORTED_CRITICAL (header); UNKNOWN_KEY, KEY_DISABLED, KEY_DESTROYED, KEY_EXPIRED; BAD_SIGNATURE;
// MALFORMED, BAD_CLAIM_TYPE, WRONG_TOKEN_TYPE, MISSING_CLAIM, EXPIRED, NOT_YET_VALID, INVALID_ISSUER,
// INVALID_AUDIENCE (claims); BUFFER_TOO_SMALL.
int32_t donjon_verifier_verify(const donjon_verifier *verifier,
                               const uint8_t *token,
                               size_t token_len,
                               int64_t now_s,
                               donjon_claims *claims,
                               uint8_t *out,
                               size_t cap,
                               size_t *out_len);

// Frees a verifier.
void donjon_verifier_free(donjon_verifier *verifier);

// Checks a bare JWS, any payload, against the token keys of a keyring.
//
// algorithms: a JSON list of names. info: where in out the payload, the algorithm's name and the key's
//   id lie.
//
// Errors: CONFIG_ERROR (algorithms), BUFFER_TOO_SMALL, and those of donjon_verifier_verify up to
// BAD_SIGNATURE.
int32_t donjon_jws_verify(const donjon_keyring *keyring,
                          const uint8_t *algorithms,
                          size_t algorithms_len,
                          const uint8_t *jws,
                          size_t jws_len,
                          int64_t now_s,
                          donjon_jws *info,
                          uint8_t *out,
                          size_t cap,
                          size_t *out_len);

// The header of a token as compact JSON, NOT VERIFIED: nothing in it may be believed.
//
// Errors: MALFORMED, TOO_LARGE, UNSUPPORTED, BUFFER_TOO_SMALL.
int32_t donjon_jws_unverified_header(const uint8_t *jws,
                                     size_t jws_len,
                                     uint8_t *out,
                                     size_t cap,
                                     size_t *out_len);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* DONJON_H */
