/* The cases of the vectors, through the C ABI: vectors EVERY tests/vectors/x.json... (needs jansson, and a library built with
 * the feature test-entropy, for some requests say which bytes an operation draws). EVERY is 1 for all of them, 5 for every
 * fifth: valgrind is slow. */

#include <stdlib.h>

#include <jansson.h>

#define DONJON_TEST_ENTROPY
#include <donjon.h>

#include "harness.h"

#define MAX_OUT (256 * 1024)

typedef struct {
    const uint8_t *bytes;
    size_t len;
} slice;

static const slice NOTHING = {NULL, 0};

/* What a request came to: a status, or an answer. A field that is missing or of the wrong type is `bad`. */
typedef struct {
    json_t *request;
    json_t *answer;
    int bad;
    char *raw[16];
    size_t raws;
} call;

/* ---- fields ---- */

static slice text(call *call, const char *name) {
    json_t *value = json_object_get(call->request, name);
    if (!json_is_string(value)) {
        call->bad = 1;
        return NOTHING;
    }
    return (slice){(const uint8_t *)json_string_value(value), json_string_length(value)};
}

static slice optional_text(call *call, const char *name) {
    json_t *value = json_object_get(call->request, name);
    return value == NULL || json_is_null(value) ? NOTHING : text(call, name);
}

static slice raw(call *call, json_t *value) {
    char *written = value == NULL ? NULL : json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    if (written == NULL || call->raws == sizeof call->raw / sizeof *call->raw) {
        free(written);
        return NOTHING;
    }
    call->raw[call->raws++] = written;
    return (slice){(const uint8_t *)written, strlen(written)};
}

static slice member(call *call, const char *name) {
    json_t *value = json_object_get(call->request, name);
    call->bad |= value == NULL;
    return raw(call, value);
}

static slice optional_member(call *call, const char *name) {
    json_t *value = json_object_get(call->request, name);
    return value == NULL || json_is_null(value) ? NOTHING : raw(call, value);
}

static int64_t integer(call *call, const char *name) {
    json_t *value = json_object_get(call->request, name);
    call->bad |= !json_is_integer(value);
    return json_integer_value(value);
}

static int64_t integer_or(call *call, const char *name, int64_t otherwise) {
    json_t *value = json_object_get(call->request, name);
    return value == NULL || json_is_null(value) ? otherwise : integer(call, name);
}

static uint8_t boolean(call *call, const char *name) {
    json_t *value = json_object_get(call->request, name);
    call->bad |= !json_is_boolean(value);
    return json_is_true(value) ? 1 : 0;
}

static int digit(uint8_t letter) {
    return letter >= '0' && letter <= '9' ? letter - '0' : letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

static void decode(call *call, slice digits, uint8_t *out) {
    call->bad |= digits.len % 2 != 0;
    for (size_t i = 0; i < digits.len / 2; i++) {
        int high = digit(digits.bytes[2 * i]), low = digit(digits.bytes[2 * i + 1]);
        call->bad |= high < 0 || low < 0;
        out[i] = (uint8_t)((high & 15) << 4 | (low & 15));
    }
}

static size_t hex(call *call, const char *name, uint8_t *out, size_t cap) {
    slice digits = optional_text(call, name);
    if (digits.len / 2 > cap) {
        call->bad = 1;
        return 0;
    }
    decode(call, digits, out);
    return digits.len / 2;
}

/* Bytes that last as long as the call. */
static slice unhex(call *call, slice digits) {
    uint8_t *room = malloc(digits.len / 2 + 1);
    if (room == NULL || call->raws == sizeof call->raw / sizeof *call->raw) {
        abort();
    }
    call->raw[call->raws++] = (char *)room;
    decode(call, digits, room);
    return (slice){room, digits.len / 2};
}

static slice bytes(call *call, const char *name) {
    return unhex(call, text(call, name));
}

static json_t *to_hex(const uint8_t *bytes, size_t len) {
    char *digits = malloc(2 * len + 1);
    for (size_t i = 0; i < len; i++) {
        snprintf(digits + 2 * i, 3, "%02x", bytes[i]);
    }
    json_t *value = json_stringn(digits, 2 * len);
    free(digits);
    return value;
}

static void put(call *call, const char *name, json_t *value) {
    json_object_set_new(call->answer, name, value);
}

static void put_span(call *call, const char *name, const uint8_t *out, donjon_span span) {
    put(call, name, span.offset == DONJON_ABSENT ? json_null() : json_stringn((const char *)out + span.offset, span.length));
}

static donjon_keyring *keyring_of(call *call, const char *name, int32_t *status) {
    donjon_keyring *keyring = NULL;
    slice jwks = member(call, name);
    *status = call->bad ? DONJON_OK : donjon_keyring_from_jwks(jwks.bytes, jwks.len, &keyring);
    return keyring;
}

/* ---- operations ---- */

static int32_t token_verify(call *call, uint8_t *out) {
    static const char *const EXPECTATIONS[][2] = {
        {"issuer", "issuer"}, {"audience", "audience"}, {"typ", "type"}, {"algorithms", "algorithms"},
        {"leeway_s", "leeway_s"}, {"require", "require"}, {"legacy_type_claim", "legacy_type_claim"},
    };
    slice token = text(call, "token");
    int64_t now_s = integer(call, "now_s");
    json_t *expectations = json_object();
    for (size_t i = 0; i < sizeof EXPECTATIONS / sizeof *EXPECTATIONS; i++) {
        json_t *value = json_object_get(call->request, EXPECTATIONS[i][0]);
        if (value != NULL) {
            json_object_set(expectations, EXPECTATIONS[i][1], value);
        }
    }
    slice config = raw(call, expectations);
    json_decref(expectations);
    int32_t status;
    donjon_keyring *keyring = keyring_of(call, "keys", &status);
    donjon_verifier *verifier = NULL;
    if (keyring != NULL) {
        status = donjon_verifier_new(keyring, config.bytes, config.len, &verifier);
    }
    if (verifier != NULL) {
        donjon_claims claims;
        size_t len = 0;
        status = donjon_verifier_verify(verifier, token.bytes, token.len, now_s, &claims, out, MAX_OUT, &len);
        if (status == DONJON_OK) {
            put(call, "claims", json_loadb((char *)out + claims.json.offset, claims.json.length, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL));
        }
    }
    donjon_verifier_free(verifier);
    donjon_keyring_free(keyring);
    return status;
}

static int32_t jws_verify(call *call, uint8_t *out) {
    slice jws = text(call, "jws");
    int64_t now_s = integer_or(call, "now_s", 0);
    slice algorithms = raw(call, json_object_get(call->request, "algorithms"));
    int32_t status;
    donjon_keyring *keyring = keyring_of(call, "keys", &status);
    if (keyring != NULL) {
        donjon_jws info;
        size_t len = 0;
        status = donjon_jws_verify(keyring, algorithms.bytes, algorithms.len, jws.bytes, jws.len, now_s, &info, out, MAX_OUT, &len);
        if (status == DONJON_OK) {
            put(call, "payload_hex", to_hex(out + info.payload.offset, info.payload.length));
            put_span(call, "alg", out, info.alg);
            put_span(call, "kid", out, info.key_id);
        }
    }
    donjon_keyring_free(keyring);
    return status;
}

static int32_t token_sign(call *call, uint8_t *out) {
    slice kid = optional_text(call, "kid"), typ = optional_text(call, "typ"), claims = member(call, "claims");
    int32_t status;
    donjon_keyring *keyring = keyring_of(call, "keys", &status);
    if (keyring != NULL) {
        size_t len = 0, bound = donjon_token_sign_bound(typ.len, claims.len);
        CHECK(bound <= MAX_OUT);
        status = donjon_token_sign(keyring, kid.bytes, kid.len, typ.bytes, typ.len, claims.bytes, claims.len, out, bound, &len);
        if (status == DONJON_OK) {
            put(call, "token", json_stringn((char *)out, len));
        }
    }
    donjon_keyring_free(keyring);
    return status;
}

static int32_t jwks_parse(call *call, uint8_t *out) {
    int32_t status;
    donjon_keyring *keyring = keyring_of(call, "jwks", &status);
    if (keyring != NULL) {
        size_t len = 0;
        status = donjon_keyring_summary(keyring, out, MAX_OUT, &len);
        json_t *summary = json_loadb((char *)out, len, 0, NULL), *rows = json_array(), *key;
        size_t index;
        json_array_foreach(json_object_get(summary, "keys"), index, key) {
            json_t *row = json_object();
            static const char *const NAMES[] = {"kid", "kty", "alg", "thumbprint"};
            for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
                json_object_set(row, NAMES[i], json_object_get(key, NAMES[i]));
            }
            json_array_append_new(rows, row);
        }
        json_decref(summary);
        put(call, "keys", rows);
    }
    donjon_keyring_free(keyring);
    return status;
}

static int32_t purpose(call *call, uint8_t *out, int mints) {
    slice name = text(call, "purpose"), subject = text(call, "subject"), state = text(call, "state"), token = NOTHING;
    int64_t now_s = integer(call, "now_s"), ttl_s = 0;
    uint8_t entropy[64];
    size_t entropy_len = 0, len = 0;
    if (mints) {
        ttl_s = integer(call, "ttl_s");
        entropy_len = hex(call, "entropy_hex", entropy, sizeof entropy);
    } else {
        token = text(call, "token");
    }
    int32_t status;
    donjon_keyring *keyring = keyring_of(call, "keyring", &status);
    donjon_purpose_tokens *tokens = NULL;
    if (keyring != NULL) {
        status = donjon_purpose_tokens_new(keyring, &tokens);
    }
    if (tokens != NULL && mints) {
        CHECK_STATUS(donjon_test_entropy(entropy, entropy_len), DONJON_OK);
        status = donjon_purpose_tokens_mint(tokens, name.bytes, name.len, subject.bytes, subject.len, state.bytes, state.len, ttl_s, now_s, out, MAX_OUT, &len);
        CHECK_STATUS(donjon_test_entropy(NULL, 0), DONJON_OK);
        if (status == DONJON_OK) {
            put(call, "token", json_stringn((char *)out, len));
        }
    } else if (tokens != NULL) {
        status = donjon_purpose_tokens_check(tokens, name.bytes, name.len, subject.bytes, subject.len, state.bytes, state.len, token.bytes, token.len, now_s);
    }
    donjon_purpose_tokens_free(tokens);
    donjon_keyring_free(keyring);
    return status;
}

static int32_t refresh_rotate(call *call) {
    uint8_t state[64];
    size_t state_len = hex(call, "state_hex", state, sizeof state);
    slice family = text(call, "family");
    int64_t generation = integer(call, "generation"), now_ms = integer(call, "now_ms"), grace_ms = integer(call, "grace_ms");
    if (call->bad) {
        return DONJON_OK;
    }
    donjon_refresh_verdict verdict;
    int32_t status = donjon_refresh_rotate(state, state_len, family.bytes, family.len, generation, now_ms, grace_ms, &verdict);
    if (status == DONJON_OK) {
        put(call, "status", json_string(donjon_status_str(verdict.status)));
        put(call, "changed", json_boolean(verdict.changed));
        put(call, "state_hex", to_hex(verdict.state, sizeof verdict.state));
    }
    return status;
}

static int32_t revocation_check(call *call) {
    donjon_revocation_facts facts = {
        .issued_at_s = integer_or(call, "issued_at_s", DONJON_NEVER),
        .subject_since_s = integer_or(call, "subject_since_s", DONJON_NEVER),
        .store_since_s = integer_or(call, "store_since_s", DONJON_NEVER),
        .skew_s = integer(call, "skew_s"),
        .token_revoked = boolean(call, "token_revoked"),
        .family_revoked = boolean(call, "family_revoked"),
        .key_revoked = boolean(call, "key_revoked"),
    };
    return call->bad ? DONJON_OK : donjon_revocation_check(&facts);
}

static int32_t jwks_refresh(call *call) {
    static const char *const EVENTS[] = {"unknown_key", "periodic", "fetched", "failed"};
    uint8_t state[64];
    size_t state_len = hex(call, "state_hex", state, sizeof state);
    slice name = text(call, "event");
    int64_t now_ms = integer(call, "now_ms"), cooldown_ms = integer(call, "cooldown_ms"), max_age_ms = integer(call, "max_age_ms");
    int32_t event = 0;
    for (int32_t i = 0; i < 4 && !call->bad; i++) {
        event = strcmp(EVENTS[i], (const char *)name.bytes) == 0 ? i + DONJON_JWKS_UNKNOWN_KEY : event;
    }
    if (call->bad) {
        return DONJON_OK;
    }
    donjon_jwks_verdict verdict;
    int32_t status = donjon_jwks_refresh(state, state_len, event, now_ms, cooldown_ms, max_age_ms, &verdict);
    if (status == DONJON_OK) {
        put(call, "fetch", json_boolean(verdict.fetch));
        put(call, "retry_after_ms", json_integer(verdict.retry_after_ms));
        put(call, "state_hex", to_hex(verdict.state, sizeof verdict.state));
    }
    return status;
}

#include "vectors_passwords.h"
#include "vectors_roles.h"
#include "vectors_envelopes.h"
#include "vectors_limits.h"
#include "vectors_sessions.h"

static int32_t dispatch(call *call, uint8_t *out) {
    const char *op = json_string_value(json_object_get(call->request, "op"));
#define IS(name) (strcmp(op, name) == 0)
    return IS("token_verify")          ? token_verify(call, out)
           : IS("jws_verify")            ? jws_verify(call, out)
           : IS("token_sign")            ? token_sign(call, out)
           : IS("jwks_parse")            ? jwks_parse(call, out)
           : IS("purpose_mint")          ? purpose(call, out, 1)
           : IS("purpose_check")         ? purpose(call, out, 0)
           : IS("refresh_rotate")        ? refresh_rotate(call)
           : IS("revocation_check")      ? revocation_check(call)
           : IS("jwks_refresh")          ? jwks_refresh(call)
           : IS("password_hash")         ? password_hash(call, out)
           : IS("password_verify")       ? password_verify(call)
           : IS("password_unknown_user") ? password_unknown_user(call)
           : IS("password_needs_rehash") ? password_needs_rehash(call)
           : IS("password_strength")     ? password_strength(call, out)
           : IS("breach_prefix")         ? breach_prefix(call, out)
           : IS("breach_count")          ? breach_count(call)
           : IS("permission_implies")    ? permission_implies(call)
           : IS("rbac_check")            ? rbac_check(call, out)
           : IS("rbac_explain")          ? rbac_explain(call, out)
           : IS("what_can")              ? what_can(call, out)
           : IS("has_role")              ? has_role(call)
           : IS("who_can")               ? of_policy(call, out, who_can)
           : IS("check_permission")      ? of_policy(call, out, check_permission)
           : IS("check_role")            ? of_policy(call, out, check_role)
           : IS("policy_assign")         ? of_policy(call, out, policy_assign)
           : IS("policy_document")       ? of_policy(call, out, policy_document)
           : IS("policy_shipped")        ? policy_shipped(call, out)
           : IS("policy_diagnose")       ? policy_diagnose(call, out)
           : IS("policy_diff")           ? policy_diff(call, out)
           : IS("policy_lint")           ? of_policy(call, out, policy_lint)
           : IS("policy_matrix")         ? of_policy(call, out, policy_matrix)
           : IS("casbin_import")         ? casbin_import(call, out)
           : IS("chunked_seal")          ? chunked(call, out, 1)
           : IS("chunked_open")          ? chunked(call, out, 0)
           : IS("envelope_seal")         ? envelope_seal(call, out)
           : IS("envelope_open")         ? envelope_open(call, out)
           : IS("envelope_rewrap")       ? envelope_rewrap(call, out)
           : IS("envelope_needs_rewrap") ? envelope_needs_rewrap(call)
           : IS("envelope_inspect")      ? envelope_inspect(call, out)
           : IS("passphrase_seal")       ? passphrase(call, out, 1)
           : IS("passphrase_open")       ? passphrase(call, out, 0)
           : IS("external_seal")         ? external(call, out, 1)
           : IS("external_open")         ? external(call, out, 0)
           : IS("data_key_new")          ? data_key_new(call, out)
           : IS("data_key_rewrap")       ? data_key_rewrap(call, out)
           : IS("cell_seal")             ? cell(call, out, 1)
           : IS("cell_open")             ? cell(call, out, 0)
           : IS("stream_seal")           ? stream_seal(call, out)
           : IS("stream_open")           ? stream_open(call, out)
           : IS("reader_read")           ? reader_read(call, out)
           : IS("blind_index")           ? blind_index(call, out)
           : IS("setting_seal")          ? setting(call, out, 1)
           : IS("setting_open")          ? setting(call, out, 0)
           : IS("erasure")               ? erasure(call, out)
           : IS("fernet_derive_key")     ? fernet_derive_key(call, out)
           : strncmp(op, "fernet_", 7) == 0 ? fernet(call, op, out)
           : IS("aes_engine_open")       ? aes_engine_open(call, out)
           : IS("limit_parse")           ? limit_parse(call, out)
           : IS("limit_apply")           ? limit_apply(call, out)
           : IS("limits_describe")       ? limits_describe(call, out)
           : IS("limits_diagnose")       ? limits_diagnose(call, out)
           : IS("limits_spend")          ? limits_spend(call, out)
           : IS("limits_give_back")      ? limits_give_back(call, out)
           : IS("limits_headers")        ? limits_tell(call, out, 0)
           : IS("limits_refusal")        ? limits_tell(call, out, 1)
           : IS("limit_profiles")        ? limit_profiles(call, out)
           : IS("lockout_counters")      ? lockout_counters(call, out)
           : IS("lockout_device_token")  ? lockout_device_token(call, out)
           : IS("client_ip")             ? client_ip(call)
           : IS("session_diagnose")      ? session_diagnose(call, out)
           : IS("session_create")        ? session_decide(call, CREATE)
           : IS("session_check")         ? session_decide(call, CHECK_ID)
           : IS("session_rotate")        ? session_decide(call, ROTATE)
           : IS("session_begin_family")  ? session_decide(call, BEGIN_FAMILY)
           : IS("session_refresh")       ? session_decide(call, REFRESH)
           : IS("session_list")          ? session_list(call, out)
           : IS("session_revoke")        ? session_revoke(call, out)
           : IS("session_keys")          ? session_text(call, out, donjon_sessions_keys, "subject", "keys")
           : IS("session_key")           ? session_text(call, out, donjon_sessions_key, "session_id", "key")
           : IS("session_csrf_token")    ? session_text(call, out, donjon_sessions_csrf_token, "session_id", "token")
           : IS("session_cookie")        ? session_text(call, out, donjon_sessions_cookie, "session_id", "header")
           : IS("session_csrf_cookie")   ? session_text(call, out, donjon_sessions_csrf_cookie, "token", "header")
           : IS("session_read_cookie")   ? session_text(call, out, donjon_sessions_read_cookie, "header", "session_id")
           : IS("session_check_request") ? session_check_request(call)
           : IS("revocation_keys")       ? revocation_keys(call, out)
           : IS("revocation_record_check") ? revocation_record_check(call)
           : IS("revocation_issue_since") ? revocation_issue_since(call)
           : IS("revocation_key")        ? revocation_write(call, out, 1)
           : IS("revocation_revoke")     ? revocation_write(call, out, 0)
           : IS("store_marker")          ? store_marker(call)
           : IS("revocation_set_sign")   ? revocation_set_sign(call)
           : IS("revocation_set_open")   ? revocation_set(call, out, OPEN)
           : IS("revocation_set_info")   ? revocation_set(call, out, INFO)
           : IS("revocation_set_check")  ? revocation_set(call, out, LOOK_UP)
                                        : DONJON_UNSUPPORTED;
}

/* ---- comparison ---- */

/* Equality of JSON values, numbers by what they are worth and not by how they are written. */
static int same(json_t *a, json_t *b) {
    if (json_is_number(a) && json_is_number(b)) {
        return json_is_integer(a) && json_is_integer(b) ? json_integer_value(a) == json_integer_value(b)
                                                        : json_number_value(a) == json_number_value(b);
    }
    if (json_is_array(a) && json_is_array(b)) {
        int equal = json_array_size(a) == json_array_size(b);
        for (size_t i = 0; equal && i < json_array_size(a); i++) {
            equal = same(json_array_get(a, i), json_array_get(b, i));
        }
        return equal;
    }
    if (json_is_object(a) && json_is_object(b)) {
        int equal = json_object_size(a) == json_object_size(b);
        const char *name;
        json_t *value;
        json_object_foreach(a, name, value) {
            json_t *other = json_object_get(b, name);
            equal = equal && other != NULL && same(value, other);
        }
        return equal;
    }
    return json_equal(a, b);
}

static int fits(json_t *expected, json_t *given) {
    const char *name;
    json_t *value;
    json_object_foreach(expected, name, value) {
        int found = 0;
        if (strcmp(name, "error_in") == 0) {
            for (size_t i = 0; i < json_array_size(value); i++) {
                found |= json_equal(json_array_get(value, i), json_object_get(given, "error"));
            }
        } else {
            json_t *other = json_object_get(given, name);
            found = other != NULL && same(value, other);
        }
        if (!found) {
            return 0;
        }
    }
    return 1;
}

static void run(const char *file, json_t *one) {
    static uint8_t out[MAX_OUT];
    call call = {.request = json_object_get(one, "request"), .answer = json_object()};
    int32_t status = dispatch(&call, out);
    int refused = call.bad || status != DONJON_OK;
    put(&call, "ok", json_boolean(!refused));
    if (refused) {
        put(&call, "error", json_string(call.bad ? "bad_request" : donjon_status_str(status)));
    }
    if (fits(json_object_get(one, "answer"), call.answer)) {
        tests_passed++;
    } else {
        tests_failed++;
        char *expected = json_dumps(json_object_get(one, "answer"), JSON_COMPACT), *given = json_dumps(call.answer, JSON_COMPACT);
        fprintf(stderr, "%s: %s\n  expected %s\n  given    %s\n", file, json_string_value(json_object_get(one, "name")), expected, given);
        free(expected);
        free(given);
    }
    json_decref(call.answer);
    for (size_t i = 0; i < call.raws; i++) {
        free(call.raw[i]);
    }
}

int main(int count, char **arguments) {
    int every = count > 1 ? atoi(arguments[1]) : 0, seen = 0;
    if (every < 1) {
        fprintf(stderr, "usage: vectors EVERY FILE...\n");
        return 2;
    }
    for (int i = 2; i < count; i++) {
        json_error_t error;
        json_t *document = json_load_file(arguments[i], JSON_ALLOW_NUL, &error), *one;
        size_t index;
        if (document == NULL) {
            fprintf(stderr, "%s:%d: %s\n", arguments[i], error.line, error.text);
            return 2;
        }
        json_array_foreach(json_object_get(document, "cases"), index, one) {
            if (seen++ % every == 0) {
                run(arguments[i], one);
            }
        }
        json_decref(document);
    }
    CHECK(tests_passed + tests_failed > 16000 / every);
    return finish("vectors through the C ABI") + (checks_failed != 0);
}
